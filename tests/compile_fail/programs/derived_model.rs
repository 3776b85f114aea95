use taut::prelude::*;

#[derive(Init, Module, Parameters)]
struct Mlp {
    hidden: (Linear<784, 128>, Relu),
    output: Linear<64, 10>,
}

fn main() {
    let model = Mlp::init(&mut StdRng::seed_from_u64(0));
    //~ expected `64`, found `Const<128>`: this layer takes 64 features
    //~ `Linear<64, 10>`
    //~ `Mlp`
    model.forward(Tensor::<Rank2<64, 784>>::ones());
}
