use taut::prelude::*;

fn main() {
    let layer = <(Conv2d<1, 16, 3>, Relu)>::init(&mut StdRng::seed_from_u64(0));
    //~ a window of kernel 3, stride 1, padding 0 does not fit dimension Const<2>
    //~ `Conv2d<1, 16, 3>`
    layer.forward(Tensor::<Rank4<32, 1, 2, 2>>::ones());
}
