//! Training: batches, a loss, gradients, an optimizer.
//!
//!     cargo run --release --example 05_training

use taut::data::digits;
use taut::prelude::*;

type Model = ((Linear<64, 64>, Relu, Dropout<20>), Linear<64, 10>);

fn main() {
    // One generator for everything random: the split, the initial weights, the order of batches, dropout.
    let mut rng = StdRng::seed_from_u64(0);
    let (train, test) = digits().split(0.25, &mut rng);
    let mut model = Model::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig { learning_rate: 3e-3, ..Default::default() });

    for epoch in 1..=20 {
        let (mut sum, mut samples) = (0.0, 0);
        for (images, labels) in train.batches::<32>(&mut rng) {
            // A training tape: dropout is active. One tape serves one forward and one backward pass.
            let tape = Tape::training(&mut rng);
            let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
            sum += loss.item() * labels.count() as f32;
            samples += labels.count();
            let mut gradients = loss.backward();
            gradients.clip_norm(5.0);
            // the one place where a model changes
            optimizer.step(&mut model, &gradients);
        }
        if epoch % 5 == 0 {
            // Without a tape, layers run in inference mode: dropout does nothing.
            let (images, labels) = test.whole();
            let accuracy = model.forward(images).accuracy(&labels);
            println!("epoch {epoch:2}: loss {:.3}, {:.1}% of the test right", sum / samples as f32, 100.0 * accuracy);
        }
    }
}
