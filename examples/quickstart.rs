//! Learns to read handwritten digits, in seconds and without any file: the 8x8 digits are part of taut.
//!
//!     cargo run --release --example quickstart

use std::time::Instant;
use taut::data::digits;
use taut::prelude::*;

/// The model is a type: each layer takes what the one before gives, or this does not compile.
type Mlp = ((Linear<64, 128>, Relu), Linear<128, 10>);

const EPOCHS: usize = 40;

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let (train, test) = digits().split(0.25, &mut rng);
    let mut model = Mlp::init(&mut rng);
    let momentum = Momentum::Classic(0.9);
    let mut optimizer = Sgd::new(SgdConfig { learning_rate: 0.1, momentum, ..Default::default() });
    println!("{} digits to learn from, {} to test with", train.len(), test.len());

    let start = Instant::now();
    for epoch in 1..=EPOCHS {
        let mut total = 0.0;
        let batches = train.batches::<32>(&mut rng);
        let count = batches.len();
        for (images, labels) in batches {
            let tape = Tape::training(&mut rng);
            let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
            total += loss.item();
            let gradients = loss.backward();
            optimizer.step(&mut model, &gradients);
        }
        if epoch % 5 == 0 {
            println!("epoch {epoch:2}: loss {:.4}", total / count as f32);
        }
    }
    let seconds = start.elapsed().as_secs_f64();

    let (images, labels) = test.whole();
    let accuracy = model.forward(images).accuracy(&labels);
    for (image, label) in test.in_order(1).take(3) {
        let logits = model.forward(image.clone());
        let (predicted, _) = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).expect("ten logits");
        println!("\n{}this is a {}, and the model says {}", drawing(image.as_slice()), label[[0]], predicted);
    }
    println!("\n{:.2}% of the test digits are right, after {seconds:.1} s", 100.0 * accuracy);
}

/// A digit in characters, from white to black.
fn drawing(pixels: &[f32]) -> String {
    let shades: Vec<char> = " .:-=+*#%@".chars().collect();
    let shade = |&pixel: &f32| String::from(shades[(pixel * (shades.len() - 1) as f32).round() as usize]).repeat(2);
    pixels.chunks(8).map(|row| row.iter().map(shade).collect::<String>() + "\n").collect()
}
