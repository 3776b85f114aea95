use taut::prelude::*;
use taut::rl::{Acrobot, Discrete, Environments};

fn main() {
    // a network for CartPole
    let network = <(Linear<4, 32>, Relu, Linear<32, 3>)>::init(&mut StdRng::seed_from_u64(0));
    let mut environments = Environments::<Acrobot, 8>::new(0);
    //~ expected `4`, found `Const<6>`: this layer takes 4 features
    let scores = network.forward(environments.observations());
    environments.step(&Discrete::best(&scores));
}
