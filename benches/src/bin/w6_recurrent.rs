//! W6: training steps of recurrent networks. `w6_charrnn` and `w6_charlstm`: batch 64, 16 steps of one-hot input 57,
//! hidden 128, the last step to 18 classes; gradients clipped to a norm of 5; SGD, learning rate 0.01. `w6_charlm`:
//! batch 32, 64 steps, vocabulary 65: embedding 64, LSTM 256, and 65 logits at every step; Adam.

use taut::nn::{Elman, LstmGates, Recurrent, RecurrentKind};
use taut::prelude::*;
use taut_benches::{Work, measure, report, wanted};

/// A classifier of short sequences.
fn classifier<K: RecurrentKind>(workload: &str) {
    if !wanted(workload) {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = <(Recurrent<K, 57, 128>, LastStep, Linear<128, 18>)>::init(&mut rng);
    let characters = Tensor::<Rank2<64, 16>, usize>::from_fn(|[i, j]| (i * 31 + j * 17) % 57);
    let x: Tensor<Rank3<64, 16, 57>> = characters.one_hot(Const);
    let labels = Tensor::<Rank1<64>, usize>::from_fn(|[i]| i * 7 % 18);
    let mut optimizer = Sgd::new(SgdConfig { momentum: Momentum::None, ..Default::default() });
    let mut losses = Vec::new();
    let figures = measure(1.0, || {
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(x.clone())).cross_entropy(&labels);
        losses.push(loss.item());
        let mut gradients = loss.backward();
        gradients.clip_norm(5.0);
        optimizer.step(&mut model, &gradients);
    });
    assert!(losses[losses.len() - 1] < losses[0], "the batch was not learned");
    report(workload, &figures, Work { samples: Some(64.0), ..Default::default() });
}

/// A language model over characters.
fn language_model(workload: &str) {
    if !wanted(workload) {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = <(Embedding<65, 64>, Lstm<64, 256>, Linear<256, 65>)>::init(&mut rng);
    let x = Tensor::<Rank2<32, 64>, usize>::from_fn(|[i, j]| (i * 31 + j * 17) % 65);
    let next = Tensor::<Rank1<2048>, usize>::from_fn(|[i]| (i * 7 + i / 3) % 65);
    let mut optimizer = Adam::new(AdamConfig::default());
    let mut losses = Vec::new();
    let figures = measure(2.0, || {
        let tape = Tape::training(&mut rng);
        let logits = model.forward(tape.trace(x.clone())).reshape::<Rank2<2048, 65>>();
        let loss = logits.cross_entropy(&next);
        losses.push(loss.item());
        optimizer.step(&mut model, &loss.backward());
    });
    assert!(losses[losses.len() - 1] < losses[0], "the batch was not learned");
    report(workload, &figures, Work { samples: Some(2048.0), ..Default::default() });
}

fn main() {
    language_model("w6_charlm");
    classifier::<Elman>("w6_charrnn");
    classifier::<LstmGates>("w6_charlstm");
}
