//! W4: one training step of a small VGG with batch norm. Batch 64 of 3x32x32; cross-entropy; SGD with momentum 0.9 and
//! learning rate 0.01.

use taut::prelude::*;
use taut_benches::{Work, measure, report, wanted};

type Block<const I: usize, const O: usize> =
    ((Conv2d<I, O, 3, 1, 1>, BatchNorm2d<O>, Relu), (Conv2d<O, O, 3, 1, 1>, BatchNorm2d<O>, Relu), MaxPool2d<2>);
type Vgg =
    ((Block<3, 64>, Block<64, 128>, Block<128, 256>), Flatten, (Linear<4096, 256>, Relu, Dropout<50>), Linear<256, 10>);

fn main() {
    if !wanted("w4_vgg") {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = Vgg::init(&mut rng);
    let images = Tensor::<Rank4<64, 3, 32, 32>>::randn(&mut rng);
    let labels = Tensor::<Rank1<64>, usize>::from_fn(|[i]| i * 7 % 10);
    let config = SgdConfig { learning_rate: 0.01, momentum: Momentum::Classic(0.9), ..Default::default() };
    let mut optimizer = Sgd::new(config);
    let (mut first, mut last) = (None, 0.0);
    let figures = measure(1.0, || {
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(images.clone())).cross_entropy(&labels);
        last = loss.item();
        first.get_or_insert(last);
        optimizer.step(&mut model, &loss.backward());
    });
    assert!(Some(last) < first, "nothing was learned: the loss went from {first:?} to {last}");
    report("w4_vgg", &figures, Work { samples: Some(64.0), ..Default::default() });
}
