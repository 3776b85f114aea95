//! The networks: one encoder, and three ways back from a code to an image.

use taut::nn::PoolIndices;
use taut::prelude::*;
use taut::shape::{Product, Window};

/// The samples of one step.
pub const BATCH: usize = 64;

/// A convolution of 3 x 3 that keeps the size, batch norm, and ReLU.
type Convolution<const I: usize, const O: usize> = (SameConv2d<I, O, 3, f32, NoBias>, BatchNorm2d<O>, Relu);

/// Two convolutions, each of which a pooling follows, and a code: images of C channels become `CODE` numbers.
/// `A` and `B` are the channels on the way, `FEATURES` is what the second pooling leaves: B x SIDE x SIDE.
pub type Encoder<const C: usize, const A: usize, const B: usize, const FEATURES: usize, const CODE: usize> =
    ((Convolution<C, A>, AvgPool2d<2>), (Convolution<A, B>, AvgPool2d<2>), (Flatten, Linear<FEATURES, CODE>));

/// How every decoder begins: from the code to small images of B channels.
type Unfold<const CODE: usize, const FEATURES: usize, const B: usize, const SIDE: usize> =
    (Linear<CODE, FEATURES>, Relu, Reshape<Rank3<B, SIDE, SIDE>>);

/// The decoder repeats each pixel 2 x 2 times, and convolutions make the steps smooth. Odena, Dumoulin and Olah,
/// "Deconvolution and Checkerboard Artifacts", 2016.
pub type Upsampling<
    const C: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> = Autoencoder<
    Encoder<C, A, B, FEATURES, CODE>,
    (
        Unfold<CODE, FEATURES, B, SIDE>,
        (UpsampleNearest2d<2>, Convolution<B, A>),
        (UpsampleNearest2d<2>, SameConv2d<A, C, 3>),
    ),
>;

/// The decoder's convolutions are transposed: each pixel writes a patch of 4 x 4, two pixels apart. Zeiler et al.,
/// "Deconvolutional Networks", 2010.
pub type Transposed<
    const C: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> = Autoencoder<Encoder<C, A, B, FEATURES, CODE>, TransposedDecoder<C, SIDE, A, B, FEATURES, CODE>>;
/// From the code to the image.
pub type TransposedDecoder<
    const C: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> = (
    Unfold<CODE, FEATURES, B, SIDE>,
    (ConvTranspose2d<B, A, 4, 2, 1, 0, f32, NoBias>, BatchNorm2d<A>, Relu),
    ConvTranspose2d<A, C, 4, 2, 1>,
);

/// The decoder puts each number into one of four pixels, and zeros into the others. With `INDICES`, it is the pixel where
/// the encoder's pooling found the maximum: then positions go past the code, and not all that the decoder knows is in it.
/// Without, it is the upper left one. Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014.
#[derive(Clone, Init, Parameters)]
pub struct Unpooling<
    const C: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
    const INDICES: bool,
> {
    down: (Convolution<C, A>, Convolution<A, B>),
    pub code: (Flatten, Linear<FEATURES, CODE>),
    pub unfold: Unfold<CODE, FEATURES, B, SIDE>,
    up: (Convolution<B, A>, SameConv2d<A, C, 3>),
}

/// Half an axis.
type Half<D> = <D as Window<2, 2, 0>>::Out;

impl<
    N: Dim,
    H: Window<2, 2, 0>,
    const C: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
    const INDICES: bool,
    T: Trace,
> Module<Tensor<(N, Const<C>, H, H), f32, T>> for Unpooling<C, SIDE, A, B, FEATURES, CODE, INDICES>
where
    Half<H>: Window<2, 2, 0, Out = Const<SIDE>>,
    (Const<B>, Const<SIDE>, Const<SIDE>): Product<Out = Const<FEATURES>>,
{
    type Output = Tensor<(N, Const<C>, H, H), f32, T>;
    fn apply(&self, x: Tensor<(N, Const<C>, H, H), f32, T>) -> Self::Output {
        let (pool, unpool) = (MaxPool2d::<2>, MaxUnpool2d::<2>);
        let wide = self.down.0.forward(x);
        let corners = PoolIndices::corners(wide.shape());
        let (halved, maxima) = pool.with_indices(wide);
        let outer = if INDICES { maxima } else { corners };

        let wide = self.down.1.forward(halved);
        let corners = PoolIndices::corners(wide.shape());
        let (quartered, maxima) = pool.with_indices(wide);
        let inner = if INDICES { maxima } else { corners };

        let code = self.code.forward(quartered);
        let halved = self.up.0.forward(unpool.forward((self.unfold.forward(code), inner)));
        self.up.1.forward(unpool.forward((halved, outer)))
    }
}

/// Images of C channels and S x S pixels.
pub type Images<const C: usize, const S: usize> = Tensor<(usize, Const<C>, Const<S>, Const<S>)>;
/// A batch of them while a model learns.
pub type Traced4<const C: usize, const S: usize> = Tensor<Rank4<BATCH, C, S, S>, f32, Traced<Training>>;

/// What gives images back, of the size that it takes.
pub trait Model<const C: usize, const S: usize>:
    Init + Parameters + Module<Traced4<C, S>, Output = Traced4<C, S>> + Module<Images<C, S>, Output = Images<C, S>>
{
}
impl<M, const C: usize, const S: usize> Model<C, S> for M where
    M: Init + Parameters + Module<Traced4<C, S>, Output = Traced4<C, S>> + Module<Images<C, S>, Output = Images<C, S>>
{
}

/// All of a dataset, saved and loaded together.
#[derive(Init, Parameters)]
pub struct Models<
    const C: usize,
    const SIDE: usize,
    const A: usize,
    const B: usize,
    const FEATURES: usize,
    const CODE: usize,
> {
    pub unpooling: Unpooling<C, SIDE, A, B, FEATURES, CODE, false>,
    pub unpooling_with_indices: Unpooling<C, SIDE, A, B, FEATURES, CODE, true>,
    pub upsampling: Upsampling<C, SIDE, A, B, FEATURES, CODE>,
    pub transposed: Transposed<C, SIDE, A, B, FEATURES, CODE>,
}
