//! Guesses where a name is from: a plain recurrent network and an LSTM, side by side, read it letter by letter.
//!
//!     cargo run --release --example char_rnn -- --data FOLDER --save names.safetensors
//!     cargo run --release --example char_rnn -- --load names.safetensors --predict Dostoevsky
//!
//! Needs the 18 files of the dataset, one for each nationality. No name of the test set occurs in the training set.
//! With `--predict -`, names are read from the keyboard.
//!
//! Elman, "Finding Structure in Time", 1990; Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997; Pascanu,
//! Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013.

#[macro_use]
mod common;

use clap::Parser;
use common::{Common, Curve, Data, Progress, Recorder, Report, at_least_one, draw_confusion, parse, plot, writable};
use std::error::Error;
use std::io::{BufRead, stdin};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::names::{self, CLASSES, Examples, LETTERS};
use taut::data::{Sequences, Subset};
use taut::files::FileError;
use taut::metrics::{Average, ConfusionMatrix};
use taut::nn::{Elman, LstmGates, Recurrent, RecurrentKind, StateKind};
use taut::prelude::*;

const BATCH: usize = 64;
const LEARNING_RATE: f64 = 2e-3;
/// Gradients are clipped to this norm, since those of recurrent networks can explode.
const LONGEST: f64 = 5.0;

/// Reads letters with a recurrent layer of kind `K` and classifies by its last output.
#[derive(Init, Parameters)]
struct Reader<K: RecurrentKind> {
    letters: Embedding<{ LETTERS.len() }, 64>,
    memory: Recurrent<K, 64, 128>,
    output: (Dropout<30>, Linear<128, 18>),
}

/// Names of different lengths, with their lengths, to logits.
impl<K: RecurrentKind, B: Dim, T: Trace> Module<(Tensor<(B, usize), usize, T>, Tensor<(B,), usize>)> for Reader<K> {
    type Output = Tensor<(B, Const<18>), f32, T>;
    fn apply(&self, (names, lengths): (Tensor<(B, usize), usize, T>, Tensor<(B,), usize>)) -> Self::Output {
        let (_, [state]) = self.memory.forward((self.letters.forward(names), lengths));
        self.output.forward(K::StateKind::hidden(state))
    }
}

/// A trained model and its results on the test set.
struct Trained<K: RecurrentKind> {
    model: Reader<K>,
    losses: Vec<f64>,
    confusion: ConfusionMatrix<18>,
}

/// Guesses where a name is from, with an RNN and an LSTM side by side.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    data: Data,
    /// Number of passes over the training set
    #[arg(long, default_value_t = 12, value_parser = at_least_one)]
    epochs: usize,
    /// Number of runs, each with a different seed
    #[arg(long, default_value_t = 1, value_parser = at_least_one)]
    runs: usize,
    /// Skip training and load the LSTM from this file
    #[arg(long, value_name = "FILE", requires = "predict")]
    load: Option<PathBuf>,
    /// Say where this name is from; with `-`, every name read from standard input
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    predict: Option<String>,
    /// Save the trained LSTM, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    save: Option<PathBuf>,
    /// Draw the loss curves
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    plot: Option<PathBuf>,
    /// Draw the LSTM's confusion matrix on the test set
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    confusion: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = parse();
        if let (Some(path), Some(name)) = (&options.load, &options.predict) {
            return predict(&Reader::<LstmGates>::load(path)?, name);
        }
        let start = Instant::now();
        let (train, test) = names::load(names::find(options.data.folder.as_deref())?)?;
        // the samples are in alphabetical order: the first ones would all begin with A
        let train = train.split(0.0, &mut StdRng::seed_from_u64(0)).0;
        let train = train.first(options.data.limit.unwrap_or(train.len()));
        options.data.enough(train.len(), 1)?;
        println!("{} names to learn from, {} to test", train.len(), test.len());

        let (mut rnns, mut lstms) = (Vec::new(), Vec::new());
        for seed in (options.common.seed..).take(options.runs) {
            println!("\nseed {seed}");
            rnns.push(fit::<Elman>("RNN", &train, &test, &options, seed)?);
            lstms.push(fit::<LstmGates>("LSTM", &train, &test, &options, seed)?);
        }
        let (rnn, lstm) = (&rnns[0], &lstms[0]);
        println!(
            "\nRNN and LSTM: the part of each nationality that was recognised, with seed {}\n",
            options.common.seed
        );
        for (class, name) in CLASSES.iter().enumerate() {
            let [plain, gated] = [&rnn.confusion, &lstm.confusion].map(|matrix| 100.0 * matrix.recall(class));
            println!("{name:<10} {plain:6.1}% {gated:6.1}%");
        }
        if let Some(path) = &options.save {
            lstm.model.save(path)?;
            println!("the LSTM is in {}", path.display());
        }
        if let Some(path) = &options.plot {
            let curve = |name: &str, losses: &[f64]| Curve { name: name.into(), values: losses.to_vec() };
            plot(path, "training loss", &[curve("RNN", &rnn.losses), curve("LSTM", &lstm.losses)])?;
        }
        if let Some(path) = &options.confusion {
            draw_confusion(path, &lstm.confusion, &CLASSES)?;
        }
        if let Some(name) = &options.predict {
            predict(&lstm.model, name)?;
        }
        let mut report = Report::default();
        report.add("test_accuracy", mean(&lstms, ConfusionMatrix::accuracy));
        report.add("test_accuracy_rnn", mean(&rnns, ConfusionMatrix::accuracy));
        report.add("mean_recall", mean(&lstms, mean_recall));
        report.add("mean_recall_rnn", mean(&rnns, mean_recall));
        report.add("runs", options.runs);
        report.add("epochs", options.epochs);
        report.add("seconds", start.elapsed().as_secs_f64());
        report.add("seed", options.common.seed);
        report.print(options.common.json);
        Ok(())
    })
}

/// Trains one of the two with a seed.
fn fit<K: RecurrentKind>(
    name: &str,
    train: &Subset<Subset<Examples>>,
    test: &Examples,
    options: &Options,
    seed: u64,
) -> Result<Trained<K>, FileError> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut model = Reader::<K>::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig { learning_rate: LEARNING_RATE, ..Default::default() });
    let part = format!("{}/seed-{seed}", name.to_lowercase());
    let mut recorder = Recorder::start::<Options>(&options.common, &part)?;
    let mut losses = Vec::new();
    for epoch in 1..=options.epochs {
        // the learning rate decays as half a cosine from 1 to nearly 0
        let part = (epoch - 1) as f64 / options.epochs as f64;
        optimizer.set_learning_rate(LEARNING_RATE * 0.5 * (1.0 + (std::f64::consts::PI * part).cos()));
        let batches = train.batches_of(BATCH, &mut rng);
        let mut progress = Progress::new(format!("{name:<4} epoch {epoch:2}/{}", options.epochs), batches.len());
        let mut longest = 0.0_f64;
        for ((names, lengths), labels) in batches {
            let tape = Tape::training(&mut rng);
            let loss = model.forward((tape.trace(names), lengths)).cross_entropy(&labels);
            progress.batch(loss.item(), labels.count());
            let mut gradients = loss.backward();
            longest = longest.max(gradients.clip_norm(LONGEST));
            optimizer.step(&mut model, &gradients);
        }
        let loss = progress.finish(&format!(", longest gradient {longest:.1}"));
        losses.push(loss);
        recorder.log(epoch, [("train/loss", loss), ("longest_gradient", longest)])?;
    }
    let mut confusion = ConfusionMatrix::default();
    for ((names, lengths), labels) in test.in_order(500) {
        confusion.add(&model.forward((names, lengths)), &labels);
    }
    println!("{name:<4} on the test set: {:.2}%", 100.0 * confusion.accuracy());
    let (accuracy, f1) = (confusion.accuracy(), confusion.mean_f1(Average::Macro));
    recorder.log(options.epochs, [("test/accuracy", accuracy), ("test/macro_f1", f1)])?;
    recorder.last(&model)?;
    Ok(Trained { model, losses, confusion })
}

/// The mean of a test figure over the seeds.
fn mean<K: RecurrentKind>(trained: &[Trained<K>], figure: fn(&ConfusionMatrix<18>) -> f64) -> f64 {
    trained.iter().map(|trained| figure(&trained.confusion)).sum::<f64>() / trained.len() as f64
}

/// The recall, averaged over nationalities: Russian, half of all names, counts only 1/18.
fn mean_recall(confusion: &ConfusionMatrix<18>) -> f64 {
    confusion.mean_recall(Average::Macro)
}

/// Prints where a name may be from; for `-`, reads names from the lines of standard input.
fn predict(model: &Reader<LstmGates>, name: &str) -> Result<(), Box<dyn Error>> {
    if name != "-" {
        println!("{}", judge(model, name)?);
        return Ok(());
    }
    println!("a name on each line; an empty one is the end");
    for line in stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            break;
        }
        println!("{}", judge(model, &line).unwrap_or_else(|error| error.to_string()));
    }
    Ok(())
}

/// The three most likely nationalities of a name.
fn judge(model: &Reader<LstmGates>, name: &str) -> Result<String, Box<dyn Error>> {
    let letters = names::encode(name.trim())?;
    if letters.is_empty() {
        return Err("a name has at least one letter".into());
    }
    let likely = model.forward(Sequences::new([letters]).gather(Const::<1>, &[0])).softmax::<1>();
    let mut order: Vec<usize> = (0..CLASSES.len()).collect();
    order.sort_by(|&a, &b| likely[[0, b]].total_cmp(&likely[[0, a]]));
    let best = order.iter().take(3).map(|&class| format!("{} {:.0}%", CLASSES[class], 100.0 * likely[[0, class]]));
    Ok(format!("{}: {}", name.trim(), best.collect::<Vec<_>>().join(", ")))
}
