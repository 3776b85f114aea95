use taut::prelude::*;

type Mlp = ((Linear<784, 128>, Relu), Linear<128, 10>);

//~ expected `784`, found `Const<783>`: this layer takes 784 features
//~ `Linear<784, 128>`
const _: () = check::<Mlp, Tensor<Rank2<64, 783>>>();

fn main() {}
