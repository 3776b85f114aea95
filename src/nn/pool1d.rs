//! Pooling layers over sequences: images of height 1.

use super::conv2d::Out;
use super::{Init, Module};
use crate::kernels::pooling::Patches;
use crate::ops::{Window2d, max_pool2d, mean_pool2d, window_patches};
use crate::params::Parameters;
use crate::shape::{Const, Dim, PoolPadding, Shape, SignalAxes, Window};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// The shape of pooled sequences, and the elements that each of theirs is made of.
///
/// # Panics
/// If the window does not fit a run-time size, or there is nothing to pool.
#[track_caller]
fn windows<X: SignalAxes, const K: usize, const S: usize, const P: usize>(
    sequences: X,
) -> (PooledShape<X, K, S, P>, Patches)
where
    X::L: Window<K, S, P>,
{
    let (batch, channels, length) = sequences.axes();
    let shape = (batch, channels, length.windows());
    let window = Window2d { kernel: [1, K], stride: [1, S], padding: [0, P], dilation: [1; 2] };
    (shape, window_patches(window, [1, length.size()], shape.count()))
}

/// The shape of pooled sequences.
type PooledShape<X, const K: usize, const S: usize, const P: usize> =
    (<X as SignalAxes>::N, <X as SignalAxes>::C, Out<<X as SignalAxes>::L, K, S, P>);

/// The maximum of `K` neighbours, moved by `S`, with `P` times minus infinity at both ends.
///
/// Shapes: (N, C, L) to (N, C, (L + 2 P - K) / S + 1). Otherwise as [`MaxPool2d`](super::MaxPool2d). The maximum of a
/// whole sequence is `x.max_axis::<2>()`.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[1.0, 4.0, 2.0, 3.0, 9.0]]]);
/// assert_eq!(MaxPool1d::<2>.forward(x).to_array(), [[[4.0, 3.0]]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct MaxPool1d<const K: usize, const S: usize = K, const P: usize = 0>;

impl<X: SignalAxes, const K: usize, const S: usize, const P: usize, E: Float, T: Trace> Module<Tensor<X, E, T>>
    for MaxPool1d<K, S, P>
where
    X::L: Window<K, S, P>,
    Const<K>: PoolPadding<P>,
{
    type Output = Tensor<PooledShape<X, K, S, P>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let (shape, patches) = windows::<X, K, S, P>(x.shape());
        max_pool2d(x, shape, &patches).0
    }
}

/// The mean of `K` neighbours, moved by `S`, with `P` zeros at both ends.
///
/// Shapes as for [`MaxPool1d`], padding counted as in [`AvgPool2d`](super::AvgPool2d).
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[1.0, 5.0, 2.0, 4.0]]]);
/// assert_eq!(AvgPool1d::<2>.forward(x).to_array(), [[[3.0, 3.0]]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct AvgPool1d<const K: usize, const S: usize = K, const P: usize = 0, const COUNT_PADDING: bool = true>;

impl<X: SignalAxes, const K: usize, const S: usize, const P: usize, const COUNT_PADDING: bool, E: Float, T: Trace>
    Module<Tensor<X, E, T>> for AvgPool1d<K, S, P, COUNT_PADDING>
where
    X::L: Window<K, S, P>,
    Const<K>: PoolPadding<P>,
{
    type Output = Tensor<PooledShape<X, K, S, P>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let (shape, patches) = windows::<X, K, S, P>(x.shape());
        mean_pool2d(x, shape, patches, COUNT_PADDING.then_some(K))
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::distinct;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        let x = distinct(Rank3::<2, 2, 7>::default(), &mut StdRng::seed_from_u64(1));
        check_gradients(|x| MaxPool1d::<2>.forward(x), x.clone()).unwrap();
        check_gradients(|x| MaxPool1d::<3, 2, 1>.forward(x), x.clone()).unwrap();
        check_gradients(|x| AvgPool1d::<3, 1, 1>.forward(x), x.clone()).unwrap();
        check_gradients(|x| AvgPool1d::<3, 2, 1, false>.forward(x), x).unwrap();
    }

    #[test]
    #[should_panic(expected = "a window of kernel 3, stride 3, padding 0 (dilation 1) does not fit dimension 2")]
    fn a_sequence_shorter_than_the_window_panics() {
        let _ = MaxPool1d::<3>.forward(Tensor::<_, f32>::zeros_with((1_usize, 1_usize, 2_usize)));
    }
}
