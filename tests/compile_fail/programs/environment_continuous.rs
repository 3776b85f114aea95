use taut::prelude::*;
use taut::rl::{CategoricalPolicy, Environments, Pendulum, Policy};

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let actor = <(Linear<3, 32>, Tanh, Linear<32, 1>, CategoricalPolicy)>::init(&mut rng);
    let mut environments = Environments::<Pendulum, 8>::new(0);
    let policy = actor.forward(environments.observations());
    //~ expected `&[[f32; 1]; 8]`, found `&[Discrete<1>; 8]`
    environments.step(&policy.act(&mut rng));
}
