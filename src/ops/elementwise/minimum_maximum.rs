//! The smaller and the larger of two numbers.
//!
//! | y | dy/da | dy/db |
//! | --- | --- | --- |
//! | min(a, b) | 1 where a < b | 1 where b < a |
//! | max(a, b) | 1 where a > b | 1 where b > a |
//!
//! Where a = b, each side gets half of the gradient; where either is NaN, so is the result, as in PyTorch. b may also
//! be a number, which is a constant.

use super::binary::binary;
use super::tensor_or_number::Elements;
use super::unary::unary_values;
use crate::kernels::elementwise::{Binary, Saves, Unary};
use crate::numbers::math::Math;
use crate::ops::{BinaryOp, TensorOrNumber, UnaryOp};
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

/// y = min(x, p0)
struct MinimumWith;
impl Unary for MinimumWith {
    const SAVES: Saves = Saves::Input;
    const MASKS: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        Minimum::forward(x, p[0])
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        Minimum::left(E::one(), x, p[0])
    }
}
static MINIMUM_WITH: UnaryOp = UnaryOp::of::<MinimumWith>();

/// y = max(x, p0)
struct MaximumWith;
impl Unary for MaximumWith {
    const SAVES: Saves = Saves::Input;
    const MASKS: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        Maximum::forward(x, p[0])
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        Maximum::left(E::one(), x, p[0])
    }
}
static MAXIMUM_WITH: UnaryOp = UnaryOp::of::<MaximumWith>();

/// The gradient of the operand `own` of a maximum of `own` and `other`. For a minimum, the two are swapped.
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

#[track_caller]
fn extremum<S: Shape, E: Float, T: Trace + Merge<B::Trace>, B: TensorOrNumber<S, E>>(
    left: Tensor<S, E, T>,
    right: B,
    of_two: &'static BinaryOp,
    with_number: &'static UnaryOp,
) -> Tensor<S, E, Merged<T, B::Trace>> {
    match right.into_elements() {
        Elements::Tensor(right) => binary(left, right, of_two),
        Elements::Number(number) => {
            let (shape, x, trace) = left.into_parts();
            let (y, node) = unary_values(x, trace.node(), with_number, [number; 2]);
            Tensor::from_parts(shape, y, Merged::<T, B::Trace>::from_node(node))
        }
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The smaller of each element and the corresponding one of `other`: a tensor, by value or by reference, or a
    /// number.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([1.0, 4.0]);
    /// assert_eq!(x.clone().minimum(Tensor::from([2.0, 3.0])).to_array(), [1.0, 3.0]);
    /// assert_eq!(x.minimum(2.0).to_array(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn minimum<B: TensorOrNumber<S, E>>(self, other: B) -> Tensor<S, E, Merged<T, B::Trace>>
    where
        T: Merge<B::Trace>,
    {
        extremum(self, other, &MINIMUM, &MINIMUM_WITH)
    }

    /// The larger of each element and the corresponding one of `other`: a tensor, by value or by reference, or a
    /// number.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([1.0, 4.0]);
    /// assert_eq!(x.clone().maximum(Tensor::from([2.0, 3.0])).to_array(), [2.0, 4.0]);
    /// assert_eq!(x.maximum(2.0).to_array(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn maximum<B: TensorOrNumber<S, E>>(self, other: B) -> Tensor<S, E, Merged<T, B::Trace>>
    where
        T: Merge<B::Trace>,
    {
        extremum(self, other, &MAXIMUM, &MAXIMUM_WITH)
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
            check_function_of_two(|(a, b)| a.maximum(&b), a, b);
            let x = random_apart(shape, -3.0, 3.0, &[0.5], rng);
            check_function(|x| x.minimum(0.5), x.clone());
            check_function(|x| x.maximum(0.5), x);
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
        // a number is a tensor full of it
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([1.0, 5.0, -3.0]));
        let y = x.clone().minimum(1.0) * 10.0 + x.clone().maximum(1.0);
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [5.5, 1.0, 10.0]);
    }

    #[test]
    fn a_nan_on_either_side_stays_one() {
        let a = Tensor::from([f32::NAN, 1.0, f32::INFINITY]);
        let b = Tensor::from([1.0, f32::NAN, f32::NEG_INFINITY]);
        assert!(a.clone().minimum(0.0)[[0]].is_nan() && b.clone().maximum(f32::NAN).is_nan().all());
        let (low, high) = (a.clone().minimum(b.clone()), a.maximum(b));
        assert!(low.iter().chain(high.iter()).filter(|y| y.is_nan()).count() == 4);
        assert_eq!((low[[2]], high[[2]]), (f32::NEG_INFINITY, f32::INFINITY));
    }
}
