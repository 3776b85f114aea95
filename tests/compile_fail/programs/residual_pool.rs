use taut::prelude::*;

fn main() {
    let block = Residual((SameConv2d::<8, 8, 3>::init(&mut StdRng::seed_from_u64(0)), MaxPool2d::<2>));
    //~ expected `32`, found `16`
    //~ required for `Residual<(SameConv2d<8, 8, 3>, MaxPool2d<2>)>` to implement
    block.forward(Tensor::<Rank4<1, 8, 32, 32>>::ones());
}
