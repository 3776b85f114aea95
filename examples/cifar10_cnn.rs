//! A small residual network on CIFAR-10, with batch normalisation, augmented images, and a one-cycle learning rate.
//!
//!     cargo run --release --example cifar10_cnn -- --data FOLDER
//!     cargo run --release --example cifar10_cnn -- --data FOLDER --long --checkpoint run.safetensors
//!
//! Built with `--features mpi`, it runs on several processes: `mpirun -n 2 target/release/examples/cifar10_cnn`. The
//! weights are the same on any number of them, and a run can be resumed with another.
//!
//! Needs the six files of the dataset's binary version. The second command takes up to an hour on two cores; after an
//! interruption, the same command with `--resume` continues bit for bit from the last whole epoch.
//!
//! He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", 2016; Smith and Topin, "Super-Convergence",
//! 2018. The network is a narrow one of the kind in Page, "How to Train Your ResNet", 2018.

#[macro_use]
mod common;

use clap::Parser;
use common::{
    Common, Curve, Data, Mistake, Processes, Progress, Recorder, Report, at_least_one, draw_mistakes, parse, plot,
    writable,
};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::mnist::Examples;
use taut::data::{Augmentation, Normalization, Prefetch, Subset, cifar10};
use taut::distributed::{CommunicationError, Communicator, DistributedDataset};
use taut::loss::Mean;
use taut::metrics::ConfusionMatrix;
use taut::optim::SnapshotArray;
use taut::optim::{OneCycle, Scheduler, Snapshot};
use taut::prelude::*;

/// A 3 x 3 convolution that keeps the size, batch norm, and ReLU.
type Convolution<const I: usize, const O: usize> = (SameConv2d<I, O, 3, f32, NoBias>, BatchNorm2d<O>, Relu);
/// Two of them with a shortcut.
type Block<const C: usize> = Residual<(Convolution<C, C>, Convolution<C, C>)>;

type Network = (
    (Convolution<3, 32>, MaxPool2d<2>),
    (Convolution<32, 64>, MaxPool2d<2>, Block<64>),
    (Conv2dNoBias<64, 128, 3, 2, 1>, BatchNorm2d<128>, Relu, Block<128>),
    (GlobalAvgPool2d, Linear<128, 10>),
);
const _: () = check::<Network, Tensor<Rank4<BATCH, 3, 32, 32>>>();

const BATCH: usize = 128;
/// An upper limit on the cost of one image, so that training stays a matter of minutes.
const MOST_MULTIPLY_ADDS: u64 = 30_000_000;
const LEARNING_RATE: f64 = 0.15;
const WEIGHT_DECAY: f64 = 5e-4;
const LABEL_SMOOTHING: f64 = 0.05;

type Cifar10 = Examples<Rank3<3, 32, 32>>;

/// Everything that training changes and a checkpoint saves.
struct Run {
    model: Network,
    optimizer: Sgd,
    scheduler: Scheduler<OneCycle>,
    rng: taut::Generator,
    /// For each finished epoch: the mean training loss and the test error.
    losses: Vec<f64>,
    errors: Vec<f64>,
}

/// Trains a residual network on CIFAR-10.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    data: Data,
    /// Number of passes over the training set
    #[arg(long, default_value_t = 5, value_parser = at_least_one)]
    epochs: usize,
    /// Train for 12 epochs, enough for a good result
    #[arg(long, conflicts_with = "epochs")]
    long: bool,
    /// Save everything needed to resume to this file after each epoch
    #[arg(long, value_name = "FILE", value_parser = writable())]
    checkpoint: Option<PathBuf>,
    /// Resume from the file given by --checkpoint
    #[arg(long, requires = "checkpoint")]
    resume: bool,
    /// Save the trained model, as safetensors
    #[arg(long, value_name = "FILE", value_parser = writable())]
    save: Option<PathBuf>,
    /// Draw the loss curves
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    plot: Option<PathBuf>,
    /// Draw the test images misclassified with the most confidence
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    mistakes: Option<PathBuf>,
    #[command(flatten)]
    processes: Processes,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    common::run_on_all(|world| {
        let mut options: Options = parse();
        if options.long {
            options.epochs = 12;
        }
        let start = Instant::now();
        let (train, test) = cifar10::load(cifar10::find(options.data.folder.as_deref())?)?;
        let train = train.first(options.data.limit.unwrap_or(train.len()));
        options.data.enough(train.len(), BATCH)?;
        let normalization = Normalization::along_axis::<1, _>(train.in_order(1000).map(|(images, _)| images));
        println!("{} images to learn from, {} to test", train.len(), test.len());

        let mut run = Run::new(&options, train.len().div_ceil(BATCH));
        let summary = run.model.summary::<Rank4<1, 3, 32, 32>>();
        println!("\n{summary}\n");
        assert!(summary.multiply_adds <= MOST_MULTIPLY_ADDS, "the network is too large for this program");
        if options.resume {
            run.restore(&options)?;
        }
        let next_epoch = options.resume.then_some(run.losses.len() + 1);
        let mut recorder = Recorder::start_or_resume::<Options>(&options.common, "", next_epoch)?;
        while run.losses.len() < options.epochs {
            run.epoch(&train, &test, &normalization, world, &options)?;
            let epoch = run.losses.len();
            let (loss, error) = (run.losses[epoch - 1], run.errors[epoch - 1]);
            recorder.log(epoch, [("train/loss", loss), ("test/accuracy", 1.0 - error)])?;
            if world.is_first() {
                run.save(&options)?;
            }
        }
        recorder.last(&run.model)?;

        let (confusion, mistakes) = measure(&run.model, &test, &normalization);
        println!("\non the test set:\n\n{confusion}");
        for (class, name) in cifar10::CLASSES.iter().enumerate() {
            println!("{class} {name:<10} {:5.1}%", 100.0 * confusion.recall(class));
        }
        if !world.is_first() {
            return Ok(());
        }
        if let Some(path) = &options.save {
            run.model.save(path)?;
            println!("the model is in {}", path.display());
        }
        if let Some(path) = &options.plot {
            let curves = [("training loss", run.losses), ("test error", run.errors)];
            plot(path, "CIFAR-10", &curves.map(|(name, values)| Curve { name: name.into(), values }))?;
        }
        if let Some(path) = &options.mistakes {
            draw_mistakes(path, &mistakes, &test.0, &cifar10::CLASSES)?;
        }
        let mut report = Report::default();
        report.add("test_accuracy", confusion.accuracy());
        report.add("epochs", options.epochs);
        report.add("multiply_adds", summary.multiply_adds);
        report.add("seconds", start.elapsed().as_secs_f64());
        report.add("seed", options.common.seed);
        report.print(options.common.json);
        Ok(())
    })
}

impl Run {
    /// An untrained model.
    fn new(options: &Options, batches: usize) -> Self {
        let mut rng = taut::Generator::new(options.common.seed);
        let mut optimizer = Sgd::new(SgdConfig {
            learning_rate: LEARNING_RATE,
            momentum: Momentum::Nesterov(0.9),
            weight_decay: WeightDecay::Coupled(WEIGHT_DECAY),
            ..Default::default()
        })
        .no_decay_of_biases();
        let cycle = OneCycle { steps: (options.epochs * batches) as u64, ..Default::default() };
        let scheduler = Scheduler::new(cycle, &mut optimizer);
        Run { model: Network::init(&mut rng), optimizer, scheduler, rng, losses: Vec::new(), errors: Vec::new() }
    }

    /// Trains for one epoch, then evaluates on the test set.
    fn epoch(
        &mut self,
        train: &Subset<Cifar10>,
        test: &Cifar10,
        normalization: &Normalization,
        world: &dyn Communicator,
        options: &Options,
    ) -> Result<(), CommunicationError> {
        let augmentation = Augmentation::new(&mut self.rng).crop(4).flip();
        let batches = train.parts_of(BATCH, options.processes.parts(), world, &mut self.rng);
        let title = format!("epoch {:2}/{}", self.losses.len() + 1, options.epochs);
        let mut progress = Progress::new(title, batches.len());
        let of_thread = normalization.clone();
        let batches = batches.map(move |batch| {
            batch.map(|(images, labels), samples| (augmentation.apply_to(of_thread.apply(images), samples), labels))
        });
        let smooth = CrossEntropy { label_smoothing: LABEL_SMOOTHING, ..Default::default() };
        for batch in Prefetch::new(batches, 4) {
            let (model, samples) = (&self.model, batch.samples());
            // batch norms take the statistics of the whole batch, in whatever parts it is
            let (loss, gradients) =
                batch.backward_synchronized(model, world, &mut self.rng, |tape, (images, labels)| {
                    model.forward(tape.trace(images)).cross_entropy_with(&labels, &smooth, Mean)
                })?;
            progress.batch(loss, samples);
            self.optimizer.step(&mut self.model, &gradients);
            self.scheduler.step(&mut self.optimizer);
        }
        let error = 1.0 - measure(&self.model, test, normalization).0.accuracy();
        self.losses.push(progress.finish(&format!(", test {:.2}%", 100.0 * (1.0 - error))));
        self.errors.push(error);
        Ok(())
    }

    /// Saves a checkpoint if one was asked for.
    fn save(&self, options: &Options) -> Result<(), Box<dyn Error>> {
        let Some(path) = &options.checkpoint else { return Ok(()) };
        let curves = [("losses", &self.losses), ("errors", &self.errors)];
        let arrays = curves.map(|(name, values)| (name.to_string(), SnapshotArray::F64(values.clone())));
        Checkpoint::new()
            .with_model("model", &self.model)
            .with_snapshot("optimizer", &self.optimizer.snapshot())
            .with_snapshot("scheduler", &self.scheduler.snapshot())
            .with_snapshot("curves", &Snapshot { numbers: Vec::new(), arrays: arrays.into() })
            .with_generator("rng", &self.rng)
            .with_count("epochs", options.epochs)
            .save(path)?;
        Ok(())
    }

    /// Restores the run from a checkpoint.
    fn restore(&mut self, options: &Options) -> Result<(), Box<dyn Error>> {
        let path = options.checkpoint.as_deref().expect("the command line was checked");
        let checkpoint = Checkpoint::load(path)?;
        let epochs = checkpoint.count("epochs")?;
        if epochs != options.epochs {
            let asked = options.epochs;
            return Err(format!("{}: is of a run of {epochs} epochs, not {asked}", path.display()).into());
        }
        checkpoint.restore_model("model", &mut self.model)?;
        self.optimizer.restore(&checkpoint.snapshot("optimizer")?, &self.model)?;
        self.scheduler.restore(&checkpoint.snapshot("scheduler")?)?;
        self.rng = checkpoint.generator("rng")?;
        for (name, values) in checkpoint.snapshot("curves")?.arrays {
            match (name.as_str(), values) {
                ("losses", SnapshotArray::F64(values)) => self.losses = values,
                ("errors", SnapshotArray::F64(values)) => self.errors = values,
                _ => return Err(format!("{}: `curves.{name}` is not of this program", path.display()).into()),
            }
        }
        println!("{} of {epochs} epochs were done before", self.losses.len());
        Ok(())
    }
}

/// The predictions on the test set.
fn measure(model: &Network, test: &Cifar10, normalization: &Normalization) -> (ConfusionMatrix<10>, Vec<Mistake>) {
    let (mut confusion, mut mistakes) = (ConfusionMatrix::default(), Vec::new());
    for (i, (images, labels)) in test.in_order(500).enumerate() {
        let logits = model.forward(normalization.apply(images));
        confusion.add(&logits, &labels);
        let predicted = logits.clone().argmax_axis::<1>();
        let probabilities = logits.softmax::<1>();
        for (place, (label, predicted)) in labels.iter().zip(predicted.iter()).enumerate() {
            if label != predicted {
                let probability = probabilities[[place, predicted]];
                mistakes.push(Mistake { sample: 500 * i + place, label, predicted, probability });
            }
        }
    }
    (confusion, mistakes)
}
