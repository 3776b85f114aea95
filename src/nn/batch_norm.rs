//! Batch normalisation layers.

use super::{Init, Module};
use crate::kernels::normalize::Planes;
use crate::numbers::range::{expect, not_negative, part};
use crate::ops::{Statistics, batch_norm, channel_statistics};
use crate::params::{Buffer, Param, Parameters};
use crate::shape::{Channels, Dim, ImageAxes, Rank1, RowsOrSignals, Shape, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// Normalises each of `C` channels of a batch of images to mean 0 and variance 1, then scales and shifts it.
///
/// y = gamma (x - m) / sqrt(v + epsilon) + beta
///
/// In training, m and v are the mean and the variance of the channel over the batch, and running averages of them are
/// kept: the new averages leave the tape with the gradients, and [`Optimizer::step`](crate::optim::Optimizer::step)
/// puts them in place. In inference, m and v are the running averages.
///
/// | | shape |
/// | --- | --- |
/// | x, y | (N, C, H, W) |
/// | `weight` gamma, `bias` beta | (C), 1 and 0 at first |
/// | `running_mean`, `running_var` | (C), 0 and 1 at first |
///
/// The running variance averages the unbiased variance, as in PyTorch. Ioffe and Szegedy, "Batch Normalization:
/// Accelerating Deep Network Training by Reducing Internal Covariate Shift", 2015.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut model = (Conv2d::<1, 8, 3>::init(&mut rng), BatchNorm2d::<8>::init(&mut rng), Relu);
/// let x = Tensor::<Rank4<4, 1, 6, 6>>::randn(&mut rng);
/// let loss = model.forward(Tape::training(&mut rng).trace(x)).mean();
/// let gradients = loss.backward();
/// Sgd::new(SgdConfig::default()).step(&mut model, &gradients);
/// assert_ne!(model.1.running_mean.value().to_array(), [0.0; 8]);
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct BatchNorm2d<const C: usize, E: Float = f32> {
    /// gamma, (C)
    pub weight: Param<Rank1<C>, E>,
    /// beta, (C)
    pub bias: Param<Rank1<C>, E>,
    /// (C)
    pub running_mean: Buffer<Rank1<C>, E>,
    /// (C)
    pub running_var: Buffer<Rank1<C>, E>,
    /// What normalisation adds to the variance, and how fast the averages move.
    pub options: BatchNormOptions,
}

/// Normalises each of `C` features of a batch, (N, C), or each channel of a batch of sequences, (N, C, L).
///
/// Otherwise as [`BatchNorm2d`].
///
/// ```
/// use taut::prelude::*;
/// let model = <(Linear<4, 8>, BatchNorm1d<8>, Relu)>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank2<16, 8>> = model.forward(Tensor::<Rank2<16, 4>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct BatchNorm1d<const C: usize, E: Float = f32> {
    /// gamma, (C)
    pub weight: Param<Rank1<C>, E>,
    /// beta, (C)
    pub bias: Param<Rank1<C>, E>,
    /// (C)
    pub running_mean: Buffer<Rank1<C>, E>,
    /// (C)
    pub running_var: Buffer<Rank1<C>, E>,
    /// What normalisation adds to the variance, and how fast the averages move.
    pub options: BatchNormOptions,
}

/// [`BatchNorm2d`] without gamma and beta: normalises only.
///
/// ```
/// use taut::prelude::*;
/// let layer = PlainBatchNorm2d::<3>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank4<2, 3, 5, 5>> = layer.forward(Tensor::<Rank4<2, 3, 5, 5>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct PlainBatchNorm2d<const C: usize, E: Float = f32> {
    /// (C)
    pub running_mean: Buffer<Rank1<C>, E>,
    /// (C)
    pub running_var: Buffer<Rank1<C>, E>,
    /// What normalisation adds to the variance, and how fast the averages move.
    pub options: BatchNormOptions,
}

/// [`BatchNorm1d`] without gamma and beta: normalises only.
///
/// ```
/// use taut::prelude::*;
/// let layer = PlainBatchNorm1d::<8>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank2<16, 8>> = layer.forward(Tensor::<Rank2<16, 8>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct PlainBatchNorm1d<const C: usize, E: Float = f32> {
    /// (C)
    pub running_mean: Buffer<Rank1<C>, E>,
    /// (C)
    pub running_var: Buffer<Rank1<C>, E>,
    /// What normalisation adds to the variance, and how fast the averages move.
    pub options: BatchNormOptions,
}

/// The numbers of a batch norm that are not trained.
#[derive(Clone, Copy, Debug, PartialEq, Parameters)]
pub struct BatchNormOptions {
    /// What is added to the variance, so that the root of a constant channel's is not 0. 1e-5 by default.
    pub epsilon: f64,
    /// How much of the running averages the batch replaces: r <- (1 - momentum) r + momentum batch. 0.1 by default.
    pub momentum: f64,
    // there may be more settings one day, so literals end in `..Default::default()`
    #[doc(hidden)]
    #[parameters(skip)]
    pub more: (),
}

impl Default for BatchNormOptions {
    fn default() -> Self {
        BatchNormOptions { epsilon: 1e-5, momentum: 0.1, more: () }
    }
}

/// Normalises `x` and, in training, notes the new running averages.
#[track_caller]
fn normalize<const C: usize, S: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    planes: Planes,
    affine: Option<[&Param<Rank1<C>, E>; 2]>,
    [running_mean, running_var]: [&Buffer<Rank1<C>, E>; 2],
    options: BatchNormOptions,
) -> Tensor<S, E, T> {
    expect(not_negative("BatchNorm", "epsilon", options.epsilon));
    expect(part("BatchNorm", "momentum", options.momentum));
    // a closure would hide the caller's line
    let mut traced = None;
    if let Some([weight, bias]) = affine {
        traced = Some([weight.on(&x), bias.on(&x)]);
    }
    let affine = traced;
    if !T::TRAINING {
        let [mean, variance] =
            [running_mean, running_var].map(|running| running.value_on(&x).iter().map(E::as_f64).collect());
        let statistics = Statistics { mean, variance };
        return batch_norm(x, affine, &statistics, options.epsilon, planes, false);
    }
    let samples = planes.samples();
    if samples < 2 {
        panic!("BatchNorm: training needs more than one number in each channel, and the batch has {samples}");
    }
    let statistics = channel_statistics(&x, planes);
    let unbiased = samples as f64 / (samples - 1) as f64;
    let of_batch =
        |values: &[f64], factor: f64| Tensor::from_fn(|[channel]: [usize; 1]| E::of(values[channel] * factor));
    running_mean.move_on(&x, options.momentum, of_batch(&statistics.mean, 1.0));
    running_var.move_on(&x, options.momentum, of_batch(&statistics.variance, unbiased));
    batch_norm(x, affine, &statistics, options.epsilon, planes, true)
}

impl<const C: usize, E: Float> Init for BatchNorm2d<C, E> {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        BatchNorm2d {
            weight: Tensor::ones().into(),
            bias: Tensor::zeros().into(),
            running_mean: Buffer::new(Tensor::zeros()),
            running_var: Buffer::new(Tensor::ones()),
            options: BatchNormOptions::default(),
        }
    }
}

impl<const C: usize, E: Float> Init for BatchNorm1d<C, E> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let BatchNorm2d { weight, bias, running_mean, running_var, options } = BatchNorm2d::init(rng);
        BatchNorm1d { weight, bias, running_mean, running_var, options }
    }
}

impl<const C: usize, E: Float> Init for PlainBatchNorm2d<C, E> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let BatchNorm2d { running_mean, running_var, options, .. } = BatchNorm2d::init(rng);
        PlainBatchNorm2d { running_mean, running_var, options }
    }
}

impl<const C: usize, E: Float> Init for PlainBatchNorm1d<C, E> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let BatchNorm2d { running_mean, running_var, options, .. } = BatchNorm2d::init(rng);
        PlainBatchNorm1d { running_mean, running_var, options }
    }
}

#[track_caller]
fn planes_of<const C: usize>(
    layer: &str,
    (batch, channels, height, width): (impl Dim, impl Dim, impl Dim, impl Dim),
) -> Planes {
    expect_size(layer, "channels", C, channels);
    Planes { batch: batch.size(), channels: C, positions: height.size() * width.size() }
}

impl<const C: usize, X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for BatchNorm2d<C, E>
where
    X::C: Channels<C>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let planes = planes_of::<C>("BatchNorm2d", x.shape().axes());
        let running = [&self.running_mean, &self.running_var];
        normalize(x, planes, Some([&self.weight, &self.bias]), running, self.options)
    }
}

impl<const C: usize, X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for PlainBatchNorm2d<C, E>
where
    X::C: Channels<C>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let planes = planes_of::<C>("PlainBatchNorm2d", x.shape().axes());
        normalize(x, planes, None, [&self.running_mean, &self.running_var], self.options)
    }
}

/// (N, C) as (N, C, 1, 1), and (N, C, L) as (N, C, L, 1).
#[track_caller]
fn planes_of_rows<const C: usize, X: RowsOrSignals<C>>(layer: &str, shape: X) -> Planes {
    let sizes = shape.sizes();
    let sizes = sizes.as_ref();
    expect_size(layer, X::NAME, C, sizes[1]);
    Planes { batch: sizes[0], channels: C, positions: sizes[2..].iter().product() }
}

impl<const C: usize, X: RowsOrSignals<C>, E: Float, T: Trace> Module<Tensor<X, E, T>> for BatchNorm1d<C, E> {
    type Output = Tensor<X, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let planes = planes_of_rows("BatchNorm1d", x.shape());
        let running = [&self.running_mean, &self.running_var];
        normalize(x, planes, Some([&self.weight, &self.bias]), running, self.options)
    }
}

impl<const C: usize, X: RowsOrSignals<C>, E: Float, T: Trace> Module<Tensor<X, E, T>> for PlainBatchNorm1d<C, E> {
    type Output = Tensor<X, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let planes = planes_of_rows("PlainBatchNorm1d", x.shape());
        normalize(x, planes, None, [&self.running_mean, &self.running_var], self.options)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    fn with_affine<const C: usize>() -> BatchNorm2d<C, f64> {
        let mut rng = StdRng::seed_from_u64(1);
        let mut layer = BatchNorm2d::init(&mut rng);
        *layer.weight.value_mut() = Tensor::randn(&mut rng);
        *layer.bias.value_mut() = Tensor::randn(&mut rng);
        layer
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let layer = with_affine::<3>();
        let x = Tensor::<Rank4<2, 3, 3, 7>, f64>::randn(&mut StdRng::seed_from_u64(2)) * 2.0 + 0.5;
        check_gradients(|x| layer.forward(x), x.clone()).unwrap();
        check_parameter_gradients(&layer, |layer, tape| layer.forward(tape.trace(x.clone()))).unwrap();
        let plain = PlainBatchNorm2d::<3, f64>::init(&mut StdRng::seed_from_u64(0));
        check_gradients(|x| plain.forward(x), x).unwrap();
        let plain = PlainBatchNorm1d::<4, f64>::init(&mut StdRng::seed_from_u64(0));
        let mut rng = StdRng::seed_from_u64(3);
        check_gradients(|x| plain.forward(x), Tensor::<Rank2<5, 4>, f64>::randn(&mut rng)).unwrap();
        check_gradients(|x| plain.forward(x), Tensor::<Rank3<2, 4, 3>, f64>::randn(&mut rng)).unwrap();
        let one = BatchNorm1d::<4, f64>::init(&mut StdRng::seed_from_u64(0));
        check_gradients(|x| one.forward(x), Tensor::<Rank2<5, 4>, f64>::randn(&mut rng)).unwrap();
        check_gradients(|x| one.forward(x), Tensor::<Rank3<2, 4, 3>, f64>::randn(&mut rng)).unwrap();
    }

    #[test]
    fn inference_uses_the_running_averages_and_has_gradients() {
        let mut layer = with_affine::<2>();
        *layer.running_mean.value_mut() = Tensor::<_, f64>::of([1.0, -1.0]);
        *layer.running_var.value_mut() = Tensor::<_, f64>::of([4.0, 0.25]);
        let x = Tensor::<Rank4<1, 2, 1, 1>, f64>::ones();
        let y = layer.forward(x.clone());
        let (weight, bias) = (layer.weight.value(), layer.bias.value());
        let expected = |c: usize, n: f64| weight[[c]] * n + bias[[c]];
        assert!((y[[0, 0, 0, 0]] - expected(0, 0.0)).abs() < 1e-12);
        assert!((y[[0, 1, 0, 0]] - expected(1, 2.0 / 0.250_01_f64.sqrt())).abs() < 1e-12);
        let tape = Tape::inference();
        let x = tape.watch(x);
        let gradients = layer.forward(x.clone()).sum().backward();
        let slope = gradients.of_input(&x)[[0, 0, 0, 0]];
        assert!((slope - weight[[0]] / 4.000_01_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn the_step_puts_the_running_averages_in_place() {
        let mut rng = StdRng::seed_from_u64(0);
        let mut layer = BatchNorm1d::<1>::init(&mut rng);
        let x = Tensor::from([[1.0], [3.0]]);
        let gradients = layer.forward(Tape::training(&mut rng).trace(x)).sum().backward();
        assert_eq!(layer.running_mean.value().to_array(), [0.0], "the model is as it was until the step");
        Sgd::new(SgdConfig::default()).step(&mut layer, &gradients);
        // mean 2, unbiased variance 2, momentum 0.1
        assert!((layer.running_mean.value()[[0]] - 0.2).abs() < 1e-6);
        assert!((layer.running_var.value()[[0]] - 1.1).abs() < 1e-6);
    }

    #[test]
    fn a_mean_far_from_zero_does_not_spoil_the_variance() {
        let mut rng = StdRng::seed_from_u64(0);
        let layer = BatchNorm2d::<1>::init(&mut rng);
        let x = Tensor::<Rank4<8, 1, 16, 16>>::randn(&mut rng) + 4096.0;
        let y = layer.forward(Tape::training(&mut rng).trace(x));
        let variance = y.iter().map(|y| f64::from(y * y)).sum::<f64>() / 2048.0;
        assert!((variance - 1.0).abs() < 1e-2, "{variance}");
    }

    #[test]
    #[should_panic(expected = "training needs more than one number in each channel, and the batch has 1")]
    fn one_number_has_no_variance() {
        let mut rng = StdRng::seed_from_u64(0);
        let layer = BatchNorm1d::<2>::init(&mut rng);
        let _ = layer.forward(Tape::training(&mut rng).trace(Tensor::from([[1.0, 2.0]])));
    }
}
