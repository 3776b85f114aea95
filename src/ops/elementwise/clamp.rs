//! Limits: clamp(x) = low where x < low, high where x > high, x elsewhere.
//!
//! The derivative is 1 where low < x < high and 0 elsewhere, including at the ends, as in PyTorch 2.15 (earlier
//! versions give 1 there). Where it is 0, infinite and NaN gradients do not pass either, as with
//! [`relu`](Tensor::relu).

use super::unary::unary_with;
use crate::kernels::elementwise::{Saves, Unary};
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = min(max(x, p0), p1); a NaN is no limit
struct Clamp;
impl Unary for Clamp {
    const SAVES: Saves = Saves::Input;
    const MASKS: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        // NaN stays NaN
        if x < p[0] {
            p[0]
        } else if x > p[1] {
            p[1]
        } else {
            x
        }
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        if x <= p[0] || x >= p[1] { E::zero() } else { E::one() }
    }
}
static CLAMP: UnaryOp = UnaryOp::of::<Clamp>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// x limited to the interval from `low` to `high`.
    ///
    /// # Panics
    /// Unless `low <= high`.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-2.0, 0.5, 3.0]).clamp(0.0, 1.0).to_array(), [0.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn clamp(self, low: E, high: E) -> Self {
        assert!(low <= high, "clamp: the interval {low} ..= {high} is empty");
        unary_with(self, &CLAMP, [low, high])
    }

    /// The larger of x and `low`. The gradient where x = `low` is 0; that of [`maximum`](Tensor::maximum) is 1/2.
    ///
    /// # Panics
    /// If `low` is NaN.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-2.0, 3.0]).clamp_min(-1.0).to_array(), [-1.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn clamp_min(self, low: E) -> Self {
        assert!(!low.is_nan(), "clamp_min: `low` must be a number, and is NaN");
        unary_with(self, &CLAMP, [low, E::nan()])
    }

    /// The smaller of x and `high`. The gradient where x = `high` is 0; that of [`minimum`](Tensor::minimum) is 1/2.
    ///
    /// # Panics
    /// If `high` is NaN.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-2.0, 3.0]).clamp_max(1.0).to_array(), [-2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn clamp_max(self, high: E) -> Self {
        assert!(!high.is_nan(), "clamp_max: `high` must be a number, and is NaN");
        unary_with(self, &CLAMP, [E::nan(), high])
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.clamp(-1.0, 0.5), random_apart(shape, -3.0, 3.0, &[-1.0, 0.5], rng));
            check_function(|x| x.clamp_min(0.25), random_apart(shape, -3.0, 3.0, &[0.25], rng));
            check_function(|x| x.clamp_max(0.25), random_apart(shape, -3.0, 3.0, &[0.25], rng));
        });
    }

    #[test]
    fn special_values() {
        let x = Tensor::from([f32::NEG_INFINITY, f32::INFINITY, f32::NAN]).clamp(-2.0, 3.0);
        assert_eq!(x.as_slice()[..2], [-2.0, 3.0]);
        assert!(x[[2]].is_nan());
    }

    #[test]
    fn no_gradient_passes_beyond_the_ends() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([-2.0, 0.0, 2.0]));
        let upstream = Tensor::from([f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
        let gradients = x.clone().clamp(-1.0, 1.0).vector_jacobian(upstream);
        assert_eq!(gradients.of_input(&x).to_array(), [0.0, f32::NEG_INFINITY, 0.0]);
    }

    #[test]
    fn the_ends_have_no_gradient() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([-2.0, -1.0, 0.0, 1.0, 2.0]));
        let y = x.clone().clamp(-1.0, 1.0) + x.clone().clamp_min(0.0) * 10.0 + x.clone().clamp_max(0.0) * 100.0;
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [100.0, 100.0, 1.0, 10.0, 10.0]);
        // an infinite number is not below infinity
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([f32::NEG_INFINITY, f32::INFINITY]));
        let y = x.clone().clamp_min(0.0) + x.clone().clamp_max(0.0);
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [1.0, 1.0]);
    }

    #[test]
    #[should_panic(expected = "clamp: the interval 2 ..= 1 is empty")]
    fn an_empty_interval_panics() {
        let _ = Tensor::from([0.0]).clamp(2.0, 1.0);
    }
}
