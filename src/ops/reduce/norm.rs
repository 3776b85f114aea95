//! Norms: L1 = sum_j |x_j|, L2 = sqrt(sum_j x_j^2).
//!
//! The derivative of the L1 norm with respect to x_j is sign(x_j), and that of the L2 norm y is x_j / y; both are 0 at
//! 0.

use super::fold::{fold_all, fold_axes};
use crate::kernels::lines::{Fold, FoldOp, sum_of};
use crate::numbers::math::Math;
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Which norm of a vector. See [`Tensor::norm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Norm {
    /// The sum of the absolute values.
    L1,
    /// The square root of the sum of the squares.
    L2,
}

impl Norm {
    fn op(self) -> &'static FoldOp {
        match self {
            Norm::L1 => &MAGNITUDES,
            Norm::L2 => &EUCLIDEAN,
        }
    }
}

struct Magnitudes;
impl Fold for Magnitudes {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &[E], _: E) -> E {
        sum_of(line, |x| x.abs())
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(line: &mut [E], _: E, gradient: E, _: E) {
        for x in line {
            *x = if *x == E::zero() { E::zero() } else { gradient * x.signum() };
        }
    }
}

/// sqrt(sum_j x_j^2) if squares overflow or underflow: m sqrt(sum_j (x_j / m)^2), with m the largest |x_j|.
#[cold]
fn scaled<E: Float>(line: &[E]) -> E {
    let largest = line.iter().fold(E::zero(), |m, x| if x.abs() > m || x.is_nan() { x.abs() } else { m });
    if largest == E::zero() || !largest.is_finite() {
        return largest;
    }
    largest * sum_of(line, |x| (x / largest) * (x / largest)).sqrt()
}

struct Euclidean;
impl Fold for Euclidean {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &[E], _: E) -> E {
        let squares = sum_of(line, |x| x * x);
        // above this, it does not matter if some squares underflow
        if squares > E::min_positive_value() * E::of(1e12) && squares.is_finite() {
            return squares.sqrt();
        }
        scaled(line)
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(line: &mut [E], y: E, gradient: E, _: E) {
        for x in line {
            // a separate division: gradient / y may be infinite
            *x = if y == E::zero() { E::zero() } else { *x / y * gradient };
        }
    }
}

static MAGNITUDES: FoldOp = FoldOp::of::<Magnitudes>();
static EUCLIDEAN: FoldOp = FoldOp::of::<Euclidean>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The norm of all elements, taken as one vector.
    ///
    /// ```
    /// use taut::ops::Norm;
    /// use taut::prelude::*;
    /// let x = Tensor::from([3.0, -4.0]);
    /// assert_eq!(x.clone().norm(Norm::L2).item(), 5.0);
    /// assert_eq!(x.norm(Norm::L1).item(), 7.0);
    /// ```
    #[track_caller]
    pub fn norm(self, norm: Norm) -> Tensor<(), E, T> {
        fold_all(self, norm.op(), E::zero())
    }

    /// The norm of each vector along axis `A`, which is removed.
    #[track_caller]
    pub fn norm_axis<const A: usize>(self, norm: Norm) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.norm_axes::<Axis<A>>(norm)
    }

    /// The norm over several axes, which are removed.
    #[track_caller]
    pub fn norm_axes<A: Axes>(self, norm: Norm) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        fold_axes::<A, _, _, _>(self, norm.op(), E::zero())
    }
}

#[cfg(test)]
mod tests {
    use super::Norm::{L1, L2};
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_reduction!(norm, norm_axis, norm_axes, |shape, rng| random_apart(shape, -2.0, 2.0, &[0.0], rng), L1);
        check_reduction!(norm, norm_axis, norm_axes, |shape, rng| random_apart(shape, -2.0, 2.0, &[0.0], rng), L2);
    }

    #[test]
    fn the_gradient_at_zero_is_zero() {
        for norm in [L1, L2] {
            let tape = Tape::inference();
            let x = tape.watch(Tensor::from([0.0, 0.0]));
            let y = x.clone().norm(norm);
            assert_eq!(y.item(), 0.0);
            assert_eq!(y.backward().of_input(&x).to_array(), [0.0, 0.0]);
        }
        assert_eq!(Tensor::<Rank2<2, 0>>::ones().norm_axis::<1>(L2).to_array(), [0.0, 0.0]);
    }
}
