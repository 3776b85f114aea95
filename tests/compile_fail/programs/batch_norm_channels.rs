use taut::prelude::*;

fn main() {
    let model = <(Conv2d<3, 16, 3>, BatchNorm2d<32>)>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `32`, found `Const<16>`: this layer takes 32 channels
    //~ required for `BatchNorm<32>` to implement `Module<
    model.forward(Tensor::<Rank4<32, 3, 28, 28>>::ones());
}
