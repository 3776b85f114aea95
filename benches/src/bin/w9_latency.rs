//! W9: how long the answer to one sample takes, without gradients. W1's network, and a network of 4-32-32-2.

use taut::prelude::*;
use taut_benches::{Work, measure, report, wanted};

type Mlp = ((Linear<784, 128>, Relu), (Linear<128, 64>, Relu), Linear<64, 10>);
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

fn main() {
    latency::<Mlp, Rank2<1, 784>>("w9_mlp_b1");
    latency::<Small, Rank2<1, 4>>("w9_small_b1");
}
