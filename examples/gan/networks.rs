//! The networks: a generator that makes images of noise, and critics that say how real an image looks.
//!
//! | generator | | critic | |
//! | --- | --- | --- | --- |
//! | noise | 100 | image | 1 x 28 x 28 |
//! | linear | 256 | convolution 4 x 4, stride 2, leaky ReLU | 64 x 14 x 14 |
//! | batch norm, ReLU, linear | 128 x 7 x 7 | convolution 4 x 4, stride 2, batch norm, leaky ReLU | 128 x 7 x 7 |
//! | batch norm, ReLU, transposed convolution 4 x 4, stride 2 | 64 x 14 x 14 | linear, batch norm, leaky ReLU | 256 |
//! | batch norm, ReLU, transposed convolution 4 x 4, stride 2, tanh | 1 x 28 x 28 | linear | 1 |
//!
//! The critic's 256 features are of the image as a whole. Without them its score is a sum over parts of the image, and
//! strokes each of which looks right make no digit: on MNIST the classifier score stays below 7.5, and with them it is
//! above 9. Chen et al., "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
//! Adversarial Nets", 2016, have 1,024.
//!
//! The critic of `--loss hinge` has neither these nor batch norm: its layers are spectrally normalised.
//!
//! Where both are told the class y, each has a vector e_y for it. The generator adds it to what its first layer gives;
//! the critic adds its product with the last features f to the score, w f + b + e_y f. Miyato and Koyama, "cGANs with
//! Projection Discriminator", 2018.

use taut::data::Labels;
use taut::nn::init::{Distribution, fill_weights};
use taut::prelude::*;

/// Numbers that an image is made of.
pub const NOISE: usize = 100;
/// Features of parts of the image, in both networks.
pub const FEATURES: usize = 128 * 7 * 7;
/// Features of the whole image.
pub const HIDDEN: usize = 256;
const SLOPE: f32 = 0.2;
/// The standard deviation of the first weights.
const DEVIATION: f64 = 0.02;

/// What draws random numbers, and can be saved.
pub type Random = taut::Generator;

pub type Noise<T = NoTrace> = Tensor<(usize, Const<NOISE>), f32, T>;
/// Gray images, black at -1 and white at 1.
pub type Images<T = NoTrace> = Tensor<(usize, Const<1>, Const<28>, Const<28>), f32, T>;
pub type Scores<T = NoTrace> = Tensor<(usize, Const<1>), f32, T>;
type Features<const N: usize, T> = Tensor<(usize, Const<N>), f32, T>;

/// What a network knows of the classes, at a place where it has N features.
pub trait Classes<const N: usize>: Parameters + Init + Clone {
    /// A vector for each image, where there are any.
    fn vectors<T: Trace>(&self, labels: Labels, features: &Features<N, T>) -> Option<Features<N, T>>;
}

/// Nothing.
#[derive(Clone, Init, Parameters)]
pub struct NoClasses;
impl<const N: usize> Classes<N> for NoClasses {
    fn vectors<T: Trace>(&self, _: Labels, _: &Features<N, T>) -> Option<Features<N, T>> {
        None
    }
}

/// A vector for each of ten classes.
pub type ClassVectors<const N: usize> = Embedding<10, N>;
impl<const N: usize> Classes<N> for ClassVectors<N> {
    fn vectors<T: Trace>(&self, labels: Labels, features: &Features<N, T>) -> Option<Features<N, T>> {
        Some(self.forward(labels.on(features)))
    }
}
impl<const N: usize> Classes<N> for SpectralNorm<ClassVectors<N>> {
    fn vectors<T: Trace>(&self, labels: Labels, features: &Features<N, T>) -> Option<Features<N, T>> {
        Some(self.forward(labels.on(features)))
    }
}

type Grow = (
    (BatchNorm1d<HIDDEN>, Relu, Linear<HIDDEN, FEATURES>, Reshape<Rank3<128, 7, 7>>),
    (BatchNorm2d<128>, Relu, ConvTranspose2d<128, 64, 4, 2, 1>),
    (BatchNorm2d<64>, Relu, ConvTranspose2d<64, 1, 4, 2, 1>, Tanh),
);

/// Makes images of noise (and of classes).
#[derive(Clone, Init, Parameters)]
pub struct Generator<C> {
    project: Linear<NOISE, HIDDEN>,
    classes: C,
    grow: Grow,
}

impl<C: Classes<HIDDEN>, T: Trace> Module<(Noise<T>, Labels)> for Generator<C> {
    type Output = Images<T>;
    fn apply(&self, (noise, labels): (Noise<T>, Labels)) -> Images<T> {
        let features = self.project.forward(noise);
        self.grow.forward(match self.classes.vectors(labels, &features) {
            Some(vectors) => features + vectors,
            None => features,
        })
    }
}

/// Says of images (and their classes) how real they look: the more, the larger. It decides by N features.
#[derive(Clone, Init, Parameters)]
pub struct Critic<const N: usize, Body, Score, C> {
    body: Body,
    score: Score,
    classes: C,
}

type First = Conv2d<1, 64, 4, 2, 1>;
type Second = Conv2d<64, 128, 4, 2, 1>;
/// The critic of most losses.
pub type Plain<C> = Critic<
    HIDDEN,
    (
        (First, Leaky),
        (Second, BatchNorm2d<128>, Leaky),
        Flatten,
        (Linear<FEATURES, HIDDEN>, BatchNorm1d<HIDDEN>, Leaky),
    ),
    Linear<HIDDEN, 1>,
    C,
>;
/// One whose layers lengthen nothing, so that its score changes no faster than its input.
pub type Normalised<C> = Critic<
    FEATURES,
    ((SpectralNorm<First>, Leaky), (SpectralNorm<Second>, Leaky), Flatten),
    SpectralNorm<Linear<FEATURES, 1>>,
    C,
>;

impl<const N: usize, Body, Score, C: Classes<N>, T: Trace> Module<(Images<T>, Labels)> for Critic<N, Body, Score, C>
where
    Body: Module<Images<T>, Output = Features<N, T>>,
    Score: Module<Features<N, T>, Output = Scores<T>>,
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

/// A network whose first weights have a small deviation.
pub fn start<M: Init + Parameters>(rng: &mut Random) -> M {
    let mut network = M::init(rng);
    fill_weights(&mut network, Distribution::normal(DEVIATION), rng);
    network
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
