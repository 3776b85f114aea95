//! One linear layer with different losses: linear regression, a support vector machine, logistic regression,
//! softmax regression.
//!
//!     cargo run --release --example linear_models -- --data FOLDER
//!
//! The classifiers need the four files of MNIST; with `--features download` they are downloaded.

#[macro_use]
mod common;

use clap::Parser;
use common::{Common, Curve, Data, Progress, Recorder, Report, at_least_one, parse, plot, writable};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::{Csv, Labels, Normalization, mnist};
use taut::files::FileError;
use taut::metrics::Regression;
use taut::prelude::*;

/// Two digits that look alike.
const PAIR: [usize; 2] = [3, 5];

/// Inputs and targets.
type Numbers<const I: usize> = (Tensor<(usize, Const<I>)>, Tensor<(usize, Const<1>)>);
type Loss = Tensor<Rank0, f32, Traced<Training>>;
/// The output of a linear layer for a batch on the tape.
type Scores<const O: usize> = Tensor<(usize, Const<O>), f32, Traced<Training>>;

/// Trains linear models: regression, SVM, logistic and softmax regression.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    data: Data,
    /// Number of passes over the training set
    #[arg(long, default_value_t = 20, value_parser = at_least_one)]
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
        let (train, test) = mnist::load::<Rank1<784>>(mnist::find(options.data.folder.as_deref())?)?;
        let start = Instant::now();
        let mut rng = StdRng::seed_from_u64(options.common.seed);
        let mut report = Report::default();
        let mut curves = Vec::new();
        known_weights(&mut report, &mut rng)?;
        petals(&mut report, &mut rng)?;

        let train = train.first(options.data.limit.unwrap_or(train.len())).whole();
        let test = test.whole();
        let normalization = Normalization::of_all([train.0.clone()]);
        let (train, test) = ((normalization.apply(train.0), train.1), (normalization.apply(test.0), test.1));

        println!("\nsupport vector machine: {} or {}", PAIR[0], PAIR[1]);
        let (two, two_test) = (pair(&train), pair(&test));
        options.data.enough(two.1.count(), 1)?;
        let hinge = |machine: &Linear<784, 1>, scores: Scores<1>, labels: &_| {
            scores.hinge(labels).plus_l2(&machine.weight, 1e-3)
        };
        let mut recorder = Recorder::start::<Options>(&options.common, "svm")?;
        let (machine, losses) = fit(&two, options.epochs, 1e-3, &mut rng, &mut recorder, hinge)?;
        let accuracy = signs_right(&machine.forward(two_test.0.clone()), &two_test.1);
        recorder.log(options.epochs, [("test/accuracy", accuracy)])?;
        recorder.last(&machine)?;
        report.add("svm_accuracy", accuracy);
        curves.push(Curve { name: "SVM".into(), values: losses });

        println!("\nlogistic regression: {} or {}", PAIR[0], PAIR[1]);
        let mut recorder = Recorder::start::<Options>(&options.common, "logistic")?;
        let logistic = |_: &_, scores: Scores<1>, labels: &_| scores.logistic(labels);
        let (machine, losses) = fit(&two, options.epochs, 1e-3, &mut rng, &mut recorder, logistic)?;
        let accuracy = signs_right(&machine.forward(two_test.0), &two_test.1);
        recorder.log(options.epochs, [("test/accuracy", accuracy)])?;
        recorder.last(&machine)?;
        report.add("logistic_accuracy", accuracy);
        curves.push(Curve { name: "logistic".into(), values: losses });

        println!("\nsoftmax regression: all ten digits");
        let mut recorder = Recorder::start::<Options>(&options.common, "softmax")?;
        let softmax = |_: &Linear<784, 10>, logits: Scores<10>, labels: &Labels| logits.cross_entropy(labels);
        let (machine, losses) = fit(&train, options.epochs, 1e-3, &mut rng, &mut recorder, softmax)?;
        let accuracy = machine.forward(test.0).accuracy(&test.1);
        recorder.log(options.epochs, [("test/accuracy", accuracy)])?;
        recorder.last(&machine)?;
        report.add("test_accuracy", accuracy);
        curves.push(Curve { name: "softmax".into(), values: losses });

        if let Some(path) = &options.save {
            machine.save(path)?;
            println!("the softmax regression is in {}", path.display());
        }
        if let Some(path) = &options.plot {
            plot(path, "linear models on MNIST: training loss", &curves)?;
        }
        report.add("epochs", options.epochs);
        report.add("seconds", start.elapsed().as_secs_f64());
        report.add("seed", options.common.seed);
        report.print(options.common.json);
        Ok(())
    })
}

/// Trains a linear layer with Adam and a learning rate that decays to 0. Prints ten losses; returns the layer and the
/// loss of each epoch.
fn fit<const I: usize, const O: usize, Y>(
    train: &(Tensor<(usize, Const<I>)>, Y),
    epochs: usize,
    rate: f64,
    rng: &mut StdRng,
    recorder: &mut Recorder,
    loss: impl Fn(&Linear<I, O>, Scores<O>, &Y) -> Loss,
) -> Result<(Linear<I, O>, Vec<f64>), FileError>
where
    Y: Dataset<Batch<usize> = Y>,
{
    let mut machine = Linear::init(rng);
    let mut optimizer = Adam::new(AdamConfig { learning_rate: rate, ..Default::default() });
    let mut losses = Vec::new();
    for epoch in 1..=epochs {
        optimizer.set_learning_rate(rate * (1.0 - (epoch - 1) as f64 / epochs as f64));
        let batches = train.batches_of(64, rng);
        let mut progress = Progress::new(format!("epoch {epoch:3}/{epochs}"), batches.len());
        for (inputs, targets) in batches {
            let tape = Tape::training(rng);
            let samples = targets.len();
            let loss = loss(&machine, machine.forward(tape.trace(inputs)), &targets);
            progress.batch(loss.item(), samples);
            optimizer.step(&mut machine, &loss.backward());
        }
        let tenth = epoch % epochs.div_ceil(10) == 0;
        let loss = if tenth { progress.finish("") } else { progress.finish_silently() };
        losses.push(loss);
        recorder.log(epoch, [("train/loss", loss)])?;
    }
    Ok((machine, losses))
}

/// y = x w + b with a little noise: regression recovers the weights.
fn known_weights(report: &mut Report, rng: &mut StdRng) -> Result<(), FileError> {
    println!("linear regression: known weights");
    let weights = Tensor::from([[2.0], [-3.4], [0.0], [0.5]]);
    let bias = 4.2;
    let inputs = Tensor::<(usize, Const<4>)>::normal_with((2000, Const), 0.0, 1.0, rng);
    let noise = Tensor::<(usize, Const<1>)>::normal_with((2000, Const), 0.0, 0.01, rng);
    let targets = inputs.clone().matmul(weights.clone()) + noise + bias;
    let squares = |_: &_, outputs: Scores<1>, targets: &_| outputs.mean_squared_error(targets);
    let (machine, _) = fit(&(inputs, targets), 20, 0.05, rng, &mut Recorder::default(), squares)?;
    let found = machine.weight.value();
    println!("weights {:?}, found {:?}", weights.to_vec(), found.to_vec());
    println!("bias {bias}, found {:?}", machine.bias.value().to_vec());
    let differences = found.iter().zip(weights.iter()).map(|(a, b)| (a - b).abs());
    let bias_difference = (machine.bias.value()[[0]] - bias).abs();
    report.add("largest_error_of_a_weight", f64::from(differences.fold(bias_difference, f32::max)));
    Ok(())
}

/// The width of a petal from its length and the two dimensions of the sepal, in centimetres.
fn petals(report: &mut Report, rng: &mut StdRng) -> Result<(), Box<dyn std::error::Error>> {
    println!("\nlinear regression: the width of iris petals");
    let irises = Csv::read_with_header(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/iris.csv"))?;
    let flowers: Numbers<3> = (irises.numbers([0, 1, 2])?, irises.numbers([3])?);
    let (train, test) = flowers.split(0.2, rng);
    let ((inputs, widths), (test_inputs, test_widths)) = (train.whole(), test.whole());
    let normalization = Normalization::along_axis::<1, _>([inputs.clone()]);
    let squares = |_: &_, outputs: Scores<1>, targets: &_| outputs.mean_squared_error(targets);
    let flowers = (normalization.apply(inputs), widths);
    let (machine, _) = fit(&flowers, 200, 0.02, rng, &mut Recorder::default(), squares)?;

    let mut errors = Regression::default();
    errors.add(&machine.forward(normalization.apply(test_inputs)), &test_widths);
    report.add("iris_error_in_cm", errors.root_mean_squared_error());
    report.add("iris_r_squared", errors.r_squared());
    Ok(())
}

/// The images of two digits, with targets -1 for the first and 1 for the second.
fn pair((images, labels): &(Tensor<(usize, Const<784>)>, Labels)) -> Numbers<784> {
    let chosen = labels.iter().enumerate().filter(|(_, label)| PAIR.contains(label));
    let (places, signs): (Vec<usize>, Vec<f32>) =
        chosen.map(|(place, label)| (place, if label == PAIR[0] { -1.0 } else { 1.0 })).unzip();
    let count = places.len();
    (images.gather(count, &places), Tensor::from_vec(signs, (count, Const)).expect("a sign for each place"))
}

/// The fraction of scores with the sign of their label.
fn signs_right(scores: &Tensor<(usize, Const<1>)>, labels: &Tensor<(usize, Const<1>)>) -> f64 {
    let right = scores.iter().zip(labels.iter()).filter(|(score, label)| score * label > 0.0).count();
    right as f64 / labels.len() as f64
}
