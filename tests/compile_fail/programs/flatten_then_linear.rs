use taut::prelude::*;

type LeNet = (
    (Conv2d<1, 6, 5, 1, 2>, Relu, MaxPool2d<2>),
    (Conv2d<6, 16, 5>, Relu, MaxPool2d<2>),
    Flatten,
    (Linear<401, 120>, Relu),
    Linear<120, 10>,
);

fn main() {
    let model = LeNet::init(&mut StdRng::seed_from_u64(0));
    //~ expected `401`, found `Const<400>`: this layer takes 401 features
    //~ `Linear<401, 120>`
    model.forward(Tensor::<Rank4<32, 1, 28, 28>>::ones());
}
