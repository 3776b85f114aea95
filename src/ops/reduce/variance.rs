//! Variance and standard deviation of n numbers with the mean m:
//!
//! var = sum_j (x_j - m)^2 / (n - c), std = sqrt(var)
//!
//! with c = 0 (biased) or 1 (unbiased). The gradient of x_j is 2 (x_j - m) / (n - c) times that of the variance, and
//! (x_j - m) / ((n - c) std) times that of the deviation; the latter is 0 where std is 0, as in PyTorch. The variance of
//! too few numbers (none; one, if unbiased) is NaN.

use super::fold::{fold_all, fold_axes};
use crate::kernels::lines::{Fold, FoldOp, sum_of};
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// What the sum of squared deviations of n numbers is divided by. See [`Tensor::var`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// n: the variance of these very numbers. Batch and layer normalisation use it.
    Biased,
    /// n - 1: an estimate for the population that the numbers are a sample of. PyTorch's `var` and `std` use it.
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

#[inline(always)]
fn mean<E: Float>(line: &[E]) -> E {
    sum_of(line, |x| x) / E::of(line.len() as f64)
}

/// n - c, at least 0.
#[inline(always)]
fn divisor<E: Float>(count: usize, correction: E) -> E {
    (E::of(count as f64) - correction).max(E::zero())
}

struct Var;
impl Fold for Var {
    #[inline(always)]
    fn forward<E: Float>(line: &[E], correction: E) -> E {
        let mean = mean(line);
        sum_of(line, |x| (x - mean) * (x - mean)) / divisor(line.len(), correction)
    }
    #[inline(always)]
    fn backward<E: Float>(line: &mut [E], _: E, gradient: E, correction: E) {
        let factor = E::of(2.0) * gradient / divisor(line.len(), correction);
        let mean = mean(line);
        line.iter_mut().for_each(|x| *x = (*x - mean) * factor);
    }
}

struct Std;
impl Fold for Std {
    #[inline(always)]
    fn forward<E: Float>(line: &[E], correction: E) -> E {
        Var::forward(line, correction).sqrt()
    }
    #[inline(always)]
    fn backward<E: Float>(line: &mut [E], std: E, gradient: E, correction: E) {
        let factor = if std == E::zero() { E::zero() } else { gradient / (divisor(line.len(), correction) * std) };
        let mean = mean(line);
        line.iter_mut().for_each(|x| *x = (*x - mean) * factor);
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

    /// The variance along axis `A`, which disappears.
    #[track_caller]
    pub fn var_axis<const A: usize>(self, variance: Variance) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.var_axes::<Axis<A>>(variance)
    }

    /// The variance along several axes, which disappear.
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

    /// The standard deviation along axis `A`, which disappears.
    #[track_caller]
    pub fn std_axis<const A: usize>(self, variance: Variance) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.std_axes::<Axis<A>>(variance)
    }

    /// The standard deviation along several axes, which disappear.
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
