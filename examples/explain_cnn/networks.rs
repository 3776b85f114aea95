//! The networks to explain.

use crate::Images;
use taut::prelude::*;

/// A 3 x 3 convolution that keeps the size, batch norm, and ReLU.
type Convolution<const I: usize, const O: usize> = (SameConv2d<I, O, 3, f32, NoBias>, BatchNorm2d<O>, Relu);

/// The network that is trained here. Averaging the last feature maps lets it take images of any size.
pub type Small<const C: usize> = (
    (Convolution<C, 16>, MaxPool2d<2>),
    (Convolution<16, 32>, Convolution<32, 32>, MaxPool2d<2>),
    Convolution<32, 64>,
    (GlobalAvgPool2d, Linear<64, 10>),
);

/// The network of `mnist_cnn`.
pub type LeNet = (
    (Conv2d<1, 16, 5, 1, 2>, Relu, MaxPool2d<2>),
    (Conv2d<16, 32, 5>, Relu, MaxPool2d<2>),
    Flatten,
    (Linear<800, 128>, Relu, Dropout<50>),
    Linear<128, 10>,
);

type Block<const C: usize> = Residual<(Convolution<C, C>, Convolution<C, C>)>;
/// The network of `cifar10_cnn`.
pub type CifarNetwork = (
    (Convolution<3, 32>, MaxPool2d<2>),
    (Convolution<32, 64>, MaxPool2d<2>, Block<64>),
    (Conv2dNoBias<64, 128, 3, 2, 1>, BatchNorm2d<128>, Relu, Block<128>),
    (GlobalAvgPool2d, Linear<128, 10>),
);

/// Logits of ten classes.
pub type Logits<T> = Tensor<(usize, Const<10>), f32, T>;

/// An image classifier for ten classes.
pub trait Network<const C: usize, const S: usize>:
    Clone
    + Module<Images<C, S>, Output = Logits<NoTrace>>
    + Module<Tensor<(usize, Const<C>, Const<S>, Const<S>), f32, Traced<Inference>>, Output = Logits<Traced<Inference>>>
{
}
impl<M, const C: usize, const S: usize> Network<C, S> for M where
    M: Clone
        + Module<Images<C, S>, Output = Logits<NoTrace>>
        + Module<
            Tensor<(usize, Const<C>, Const<S>, Const<S>), f32, Traced<Inference>>,
            Output = Logits<Traced<Inference>>,
        >
{
}
