//! The normal distribution of N independent numbers.
//!
//! log p(x) = sum_i -(x_i - m_i)^2 / (2 s_i^2) - log s_i - log(2 pi) / 2, for means m and standard deviations s; the
//! entropy is sum_i (1 + log(2 pi)) / 2 + log s_i.

use crate::shape::Dim;
use crate::tensor::{Float, Tensor};
use crate::trace::{NoTrace, Trace};
use rand::Rng;
use std::f64::consts::TAU;

/// A batch of `B` distributions of `N` independent numbers. See [`distributions`](super).
///
/// PyTorch has it as `Independent(Normal(mean, deviation), 1)`.
#[derive(Clone, Debug)]
pub struct Gaussian<B: Dim, N: Dim, E: Float = f32, T: Trace = NoTrace> {
    mean: Tensor<(B, N), E, T>,
    log_deviation: Tensor<(B, N), E, T>,
}

impl<B: Dim, N: Dim, E: Float, T: Trace> Gaussian<B, N, E, T> {
    /// The distributions with these means, and standard deviations given by their logarithms.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn new(mean: Tensor<(B, N), E, T>, log_deviation: Tensor<(B, N), E, T>) -> Self {
        assert!(
            mean.shape() == log_deviation.shape(),
            "Gaussian::new: means of shape {:?} and deviations of shape {:?}",
            mean.shape(),
            log_deviation.shape()
        );
        Gaussian { mean, log_deviation }
    }

    /// The mean of each number, which is also its mode.
    pub fn mean(&self) -> &Tensor<(B, N), E, T> {
        &self.mean
    }

    /// The logarithm of the density at `x`.
    ///
    /// # Panics
    /// If run-time dimensions disagree.
    ///
    /// ```
    /// use taut::distributions::Gaussian;
    /// use taut::prelude::*;
    /// let standard = Gaussian::new(Tensor::<Rank2<1, 2>>::zeros(), Tensor::zeros());
    /// let density = standard.log_probability(&Tensor::from([[1.0, 2.0]])).to_array()[0];
    /// assert!((density - (-0.5 - 2.0 - std::f32::consts::TAU.ln())).abs() < 1e-6);
    /// ```
    #[doc(alias = "log_prob")]
    #[track_caller]
    pub fn log_probability(&self, x: &Tensor<(B, N), E>) -> Tensor<(B,), E, T> {
        // in units of the deviation
        let off = (self.mean.clone() - x) * (-self.log_deviation.clone()).exp();
        let constant = E::of(-0.5 * TAU.ln());
        (off.square().scale_shift(E::of(-0.5), constant) - self.log_deviation.clone()).sum_axis::<1>()
    }

    /// The differential entropy of each distribution, in nats.
    pub fn entropy(&self) -> Tensor<(B,), E, T> {
        self.log_deviation.clone().scale_shift(E::one(), E::of(0.5 + 0.5 * TAU.ln())).sum_axis::<1>()
    }

    /// `N` numbers drawn from each distribution.
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Tensor<(B, N), E> {
        let standard = Tensor::normal_with(self.mean.shape(), E::zero(), E::one(), rng);
        self.mean.detach() + self.log_deviation.detach().exp() * standard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Variance;
    use crate::prelude::*;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut rng = StdRng::seed_from_u64(0);
        let mut random = || Tensor::<(usize, Const<3>), f64>::normal_with((4, Const), 0.0, 0.7, &mut rng);
        let (mean, log_deviation, x) = (random(), random(), random());
        let inputs = (mean, log_deviation);
        check_gradients(|(m, s)| Gaussian::new(m, s).log_probability(&x), inputs.clone()).unwrap();
        check_gradients(|(m, s)| Gaussian::new(m, s).entropy(), inputs).unwrap();
    }

    #[test]
    fn moments_of_what_is_drawn_are_those_of_the_distribution() {
        let mut rng = StdRng::seed_from_u64(1);
        let (mean, deviation) = ([3.0_f32, -1.0], [0.5_f32, 2.0]);
        let policy = Gaussian::new(
            Tensor::<Rank2<10_000, 2>, f32>::from_fn(|[_, i]| mean[i]),
            Tensor::<Rank2<10_000, 2>, f32>::from_fn(|[_, i]| deviation[i].ln()),
        );
        let drawn = policy.sample(&mut rng);
        let (found, spread) = (drawn.clone().mean_axis::<0>(), drawn.std_axis::<0>(Variance::Unbiased));
        for i in 0..2 {
            assert!((found[[i]] - mean[i]).abs() < 5.0 * deviation[i] / 100.0, "{found}");
            assert!((spread[[i]] / deviation[i] - 1.0).abs() < 5.0 / 141.0, "{spread}");
        }
    }

    #[test]
    #[should_panic(expected = "means of shape (2, Const<1>) and deviations of shape (3, Const<1>)")]
    fn run_time_shapes_that_differ_are_named() {
        Gaussian::new(
            Tensor::<(usize, Const<1>)>::zeros_with((2, Const)),
            Tensor::<(usize, Const<1>)>::zeros_with((3, Const)),
        );
    }
}
