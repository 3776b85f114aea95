//! Sequences: an LSTM that learns to tell whether a row of brackets is balanced.
//!
//!     cargo run --release --example 07_sequences

use rand::RngExt as _;
use taut::prelude::*;

/// Sixteen brackets, 0 for `(` and 1 for `)`; each becomes a vector, an LSTM reads them in order, and its last output
/// is classified as balanced or not.
type Model = (Embedding<2, 8>, Lstm<8, 32>, LastStep, Linear<32, 2>);

/// Rows of brackets, half of them balanced, and whether they are.
fn examples<const N: usize>(rng: &mut StdRng) -> (Tensor<Rank2<N, 16>, usize>, Tensor<Rank1<N>, usize>) {
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    while labels.len() < N {
        let row: Vec<usize> = (0..16).map(|_| rng.random_range(0..2)).collect();
        // brackets open so far; below 0 there is a closing one too many
        let depth =
            row.iter().try_fold(0_usize, |depth, &x| if x == 0 { Some(depth + 1) } else { depth.checked_sub(1) });
        let label = usize::from(depth == Some(0));
        // few random rows are balanced, so most of the others are left out
        if label == 1 || rng.random_bool(0.03) {
            rows.extend(row);
            labels.push(label);
        }
    }
    let whole = "as many as the shape says";
    (
        Tensor::from_vec(rows, Default::default()).expect(whole),
        Tensor::from_vec(labels, Default::default()).expect(whole),
    )
}

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = Model::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig { learning_rate: 3e-3, ..Default::default() });
    let (test, labels) = examples::<500>(&mut rng);
    for step in 1..=600 {
        let (rows, balanced) = examples::<64>(&mut rng);
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(rows)).cross_entropy(&balanced);
        let mut gradients = loss.backward();
        gradients.clip_norm(1.0); // over many steps, gradients can grow without bound
        optimizer.step(&mut model, &gradients);
        if step % 100 == 0 {
            let accuracy = model.forward(test.clone()).accuracy(&labels);
            println!("step {step}: {:.1}% of rows told right", 100.0 * accuracy);
        }
    }
}
