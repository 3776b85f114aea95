//! Sequences: an LSTM that learns to remember the first token of a row while it reads the others.
//!
//!     cargo run --release --example 07_sequences

use rand::RngExt as _;
use taut::prelude::*;

/// Each of ten tokens becomes a vector, an LSTM reads the vectors in order, and its last output is classified.
type Model = (Embedding<10, 8>, Lstm<8, 32>, LastStep, Linear<32, 10>);

/// Rows of eight random tokens, and the first token of each row.
fn examples<const N: usize>(rng: &mut StdRng) -> (Tensor<Rank2<N, 8>, usize>, Tensor<Rank1<N>, usize>) {
    let rows = Tensor::<Rank2<N, 8>, usize>::from_fn(|_| rng.random_range(0..10));
    (rows.clone(), rows.slice_at::<1>(0))
}

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = Model::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig { learning_rate: 1e-2, ..Default::default() });
    let (test, labels) = examples::<500>(&mut rng);
    for step in 1..=500 {
        let (rows, first) = examples::<64>(&mut rng);
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(rows)).cross_entropy(&first);
        let mut gradients = loss.backward();
        gradients.clip_norm(1.0); // over many steps, gradients can grow without bound
        optimizer.step(&mut model, &gradients);
        if step % 100 == 0 {
            let accuracy = model.forward(test.clone()).accuracy(&labels);
            println!("step {step}: {:.1}% of first tokens remembered", 100.0 * accuracy);
        }
    }
}
