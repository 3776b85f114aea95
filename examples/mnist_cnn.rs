//! A LeNet-style convolutional network on MNIST or Fashion-MNIST.
//!
//!     cargo run --release --example mnist_cnn -- --data FOLDER
//!     cargo run --release --example mnist_cnn -- --data FOLDER --dataset fashion-mnist
//!
//! Built with `--features mpi`, it runs on several processes: `mpirun -n 2 target/release/examples/mnist_cnn`. The
//! weights are the same on any number of them.
//!
//! Needs the four files of the dataset. LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document
//! Recognition", 1998.

#[macro_use]
mod common;

use clap::Parser;
use common::{
    Common, Curve, Data, MnistKind, Processes, Progress, Recorder, Report, at_least_one, parse, plot, writable,
};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::{Augmentation, Normalization, Prefetch, mnist};
use taut::distributed::DistributedDataset;
use taut::metrics::ConfusionMatrix;
use taut::prelude::*;

type LeNet = (
    (Conv2d<1, 16, 5, 1, 2>, Relu, MaxPool2d<2>),
    (Conv2d<16, 32, 5>, Relu, MaxPool2d<2>),
    Flatten,
    (Linear<800, 128>, Relu, Dropout<50>),
    Linear<128, 10>,
);
const _: () = check::<LeNet, Tensor<Rank4<64, 1, 28, 28>>>();

/// Trains a convolutional network on MNIST or Fashion-MNIST.
#[derive(Parser)]
struct Options {
    /// The dataset
    #[arg(long, value_enum, default_value_t = MnistKind::Mnist)]
    dataset: MnistKind,
    #[command(flatten)]
    data: Data,
    /// Number of passes over the training set
    #[arg(long, default_value_t = 10, value_parser = at_least_one)]
    epochs: usize,
    /// Save the trained model, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    save: Option<PathBuf>,
    /// Draw the loss curves
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    plot: Option<PathBuf>,
    #[command(flatten)]
    processes: Processes,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    common::run_on_all(|world| {
        let options: Options = parse();
        let start = Instant::now();
        let mut rng = StdRng::seed_from_u64(options.common.seed);
        let (train, test) = mnist::load::<Rank3<1, 28, 28>>(options.dataset.folder(options.data.folder.as_deref())?)?;
        let train = train.first(options.data.limit.unwrap_or(train.len()));
        options.data.enough(train.len(), 64)?;
        let normalization = Normalization::of_all(train.in_order(1000).map(|(images, _)| images));
        println!("{}: {} images to learn from, {} to test", options.dataset, train.len(), test.len());

        let mut model = LeNet::init(&mut rng);
        let rate = 1e-3;
        let mut optimizer = Adam::new(AdamConfig { learning_rate: rate, ..Default::default() });
        let measure = |model: &LeNet| {
            let mut confusion = ConfusionMatrix::<10>::default();
            for (images, labels) in test.in_order(500) {
                confusion.add(&model.forward(normalization.apply(images)), &labels);
            }
            confusion
        };
        let mut recorder = Recorder::start::<Options>(&options.common, "")?;
        let mut losses = Vec::new();
        for epoch in 1..=options.epochs {
            // the learning rate decays as half a cosine from 1 to nearly 0
            let part = (epoch - 1) as f64 / options.epochs as f64;
            optimizer.set_learning_rate(rate * 0.5 * (1.0 + (std::f64::consts::PI * part).cos()));
            let augmentation = Augmentation::new(&mut rng).crop(1);
            let normalization = normalization.clone();
            let batches = train.parts_of(64, options.processes.parts(), world, &mut rng);
            let mut progress = Progress::new(format!("epoch {epoch:2}/{}", options.epochs), batches.len());
            let batches = batches.map(move |batch| {
                batch.map(|(x, y), samples| (augmentation.apply_to(normalization.apply(x), samples), y))
            });
            for batch in Prefetch::new(batches, 4) {
                let samples = batch.samples();
                let (loss, gradients) = batch.backward(&model, world, &mut rng, |tape, (images, labels)| {
                    model.forward(tape.trace(images)).cross_entropy(&labels)
                })?;
                progress.batch(loss, samples);
                optimizer.step(&mut model, &gradients);
            }
            let loss = progress.finish("");
            losses.push(loss);
            recorder.log(epoch, [("train/loss", loss), ("learning_rate", optimizer.learning_rate())])?;
        }

        let confusion = measure(&model);
        println!("\non the test set:\n\n{confusion}");
        recorder.log(options.epochs, [("test/accuracy", confusion.accuracy())])?;
        recorder.last(&model)?;
        if !world.is_first() {
            return Ok(());
        }
        if let Some(path) = &options.save {
            model.save(path)?;
            println!("the model is in {}", path.display());
        }
        if let Some(path) = &options.plot {
            plot(path, "training loss", &[Curve { name: options.dataset.to_string(), values: losses }])?;
        }
        let mut report = Report::default();
        report.add("test_accuracy", confusion.accuracy());
        report.add("epochs", options.epochs);
        report.add("seconds", start.elapsed().as_secs_f64());
        report.add("seed", options.common.seed);
        report.print(options.common.json);
        Ok(())
    })
}
