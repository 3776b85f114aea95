use taut::prelude::*;

fn main() {
    let layer = <(Conv2d<3, 16, 3>, Relu)>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `3`, found `Const<1>`: this layer takes 3 channels
    layer.forward(Tensor::<Rank4<32, 1, 28, 28>>::ones());
}
