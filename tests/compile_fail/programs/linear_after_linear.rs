use taut::prelude::*;

type Mlp = ((Linear<784, 800>, Relu), Linear<801, 10>);

fn main() {
    let model = Mlp::init(&mut StdRng::seed_from_u64(0));
    //~ expected `801`, found `Const<800>`: this layer takes 801 features
    //~ `Linear<801, 10>`
    model.forward(Tensor::<Rank2<64, 784>>::ones());
}
