//! The networks: one encoder, and three ways back from a code to an image.
//!
//! Both halves are principal components with something learned on top: c = V (x - mean) + f(x) and x' = mean + V^T c +
//! g(c). The last layers of f and g start at 0, so each network starts as PCA and learns what PCA cannot do. Only c
//! passes from one half to the other.

use taut::data::Pca;
use taut::nn::PoolIndices;
use taut::params::Param;
use taut::prelude::*;
use taut::shape::{Product, Window};

/// The batch size.
pub const BATCH: usize = 64;

/// A 3 x 3 convolution that keeps the size, batch norm, and ReLU.
type Convolution<const I: usize, const O: usize> = (SameConv2d<I, O, 3, f32, NoBias>, BatchNorm2d<O>, Relu);

/// y = a(x) + b(x).
#[derive(Clone, Init, Parameters)]
pub struct Sum<A, B>(pub A, pub B);

impl<X: Clone, A, B, S: Shape, T: Trace> Module<X> for Sum<A, B>
where
    A: Module<X, Output = Tensor<S, f32, T>>,
    B: Module<X, Output = Tensor<S, f32, T>>,
{
    type Output = Tensor<S, f32, T>;
    fn apply(&self, x: X) -> Self::Output {
        self.0.forward(x.clone()) + self.1.forward(x)
    }
}

/// Pixels to principal components, c = V (x - mean), and back, x' = mean + V^T c. These are fitted, not trained.
type Analysis<const PIXELS: usize, const CODE: usize> = Frozen<(Flatten, Linear<PIXELS, CODE>)>;
type Synthesis<const CODE: usize, const PIXELS: usize, const C: usize, const S: usize> =
    Frozen<(Linear<CODE, PIXELS>, Reshape<Rank3<C, S, S>>)>;

/// Images of C channels and S x S pixels to `CODE` numbers: their principal components plus the output of two
/// convolutions, each followed by pooling. `A` and `B` are the channels in between, `FEATURES` is the size after the
/// second pooling: B x SIDE x SIDE.
pub type Encoder<
    const C: usize,
    const PIXELS: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> = Sum<
    Analysis<PIXELS, CODE>,
    ((Convolution<C, A>, AvgPool2d<2>), (Convolution<A, B>, AvgPool2d<2>), (Flatten, Linear<FEATURES, CODE>)),
>;

/// The first learned layers of every decoder: from the code to small images of B channels.
type Unfold<const CODE: usize, const FEATURES: usize, const B: usize, const SIDE: usize> =
    (Linear<CODE, FEATURES>, Relu, Reshape<Rank3<B, SIDE, SIDE>>);

/// The decoder repeats each pixel 2 x 2 times, and convolutions smooth the result. Odena, Dumoulin and Olah,
/// "Deconvolution and Checkerboard Artifacts", 2016.
pub type Upsampling<
    const C: usize,
    const S: usize,
    const PIXELS: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> = Autoencoder<
    Encoder<C, PIXELS, A, B, FEATURES, CODE>,
    Sum<
        Synthesis<CODE, PIXELS, C, S>,
        (
            Unfold<CODE, FEATURES, B, SIDE>,
            (UpsampleNearest2d<2>, Convolution<B, A>),
            (UpsampleNearest2d<2>, SameConv2d<A, C, 3>),
        ),
    >,
>;

/// The decoder's convolutions are transposed: each pixel writes a patch of 4 x 4, two pixels apart. Zeiler et al.,
/// "Deconvolutional Networks", 2010.
pub type Transposed<
    const C: usize,
    const S: usize,
    const PIXELS: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> = Autoencoder<Encoder<C, PIXELS, A, B, FEATURES, CODE>, TransposedDecoder<C, S, PIXELS, SIDE, A, B, FEATURES, CODE>>;
/// From the code to the image.
pub type TransposedDecoder<
    const C: usize,
    const S: usize,
    const PIXELS: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> = Sum<
    Synthesis<CODE, PIXELS, C, S>,
    (
        Unfold<CODE, FEATURES, B, SIDE>,
        (ConvTranspose2d<B, A, 4, 2, 1, 0, f32, NoBias>, BatchNorm2d<A>, Relu),
        ConvTranspose2d<A, C, 4, 2, 1>,
    ),
>;

/// The decoder puts each number into one of four pixels, and zeros into the others. With `INDICES`, it is the pixel
/// where the encoder's pooling found the maximum, so positions bypass the code, and the decoder knows more than the
/// code holds. Without, it is the upper left one. Zeiler and Fergus, "Visualizing and Understanding Convolutional
/// Networks", 2014.
#[derive(Clone, Init, Parameters)]
pub struct Unpooling<
    const C: usize,
    const S: usize,
    const PIXELS: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
    const INDICES: bool,
> {
    analysis: Analysis<PIXELS, CODE>,
    down: (Convolution<C, A>, Convolution<A, B>),
    code: (Flatten, Linear<FEATURES, CODE>),
    synthesis: Synthesis<CODE, PIXELS, C, S>,
    unfold: Unfold<CODE, FEATURES, B, SIDE>,
    up: (Convolution<B, A>, SameConv2d<A, C, 3>),
}

/// Half an axis.
type Half<D> = <D as Window<2, 2, 0>>::Out;

impl<
    N: Dim,
    const C: usize,
    const S: usize,
    const PIXELS: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
    const INDICES: bool,
    T: Trace,
> Module<Tensor<(N, Const<C>, Const<S>, Const<S>), f32, T>>
    for Unpooling<C, S, PIXELS, SIDE, A, B, FEATURES, CODE, INDICES>
where
    Const<S>: Window<2, 2, 0>,
    Half<Const<S>>: Window<2, 2, 0, Out = Const<SIDE>>,
    (Const<C>, Const<S>, Const<S>): Product<Out = Const<PIXELS>>,
    (Const<B>, Const<SIDE>, Const<SIDE>): Product<Out = Const<FEATURES>>,
{
    type Output = Tensor<(N, Const<C>, Const<S>, Const<S>), f32, T>;
    fn apply(&self, x: Tensor<(N, Const<C>, Const<S>, Const<S>), f32, T>) -> Self::Output {
        let (pool, unpool) = (MaxPool2d::<2>, MaxUnpool2d::<2>);
        let wide = self.down.0.forward(x.clone());
        let corners = PoolIndices::corners(wide.shape());
        let (halved, maxima) = pool.forward_with_indices(wide);
        let outer = if INDICES { maxima } else { corners };

        let wide = self.down.1.forward(halved);
        let corners = PoolIndices::corners(wide.shape());
        let (quartered, maxima) = pool.forward_with_indices(wide);
        let inner = if INDICES { maxima } else { corners };

        let code = self.analysis.forward(x) + self.code.forward(quartered);
        let halved = self.up.0.forward(unpool.forward((self.unfold.forward(code.clone()), inner)));
        self.synthesis.forward(code) + self.up.1.forward(unpool.forward((halved, outer)))
    }
}

/// Images of C channels and S x S pixels.
pub type Images<const C: usize, const S: usize> = Tensor<(usize, Const<C>, Const<S>, Const<S>)>;
/// A batch of images during training.
pub type Traced4<const C: usize, const S: usize> = Tensor<Rank4<BATCH, C, S, S>, f32, Traced<Training>>;

/// A model that reconstructs images at the size of its input.
pub trait Model<const C: usize, const S: usize>:
    Init + Parameters + Module<Traced4<C, S>, Output = Traced4<C, S>> + Module<Images<C, S>, Output = Images<C, S>>
{
}
impl<M, const C: usize, const S: usize> Model<C, S> for M where
    M: Init + Parameters + Module<Traced4<C, S>, Output = Traced4<C, S>> + Module<Images<C, S>, Output = Images<C, S>>
{
}

/// All models for a dataset, saved and loaded together.
#[derive(Init, Parameters)]
pub struct Models<
    const C: usize,
    const S: usize,
    const PIXELS: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> {
    pub unpooling: Unpooling<C, S, PIXELS, SIDE, A, B, FEATURES, CODE, false>,
    pub unpooling_with_indices: Unpooling<C, S, PIXELS, SIDE, A, B, FEATURES, CODE, true>,
    pub upsampling: Upsampling<C, S, PIXELS, SIDE, A, B, FEATURES, CODE>,
    pub transposed: Transposed<C, S, PIXELS, SIDE, A, B, FEATURES, CODE>,
}

impl<
    const C: usize,
    const S: usize,
    const PIXELS: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> Models<C, S, PIXELS, SIDE, A, B, FEATURES, CODE>
{
    /// Initialises every network as PCA alone: what is learned on top adds 0 at first.
    pub fn start_as(&mut self, pca: &Pca<CODE, Const<PIXELS>>) {
        self.unpooling.start_as(pca);
        self.unpooling_with_indices.start_as(pca);
        for encoder in [&mut self.upsampling.encoder, &mut self.transposed.encoder] {
            set_analysis(&mut encoder.0, pca);
            let last = &mut encoder.1.2.1;
            to_zero(&mut last.weight);
            to_zero(&mut last.bias);
        }
        let Sum(synthesis, learned) = &mut self.upsampling.decoder;
        set_synthesis(synthesis, pca);
        to_zero(&mut learned.2.1.weight);
        to_zero(&mut learned.2.1.bias);
        let Sum(synthesis, learned) = &mut self.transposed.decoder;
        set_synthesis(synthesis, pca);
        to_zero(&mut learned.2.weight);
        to_zero(&mut learned.2.bias);
    }
}

impl<
    const C: usize,
    const S: usize,
    const PIXELS: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
    const INDICES: bool,
> Unpooling<C, S, PIXELS, SIDE, A, B, FEATURES, CODE, INDICES>
{
    fn start_as(&mut self, pca: &Pca<CODE, Const<PIXELS>>) {
        set_analysis(&mut self.analysis, pca);
        set_synthesis(&mut self.synthesis, pca);
        to_zero(&mut self.code.1.weight);
        to_zero(&mut self.code.1.bias);
        to_zero(&mut self.up.1.weight);
        to_zero(&mut self.up.1.bias);
    }
}

fn set_analysis<const PIXELS: usize, const CODE: usize>(
    analysis: &mut Analysis<PIXELS, CODE>,
    pca: &Pca<CODE, Const<PIXELS>>,
) {
    let linear = &mut analysis.0.1;
    *linear.weight.value_mut() = pca.directions().clone();
    *linear.bias.value_mut() = pca.directions().clone().matmul(pca.mean().clone()) * -1.0;
}

fn set_synthesis<const PIXELS: usize, const CODE: usize, const C: usize, const S: usize>(
    synthesis: &mut Synthesis<CODE, PIXELS, C, S>,
    pca: &Pca<CODE, Const<PIXELS>>,
) {
    let linear = &mut synthesis.0.0;
    *linear.weight.value_mut() = pca.directions().clone().transpose();
    *linear.bias.value_mut() = pca.mean().clone();
}

fn to_zero<S: Shape>(parameter: &mut Param<S>) {
    let shape = parameter.value().shape();
    *parameter.value_mut() = Tensor::zeros_with(shape);
}
