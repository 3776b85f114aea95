//! Whole training runs on real digits, small enough for a debug build.

use taut::data::{Normalization, Prefetch, digits};
use taut::metrics::ConfusionMatrix;
use taut::prelude::*;

#[derive(Init, Module, Parameters)]
struct Mlp {
    hidden: (Linear<64, 32>, Relu),
    output: Linear<32, 10>,
}

/// Trains on four fifths of the digits, with or without a thread of its own for the batches; returns the model and its
/// accuracy on the rest.
fn train(seed: u64, prefetch: bool) -> (Mlp, ConfusionMatrix<10>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (train, test) = digits().split(0.2, &mut rng);
    let normalization = Normalization::of_all([train.whole().0]);
    let mut model = Mlp::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig { learning_rate: 5e-3, ..Default::default() });
    for _ in 0..8 {
        let batches = train.batches::<32>(&mut rng);
        let batches: Box<dyn Iterator<Item = _>> =
            if prefetch { Box::new(Prefetch::new(batches, 2)) } else { Box::new(batches) };
        for (images, labels) in batches {
            let tape = Tape::training(&mut rng);
            let loss = model.forward(tape.trace(normalization.apply(images))).cross_entropy(&labels);
            optimizer.step(&mut model, &loss.backward());
        }
    }
    let mut confusion = ConfusionMatrix::default();
    for (images, labels) in test.in_order(100) {
        confusion.add(&model.forward(normalization.apply(images)), &labels);
    }
    (model, confusion)
}

#[test]
fn digits_are_learnt() {
    let (_, confusion) = train(0, false);
    assert_eq!(confusion.total(), 359);
    assert!(confusion.accuracy() > 0.95, "{}\n{confusion}", confusion.accuracy());
}

#[test]
fn the_seed_decides_every_bit_and_prefetching_none() {
    let bytes = |seed, prefetch| train(seed, prefetch).0.to_safetensors().unwrap();
    let first = bytes(1, false);
    assert!(first == bytes(1, true), "prefetching changed the training");
    assert!(first != bytes(2, false), "the seed does nothing");
}
