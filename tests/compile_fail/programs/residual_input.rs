use taut::prelude::*;

fn main() {
    let model = <(Linear<8, 20>, Residual<Linear<16, 16>>, Linear<16, 2>)>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `16`, found `Const<20>`: this layer takes 16 features
    //~ required for `Linear<16, 16>` to implement
    model.forward(Tensor::<Rank2<4, 8>>::ones());
}
