//! A convolutional autoencoder: images to short codes, and codes back to images.
//!
//!     cargo run --release --example conv_autoencoder
//!     cargo run --release --example conv_autoencoder -- --data FOLDER --dataset cifar-10
//!     cargo run --release --example conv_autoencoder -- --data FOLDER --dataset fashion-mnist --denoise
//!
//! Without a data folder it trains on the 8x8 digits that come with the library.
//!
//! An encoder maps an image x to a code c, a decoder maps the code to an image x'. They are trained together to
//! minimise the mean of (x - x')^2 over the training set; the figures reported are that mean over the test set, with
//! pixels from 0 to 1.
//!
//! Both start as principal components ([`Pca`]), the best linear code of a given length, with the directions as rows of
//! V:
//!
//!     c = V (x - mean) + f(x)        x' = mean + V^T c + g(c)
//!
//! Only f and g are learned, and both start at 0: f is two convolutions, each followed by pooling, and a linear layer;
//! g is its mirror image. So the network learns only what PCA cannot do. Photographs in particular are described almost
//! as well by a linear code as by any other, and a network that has to find that code by itself does not get there in
//! minutes. Three ways for g to enlarge images are compared ([`models`]): unpooling, repeating pixels and convolving,
//! and transposed convolution.
//!
//! The baseline is PCA alone with as many components. Unpooling with the encoder's indices sees more than the code:
//! which of the four pixels in each window was the largest, 2 bits each, which are counted. So it is not comparable
//! with the others; the same decoder without the indices is.
//!
//! Masci, Meier, Ciresan and Schmidhuber, "Stacked Convolutional Auto-Encoders for Hierarchical Feature Extraction",
//! 2011; with `--denoise`: Vincent, Larochelle, Bengio and Manzagol, "Extracting and Composing Robust Features with
//! Denoising Autoencoders", 2008.

#[macro_use]
#[path = "../common/mod.rs"]
mod common;
mod models;
mod options;
mod pictures;

use common::{Common, DatasetName, MnistKind, Progress, Recorder, Report, parse};
use models::{BATCH, Encoder, Images, Model, Models, Transposed, TransposedDecoder, Unpooling, Upsampling};
use options::Options;
use pictures::{Row, draw_codes, draw_rows};
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;
use taut::data::{Labels, Pca, cifar10, digits, mnist};
use taut::files::FileError;
use taut::optim::{OneCycle, Scheduler};
use taut::prelude::*;
use taut::shape::HasAxis;

/// The standard deviation of the noise of `--denoise`, as a fraction of a channel's range.
const NOISE: f32 = 0.25;
const LEARNING_RATE: f64 = 3e-3;

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = parse();
        let folder = options.data.folder.as_deref();
        let dataset = match (options.dataset, MnistKind::Mnist.folder(folder)) {
            (Some(dataset), _) => dataset,
            (None, Ok(_)) => DatasetName::Mnist,
            (None, Err(_)) => DatasetName::Digits,
        };
        let mut rng = StdRng::seed_from_u64(options.common.seed);
        // channels, pixels along a side and in all; pixels along a side after two poolings, channels on the way,
        // features after the second pooling; the code
        match dataset {
            DatasetName::Digits => {
                let (images, labels) = digits().whole();
                let count = labels.count();
                let images = images.reshape_with((count, Const::<1>, Const::<8>, Const::<8>));
                let (train, test) = (images, labels).split(0.25, &mut rng);
                study::<1, 8, 64, 2, 16, 32, 128, 8, _, _>("digits", &train, &test, 60, &mut rng, &options)
            }
            DatasetName::Mnist | DatasetName::FashionMnist => {
                let kind = match dataset {
                    DatasetName::Mnist => MnistKind::Mnist,
                    _ => MnistKind::FashionMnist,
                };
                let (train, test) = mnist::load::<Rank3<1, 28, 28>>(kind.folder(folder)?)?;
                study::<1, 28, 784, 7, 16, 32, 1568, 32, _, _>(&kind.to_string(), &train, &test, 4, &mut rng, &options)
            }
            DatasetName::Cifar10 => {
                let (train, test) = cifar10::load(cifar10::find(folder)?)?;
                study::<3, 32, 3072, 8, 16, 32, 2048, 128, _, _>("cifar-10", &train, &test, 3, &mut rng, &options)
            }
        }
    })
}

/// Images with their classes.
pub trait Pictures<const C: usize, const S: usize>:
    Dataset<
        Batch<Const<BATCH>> = (Tensor<Rank4<BATCH, C, S, S>>, Tensor<Rank1<BATCH>, usize>),
        Batch<usize> = (Images<C, S>, Labels),
    >
{
}
impl<D, const C: usize, const S: usize> Pictures<C, S> for D where
    D: Dataset<
            Batch<Const<BATCH>> = (Tensor<Rank4<BATCH, C, S, S>>, Tensor<Rank1<BATCH>, usize>),
            Batch<usize> = (Images<C, S>, Labels),
        >
{
}

fn study<
    const C: usize,
    const S: usize,
    const PIXELS: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
    Train,
    Test,
>(
    name: &str,
    train: &Train,
    test: &Test,
    epochs: usize,
    rng: &mut StdRng,
    options: &Options,
) -> Result<(), Box<dyn Error>>
where
    Train: Pictures<C, S>,
    Test: Pictures<C, S>,
    Unpooling<C, S, PIXELS, SIDE, A, B, FEATURES, CODE, false>: Model<C, S>,
    Unpooling<C, S, PIXELS, SIDE, A, B, FEATURES, CODE, true>: Model<C, S>,
    Upsampling<C, S, PIXELS, SIDE, A, B, FEATURES, CODE>: Model<C, S>,
    Transposed<C, S, PIXELS, SIDE, A, B, FEATURES, CODE>: Model<C, S>,
    Encoder<C, PIXELS, A, B, FEATURES, CODE>: Module<Images<C, S>, Output = Tensor<(usize, Const<CODE>)>>,
    TransposedDecoder<C, S, PIXELS, SIDE, A, B, FEATURES, CODE>:
        Module<Tensor<(usize, Const<CODE>)>, Output = Images<C, S>>,
{
    let start = Instant::now();
    let train = &train.first(options.data.limit.unwrap_or(train.len()));
    options.data.enough(train.len(), BATCH)?;
    let epochs = options.epochs.unwrap_or(epochs);
    println!("{name}: {} images to learn from, {} to test, codes of {CODE} numbers", train.len(), test.len());

    let flat = |images: Images<C, S>| {
        let count = images.shape().0;
        images.reshape_with((count, Const::<PIXELS>))
    };
    let pca = Pca::<CODE, _>::fit(train.in_order(1000).map(|(images, _)| flat(images)));
    let linear = |images: Images<C, S>| {
        let shape = images.shape();
        pca.restore(pca.transform(flat(images))).reshape_with(shape)
    };
    let noise = if options.denoise { NOISE } else { 0.0 };
    // the same noise for every measurement
    let noise_seed = options.common.seed + 1;
    let error = |decoded: &dyn Fn(Images<C, S>) -> Images<C, S>| {
        let mut rng = StdRng::seed_from_u64(noise_seed);
        let (mut total, mut count) = (0.0, 0);
        for (images, _) in test.in_order(500) {
            let loss = decoded(noisy(&images, noise, &mut rng)).mean_squared_error(&images).item();
            total += f64::from(loss) * images.shape().0 as f64;
            count += images.shape().0;
        }
        total / count as f64
    };
    let pca_error = error(&linear);
    println!("PCA: test error {pca_error:.4}, after {:.1} s", start.elapsed().as_secs_f64());

    let mut models = match &options.load {
        Some(path) => Models::<C, S, PIXELS, SIDE, A, B, FEATURES, CODE>::load(path)?,
        None => Models::init(rng),
    };
    if options.load.is_none() {
        models.start_as(&pca);
        let mut school = School { train, epochs, noise, common: &options.common, rng };
        school.teach(&mut models.unpooling, "unpooling")?;
        school.teach(&mut models.unpooling_with_indices, "unpooling with indices")?;
        school.teach(&mut models.upsampling, "upsampling")?;
        school.teach(&mut models.transposed, "transposed convolution")?;
    }
    let unpooling = |x| models.unpooling.forward(x);
    let with_indices = |x| models.unpooling_with_indices.forward(x);
    let upsampling = |x| models.upsampling.forward(x);
    let transposed = |x| models.transposed.forward(x);
    let errors = [error(&unpooling), error(&upsampling), error(&transposed)];
    let error_with_indices = error(&with_indices);
    let best = errors.into_iter().fold(f64::INFINITY, f64::min);
    if let Some(path) = &options.save {
        models.save(path)?;
        println!("the models are in {}", path.display());
    }
    let seconds = start.elapsed().as_secs_f64();

    // the first test image of each class is drawn
    let (images, labels) = test.whole();
    let of_class = |class: usize| labels.iter().position(|label| label == class);
    let shown: Vec<usize> = (0..10).filter_map(of_class).collect();
    let shown = Dataset::gather(&images, shown.len(), &shown);
    let given = noisy(&shown, noise, &mut StdRng::seed_from_u64(noise_seed));
    let mut rows = vec![Row::new("original", &shown)];
    if options.denoise {
        rows.push(Row::new("with noise", &given));
    }
    rows.extend([
        Row::new("unpooling", &unpooling(given.clone())),
        Row::new("upsampling", &upsampling(given.clone())),
        Row::new("transposed", &transposed(given.clone())),
        Row::new("PCA", &linear(given.clone())),
        Row::new("indices known", &with_indices(given.clone())),
    ]);
    let folder = options.out.join("conv_autoencoder");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: cannot be made: {error}", folder.display()))?;
    let kind = if options.denoise { format!("{name}_denoise") } else { name.to_string() };
    draw_rows(&folder.join(format!("{kind}_reconstructions.png")), &rows)?;

    // interpolations from one image to another, between codes and between pixels
    let (mut by_codes, mut by_pixels) = (Vec::new(), Vec::new());
    for pair in [[0, 1], [3, 8], [4, 7]].into_iter().filter(|pair| pair[1] < shown.shape().0) {
        let ends = Dataset::gather(&shown, 2, &pair);
        let codes = models.transposed.encoder.forward(ends.clone());
        by_codes.push(Row::new("codes", &models.transposed.decoder.forward(between(&codes))));
        by_pixels.push(Row::new("pixels", &between(&ends)));
    }
    let rows: Vec<Row> = by_codes.into_iter().zip(by_pixels).flat_map(|(codes, pixels)| [codes, pixels]).collect();
    draw_rows(&folder.join(format!("{kind}_walk.png")), &rows)?;

    let few = test.first(2000);
    let (images, labels) = few.whole();
    let codes = models.transposed.encoder.forward(images);
    let plane = Pca::<2, _>::fit([codes.clone()]);
    draw_codes(&folder.join(format!("{kind}_codes.png")), &plane.transform(codes), &labels)?;

    let mut report = Report::default();
    report.add("test_mse", best);
    report.add("pca_mse", pca_error);
    report.add("code_size", CODE);
    report.add("test_mse_unpool", errors[0]);
    report.add("test_mse_upsample", errors[1]);
    report.add("test_mse_transposed", errors[2]);
    report.add("test_mse_unpool_with_indices", error_with_indices);
    // 2 bits for each window of both poolings
    report.add("bits_of_indices", 2 * (A * 4 * SIDE * SIDE + B * SIDE * SIDE));
    report.add("bits_of_code", 32 * CODE);
    if options.denoise {
        let mean = AvgPool2d::<3, 1, 1, false>;
        report.add("mse_noisy", error(&|x| x));
        report.add(
            "mse_mean_filter",
            error(&|x| {
                let shape = x.shape();
                let (batch, channels, height, width) = shape;
                mean.forward(x.reshape_with((batch, channels.size(), height.size(), width.size()))).reshape_with(shape)
            }),
        );
    }
    report.add("epochs", epochs);
    report.add("seconds", seconds);
    report.add("seed", options.common.seed);
    report.print(options.common.json);
    Ok(())
}

/// Images with noise added, kept between 0 and 1.
fn noisy<S: Shape>(images: &Tensor<S>, deviation: f32, rng: &mut StdRng) -> Tensor<S> {
    if deviation == 0.0 {
        return images.clone();
    }
    let noise = Tensor::normal_with(images.shape(), 0.0, deviation, rng);
    (images.clone() + noise).clamp(0.0, 1.0)
}

/// Ten equal steps from the first of two points to the second.
fn between<S: HasAxis<0, Length = usize, With<usize> = S>>(ends: &Tensor<S>) -> Tensor<S> {
    let shape = ends.shape().with(10_usize);
    let half = ends.count() / 2;
    let (first, second) = ends.as_slice().split_at(half);
    let steps = (0..10).flat_map(|step| {
        let part = step as f32 / 9.0;
        first.iter().zip(second).map(move |(a, b)| a + (b - a) * part)
    });
    Tensor::from_vec(steps.collect(), shape).expect("ten points")
}

/// Trains models, all on the same images.
struct School<'a, D> {
    train: &'a D,
    epochs: usize,
    noise: f32,
    common: &'a Common,
    rng: &'a mut StdRng,
}

impl<D> School<'_, D> {
    /// Trains a model to reconstruct images from noisy ones.
    fn teach<const C: usize, const S: usize, M: Model<C, S>>(
        &mut self,
        model: &mut M,
        name: &str,
    ) -> Result<(), FileError>
    where
        D: Pictures<C, S>,
    {
        let mut optimizer = Adam::new(AdamConfig { learning_rate: LEARNING_RATE, ..Default::default() });
        let steps = (self.epochs * (self.train.len() / BATCH)) as u64;
        let mut scheduler = Scheduler::new(OneCycle { steps, rise: 0.2, ..Default::default() }, &mut optimizer);
        let mut recorder = Recorder::start::<Options>(self.common, name)?;
        for epoch in 1..=self.epochs {
            let batches = self.train.batches::<BATCH>(self.rng);
            let mut progress = Progress::new(format!("{name}, epoch {epoch}/{}", self.epochs), batches.len());
            for (images, _) in batches {
                let given = noisy(&images, self.noise, self.rng);
                let tape = Tape::training(self.rng);
                let loss = model.forward(tape.trace(given)).mean_squared_error(&images);
                progress.batch(loss.item(), BATCH);
                optimizer.step(model, &loss.backward());
                scheduler.step(&mut optimizer);
            }
            recorder.log(epoch, [("train/mean_squared_error", progress.finish(""))])?;
        }
        recorder.last(model)
    }
}
