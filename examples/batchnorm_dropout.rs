//! What batch normalisation and dropout do: the same network with neither, either and both.
//!
//!     cargo run --release --example batchnorm_dropout -- --data FOLDER --plot comparison.png
//!
//! A small convolutional network trains on 10,000 images of Fashion-MNIST (or MNIST): so few that it can memorise them.
//! Each variant starts from the same weights, sees the same batches, and has the same learning rate; all are run with
//! several seeds.
//!
//! Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
//! 2015. Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent Neural Networks
//! from Overfitting", 2014.

#[macro_use]
mod common;

use clap::Parser;
use common::{Common, Data, MnistKind, Panel, Recorder, Report, at_least_one, parse, plot_panels, writable};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::mnist::{self, Examples};
use taut::data::{Normalization, Prefetch, Subset};
use taut::files::FileError;
use taut::metrics::{Accuracy, WeightedMean};
use taut::prelude::*;

/// The network, with slots for what may go between its layers.
type Network<N1, N2, N3, D> = (
    (Conv2d<1, 16, 3, 2, 1>, N1, Relu),
    (Conv2d<16, 32, 3, 2, 1>, N2, Relu),
    Flatten,
    (Linear<1568, 128>, N3, Relu, D),
    Linear<128, 10>,
);
type Neither = Network<Identity, Identity, Identity, Identity>;
type WithDropout = Network<Identity, Identity, Identity, Dropout<50>>;
type WithBatchNorm = Network<BatchNorm2d<16>, BatchNorm2d<32>, BatchNorm1d<128>, Identity>;
type Both = Network<BatchNorm2d<16>, BatchNorm2d<32>, BatchNorm1d<128>, Dropout<50>>;

const BATCH: usize = 64;
const LEARNING_RATE: f64 = 0.1;
/// The test accuracy for which the table says when it was reached.
const GOAL: f64 = 0.85;

/// Measured after an epoch, always in inference mode: without dropout and with the running averages.
#[derive(Clone, Copy, Default)]
struct Epoch {
    /// Steps and seconds of training so far.
    steps: f64,
    seconds: f64,
    /// Mean cross-entropy, and accuracy.
    train_loss: f64,
    train_accuracy: f64,
    test_loss: f64,
    test_accuracy: f64,
}

/// One variant of the network.
struct Variant {
    name: &'static str,
    /// One list of epochs for each seed.
    runs: Vec<Vec<Epoch>>,
}

struct Task {
    train: Subset<Examples<Rank3<1, 28, 28>>>,
    test: Examples<Rank3<1, 28, 28>>,
    normalization: Normalization,
    options: Options,
}

/// Trains the same network with batch norm, dropout, neither and both, and compares.
#[derive(Parser)]
struct Options {
    /// The dataset
    #[arg(long, value_enum, default_value_t = MnistKind::FashionMnist)]
    dataset: MnistKind,
    #[command(flatten)]
    data: Data,
    /// Number of passes over the training set
    #[arg(long, default_value_t = 15, value_parser = at_least_one)]
    epochs: usize,
    /// Number of runs, each with a different seed
    #[arg(long, default_value_t = 3, value_parser = at_least_one)]
    runs: usize,
    /// Draw the loss curves
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    plot: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = parse();
        let start = Instant::now();
        let (train, test) = mnist::load(options.dataset.folder(options.data.folder.as_deref())?)?;
        let train = train.first(options.data.limit.unwrap_or(10_000));
        options.data.enough(train.len(), BATCH)?;
        let normalization = Normalization::of_all(train.in_order(1000).map(|(images, _)| images));
        println!("{}: {} images to learn from, {} to test", options.dataset, train.len(), test.len());
        let task = Task { train, test, normalization, options };

        let variants = [
            task.variant::<Neither>("neither")?,
            task.variant::<WithDropout>("dropout")?,
            task.variant::<WithBatchNorm>("batch norm")?,
            task.variant::<Both>("both")?,
        ];
        table(&variants);
        println!("\n{}", conclusion(&variants));
        let options = &task.options;
        if let Some(path) = &options.plot {
            draw(path, &variants)?;
        }
        let mut report = Report::default();
        let best = variants.iter().map(|variant| variant.last().test_accuracy).fold(0.0, f64::max);
        report.add("test_accuracy", best);
        for variant in &variants {
            let (name, last) = (variant.name.replace(' ', "_"), variant.last());
            report.add(&format!("test_accuracy_{name}"), last.test_accuracy);
            report.add(&format!("gap_{name}"), last.train_accuracy - last.test_accuracy);
            report.add(&format!("epochs_to_goal_{name}"), variant.epochs_to_goal());
        }
        report.add("runs", options.runs);
        report.add("epochs", options.epochs);
        report.add("seconds", start.elapsed().as_secs_f64());
        report.add("seed", options.common.seed);
        report.print(options.common.json);
        Ok(())
    })
}

impl Task {
    /// Trains a variant with each seed.
    fn variant<M>(&self, name: &'static str) -> Result<Variant, FileError>
    where
        M: Init
            + Parameters
            + Module<Tensor<Rank4<BATCH, 1, 28, 28>, f32, Traced<Training>>, Output = Logits<Traced<Training>, BATCH>>
            + Module<Tensor<(usize, Const<1>, Const<28>, Const<28>)>, Output = Tensor<(usize, Const<10>)>>,
    {
        let seeds = (0..self.options.runs as u64).map(|run| self.options.common.seed + run);
        let runs = seeds.map(|seed| self.run::<M>(name, seed)).collect::<Result<_, _>>()?;
        Ok(Variant { name, runs })
    }

    fn run<M>(&self, name: &str, seed: u64) -> Result<Vec<Epoch>, FileError>
    where
        M: Init
            + Parameters
            + Module<Tensor<Rank4<BATCH, 1, 28, 28>, f32, Traced<Training>>, Output = Logits<Traced<Training>, BATCH>>
            + Module<Tensor<(usize, Const<1>, Const<28>, Const<28>)>, Output = Tensor<(usize, Const<10>)>>,
    {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut model = M::init(&mut rng);
        // dropout has its own generator, so that all variants see the same batches
        let mut masks = StdRng::from_rng(&mut rng);
        let mut optimizer = Sgd::new(SgdConfig { learning_rate: LEARNING_RATE, ..Default::default() });
        let (mut steps, mut seconds) = (0.0, 0.0);
        let mut recorder = Recorder::start::<Options>(&self.options.common, &format!("{name}/seed-{seed}"))?;
        let mut epochs = Vec::new();
        for number in 1..=self.options.epochs {
            let start = Instant::now();
            let normalization = self.normalization.clone();
            let batches = self.train.batches::<BATCH>(&mut rng).map(move |(x, y)| (normalization.apply(x), y));
            for (images, labels) in Prefetch::new(batches, 4) {
                let tape = Tape::training(&mut masks);
                let gradients = model.forward(tape.trace(images)).cross_entropy(&labels).backward();
                optimizer.step(&mut model, &gradients);
                steps += 1.0;
            }
            seconds += start.elapsed().as_secs_f64();
            let (train_loss, train_accuracy) = self.measure(&model, &self.train);
            let (test_loss, test_accuracy) = self.measure(&model, &self.test);
            let train = [("train/loss", train_loss), ("train/accuracy", train_accuracy)];
            recorder.log(number, [train[0], train[1], ("test/loss", test_loss), ("test/accuracy", test_accuracy)])?;
            epochs.push(Epoch { steps, seconds, train_loss, train_accuracy, test_loss, test_accuracy });
        }
        recorder.last(&model)?;
        let last = epochs[epochs.len() - 1];
        println!(
            "{name:<10} seed {seed}: {seconds:.1} s, training {:.2}%, test {:.2}%",
            100.0 * last.train_accuracy,
            100.0 * last.test_accuracy
        );
        Ok(epochs)
    }

    /// Mean loss and accuracy over a dataset.
    fn measure<M, D>(&self, model: &M, dataset: &D) -> (f64, f64)
    where
        M: Module<Tensor<(usize, Const<1>, Const<28>, Const<28>)>, Output = Tensor<(usize, Const<10>)>>,
        D: Dataset<Batch<usize> = (Tensor<(usize, Const<1>, Const<28>, Const<28>)>, Tensor<(usize,), usize>)>,
    {
        let (mut loss, mut accuracy) = (WeightedMean::default(), Accuracy::default());
        for (images, labels) in dataset.in_order(500) {
            let logits = model.forward(self.normalization.apply(images));
            accuracy.add(&logits, &labels);
            loss.add(logits.cross_entropy(&labels).item(), labels.count());
        }
        (loss.value(), accuracy.value())
    }
}

type Logits<T, const B: usize> = Tensor<Rank2<B, 10>, f32, T>;

impl Variant {
    /// Each epoch, as the mean over the seeds.
    fn means(&self) -> Vec<Epoch> {
        let mean = |epoch: usize, figure: fn(&Epoch) -> f64| {
            self.runs.iter().map(|run| figure(&run[epoch])).sum::<f64>() / self.runs.len() as f64
        };
        let of_epoch = |epoch: usize| Epoch {
            steps: mean(epoch, |epoch| epoch.steps),
            seconds: mean(epoch, |epoch| epoch.seconds),
            train_loss: mean(epoch, |epoch| epoch.train_loss),
            train_accuracy: mean(epoch, |epoch| epoch.train_accuracy),
            test_loss: mean(epoch, |epoch| epoch.test_loss),
            test_accuracy: mean(epoch, |epoch| epoch.test_accuracy),
        };
        (0..self.runs[0].len()).map(of_epoch).collect()
    }

    /// The mean over the seeds after the last epoch.
    fn last(&self) -> Epoch {
        self.means().pop().unwrap_or_default()
    }

    /// The standard deviation over the seeds of the test accuracy at the end.
    fn deviation(&self) -> f64 {
        let mean = self.last().test_accuracy;
        let squares = self.runs.iter().map(|run| (run[run.len() - 1].test_accuracy - mean).powi(2)).sum::<f64>();
        (squares / (self.runs.len() - 1).max(1) as f64).sqrt()
    }

    /// The mean number of epochs until the test accuracy reached the goal; `None` if it never did for some seed.
    fn epochs_to_goal(&self) -> Option<f64> {
        let reached = |run: &Vec<Epoch>| run.iter().position(|epoch| epoch.test_accuracy >= GOAL);
        let epochs: Option<Vec<usize>> = self.runs.iter().map(reached).collect();
        epochs.map(|epochs| epochs.iter().map(|&place| place as f64 + 1.0).sum::<f64>() / epochs.len() as f64)
    }

    fn seconds_an_epoch(&self) -> f64 {
        self.last().seconds / self.runs[0].len() as f64
    }
}

fn table(variants: &[Variant]) {
    println!("\n            epochs to  seconds    accuracy after the last epoch");
    println!("                  {:.0}%  an epoch   training     test              gap", 100.0 * GOAL);
    for variant in variants {
        let last = variant.last();
        let epochs = variant.epochs_to_goal().map_or("never".to_string(), |epochs| format!("{epochs:.1}"));
        println!(
            "{:<10} {epochs:>10} {:>9.2} {:>9.2}% {:>7.2}% +- {:.2} {:>6.2}",
            variant.name,
            variant.seconds_an_epoch(),
            100.0 * last.train_accuracy,
            100.0 * last.test_accuracy,
            100.0 * variant.deviation(),
            100.0 * (last.train_accuracy - last.test_accuracy),
        );
    }
}

/// The result in words: a sentence for each technique and one for both together.
fn conclusion(variants: &[Variant; 4]) -> String {
    let [neither, dropout, batch_norm, _] = variants;
    let times = |seconds: f64| format!("an epoch takes {:.2} times as long", seconds / neither.seconds_an_epoch());
    let speed = match (neither.epochs_to_goal(), batch_norm.epochs_to_goal()) {
        (Some(without), Some(with)) => format!("reaches {:.0}% in {with:.1} epochs, not {without:.1}", 100.0 * GOAL),
        (None, Some(with)) => {
            format!("reaches {:.0}% in {with:.1} epochs, which without it was not reached", 100.0 * GOAL)
        }
        (_, None) => format!("does not reach {:.0}% from every seed", 100.0 * GOAL),
    };
    let gap = |variant: &Variant| 100.0 * (variant.last().train_accuracy - variant.last().test_accuracy);
    let (open, closed) = (gap(neither), gap(dropout));
    let verb = if closed < open { "narrows" } else { "does not narrow" };
    let by_test = |a: &&Variant, b: &&Variant| a.last().test_accuracy.total_cmp(&b.last().test_accuracy);
    let best = variants.iter().max_by(by_test).unwrap_or(neither);
    format!(
        "Batch norm {speed}, and {}. Dropout {verb} the gap between training and test accuracy ({closed:.1} points, \
         not {open:.1}), and {}. The highest test accuracy has the network with {}: {:.2}%.",
        times(batch_norm.seconds_an_epoch()),
        times(dropout.seconds_an_epoch()),
        best.name,
        100.0 * best.last().test_accuracy,
    )
}

/// Loss and accuracy on the test set, each against steps and against time.
fn draw(path: &std::path::Path, variants: &[Variant]) -> Result<(), Box<dyn Error>> {
    let panel = |title: &str, x: &str, across: fn(&Epoch) -> f64, up: fn(&Epoch) -> f64, logarithmic: bool| {
        let points = |variant: &Variant| variant.means().iter().map(|epoch| (across(epoch), up(epoch))).collect();
        let curves = variants.iter().map(|variant| (variant.name.to_string(), points(variant))).collect();
        Panel { title: title.into(), x: x.into(), logarithmic, curves, bands: Vec::new() }
    };
    let panels = [
        panel("training loss", "steps", |epoch| epoch.steps, |epoch| epoch.train_loss, true),
        panel("training loss", "seconds", |epoch| epoch.seconds, |epoch| epoch.train_loss, true),
        panel("test loss", "steps", |epoch| epoch.steps, |epoch| epoch.test_loss, true),
        panel("test loss", "seconds", |epoch| epoch.seconds, |epoch| epoch.test_loss, true),
        panel("test accuracy", "steps", |epoch| epoch.steps, |epoch| epoch.test_accuracy, false),
        panel("test accuracy", "seconds", |epoch| epoch.seconds, |epoch| epoch.test_accuracy, false),
    ];
    plot_panels(path, &panels)
}
