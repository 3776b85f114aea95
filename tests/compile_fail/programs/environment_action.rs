use taut::prelude::*;
use taut::rl::{Acrobot, Discrete, Environments};

fn main() {
    let network = <(Linear<6, 32>, Relu, Linear<32, 2>)>::init(&mut StdRng::seed_from_u64(0));
    let mut environments = Environments::<Acrobot, 8>::new(0);
    let scores = network.forward(environments.observations());
    //~ expected `3`, found `2`
    environments.step(&Discrete::best(&scores));
}
