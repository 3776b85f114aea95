//! Convolution over sequences.

use super::conv2d::{Out, sizes};
use super::optional_bias::default_parameters;
use super::weighted::{Weighted, WithWeight};
use super::{Init, Module, OptionalBias};
use crate::ops::{Window2d, convolution};
use crate::params::{Param, Parameters};
use crate::shape::{Accepted, Channels, Const, Rank1, Rank3, SignalAxes, Window};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// Convolution with `O` filters of `I` x `K` along a sequence: an image of height 1.
///
/// | | shape |
/// | --- | --- |
/// | x | (N, I, L) |
/// | `weight` | (O, I, K) |
/// | `bias` | (O), or [`NoBias`](super::NoBias) |
/// | y | (N, O, (L + 2 P - D (K - 1) - 1) / S + 1) |
///
/// Formula, parameters and `init` are as for [`Conv2d`](super::Conv2d).
///
/// ```
/// use taut::prelude::*;
/// let layer = Conv1d::<2, 4, 3, 1, 1>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank3<8, 4, 100>> = layer.forward(Tensor::<Rank3<8, 2, 100>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct Conv1d<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize = 1,
    const P: usize = 0,
    const D: usize = 1,
    E: Float = f32,
    B = Param<Rank1<O>, E>,
> {
    /// (O, I, K)
    pub weight: Param<Rank3<O, I, K>, E>,
    /// (O)
    pub bias: B,
}

impl<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Init for Conv1d<I, O, K, S, P, D, E, B>
{
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let (weight, bias) = default_parameters(Default::default(), I * K, rng);
        Conv1d { weight, bias }
    }
}

impl<
    X: SignalAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> Module<Tensor<X, E, T>> for Conv1d<I, O, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::L: Window<K, S, P, D>,
{
    type Output = Tensor<<X::C as Accepted<I>>::Then<(X::N, Const<O>, Out<X::L, K, S, P, D>)>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let weight = self.weight.on(&x);
        self.run_with(x, weight).map_shape(X::C::then)
    }
}

impl<
    X: SignalAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> WithWeight<X, E, T> for Conv1d<I, O, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::L: Window<K, S, P, D>,
{
    type Output = Tensor<(X::N, Const<O>, Out<X::L, K, S, P, D>), E, T>;
    fn run_with(&self, x: Tensor<X, E, T>, weight: Tensor<Rank3<O, I, K>, E, T>) -> Self::Output {
        let (batch, channels, length) = x.shape().axes();
        let shape = (batch, Const::<O>, length.windows());
        let window = Window2d { kernel: [1, K], stride: [1, S], padding: [0, P], dilation: [1, D] };
        let sizes = sizes("Conv1d", window, (batch, channels, Const::<1>, length), [I, O], 1);
        let bias = self.bias.on(&x);
        convolution(x, weight, bias, shape, sizes)
    }
}

impl<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Weighted for Conv1d<I, O, K, S, P, D, E, B>
{
    type Element = E;
    type Weight = Rank3<O, I, K>;
    fn weight(&self) -> &Param<Self::Weight, E> {
        &self.weight
    }
}
