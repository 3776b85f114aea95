use taut::prelude::*;

fn main() {
    let model = <([Conv2d<8, 8, 3, 1, 1>; 2], Relu)>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `8`, found `Const<4>`: this layer takes 8 channels
    //~ required for `Conv2d<8, 8, 3, 1, 1>` to implement
    model.forward(Tensor::<Rank4<1, 4, 32, 32>>::ones());
}
