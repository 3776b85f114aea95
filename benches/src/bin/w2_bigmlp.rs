//! W2: one training step of a wide network. Batch 256; 784-1024-1024-10 with ReLU in between; cross-entropy; Adam with
//! learning rate 0.001.

use taut::prelude::*;
use taut_benches::{Work, measure, report, wanted};

type Mlp = ((Linear<784, 1024>, Relu), (Linear<1024, 1024>, Relu), Linear<1024, 10>);

fn main() {
    if !wanted("w2_bigmlp") {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = Mlp::init(&mut rng);
    let images = Tensor::<Rank2<256, 784>>::randn(&mut rng);
    let labels = Tensor::<Rank1<256>, usize>::from_fn(|[i]| i * 7 % 10);
    let mut optimizer = Adam::new(AdamConfig { learning_rate: 1e-3, ..Default::default() });
    let mut loss_value = 0.0;
    let figures = measure(1.0, || {
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(images.clone())).cross_entropy(&labels);
        loss_value = loss.item();
        optimizer.step(&mut model, &loss.backward());
    });
    assert!(loss_value.is_finite());
    report("w2_bigmlp", &figures, Work { samples: Some(256.0), ..Default::default() });
}
