//! The networks: a generator that makes images from noise, and critics that judge how real an image looks.
//!
//! | generator | | critic | |
//! | --- | --- | --- | --- |
//! | noise | 100 | image | 1 x 28 x 28 |
//! | linear, batch norm, ReLU | 256 | convolution 4 x 4, stride 2, leaky ReLU | 64 x 14 x 14 |
//! | linear, batch norm, ReLU | 128 x 7 x 7 | convolution 4 x 4, stride 2, batch norm, leaky ReLU | 128 x 7 x 7 |
//! | transposed convolution 4 x 4, stride 2, batch norm, ReLU | 64 x 14 x 14 | linear, batch norm, leaky ReLU | 256 |
//! | transposed convolution 4 x 4, stride 2, tanh | 1 x 28 x 28 | linear | 1 |
//!
//! The generator's second batch norm comes in two kinds. [`OfChannels`] normalises the 128 channels of 7 x 7, so
//! differences between the positions of an image count too: a generator that makes one image from all noise satisfies
//! it. With the critic of `hinge`, or with classes, it did so within 100 steps. [`OfFeatures`] normalises 6,272
//! features, each of which must differ from image to image, and with it the same critics succeed. With `original` and
//! without classes the first kind does not collapse, and learns faster: after one epoch on MNIST the classifier score
//! is 8.1, with the other 7.0 (both for averages without a warm-up).
//!
//! The critic's 256 features describe the image as a whole. Without them its score is a sum over parts of the image,
//! and strokes that each look right do not make a digit: on MNIST the classifier score stays below 7.5, with them it is
//! above 9. Chen et al., "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
//! Adversarial Nets", 2016, have 1,024.
//!
//! The critic of `--loss hinge` has no batch norm: its layers are spectrally normalised.
//!
//! If both are told the class y, each has a vector e_y for it. The generator adds it to the output of its first layer;
//! the critic adds its product with the last features f to the score, w f + b + e_y f. Miyato and Koyama, "cGANs with
//! Projection Discriminator", 2018.

use taut::data::Labels;
use taut::nn::init::{Distribution, fill_weights};
use taut::prelude::*;

/// The size of the noise.
pub const NOISE: usize = 100;
/// Features of parts of the image, in both networks.
const FEATURES: usize = 128 * 7 * 7;
/// Features of the whole image.
const HIDDEN: usize = 256;
const SLOPE: f32 = 0.2;
/// The standard deviation of the initial weights.
const DEVIATION: f64 = 0.02;

/// A source of random numbers that can be saved.
pub type Random = taut::Generator;

pub type Noise<T = NoTrace> = Tensor<(usize, Const<NOISE>), f32, T>;
/// Gray images, black at -1 and white at 1.
pub type Images<T = NoTrace> = Tensor<(usize, Const<1>, Const<28>, Const<28>), f32, T>;
pub type Scores<T = NoTrace> = Tensor<(usize, Const<1>), f32, T>;
type Features<T> = Tensor<(usize, Const<HIDDEN>), f32, T>;

/// What a network knows about the classes.
pub trait Classes: Parameters + Init + Clone {
    /// A vector for each image, if there are any.
    fn vectors<T: Trace>(&self, labels: Labels, features: &Features<T>) -> Option<Features<T>>;
}

/// Nothing.
#[derive(Clone, Init, Parameters)]
pub struct NoClasses;
impl Classes for NoClasses {
    fn vectors<T: Trace>(&self, _: Labels, _: &Features<T>) -> Option<Features<T>> {
        None
    }
}

/// A vector for each of ten classes.
pub type ClassVectors = Embedding<10, HIDDEN>;
impl Classes for ClassVectors {
    fn vectors<T: Trace>(&self, labels: Labels, features: &Features<T>) -> Option<Features<T>> {
        Some(self.forward(labels.on(features)))
    }
}
impl Classes for SpectralNorm<ClassVectors> {
    fn vectors<T: Trace>(&self, labels: Labels, features: &Features<T>) -> Option<Features<T>> {
        Some(self.forward(labels.on(features)))
    }
}

/// Batch norms of the 128 x 7 x 7 features.
pub type OfChannels = (Reshape<Rank3<128, 7, 7>>, BatchNorm2d<128>);
pub type OfFeatures = (BatchNorm1d<FEATURES>, Reshape<Rank3<128, 7, 7>>);

/// Makes images from noise (and classes).
#[derive(Clone, Init, Parameters)]
pub struct Generator<C, Norm> {
    project: Linear<NOISE, HIDDEN>,
    classes: C,
    grow: (
        (BatchNorm1d<HIDDEN>, Relu, Linear<HIDDEN, FEATURES>),
        (Norm, Relu),
        (ConvTranspose2d<128, 64, 4, 2, 1>, BatchNorm2d<64>, Relu),
        (ConvTranspose2d<64, 1, 4, 2, 1>, Tanh),
    ),
}

impl<C: Classes, Norm, T: Trace> Module<(Noise<T>, Labels)> for Generator<C, Norm>
where
    Norm: Module<
            Tensor<(usize, Const<FEATURES>), f32, T>,
            Output = Tensor<(usize, Const<128>, Const<7>, Const<7>), f32, T>,
        >,
{
    type Output = Images<T>;
    fn apply(&self, (noise, labels): (Noise<T>, Labels)) -> Images<T> {
        let features = self.project.forward(noise);
        self.grow.forward(match self.classes.vectors(labels, &features) {
            Some(vectors) => features + vectors,
            None => features,
        })
    }
}

/// Scores how real images (and their classes) look: the larger, the more real.
#[derive(Clone, Init, Parameters)]
pub struct Critic<Body, Score, C> {
    body: Body,
    score: Score,
    classes: C,
}

type First = Conv2d<1, 64, 4, 2, 1>;
type Second = Conv2d<64, 128, 4, 2, 1>;
/// The critic of most losses.
pub type Plain<C> = Critic<
    (
        (First, Leaky),
        (Second, BatchNorm2d<128>, Leaky),
        Flatten,
        (Linear<FEATURES, HIDDEN>, BatchNorm1d<HIDDEN>, Leaky),
    ),
    Linear<HIDDEN, 1>,
    C,
>;
/// One whose layers lengthen no vector, so that its score changes no faster than its input.
pub type Normalised<C> = Critic<
    (
        (SpectralNorm<First>, Leaky),
        (SpectralNorm<Second>, Leaky),
        Flatten,
        (SpectralNorm<Linear<FEATURES, HIDDEN>>, Leaky),
    ),
    SpectralNorm<Linear<HIDDEN, 1>>,
    C,
>;

impl<Body, Score, C: Classes, T: Trace> Module<(Images<T>, Labels)> for Critic<Body, Score, C>
where
    Body: Module<Images<T>, Output = Features<T>>,
    Score: Module<Features<T>, Output = Scores<T>>,
{
    type Output = Scores<T>;
    fn apply(&self, (images, labels): (Images<T>, Labels)) -> Scores<T> {
        let features = self.body.forward(images);
        let score = self.score.forward(features.clone());
        match self.classes.vectors(labels, &features) {
            Some(vectors) => {
                let count = features.shape().0;
                score + (features * vectors).sum_axis::<1>().reshape_with((count, Const::<1>))
            }
            None => score,
        }
    }
}

/// Leaky ReLU with the slope of both papers.
#[derive(Clone, Init, Parameters)]
pub struct Leaky;
impl<S: Shape, T: Trace> Module<Tensor<S, f32, T>> for Leaky {
    type Output = Tensor<S, f32, T>;
    fn apply(&self, x: Tensor<S, f32, T>) -> Self::Output {
        x.leaky_relu(SLOPE)
    }
}

/// A network whose initial weights have a small deviation.
pub fn start<M: Init + Parameters>(rng: &mut Random) -> M {
    let mut network = M::init(rng);
    fill_weights(&mut network, Distribution::normal(DEVIATION), rng);
    network
}

/// The bound of a generator, in training and in inference.
pub trait Maker:
    Parameters
    + Clone
    + Module<(Noise, Labels), Output = Images>
    + Module<(Noise<Traced<Training>>, Labels), Output = Images<Traced<Training>>>
{
}
impl<M> Maker for M where
    M: Parameters
        + Clone
        + Module<(Noise, Labels), Output = Images>
        + Module<(Noise<Traced<Training>>, Labels), Output = Images<Traced<Training>>>
{
}

/// The bound of a critic in training.
pub trait Judge:
    Parameters + Clone + Module<(Images<Traced<Training>>, Labels), Output = Scores<Traced<Training>>>
{
}
impl<M> Judge for M where
    M: Parameters + Clone + Module<(Images<Traced<Training>>, Labels), Output = Scores<Traced<Training>>>
{
}
