use taut::prelude::*;

fn main() {
    let layer = Conv2d::<3, 8, 0>::init(&mut StdRng::seed_from_u64(0));
    //~ a size of Const<0> leaves nothing: it is at least 1
    //~ required for `Conv2d<3, 8, 0>` to implement
    layer.forward(Tensor::<(usize, Const<3>, usize, usize)>::zeros_with((2, Const, 32, 32)));
}
