//! Transposed convolution: from small images to large ones.

use super::optional_bias::default_parameters;
use super::weighted::{Weighted, WithWeight};
use super::{Init, Module, OptionalBias};
use crate::kernels::convolution::Convolution;
use crate::ops::{Window2d, transposed_convolution};
use crate::params::{Param, Parameters};
use crate::shape::{
    Accepted, Axis, Channels, Const, Dim, ImageAxes, OutputPadding, Rank1, Rank4, TransposedWindow, expect_size,
};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// Transposed convolution: each pixel of the input writes a `K` x `K` patch of the output, `S` apart; overlaps are
/// summed, and `P` rows and columns are cropped at each side, `OP` fewer at the bottom and the right.
///
/// It is the gradient of [`Conv2d`](super::Conv2d) with respect to its input: with the same weight, one is the
/// transpose of the other.
///
/// | | shape |
/// | --- | --- |
/// | x | (N, I, H, W) |
/// | `weight` | (I, O, K, K), as in PyTorch |
/// | `bias` | (O), or [`NoBias`](super::NoBias) |
/// | y | (N, O, (H - 1) S + K + OP - 2 P, the same for W) |
///
/// `init` draws from the uniform distribution over -1/sqrt(O K K) .. 1/sqrt(O K K), as PyTorch does. Zeiler et al.,
/// "Deconvolutional Networks", 2010.
///
/// ```
/// use taut::prelude::*;
/// let layer = ConvTranspose2d::<128, 64, 4, 2, 1>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank4<1, 64, 14, 14>> = layer.forward(Tensor::<Rank4<1, 128, 7, 7>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct ConvTranspose2d<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize = 1,
    const P: usize = 0,
    const OP: usize = 0,
    E: Float = f32,
    B = Param<Rank1<O>, E>,
> {
    /// (I, O, K, K)
    pub weight: Param<Rank4<I, O, K, K>, E>,
    /// (O)
    pub bias: B,
}

impl<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const OP: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Init for ConvTranspose2d<I, O, K, S, P, OP, E, B>
{
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let (weight, bias) = default_parameters(Default::default(), O * K * K, rng);
        ConvTranspose2d { weight, bias }
    }
}

/// The size of an axis after a transposed window.
type Out<Axis, const K: usize, const S: usize, const P: usize, const OP: usize> =
    <Axis as TransposedWindow<K, S, P, OP>>::Out;

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const OP: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> Module<Tensor<X, E, T>> for ConvTranspose2d<I, O, K, S, P, OP, E, B>
where
    X::C: Channels<I>,
    X::H: TransposedWindow<K, S, P, OP>,
    X::W: TransposedWindow<K, S, P, OP>,
    Const<S>: OutputPadding<OP>,
{
    type Output =
        Tensor<<X::C as Accepted<I>>::Then<(X::N, Const<O>, Out<X::H, K, S, P, OP>, Out<X::W, K, S, P, OP>)>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let weight = self.weight.on(&x);
        self.run_with(x, weight).map_shape(X::C::then)
    }
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const OP: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> WithWeight<X, E, T> for ConvTranspose2d<I, O, K, S, P, OP, E, B>
where
    X::C: Channels<I>,
    X::H: TransposedWindow<K, S, P, OP>,
    X::W: TransposedWindow<K, S, P, OP>,
    Const<S>: OutputPadding<OP>,
{
    type Output = Tensor<(X::N, Const<O>, Out<X::H, K, S, P, OP>, Out<X::W, K, S, P, OP>), E, T>;
    fn run_with(&self, x: Tensor<X, E, T>, weight: Tensor<Rank4<I, O, K, K>, E, T>) -> Self::Output {
        let (batch, channels, height, width) = x.shape().axes();
        expect_size("ConvTranspose2d", "channels", I, channels);
        let (out_height, out_width) = (height.transposed_windows(), width.transposed_windows());
        let window = Window2d { stride: [S; 2], padding: [P; 2], ..Window2d::square(K) };
        // the convolution that goes from the output of this layer to its input
        let windows = window.over(O, [out_height.size(), out_width.size()]);
        let windows = windows.expect("a transposed window's output holds the window");
        let sizes = Convolution { batch: batch.size(), windows, filters: I, groups: 1 };
        let bias = self.bias.on(&x);
        transposed_convolution(x, weight, bias, (batch, Const::<O>, out_height, out_width), sizes)
    }
}

impl<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const OP: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Weighted for ConvTranspose2d<I, O, K, S, P, OP, E, B>
{
    type Element = E;
    type Weight = Rank4<I, O, K, K>;
    fn weight(&self) -> &Param<Self::Weight, E> {
        &self.weight
    }
    fn matrix<T: Trace>(weight: Tensor<Self::Weight, E, T>) -> Tensor<(usize, usize), E, T> {
        weight.permute::<(Axis<1>, Axis<0>, Axis<2>, Axis<3>)>().reshape_with((O, I * K * K))
    }
}

#[cfg(test)]
mod tests {
    use crate::nn::NoBias;
    use crate::prelude::*;

    /// <conv(x), y> = <x, transposed(y)>, for the same weight.
    fn is_transpose<const K: usize, const S: usize, const P: usize, const OP: usize>(size: usize)
    where
        Const<S>: taut::shape::OutputPadding<OP>,
        usize: taut::shape::Window<K, S, P, Out = usize> + taut::shape::TransposedWindow<K, S, P, OP, Out = usize>,
    {
        let mut rng = StdRng::seed_from_u64(1);
        let weight = Param::new(Tensor::<Rank4<3, 2, K, K>, f64>::randn(&mut rng));
        let transposed = ConvTranspose2d::<3, 2, K, S, P, OP, f64, NoBias> { weight: weight.clone(), bias: NoBias };
        let convolution = Conv2d::<2, 3, K, S, P, 1, f64, NoBias> { weight, bias: NoBias };
        let y = Tensor::<_, f64>::normal_with((2_usize, Const::<3>, size, size + 1), 0.0, 1.0, &mut rng);
        let up = transposed.forward(y.clone());
        let x = Tensor::normal_with(up.shape(), 0.0, 1.0, &mut rng);
        let down = convolution.forward(x.clone());
        let (left, right) = ((down * y).sum().item(), (x * up).sum().item());
        assert!((left - right).abs() < 1e-9 * (1.0 + left.abs()), "{left} {right}");
    }

    #[test]
    fn is_the_transpose_of_convolution() {
        is_transpose::<4, 2, 1, 0>(3);
        is_transpose::<3, 1, 0, 0>(4);
        is_transpose::<3, 2, 1, 1>(3);
        is_transpose::<2, 3, 0, 0>(2);
        is_transpose::<5, 2, 2, 1>(1);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let mut rng = StdRng::seed_from_u64(2);
        let layer = ConvTranspose2d::<2, 3, 3, 2, 1, 1, f64>::init(&mut rng);
        let x = Tensor::<Rank4<2, 2, 3, 2>, f64>::randn(&mut rng);
        check_gradients(|x| layer.forward(x), x.clone()).unwrap();
        check_parameter_gradients(&layer, |layer, tape| layer.forward(tape.trace(x.clone()))).unwrap();
    }
}
