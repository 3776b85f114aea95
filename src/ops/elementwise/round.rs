//! Rounding to integers: down, up, and to the nearest. All are step functions, so their gradient is 0.

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = the largest integer <= x
struct Floor;
impl Unary for Floor {
    const SAVES: Saves = Saves::Nothing;
    const MASKS: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.floor()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(_: E, _: [E; 2]) -> E {
        E::zero()
    }
}
static FLOOR: UnaryOp = UnaryOp::of::<Floor>();

/// y = the smallest integer >= x
struct Ceil;
impl Unary for Ceil {
    const SAVES: Saves = Saves::Nothing;
    const MASKS: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.ceil()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(_: E, _: [E; 2]) -> E {
        E::zero()
    }
}
static CEIL: UnaryOp = UnaryOp::of::<Ceil>();

/// y = the integer nearest to x, ties to even
struct Round;
impl Unary for Round {
    const SAVES: Saves = Saves::Nothing;
    const MASKS: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        // adding and subtracting 1 / epsilon, which has no fractional bits, rounds as the processor does: ties to even
        let whole = E::epsilon().recip();
        let magnitude = x.abs();
        let rounded = if magnitude < whole { magnitude + whole - whole } else { magnitude };
        rounded.copysign(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(_: E, _: [E; 2]) -> E {
        E::zero()
    }
}
static ROUND: UnaryOp = UnaryOp::of::<Round>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The largest integer that is at most x. The gradient is 0.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-1.5, 1.5]).floor().to_array(), [-2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn floor(self) -> Self {
        unary(self, &FLOOR)
    }

    /// The smallest integer that is at least x. The gradient is 0.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-1.5, 1.5]).ceil().to_array(), [-1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn ceil(self) -> Self {
        unary(self, &CEIL)
    }

    /// The integer nearest to x, with ties to even, as in PyTorch. The gradient is 0.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([0.5, 1.5, -2.6]).round().to_array(), [0.0, 2.0, -3.0]);
    /// ```
    #[track_caller]
    pub fn round(self) -> Self {
        unary(self, &ROUND)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        let halves: Vec<f64> = (-12..=12).map(|i| f64::from(i) / 2.0).collect();
        random_shapes!(|shape, rng| {
            let x = random_apart(shape, -3.0, 3.0, &halves, rng);
            check_function(|x| x.floor(), x.clone());
            check_function(|x| x.ceil(), x.clone());
            check_function(|x| x.round(), x);
        });
    }

    #[test]
    fn rounding_agrees_with_std() {
        for i in -4_000..4_000 {
            let x = i as f32 / 8.0;
            assert_eq!(Tensor::from(x).round().item(), x.round_ties_even());
        }
        let infinity = f32::INFINITY;
        let x = Tensor::from([-infinity, -0.0, 8_388_607.5, 8_388_609.0, 3e38, infinity, f32::NAN]);
        let y = x.clone().round();
        assert_eq!(y.as_slice()[..6], [-infinity, 0.0, 8_388_608.0, 8_388_609.0, 3e38, infinity]);
        assert!(y[[1]].is_sign_negative() && y[[6]].is_nan());
        assert!(x.clone().floor()[[6]].is_nan() && x.ceil()[[6]].is_nan());
    }

    #[test]
    fn no_gradient_passes_a_step() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([-1.5, 2.0]));
        let gradients = x.clone().floor().vector_jacobian(Tensor::from([f32::INFINITY, f32::NAN]));
        assert_eq!(gradients.of_input(&x).to_array(), [0.0, 0.0]);
    }
}
