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
//! The 256 features are of the image as a whole. Without them the critic's score is a sum over parts of the image, each
//! of which looks right in strokes that make no digit: after four epochs on MNIST the classifier score stands at 7.5, and
//! with them it is 9.1. Those of Chen et al., "InfoGAN", 2016, are 1,024.
//!
//! Where both are told the class y, each has a vector e_y for it. The generator adds it to what its first layer gives; the
//! critic adds its product with the 256 features f to the score, w f + b + e_y f. Miyato and Koyama, "cGANs with
//! Projection Discriminator", 2018.

use taut::data::Labels;
use taut::nn::init::{Distribution, fill_weights};
use taut::prelude::*;

/// Numbers that an image is made of.
pub const NOISE: usize = 100;
/// Features between the linear layers and the convolutions, in both networks.
const FEATURES: usize = 128 * 7 * 7;
/// Features of a whole image.
const HIDDEN: usize = 256;
const SLOPE: f32 = 0.2;
/// The standard deviation of the first weights.
const DEVIATION: f64 = 0.02;

/// What draws random numbers, and can be saved.
pub type Random = taut::Generator;

pub type Noise<T = NoTrace> = Tensor<(usize, Const<NOISE>), f32, T>;
/// Gray images, black at -1 and white at 1.
pub type Images<T = NoTrace> = Tensor<(usize, Const<1>, Const<28>, Const<28>), f32, T>;
pub type Scores<T = NoTrace> = Tensor<(usize, Const<1>), f32, T>;
type Features<T> = Tensor<(usize, Const<FEATURES>), f32, T>;
type Hidden<T> = Tensor<(usize, Const<HIDDEN>), f32, T>;

/// What a network knows of the classes.
pub trait Classes: Parameters + Init + Clone {
    /// The same with its largest singular value at 1.
    type Normalised: Classes;
    /// A vector for each image, where there are any.
    fn vectors<T: Trace>(&self, labels: Labels, hidden: &Hidden<T>) -> Option<Hidden<T>>;
    fn normalised(self, rng: &mut Random) -> Self::Normalised;
}

/// Nothing.
#[derive(Clone, Init, Parameters)]
pub struct NoClasses;
impl Classes for NoClasses {
    type Normalised = NoClasses;
    fn vectors<T: Trace>(&self, _: Labels, _: &Hidden<T>) -> Option<Hidden<T>> {
        None
    }
    fn normalised(self, _: &mut Random) -> NoClasses {
        self
    }
}

/// A vector for each of ten classes.
pub type ClassVectors = Embedding<10, HIDDEN>;
impl Classes for ClassVectors {
    type Normalised = SpectralNorm<ClassVectors>;
    fn vectors<T: Trace>(&self, labels: Labels, hidden: &Hidden<T>) -> Option<Hidden<T>> {
        Some(self.forward(labels.on(hidden)))
    }
    fn normalised(self, rng: &mut Random) -> Self::Normalised {
        SpectralNorm::new(self, rng)
    }
}
impl Classes for SpectralNorm<ClassVectors> {
    type Normalised = Self;
    fn vectors<T: Trace>(&self, labels: Labels, hidden: &Hidden<T>) -> Option<Hidden<T>> {
        Some(self.forward(labels.on(hidden)))
    }
    fn normalised(self, _: &mut Random) -> Self {
        self
    }
}

type Grow = (
    (BatchNorm1d<HIDDEN>, Relu, Linear<HIDDEN, FEATURES>),
    (Reshape<Rank3<128, 7, 7>>, BatchNorm2d<128>, Relu),
    (ConvTranspose2d<128, 64, 4, 2, 1>, BatchNorm2d<64>, Relu),
    (ConvTranspose2d<64, 1, 4, 2, 1>, Tanh),
);

/// Makes images of noise (and of classes).
#[derive(Clone, Init, Parameters)]
pub struct Generator<C> {
    project: Linear<NOISE, HIDDEN>,
    classes: C,
    grow: Grow,
}

impl<C: Classes> Generator<C> {
    /// A generator whose weights have a small deviation.
    pub fn start(rng: &mut Random) -> Self {
        let mut generator = Self::init(rng);
        fill_weights(&mut generator, Distribution::normal(DEVIATION), rng);
        generator
    }
}

impl<C: Classes, T: Trace> Module<(Noise<T>, Labels)> for Generator<C> {
    type Output = Images<T>;
    fn apply(&self, (noise, labels): (Noise<T>, Labels)) -> Images<T> {
        let hidden = self.project.forward(noise);
        self.grow.forward(match self.classes.vectors(labels, &hidden) {
            Some(vectors) => hidden + vectors,
            None => hidden,
        })
    }
}

/// Says of images (and their classes) how real they look: the more, the larger.
#[derive(Clone, Init, Parameters)]
pub struct Critic<First, Second, Third, Score, C> {
    first: First,
    second: Second,
    third: Third,
    score: Score,
    classes: C,
}

type First = Conv2d<1, 64, 4, 2, 1>;
type Second = (Conv2d<64, 128, 4, 2, 1>, BatchNorm2d<128>);
type Third = (Linear<FEATURES, HIDDEN>, BatchNorm1d<HIDDEN>);
type Score = Linear<HIDDEN, 1>;
/// The critic of most losses.
pub type Plain<C> = Critic<First, Second, Third, Score, C>;
/// One whose layers lengthen nothing, so that its score changes no faster than its input. Batch norm would.
pub type Normalised<C> = Critic<
    SpectralNorm<First>,
    SpectralNorm<Conv2d<64, 128, 4, 2, 1>>,
    SpectralNorm<Linear<FEATURES, HIDDEN>>,
    SpectralNorm<Score>,
    C,
>;

impl<C: Classes> Plain<C> {
    /// A critic whose weights have a small deviation.
    pub fn start(rng: &mut Random) -> Self {
        let mut critic = Self::init(rng);
        fill_weights(&mut critic, Distribution::normal(DEVIATION), rng);
        critic
    }

    pub fn normalised(self, rng: &mut Random) -> Normalised<C::Normalised> {
        Critic {
            first: SpectralNorm::new(self.first, rng),
            second: SpectralNorm::new(self.second.0, rng),
            third: SpectralNorm::new(self.third.0, rng),
            score: SpectralNorm::new(self.score, rng),
            classes: self.classes.normalised(rng),
        }
    }
}

type Small<T> = Tensor<(usize, Const<64>, Const<14>, Const<14>), f32, T>;
type Smaller<T> = Tensor<(usize, Const<128>, Const<7>, Const<7>), f32, T>;

impl<First, Second, Third, Score, C: Classes, T: Trace> Module<(Images<T>, Labels)>
    for Critic<First, Second, Third, Score, C>
where
    First: Module<Images<T>, Output = Small<T>>,
    Second: Module<Small<T>, Output = Smaller<T>>,
    Third: Module<Features<T>, Output = Hidden<T>>,
    Score: Module<Hidden<T>, Output = Scores<T>>,
{
    type Output = Scores<T>;
    fn apply(&self, (images, labels): (Images<T>, Labels)) -> Scores<T> {
        let small = self.first.forward(images).leaky_relu(SLOPE);
        let smaller = self.second.forward(small).leaky_relu(SLOPE);
        let hidden = self.third.forward(Flatten.forward(smaller)).leaky_relu(SLOPE);
        let score = self.score.forward(hidden.clone());
        match self.classes.vectors(labels, &hidden) {
            Some(vectors) => {
                let count = hidden.shape().0;
                score + (hidden * vectors).sum_axis::<1>().reshape_with((count, Const::<1>))
            }
            None => score,
        }
    }
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
