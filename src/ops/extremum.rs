//! The smaller and the larger of two numbers.
//!
//! | y | dy/da | dy/db |
//! | --- | --- | --- |
//! | min(a, b) | 1 where a < b | 1 where b < a |
//! | max(a, b) | 1 where a > b | 1 where b > a |
//!
//! Where a = b, each side gets half of the gradient, and where one of them is NaN, so is the result: both as in PyTorch.

use super::BinaryOp;
use super::binary::binary;
use crate::kernels::elementwise::Binary;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Trace};

struct Minimum;
impl Binary for Minimum {
    const SAVES: bool = true;
    #[inline(always)]
    fn forward<E: Float>(a: E, b: E) -> E {
        if a < b || a.is_nan() { a } else { b }
    }
    #[inline(always)]
    fn left<E: Float>(g: E, a: E, b: E) -> E {
        share(g, b, a)
    }
    #[inline(always)]
    fn right<E: Float>(g: E, a: E, b: E) -> E {
        share(g, a, b)
    }
}
static MINIMUM: BinaryOp = BinaryOp::of::<Minimum>("minimum");

struct Maximum;
impl Binary for Maximum {
    const SAVES: bool = true;
    #[inline(always)]
    fn forward<E: Float>(a: E, b: E) -> E {
        if a > b || a.is_nan() { a } else { b }
    }
    #[inline(always)]
    fn left<E: Float>(g: E, a: E, b: E) -> E {
        share(g, a, b)
    }
    #[inline(always)]
    fn right<E: Float>(g: E, a: E, b: E) -> E {
        share(g, b, a)
    }
}
static MAXIMUM: BinaryOp = BinaryOp::of::<Maximum>("maximum");

/// The gradient of the operand `own`, which is the result where it is larger than `other`.
#[inline(always)]
fn share<E: Float>(g: E, own: E, other: E) -> E {
    if own == other {
        g * E::of(0.5)
    } else if own < other {
        E::zero()
    } else {
        g
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The smaller one of each pair of elements. For a limit that is a number, see [`clamp_max`](Tensor::clamp_max).
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1.0, 4.0]).minimum(Tensor::from([2.0, 3.0])).to_array(), [1.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn minimum<R: Trace>(self, other: Tensor<S, E, R>) -> Tensor<S, E, Merged<T, R>>
    where
        T: Merge<R>,
    {
        binary(self, other, &MINIMUM)
    }

    /// The larger one of each pair of elements. For a limit that is a number, see [`clamp_min`](Tensor::clamp_min).
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1.0, 4.0]).maximum(Tensor::from([2.0, 3.0])).to_array(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn maximum<R: Trace>(self, other: Tensor<S, E, R>) -> Tensor<S, E, Merged<T, R>>
    where
        T: Merge<R>,
    {
        binary(self, other, &MAXIMUM)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            let a = random(shape, -3.0, 3.0, rng);
            // on either side of a, never near it
            let b = a.clone() + random_apart(shape, -2.0, 2.0, &[0.0], rng);
            check_function_of_two(|(a, b)| a.minimum(b), a.clone(), b.clone());
            check_function_of_two(|(a, b)| a.maximum(b), a, b);
        });
    }

    #[test]
    fn equal_numbers_share_the_gradient() {
        let tape = Tape::inference();
        let a = tape.watch(Tensor::from([1.0, 5.0]));
        let b = tape.watch(Tensor::from([1.0, 4.0]));
        let y = a.clone().minimum(b.clone()) * 10.0 + a.clone().maximum(b.clone());
        let gradients = y.sum().backward();
        assert_eq!(gradients.of_input(&a).to_array(), [5.5, 1.0]);
        assert_eq!(gradients.of_input(&b).to_array(), [5.5, 10.0]);
    }

    #[test]
    fn a_nan_on_either_side_stays_one() {
        let a = Tensor::from([f32::NAN, 1.0, f32::INFINITY]);
        let b = Tensor::from([1.0, f32::NAN, f32::NEG_INFINITY]);
        let (low, high) = (a.clone().minimum(b.clone()), a.maximum(b));
        assert!(low.iter().chain(high.iter()).filter(|y| y.is_nan()).count() == 4);
        assert_eq!((low[[2]], high[[2]]), (f32::NEG_INFINITY, f32::INFINITY));
    }
}
