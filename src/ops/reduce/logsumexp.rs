//! The logarithm of a sum of exponentials: y = log sum_j e^x_j, computed as m + log sum_j e^(x_j - m) with m = max_j
//! x_j, so that nothing overflows.
//!
//! The gradient of x_j is e^(x_j - y), that is, softmax(x)_j, times the gradient of y. The result for no numbers, or
//! only minus infinities, is minus infinity, with gradient 0.

use super::fold::{fold_all, fold_axes};
use crate::kernels::lines::{Fold, FoldOp, fold_lanes, sum_of};
use crate::numbers::math::Math;
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

struct LogSumExp;
impl Fold for LogSumExp {
    const COSTLY: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &[E], _: E) -> E {
        let larger = |max, x| if x > max { x } else { max };
        let max = fold_lanes(line, E::neg_infinity(), larger, larger);
        // the largest is infinite: x - max would be NaN
        if max.is_infinite() {
            // NaN if any x is
            return sum_of(line, |x| if x.is_nan() { x } else { E::zero() }) + max;
        }
        max + sum_of(line, |x| M::exp_of_negative(x - max)).ln()
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(line: &mut [E], y: E, gradient: E, _: E) {
        if y == E::neg_infinity() {
            line.fill(E::zero());
        } else {
            for x in line {
                *x = gradient * M::exp_of_negative(*x - y);
            }
        }
    }
}

static LOG_SUM_EXP: FoldOp = FoldOp::of::<LogSumExp>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// log sum e^x of all elements.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([1000.0, 1000.0]);
    /// assert!((x.logsumexp().item() - (1000.0 + 2.0_f32.ln())).abs() < 1e-3);
    /// ```
    #[track_caller]
    pub fn logsumexp(self) -> Tensor<(), E, T> {
        fold_all(self, &LOG_SUM_EXP, E::zero())
    }

    /// log sum e^x along axis `A`, which is removed.
    #[track_caller]
    pub fn logsumexp_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.logsumexp_axes::<Axis<A>>()
    }

    /// log sum e^x along several axes, which are removed.
    #[track_caller]
    pub fn logsumexp_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        fold_axes::<A, _, _, _>(self, &LOG_SUM_EXP, E::zero())
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_reduction!(logsumexp, logsumexp_axis, logsumexp_axes, |shape, rng| random(shape, -3.0, 3.0, rng));
    }

    #[test]
    fn infinities_and_nothing() {
        const INF: f32 = f32::INFINITY;
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([[-INF, -INF], [-INF, 2.0], [INF, 1.0], [f32::NAN, 1.0], [f32::NAN, INF]]));
        let y = x.clone().logsumexp_axis::<1>();
        assert_eq!(y.as_slice()[..3], [-INF, 2.0, INF]);
        assert!(y.as_slice()[3].is_nan() && y.as_slice()[4].is_nan());
        let gradient = y.sum().backward().of_input(&x);
        assert_eq!(gradient.as_slice()[..4], [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(Tensor::<Rank2<2, 0>>::ones().logsumexp_axis::<1>().to_array(), [-INF; 2]);
    }
}
