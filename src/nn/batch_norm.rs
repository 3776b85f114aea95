//! Batch normalisation layers.

use super::{Init, Module, NoBias, OptionalBias};
use crate::kernels::normalize::Planes;
use crate::numbers::range::{expect, not_negative, part};
use crate::ops::{Source, Statistics, batch_norm, channel_statistics};
use crate::params::{Buffer, Param, Parameters};
use crate::shape::{Channels, Dim, ImageAxes, Rank1, RowsOrSignals, Shape, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// Normalises each of `C` channels to mean 0 and variance 1, then scales and shifts it. Programs name it
/// [`BatchNorm1d`], [`BatchNorm2d`], and without scale and shift [`BatchNorm1dNoAffine`], [`BatchNorm2dNoAffine`].
///
/// y = gamma (x - m) / sqrt(v + epsilon) + beta
///
/// In training, m and v are the mean and the variance of the channel over the batch, and running averages of them are
/// kept: the new averages leave the tape with the gradients, and [`Optimizer::step`](crate::optim::Optimizer::step)
/// applies them. In inference, m and v are the running averages.
///
/// | | shape |
/// | --- | --- |
/// | x, y with `AXES` 1 | (N, C) or (N, C, L) |
/// | x, y with `AXES` 2 | (N, C, H, W) |
/// | `weight` gamma, `bias` beta | (C), 1 and 0 at first; or both [`NoBias`] |
/// | `running_mean`, `running_var` | (C), 0 and 1 at first |
///
/// The running variance averages the unbiased variance, as in PyTorch. Ioffe and Szegedy, "Batch Normalization:
/// Accelerating Deep Network Training by Reducing Internal Covariate Shift", 2015.
#[derive(Clone, Debug, Parameters)]
pub struct BatchNorm<const C: usize, const AXES: usize = 2, E: Float = f32, A = Param<Rank1<C>, E>> {
    /// gamma, (C)
    pub weight: A,
    /// beta, (C)
    pub bias: A,
    /// (C)
    pub running_mean: Buffer<Rank1<C>, E>,
    /// (C)
    pub running_var: Buffer<Rank1<C>, E>,
    /// The epsilon added to the variance, and the momentum of the averages.
    pub options: BatchNormOptions,
}

/// [`BatchNorm`] of each channel of a batch of images, (N, C, H, W).
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
pub type BatchNorm2d<const C: usize, E = f32> = BatchNorm<C, 2, E>;

/// [`BatchNorm`] of each feature of a batch of rows, (N, C), or of each channel of a batch of signals, (N, C, L).
///
/// ```
/// use taut::prelude::*;
/// let model = <(Linear<4, 8>, BatchNorm1d<8>, Relu)>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank2<16, 8>> = model.forward(Tensor::<Rank2<16, 4>>::ones());
/// ```
pub type BatchNorm1d<const C: usize, E = f32> = BatchNorm<C, 1, E>;

/// [`BatchNorm2d`] without gamma and beta.
///
/// ```
/// use taut::prelude::*;
/// let layer = BatchNorm2dNoAffine::<3>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank4<2, 3, 5, 5>> = layer.forward(Tensor::<Rank4<2, 3, 5, 5>>::ones());
/// assert_eq!(layer.parameter_count(), 0);
/// ```
pub type BatchNorm2dNoAffine<const C: usize, E = f32> = BatchNorm<C, 2, E, NoBias>;

/// [`BatchNorm1d`] without gamma and beta.
///
/// ```
/// use taut::prelude::*;
/// let layer = BatchNorm1dNoAffine::<8>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank2<16, 8>> = layer.forward(Tensor::<Rank2<16, 8>>::ones());
/// ```
pub type BatchNorm1dNoAffine<const C: usize, E = f32> = BatchNorm<C, 1, E, NoBias>;

/// The numbers of a batch norm that are not trained.
#[derive(Clone, Copy, Debug, PartialEq, Parameters)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct BatchNormOptions {
    /// Added to the variance, so that a constant channel is not divided by 0. 1e-5 by default.
    pub epsilon: f64,
    /// The weight of the batch in the running averages: r <- (1 - momentum) r + momentum batch. 0.1 by default.
    pub momentum: f64,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[parameters(skip)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for BatchNormOptions {
    fn default() -> Self {
        BatchNormOptions { epsilon: 1e-5, momentum: 0.1, more: () }
    }
}

impl<const C: usize, const AXES: usize, E: Float, A: OptionalBias<C, E>> Init for BatchNorm<C, AXES, E, A> {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        BatchNorm {
            weight: A::constant(1.0),
            bias: A::constant(0.0),
            running_mean: Buffer::new(Tensor::zeros()),
            running_var: Buffer::new(Tensor::ones()),
            options: BatchNormOptions::default(),
        }
    }
}

impl<const C: usize, const AXES: usize, E: Float, A: OptionalBias<C, E>> BatchNorm<C, AXES, E, A> {
    /// Normalises `x` and, in training, records the new running averages.
    #[track_caller]
    fn normalize<S: Shape, T: Trace>(&self, x: Tensor<S, E, T>, planes: Planes) -> Tensor<S, E, T> {
        let BatchNormOptions { epsilon, momentum, .. } = self.options;
        expect(not_negative("BatchNorm", "epsilon", epsilon));
        expect(part("BatchNorm", "momentum", momentum));
        let affine = self.weight.on(&x).zip(self.bias.on(&x)).map(<[_; 2]>::from);
        if !T::TRAINING {
            let [mean, variance] = [&self.running_mean, &self.running_var]
                .map(|running| running.value_on(&x).iter().map(E::as_f64).collect());
            return batch_norm(x, affine, &Statistics { mean, variance }, epsilon, planes, Source::Constant);
        }
        let (statistics, source) = channel_statistics(&x, planes);
        let samples = match source {
            Source::Batch { samples, .. } => samples,
            Source::Constant => planes.samples(),
        };
        if samples < 2 {
            panic!("BatchNorm: training needs more than one number in each channel, and the batch has {samples}");
        }
        let unbiased = samples as f64 / (samples - 1) as f64;
        let of_batch =
            |values: &[f64], factor: f64| Tensor::from_fn(|[channel]: [usize; 1]| E::of(values[channel] * factor));
        if source.is_first() {
            self.running_mean.move_on(&x, of_batch(&statistics.mean, 1.0), momentum);
            self.running_var.move_on(&x, of_batch(&statistics.variance, unbiased), momentum);
        }
        batch_norm(x, affine, &statistics, epsilon, planes, source)
    }
}

impl<const C: usize, X: ImageAxes, E: Float, A: OptionalBias<C, E>, T: Trace> Module<Tensor<X, E, T>>
    for BatchNorm<C, 2, E, A>
where
    X::C: Channels<C>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let (batch, channels, height, width) = x.shape().axes();
        expect_size("BatchNorm2d", "channels", C, channels);
        let planes = Planes { batch: batch.size(), channels: C, positions: height.size() * width.size() };
        self.normalize(x, planes)
    }
}

impl<const C: usize, X: RowsOrSignals<C>, E: Float, A: OptionalBias<C, E>, T: Trace> Module<Tensor<X, E, T>>
    for BatchNorm<C, 1, E, A>
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let sizes = x.shape().sizes();
        let sizes = sizes.as_ref();
        expect_size("BatchNorm1d", X::NAME, C, sizes[1]);
        let planes = Planes { batch: sizes[0], channels: C, positions: sizes[2..].iter().product() };
        self.normalize(x, planes)
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
        let plain = BatchNorm2dNoAffine::<3, f64>::init(&mut StdRng::seed_from_u64(0));
        check_gradients(|x| plain.forward(x), x).unwrap();
        let plain = BatchNorm1dNoAffine::<4, f64>::init(&mut StdRng::seed_from_u64(0));
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
