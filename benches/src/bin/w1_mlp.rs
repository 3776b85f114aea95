//! W1: one training step of a small network. Batch 64; 784-128-64-10 with ReLU in between; cross-entropy; SGD with
//! momentum 0.9 and learning rate 0.01.

use taut::prelude::*;
use taut_benches::{Work, expect_learned, measure, report, wanted};

type Mlp = ((Linear<784, 128>, Relu), (Linear<128, 64>, Relu), Linear<64, 10>);

fn main() {
    if !wanted("w1_mlp") {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = Mlp::init(&mut rng);
    let images = Tensor::<Rank2<64, 784>>::randn(&mut rng);
    let labels = Tensor::<Rank1<64>, usize>::from_fn(|[i]| i * 7 % 10);
    let config = SgdConfig { learning_rate: 0.01, momentum: Momentum::Classic(0.9), ..Default::default() };
    let mut optimizer = Sgd::new(config);
    let mut step = || {
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(images.clone())).cross_entropy(&labels);
        let value = loss.item();
        optimizer.step(&mut model, &loss.backward());
        value
    };
    let figures = measure(1.0, || {
        step();
    });
    expect_learned(0.1, step);
    report("w1_mlp", &figures, Work { samples: Some(64.0), ..Default::default() });
}
