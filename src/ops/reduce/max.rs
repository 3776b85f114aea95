//! The largest and the smallest number: y = max_j x_j.
//!
//! The gradient goes to the x_j that equal y, in equal parts if there are several: as PyTorch's `amax` and `amin`, and
//! the same for one axis, several or all. The maximum of no numbers is minus infinity, their minimum infinity. A NaN
//! among the numbers makes the result NaN.

use super::fold::{fold_all, fold_axes};
use crate::kernels::lines::{Fold, FoldOp, fold_lanes};
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

struct Max;
impl Fold for Max {
    #[inline(always)]
    fn forward<E: Float>(line: &[E], _: E) -> E {
        // a NaN is let in, and nothing is larger than it afterwards
        let larger = |max: E, x: E| if x > max || x.is_nan() { x } else { max };
        fold_lanes(line, E::neg_infinity(), larger, larger)
    }
    #[inline(always)]
    fn backward<E: Float>(line: &mut [E], y: E, gradient: E, _: E) {
        share(line, y, gradient);
    }
}

struct Min;
impl Fold for Min {
    #[inline(always)]
    fn forward<E: Float>(line: &[E], _: E) -> E {
        let smaller = |min: E, x: E| if x < min || x.is_nan() { x } else { min };
        fold_lanes(line, E::infinity(), smaller, smaller)
    }
    #[inline(always)]
    fn backward<E: Float>(line: &mut [E], y: E, gradient: E, _: E) {
        share(line, y, gradient);
    }
}

/// Each x that equals y gets its part of the gradient.
#[inline(always)]
fn share<E: Float>(line: &mut [E], y: E, gradient: E) {
    let equal = fold_lanes(line, E::zero(), |n, x| if x == y { n + E::one() } else { n }, |a, b| a + b);
    let part = gradient / equal;
    line.iter_mut().for_each(|x| *x = if *x == y { part } else { E::zero() });
}

static MAX: FoldOp = FoldOp::of::<Max>();
static MIN: FoldOp = FoldOp::of::<Min>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The largest element.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0, 5.0], [4.0, 2.0]]);
    /// assert_eq!(x.clone().max().item(), 5.0);
    /// assert_eq!(x.max_axis::<1>().to_array(), [5.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn max(self) -> Tensor<(), E, T> {
        fold_all(self, &MAX, E::zero())
    }

    /// The largest element along axis `A`, which disappears. See [`argmax_axis`](Tensor::argmax_axis) for where it is.
    #[doc(alias = "amax")]
    #[track_caller]
    pub fn max_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.max_axes::<Axis<A>>()
    }

    /// The largest element along several axes, which disappear.
    #[track_caller]
    pub fn max_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        fold_axes::<A, _, _, _>(self, &MAX, E::zero())
    }

    /// The smallest element.
    #[track_caller]
    pub fn min(self) -> Tensor<(), E, T> {
        fold_all(self, &MIN, E::zero())
    }

    /// The smallest element along axis `A`, which disappears.
    #[doc(alias = "amin")]
    #[track_caller]
    pub fn min_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.min_axes::<Axis<A>>()
    }

    /// The smallest element along several axes, which disappear.
    #[track_caller]
    pub fn min_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        fold_axes::<A, _, _, _>(self, &MIN, E::zero())
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_reduction!(max, max_axis, max_axes, |shape, rng| distinct(shape, rng));
        check_reduction!(min, min_axis, min_axes, |shape, rng| distinct(shape, rng));
    }

    #[test]
    fn equal_elements_share_the_gradient() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([[3.0, 1.0, 3.0], [0.0, 2.0, 2.0]]));
        let gradients = x.clone().max_axis::<1>().vector_jacobian(Tensor::from([1.0, 4.0]));
        assert_eq!(gradients.of_input(&x).to_array(), [[0.5, 0.0, 0.5], [0.0, 2.0, 2.0]]);
    }

    #[test]
    fn nothing_and_nan() {
        let nothing = Tensor::<Rank2<2, 0>>::zeros();
        assert_eq!(nothing.clone().max_axis::<1>().to_array(), [f32::NEG_INFINITY; 2]);
        assert_eq!(nothing.min().item(), f32::INFINITY);
        for place in [0, 3, 15, 16, 20, 39] {
            let mut x = Tensor::<Rank1<40>>::arange();
            x.as_mut_slice()[place] = f32::NAN;
            assert!(x.clone().max().item().is_nan() && x.min().item().is_nan(), "{place}");
        }
    }
}
