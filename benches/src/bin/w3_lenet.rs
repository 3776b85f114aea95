//! W3: one training step of LeNet. Batch 64 of 1x28x28; cross-entropy; Adam.

use taut::prelude::*;
use taut_benches::{LeNet, Work, expect_learned, measure, report, wanted};

fn main() {
    if !wanted("w3_lenet") {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = LeNet::init(&mut rng);
    let images = Tensor::<Rank4<64, 1, 28, 28>>::randn(&mut rng);
    let labels = Tensor::<Rank1<64>, usize>::from_fn(|[i]| i * 7 % 10);
    let mut optimizer = Adam::new(AdamConfig::default());
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
    report("w3_lenet", &figures, Work { samples: Some(64.0), ..Default::default() });
}
