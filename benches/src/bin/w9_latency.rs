//! W9: the latency of one sample, without gradients: the networks of W1 and W3, ResNet-18 over an image of 224x224, and
//! a network of 4-32-32-2. Also a step of CartPole with the best action of a network of 4-64-64-2, alone and in eight
//! environments: here samples are steps.

use taut::models::ResNet18;
use taut::prelude::*;
use taut::rl::{CartPole, Discrete, Environments};
use taut_benches::{LeNet, Work, measure, report, wanted};

type Mlp = ((Linear<784, 128>, Relu), (Linear<128, 64>, Relu), Linear<64, 10>);
type Actor = ((Linear<4, 64>, Tanh), (Linear<64, 64>, Tanh), Linear<64, 2>);
type Small = ((Linear<4, 32>, Relu), (Linear<32, 32>, Relu), Linear<32, 2>);

fn latency<M: Init + Module<Tensor<X>>, X: Shape + Default>(workload: &str) {
    if !wanted(workload) {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let model = M::init(&mut rng);
    let x = Tensor::normal_with(X::default(), 0.0, 1.0, &mut rng);
    let figures = measure(1.0, || {
        std::hint::black_box(model.forward(std::hint::black_box(x.clone())));
    });
    report(workload, &figures, Work { samples: Some(1.0), ..Default::default() });
}

fn acting<const N: usize>(workload: &str)
where
    Actor: Module<Tensor<Rank2<N, 4>>, Output = Tensor<Rank2<N, 2>>>,
{
    if !wanted(workload) {
        return;
    }
    let network = Actor::init(&mut StdRng::seed_from_u64(0));
    let mut environments = Environments::<CartPole, N>::new(0);
    let figures = measure(1.0, || {
        let actions = Discrete::best(&network.forward(environments.observations()));
        std::hint::black_box(environments.step(&actions));
        environments.finished().for_each(|_| ());
    });
    report(workload, &figures, Work { samples: Some(N as f64), ..Default::default() });
}

fn main() {
    latency::<Mlp, Rank2<1, 784>>("w9_mlp_b1");
    latency::<LeNet, Rank4<1, 1, 28, 28>>("w9_lenet_b1");
    latency::<ResNet18<1000>, Rank4<1, 3, 224, 224>>("w9_resnet18_b1");
    latency::<Small, Rank2<1, 4>>("w9_small_b1");
    acting::<1>("w9_cartpole_b1");
    acting::<8>("w9_cartpole_b8");
}
