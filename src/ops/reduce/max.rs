//! The largest and the smallest number: y = max_j x_j.
//!
//! The gradient goes to the x_j that equal y, in equal parts if there are several, as in PyTorch's `amax` and `amin`,
//! whether over one axis, several or all. The maximum of no numbers panics, as in [`Tensor::argmax`]. If any number is
//! NaN, so is the result.

use super::fold::{expect_elements, fold_all, fold_axes};
use crate::kernels::lines::{Fold, FoldOp, fold_lanes};
use crate::numbers::math::Math;
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

struct Max;
impl Fold for Max {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &[E], _: E) -> E {
        // a NaN replaces the maximum, and nothing is larger than it afterwards
        let larger = |max: E, x: E| if x > max || x.is_nan() { x } else { max };
        fold_lanes(line, E::neg_infinity(), larger, larger)
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(line: &mut [E], y: E, gradient: E, _: E) {
        share(line, y, gradient);
    }
}

struct Min;
impl Fold for Min {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &[E], _: E) -> E {
        let smaller = |min: E, x: E| if x < min || x.is_nan() { x } else { min };
        fold_lanes(line, E::infinity(), smaller, smaller)
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(line: &mut [E], y: E, gradient: E, _: E) {
        share(line, y, gradient);
    }
}

/// Each x that equals y gets an equal part of the gradient.
#[inline(always)]
fn share<E: Float>(line: &mut [E], y: E, gradient: E) {
    let equal = fold_lanes(line, E::zero(), |n, x| if x == y { n + E::one() } else { n }, |a, b| a + b);
    let part = gradient / equal;
    line.iter_mut().for_each(|x| *x = if *x == y { part } else { E::zero() });
}

static MAX: FoldOp = FoldOp::of::<Max>();
static MIN: FoldOp = FoldOp::of::<Min>();

#[track_caller]
fn of_axes<A: Axes, S: Reduce<A>, E: Float, T: Trace>(
    operation: &str,
    x: Tensor<S, E, T>,
    op: &'static FoldOp,
) -> Tensor<S::Reduced, E, T> {
    let sizes = x.shape().sizes();
    let terms = A::AXES.iter().map(|&axis| sizes.as_ref()[axis]).product();
    expect_elements(operation, x.shape(), terms, x.shape().reduced().count());
    fold_axes::<A, _, _, _>(x, op, E::zero())
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The largest element.
    ///
    /// # Panics
    /// If there are no elements.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0, 5.0], [4.0, 2.0]]);
    /// assert_eq!(x.clone().max().item(), 5.0);
    /// assert_eq!(x.max_axis::<1>().to_array(), [5.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn max(self) -> Tensor<(), E, T> {
        expect_elements("max", self.shape(), self.count(), 1);
        fold_all(self, &MAX, E::zero())
    }

    /// The largest element along axis `A`, which is removed. See [`argmax_axis`](Tensor::argmax_axis) for where it is.
    ///
    /// # Panics
    /// If there are no elements along it.
    #[doc(alias = "amax")]
    #[track_caller]
    pub fn max_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.max_axes::<Axis<A>>()
    }

    /// The largest element along several axes, which are removed.
    ///
    /// # Panics
    /// If there are no elements along them.
    #[track_caller]
    pub fn max_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        of_axes::<A, _, _, _>("max", self, &MAX)
    }

    /// The smallest element.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn min(self) -> Tensor<(), E, T> {
        expect_elements("min", self.shape(), self.count(), 1);
        fold_all(self, &MIN, E::zero())
    }

    /// The smallest element along axis `A`, which is removed.
    ///
    /// # Panics
    /// If there are no elements along it.
    #[doc(alias = "amin")]
    #[track_caller]
    pub fn min_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.min_axes::<Axis<A>>()
    }

    /// The smallest element along several axes, which are removed.
    ///
    /// # Panics
    /// If there are no elements along them.
    #[track_caller]
    pub fn min_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        of_axes::<A, _, _, _>("min", self, &MIN)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_reduction!(of_something max, max_axis, max_axes, |shape, rng| distinct(shape, rng));
        check_reduction!(of_something min, min_axis, min_axes, |shape, rng| distinct(shape, rng));
    }

    #[test]
    fn equal_elements_share_the_gradient() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([[3.0, 1.0, 3.0], [0.0, 2.0, 2.0]]));
        let gradients = x.clone().max_axis::<1>().vector_jacobian(Tensor::from([1.0, 4.0]));
        assert_eq!(gradients.of_input(&x).to_array(), [[0.5, 0.0, 0.5], [0.0, 2.0, 2.0]]);
    }

    #[test]
    fn nothing_has_no_largest_and_no_smallest_element_nor_a_place_of_it() {
        let message = |operation: &dyn Fn()| {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(operation)).expect_err("it panics");
            panic.downcast_ref::<String>().expect("a message").clone()
        };
        let x = Tensor::<Rank2<2, 0>>::zeros();
        let all: [(&str, &dyn Fn()); 10] = [
            ("max", &|| drop(x.clone().max())),
            ("max", &|| drop(x.clone().max_axis::<1>())),
            ("max", &|| drop(x.clone().max_axes::<(Axis<0>, Axis<1>)>())),
            ("min", &|| drop(x.clone().min())),
            ("min", &|| drop(x.clone().min_axis::<1>())),
            ("min", &|| drop(x.clone().min_axes::<(Axis<0>, Axis<1>)>())),
            ("argmax", &|| drop(x.argmax())),
            ("argmax_axis", &|| drop(x.argmax_axis::<1>())),
            ("argmin", &|| drop(x.argmin())),
            ("argmin_axis", &|| drop(x.argmin_axis::<1>())),
        ];
        for (name, operation) in all {
            let expected = format!("{name}: there is nothing along the axis, the shape is (2, 0)");
            assert_eq!(message(operation), expected);
        }
        // with no lines, there is nothing to find
        assert_eq!(x.clone().max_axis::<0>().count() + x.argmin_axis::<0>().count(), 0);
    }

    #[test]
    fn a_nan_anywhere() {
        for place in [0, 3, 15, 16, 20, 39] {
            let mut x = Tensor::<Rank1<40>>::arange();
            x.as_mut_slice()[place] = f32::NAN;
            assert!(x.clone().max().item().is_nan() && x.min().item().is_nan(), "{place}");
        }
    }
}
