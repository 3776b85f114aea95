//! A generative adversarial network: one network generates images from noise, another judges how real they look, and
//! each learns from the other.
//!
//!     cargo run --release --example gan
//!     cargo run --release --example gan -- --data FOLDER --dataset fashion-mnist --conditional
//!     cargo run --release --example gan -- --data FOLDER --loss hinge --checkpoint run.safetensors
//!
//! Without a data folder it learns from the 8x8 digits that are part of the library, enlarged to 28x28.
//!
//! The generator G turns 100 normal numbers z into an image G(z); the critic D gives an image a score. In each step, D
//! first learns to give images x of the training set higher scores than generated ones, then G to generate images that
//! D gives higher scores:
//!
//!     D minimises -log s(D(x)) - log(1 - s(D(G(z)))), G minimises -log s(D(G(z))); s(a) = 1 / (1 + e^-a)
//!
//! These are the losses of `--loss original`; the others, and how they keep the critic from leaving the generator
//! without a gradient, are in [`losses`], the networks in [`networks`]. The generator's gradient passes through the
//! critic, which must not change in that half of the step: `frozen(&critic)`. Without `frozen`, the gradients would
//! hold the critic's too, and an optimizer that applied them would make it a worse critic. The moving average of the
//! generator's weights is what is measured, drawn and saved; its decay rises during training, as after a short one the
//! average would otherwise consist mostly of the initial weights.
//!
//! The losses do not tell how good the images are, since each network is measured only by the other. So a classifier,
//! trained on the real images and kept in the run's folder, looks at 10,000 generated ones, and the program prints:
//!
//! * frechet_distance: the distance between the classifier's features of generated images and of test images, as normal
//!   distributions; along with that of training images, the floor, and that of an untrained generator;
//! * smallest_class_share and class_entropy_bits: whether all ten classes are generated. A generator that makes only
//!   some of them has collapsed. Ten classes of equal shares have an entropy of 3.32 bits;
//! * classifier_score: how sure the classifier is of each image, and how varied the classes are, at best 10 (the
//!   Inception score, with this classifier);
//! * with `--conditional`, class_agreement: the fraction of images classified as the class that was asked for.
//!
//! Images are generated from noise of a smaller deviation than in training, `--deviation`, and so from the middle of
//! what the generator has seen most: they are clearer and less varied. Brock, Donahue and Simonyan, "Large Scale GAN
//! Training for High Fidelity Natural Image Synthesis", 2019, call it the truncation trick.
//!
//! Pictures go to `out/gan/`: images from the same noise after each epoch, interpolations from noise to noise, and both
//! losses.
//!
//! Goodfellow et al., "Generative Adversarial Nets", 2014; Radford, Metz and Chintala, "Unsupervised Representation
//! Learning with Deep Convolutional Generative Adversarial Networks", 2015 (the settings); Heusel et al., "GANs Trained
//! by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", 2017 (the distance).

#[macro_use]
#[path = "../common/mod.rs"]
mod common;
mod classifier;
mod losses;
mod networks;
mod options;
mod pictures;
mod training;

use classifier::Classifier;
use common::{MnistKind, Recorder, Report, parse, plot_panels};
use losses::Loss;
use networks::{
    ClassVectors, Classes, Generator, Images, Judge, Maker, NoClasses, Noise, Normalised, OfChannels, OfFeatures,
    Plain, Random, start,
};
use options::{DatasetName, Options};
use pictures::draw_grid;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::{Labels, digits, mnist};
use taut::prelude::*;
use training::{BATCH, Run};

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = parse();
        let data = Data::load(&options)?;
        match options.conditional {
            true => with::<ClassVectors, SpectralNorm<ClassVectors>, OfFeatures>(&data, &options),
            false => with::<NoClasses, NoClasses, OfChannels>(&data, &options),
        }
    })
}

/// Images from -1 to 1, and their classes.
pub struct Data {
    name: &'static str,
    train: (Images, Labels),
    test: (Images, Labels),
    /// The number of passes of the networks, and of the classifier, over the training set.
    epochs: usize,
    classifier_epochs: usize,
}

impl Data {
    fn load(options: &Options) -> Result<Self, Box<dyn Error>> {
        let folder = options.data.folder.as_deref();
        let dataset = match (options.dataset, MnistKind::Mnist.folder(folder)) {
            (Some(dataset), _) => dataset,
            (None, Ok(_)) => DatasetName::Mnist,
            (None, Err(_)) => DatasetName::Digits,
        };
        let kind = match dataset {
            DatasetName::Mnist => MnistKind::Mnist,
            DatasetName::FashionMnist => MnistKind::FashionMnist,
            DatasetName::Digits => {
                // the same split for every seed
                let (train, test) = digits().split(0.25, &mut StdRng::seed_from_u64(0));
                let enlarged = |(images, labels): (Tensor<(usize, Const<64>)>, Labels)| {
                    let images = images.reshape_with((labels.count(), Const::<1>, Const::<8>, Const::<8>));
                    let enlarge = (UpsampleBilinear2d::<3>, ZeroPad2d::<2>);
                    (enlarge.forward(images) * 2.0 - 1.0, labels)
                };
                let (train, test) = (enlarged(train.whole()), enlarged(test.whole()));
                return Ok(Data { name: "digits", train, test, epochs: 40, classifier_epochs: 20 });
            }
        };
        let (train, test) = mnist::load::<Rank3<1, 28, 28>>(kind.folder(folder)?)?;
        let scaled = |(images, labels): (Images, Labels)| (images * 2.0 - 1.0, labels);
        let name = if let MnistKind::Mnist = kind { "mnist" } else { "fashion-mnist" };
        Ok(Data { name, train: scaled(train.whole()), test: scaled(test.whole()), epochs: 5, classifier_epochs: 4 })
    }
}

/// Trains networks that know the classes by `C`, or by `N` in a critic of normalised layers. `Norm` is the generator's
/// batch norm with losses for which either kind will do.
fn with<C: Classes, N: Classes, Norm: Init + Parameters>(data: &Data, options: &Options) -> Result<(), Box<dyn Error>>
where
    Generator<C, Norm>: Maker,
{
    let mut rng = Random::new(options.common.seed);
    match options.loss {
        Loss::Original | Loss::LeastSquares => {
            let generator = start::<Generator<C, Norm>>(&mut rng);
            let critic = start::<Plain<C>>(&mut rng);
            study(data, Run::new(generator, critic, rng), options)
        }
        Loss::Wasserstein => {
            let generator = start::<Generator<C, OfFeatures>>(&mut rng);
            let critic = start::<Plain<C>>(&mut rng);
            study(data, Run::new(generator, critic, rng), options)
        }
        Loss::Hinge => {
            let generator = start::<Generator<C, OfFeatures>>(&mut rng);
            // normalised weights are the same whatever their deviation
            let critic = Normalised::<N>::init(&mut rng);
            study(data, Run::new(generator, critic, rng), options)
        }
    }
}

fn study<G: Maker, D: Judge>(data: &Data, mut run: Run<G, D>, options: &Options) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let folder = options.out.join("gan").join(data.name);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: cannot be made: {error}", folder.display()))?;
    let picture = |what: &str| -> PathBuf {
        let conditional = if options.conditional { "_conditional" } else { "" };
        folder.join(format!("{}{conditional}_{what}.png", options.loss))
    };
    let classifier = Classifier::find(&folder.join("classifier.safetensors"), &data.train, data.classifier_epochs)?;
    let seen = classifier.look(&data.test.0);
    let accuracy = seen.accuracy(&data.test.1);
    println!("{}: {:.2}% of the test images are told right", data.name, 100.0 * accuracy);
    let untrained = run.average.model().clone();

    let mut recorder = Recorder::default();
    match &options.load {
        Some(path) => run.average.load_parameters(path)?,
        None => {
            let train = data.train.first(options.data.limit.unwrap_or(data.train.len()));
            options.data.enough(train.len(), BATCH)?;
            let epochs = options.epochs.unwrap_or(data.epochs);
            if options.resume {
                run.restore(options, epochs)?;
            }
            let next_epoch = options.resume.then_some(run.curves.len() + 1);
            recorder = Recorder::start_or_resume::<Options>(&options.common, "", next_epoch)?;
            let fixed = Fixed::new(options);
            while run.curves.len() < epochs {
                run.epoch(&train, epochs, options.loss);
                let [critic, generator] = run.curves[run.curves.len() - 1];
                recorder.log(run.curves.len(), [("critic/loss", critic), ("generator/loss", generator)])?;
                let path = picture(&format!("epoch_{:02}", run.curves.len()));
                draw_grid(&path, &make(run.average.model(), &fixed.noise, &fixed.labels), 10)?;
                run.save(options, epochs)?;
            }
            println!("the images after each epoch are in {}", folder.display());
            plot_panels(&picture("losses"), &run.panels())?;
        }
    }
    let generator = run.average.model();
    if let Some(path) = &options.save {
        generator.save(path)?;
        println!("the generator is in {}", path.display());
    }
    let fixed = Fixed::new(options);
    draw_grid(&picture("samples"), &make(generator, &fixed.noise, &fixed.labels), 10)?;
    draw_grid(&picture("walk"), &make(generator, &fixed.walk(), &fixed.labels), 10)?;

    // the measured images come from other noise than in training
    let mut rng = StdRng::seed_from_u64(options.common.seed + 1);
    let noise = Noise::normal_with((options.samples, Const), 0.0, options.deviation, &mut rng);
    let labels: Labels = (0..options.samples).map(|i| i % 10).collect::<Vec<_>>().into();
    let look = |generator: &G| classifier.look(&make(generator, &noise, &labels));
    let made = look(generator);
    let floor = classifier.look(&data.train.first(data.test.0.len()).whole().0).distance(&seen);
    let shares = made.shares();
    println!("\nof the samples, these parts are taken for each class:");
    for (class, share) in shares.iter().enumerate() {
        println!("{class}  {:5.1}%", 100.0 * share);
    }

    let (score, distance) = (made.score(), made.distance(&seen));
    recorder.log(run.curves.len(), [("classifier_score", score), ("frechet_distance", distance)])?;
    recorder.last(generator)?;
    let mut report = Report::default();
    report.add("smallest_class_share", shares.into_iter().fold(1.0, f64::min));
    report.add("class_entropy_bits", shares.iter().filter(|&&p| p > 0.0).map(|p| -p * p.log2()).sum::<f64>());
    report.add("classifier_score", score);
    report.add("frechet_distance", distance);
    report.add("frechet_floor", floor);
    report.add("frechet_untrained", look(&untrained).distance(&seen));
    if options.conditional {
        report.add("class_agreement", made.accuracy(&labels));
    }
    report.add("classifier_accuracy", accuracy);
    report.add("classifier_score_test", seen.score());
    report.add("epochs", run.curves.len());
    report.add("seconds", start.elapsed().as_secs_f64());
    report.add("seed", options.common.seed);
    report.print(options.common.json);
    Ok(())
}

/// Images from noise, and from classes if the generator knows them.
fn make<G: Maker>(generator: &G, noise: &Noise, labels: &Labels) -> Images {
    let mut pixels = Vec::new();
    for (noise, labels) in (noise.clone(), labels.clone()).in_order(200) {
        pixels.extend_from_slice(generator.forward((noise, labels)).as_slice());
    }
    Tensor::from_vec(pixels, (noise.shape().0, Const, Const, Const)).expect("whole images")
}

/// The noise of the pictures: ten rows of ten, one row per class.
struct Fixed {
    noise: Noise,
    labels: Labels,
}

impl Fixed {
    fn new(options: &Options) -> Self {
        let mut rng = StdRng::seed_from_u64(options.common.seed + 2);
        let noise = Noise::normal_with((100, Const), 0.0, options.deviation, &mut rng);
        Fixed { noise, labels: (0..100).map(|i| i / 10).collect::<Vec<_>>().into() }
    }

    /// Ten steps from the first noise of each row to the last, at equal angles on the sphere near which noise lies.
    fn walk(&self) -> Noise {
        Tensor::from_fn_with(self.noise.shape(), |[place, k]| {
            let (row, step) = (place / 10 * 10, (place % 10) as f32 / 9.0 * std::f32::consts::FRAC_PI_2);
            self.noise[[row, k]] * step.cos() + self.noise[[row + 9, k]] * step.sin()
        })
    }
}
