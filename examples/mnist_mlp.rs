//! A fully connected network on MNIST, with three optimizers side by side.
//!
//!     cargo run --release --example mnist_mlp -- --data FOLDER --plot losses.png
//!
//! Needs the four files of MNIST; with `--features download` they are downloaded.

#[macro_use]
mod common;

use clap::Parser;
use common::{Common, Curve, Data, Progress, Recorder, Report, at_least_one, parse, plot, writable};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::{Normalization, Prefetch, Subset, mnist};
use taut::files::FileError;
use taut::metrics::ConfusionMatrix;
use taut::optim::Rule;
use taut::prelude::*;

#[derive(Init, Module, Parameters)]
struct Mlp {
    hidden: (Linear<784, 256>, Relu, Linear<256, 128>, Relu),
    output: Linear<128, 10>,
}

type Digits = Subset<mnist::Examples<Rank1<784>>>;

/// What all three runs share.
struct Task {
    train: Subset<Digits>,
    validation: Subset<Digits>,
    test: mnist::Examples<Rank1<784>>,
    normalization: Normalization,
    options: Options,
}

/// The results of one run.
struct Run {
    model: Mlp,
    curve: Curve,
    validation: f64,
    test: ConfusionMatrix<10>,
}

/// Trains a three-layer network on MNIST with SGD, RMSProp and Adam.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    data: Data,
    /// Number of passes over the training set
    #[arg(long, default_value_t = 12, value_parser = at_least_one)]
    epochs: usize,
    /// Save the trained model, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    save: Option<PathBuf>,
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
        let mut rng = StdRng::seed_from_u64(options.common.seed);
        let (train, test) = mnist::load::<Rank1<784>>(mnist::find(options.data.folder.as_deref())?)?;
        let (train, validation) = train.first(options.data.limit.unwrap_or(train.len())).split(1.0 / 12.0, &mut rng);
        options.data.enough(train.len(), 64)?;
        let normalization = Normalization::of_all(train.in_order(1000).map(|(images, _)| images));
        println!("{} images to learn from, {} to validate, {} to test", train.len(), validation.len(), test.len());
        let task = Task { train, validation, test, normalization, options };

        let momentum = Momentum::Average(0.9);
        let runs = [
            task.run("SGD", Sgd::new(SgdConfig { learning_rate: 0.3, momentum, ..Default::default() }))?,
            task.run("RMSProp", RmsProp::new(RmsPropConfig { learning_rate: 5e-4, ..Default::default() }))?,
            task.run("Adam", Adam::new(AdamConfig { learning_rate: 1e-3, ..Default::default() }))?,
        ];

        let best = runs.iter().max_by(|a, b| a.validation.total_cmp(&b.validation)).expect("three runs");
        println!("\nthe best on the validation set: {}. On the test set:\n\n{}", best.curve.name, best.test);
        let options = &task.options;
        if let Some(path) = &options.save {
            best.model.save(path)?;
            println!("its model is in {}", path.display());
        }
        let mut report = Report::default();
        report.add("test_accuracy", best.test.accuracy());
        for run in &runs {
            report.add(&format!("test_accuracy_{}", run.curve.name.to_lowercase()), run.test.accuracy());
        }
        report.add("epochs", options.epochs);
        report.add("seconds", start.elapsed().as_secs_f64());
        report.add("seed", options.common.seed);
        if let Some(path) = &options.plot {
            plot(path, "MNIST: training loss", &runs.map(|run| run.curve))?;
        }
        report.print(options.common.json);
        Ok(())
    })
}

impl Task {
    /// Trains a new model. All runs start with the same weights and see the same batches.
    fn run<R: Rule>(&self, name: &str, mut optimizer: Optimizer<R>) -> Result<Run, FileError> {
        println!("\n{name}");
        let mut rng = StdRng::seed_from_u64(self.options.common.seed);
        let mut model = Mlp::init(&mut rng);
        let mut recorder = Recorder::start::<Options>(&self.options.common, &name.to_lowercase())?;
        let mut losses = Vec::new();
        let (epochs, rate) = (self.options.epochs, optimizer.learning_rate());
        for epoch in 1..=epochs {
            // the learning rate decays as a cosine from 1 to nearly 0
            let part = (epoch - 1) as f64 / epochs as f64;
            optimizer.set_learning_rate(rate * 0.5 * (1.0 + (std::f64::consts::PI * part).cos()));
            let normalization = self.normalization.clone();
            let batches = self.train.batches::<64>(&mut rng);
            let mut progress = Progress::new(format!("epoch {epoch:2}/{epochs}"), batches.len());
            for (images, labels) in Prefetch::new(batches.map(move |(x, y)| (normalization.apply(x), y)), 4) {
                let tape = Tape::training(&mut rng);
                let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
                progress.batch(loss.item(), labels.count());
                optimizer.step(&mut model, &loss.backward());
            }
            let accuracy = self.measure(&model, &self.validation).accuracy();
            let loss = progress.finish(&format!(", validation {:.2}%", 100.0 * accuracy));
            losses.push(loss);
            recorder.log(epoch, [("train/loss", loss), ("validation/accuracy", accuracy)])?;
            recorder.best(accuracy, &model)?;
        }
        let validation = self.measure(&model, &self.validation).accuracy();
        let test = self.measure(&model, &self.test);
        recorder.log(epochs, [("test/accuracy", test.accuracy())])?;
        recorder.last(&model)?;
        Ok(Run { model, curve: Curve { name: name.into(), values: losses }, validation, test })
    }

    fn measure<D>(&self, model: &Mlp, dataset: &D) -> ConfusionMatrix<10>
    where
        D: Dataset<Batch<usize> = (Tensor<(usize, Const<784>)>, Tensor<(usize,), usize>)>,
    {
        let mut confusion = ConfusionMatrix::default();
        for (images, labels) in dataset.in_order(500) {
            confusion.add(&model.forward(self.normalization.apply(images)), &labels);
        }
        confusion
    }
}
