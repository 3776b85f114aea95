//! Variance and standard deviation of n numbers with the mean m:
//!
//! var = sum_j (x_j - m)^2 / (n - c), std = sqrt(var)
//!
//! with c = 0 (biased) or 1 (unbiased). The gradient of x_j is 2 (x_j - m) / (n - c) times the gradient of var, and
//! (x_j - m) / ((n - c) std) times the gradient of std; the latter is 0 where std is 0, as in PyTorch. The variance of
//! too few numbers (none; one, if unbiased) is NaN.

use super::fold::{fold_all, fold_axes};
use crate::kernels::lines::{Fold, FoldOp};
use crate::kernels::moments::{Moments, split};
use crate::numbers::math::Math;
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// What the sum of squared deviations of n numbers is divided by. See [`Tensor::var`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// n: the variance of these numbers themselves, as in batch and layer normalisation.
    Biased,
    /// n - 1: an estimate for the population that the numbers are a sample of, as in PyTorch's `var` and `std`.
    Unbiased,
}

impl Variance {
    fn correction<E: Float>(self) -> E {
        match self {
            Variance::Biased => E::zero(),
            Variance::Unbiased => E::one(),
        }
    }
}

/// n - c, at least 0.
#[inline(always)]
fn divisor<E: Float>(count: usize, correction: E) -> f64 {
    (count as f64 - correction.as_f64()).max(0.0)
}

/// The variance of a line, in f64: for tiny numbers it may underflow in f32, although the standard deviation does not.
#[inline(always)]
fn variance<E: Float>(line: &[E], correction: E) -> f64 {
    Moments::of(line).squares() / divisor(line.len(), correction)
}

/// The standard deviation of numbers whose squared differences may leave the range of f64: computed from the
/// differences to the first number, divided by the largest of them, and scaled back.
#[cold]
fn scaled_deviation<E: Float>(line: &[E], correction: E) -> E {
    let Some(&first) = line.first() else { return E::nan() };
    let differences = || line.iter().map(|&x| x - first);
    let largest = differences().fold(E::zero(), |m, d| if d.abs() > m || d.is_nan() { d.abs() } else { m });
    let scale = if largest == E::zero() { E::one() } else { largest };
    let scaled: Vec<E> = differences().map(|d| d / scale).collect();
    scale * E::of(variance(&scaled, correction).sqrt())
}

/// Replaces each x of a line by (x - mean) / scale * factor.
#[inline(always)]
fn deviations<E: Float>(line: &mut [E], scale: E, factor: E) {
    let [mean, rest] = split::<E>(Moments::of(line).mean());
    for x in line {
        *x = ((*x - mean) - rest) / scale * factor;
    }
}

struct Var;
impl Fold for Var {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &[E], correction: E) -> E {
        E::of(variance(line, correction))
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(line: &mut [E], _: E, gradient: E, correction: E) {
        let factor = E::of(2.0 * gradient.as_f64() / divisor(line.len(), correction));
        deviations(line, E::one(), factor);
    }
}

struct Std;
impl Fold for Std {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &[E], correction: E) -> E {
        let variance = variance(line, correction);
        if variance > 1e-290 && variance.is_finite() {
            return E::of(variance.sqrt());
        }
        scaled_deviation(line, correction)
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(line: &mut [E], std: E, gradient: E, correction: E) {
        if std == E::zero() {
            line.fill(E::zero());
        } else {
            // a separate division: 1 / std may be infinite
            deviations(line, std, E::of(gradient.as_f64() / divisor(line.len(), correction)));
        }
    }
}

static VAR: FoldOp = FoldOp::of::<Var>();
static STD: FoldOp = FoldOp::of::<Std>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The variance of all elements.
    ///
    /// ```
    /// use taut::ops::Variance;
    /// use taut::prelude::*;
    /// let x = Tensor::from([1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.clone().var(Variance::Biased).item(), 1.25);
    /// assert_eq!(x.var(Variance::Unbiased).item(), 5.0 / 3.0);
    /// ```
    #[track_caller]
    pub fn var(self, variance: Variance) -> Tensor<(), E, T> {
        fold_all(self, &VAR, variance.correction())
    }

    /// The variance along axis `A`, which is removed.
    #[track_caller]
    pub fn var_axis<const A: usize>(self, variance: Variance) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.var_axes::<Axis<A>>(variance)
    }

    /// The variance along several axes, which are removed.
    #[track_caller]
    pub fn var_axes<A: Axes>(self, variance: Variance) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        fold_axes::<A, _, _, _>(self, &VAR, variance.correction())
    }

    /// The standard deviation of all elements.
    #[track_caller]
    pub fn std(self, variance: Variance) -> Tensor<(), E, T> {
        fold_all(self, &STD, variance.correction())
    }

    /// The standard deviation along axis `A`, which is removed.
    #[track_caller]
    pub fn std_axis<const A: usize>(self, variance: Variance) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.std_axes::<Axis<A>>(variance)
    }

    /// The standard deviation along several axes, which are removed.
    #[track_caller]
    pub fn std_axes<A: Axes>(self, variance: Variance) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        fold_axes::<A, _, _, _>(self, &STD, variance.correction())
    }
}

#[cfg(test)]
mod tests {
    use super::Variance::{Biased, Unbiased};
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_reduction!(var, var_axis, var_axes, |shape, rng| distinct(shape, rng), Biased);
        check_reduction!(std, std_axis, std_axes, |shape, rng| distinct(shape, rng), Biased);
        let x = Tensor::<Rank3<3, 4, 2>, f64>::randn(&mut StdRng::seed_from_u64(0));
        check_gradients(|x| x.var_axis::<1>(Unbiased), x.clone()).unwrap();
        check_gradients(|x| x.std_axes::<(Axis<0>, Axis<2>)>(Unbiased), x.clone()).unwrap();
        check_gradients(|x| x.std(Unbiased), x).unwrap();
    }

    #[test]
    fn too_few_numbers_have_no_variance() {
        let one = Tensor::<Rank2<2, 1>>::ones();
        assert_eq!(one.clone().var_axis::<1>(Biased).to_array(), [0.0, 0.0]);
        assert!(one.var_axis::<1>(Unbiased).iter().all(f32::is_nan));
        let nothing = Tensor::<Rank2<2, 0>>::ones();
        assert!(nothing.clone().var_axis::<1>(Biased).iter().all(f32::is_nan));
        assert!(nothing.std(Unbiased).item().is_nan());
    }

    #[test]
    fn equal_numbers_have_no_deviation_and_no_gradient() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([2.0, 2.0, 2.0]));
        let std = x.clone().std(Biased);
        assert_eq!(std.item(), 0.0);
        assert_eq!(std.backward().of_input(&x).to_array(), [0.0; 3]);
    }

    #[test]
    fn a_large_mean_does_not_drown_the_variance() {
        let x = Tensor::<Rank1<1000>>::from_fn(|[i]| 10_000.0 + (i % 2) as f32);
        assert!((x.var(Biased).item() - 0.25).abs() < 1e-5);
    }
}
