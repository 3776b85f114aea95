//! Magnitude and sign.
//!
//! | y | dy/dx |
//! | --- | --- |
//! | \|x\| | sign(x) |
//! | sign(x) | 0 |

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = |x|, dy/dx = sign(x)
struct Abs;
impl Unary for Abs {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.abs()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        sign(x)
    }
}
static ABS: UnaryOp = UnaryOp::of::<Abs>();

/// y = sign(x), dy/dx = 0
struct Sign;
impl Unary for Sign {
    const SAVES: Saves = Saves::Nothing;
    const MASKS: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        sign(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(_: E, _: [E; 2]) -> E {
        E::zero()
    }
}
static SIGN: UnaryOp = UnaryOp::of::<Sign>();

/// -1, 1, or x itself where it is 0 or NaN.
#[inline(always)]
fn sign<E: Float>(x: E) -> E {
    if x > E::zero() {
        E::one()
    } else if x < E::zero() {
        -E::one()
    } else {
        x
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// |x|. The gradient at 0 is 0.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-2.0, 3.0]).abs().to_array(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn abs(self) -> Self {
        unary(self, &ABS)
    }

    /// -1 where x < 0, 1 where x > 0, and x itself where it is 0 or NaN. The gradient is 0 everywhere.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-2.0, 0.0, 3.0]).sign().to_array(), [-1.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn sign(self) -> Self {
        unary(self, &SIGN)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.abs(), random_apart(shape, -3.0, 3.0, &[0.0], rng));
            check_function(|x| x.sign(), random_apart(shape, -3.0, 3.0, &[0.0], rng));
        });
    }

    #[test]
    fn special_values() {
        let x = Tensor::from([f32::NEG_INFINITY, -0.0, f32::INFINITY, f32::NAN]);
        assert_eq!(x.clone().abs().as_slice()[..3], [f32::INFINITY, 0.0, f32::INFINITY]);
        assert_eq!(x.clone().sign().as_slice()[..3], [-1.0, 0.0, 1.0]);
        assert!(x.clone().abs()[[3]].is_nan() && x.sign()[[3]].is_nan());
    }

    #[test]
    fn no_gradient_passes_a_step() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([-1.5, 2.0]));
        let gradients = x.clone().sign().vector_jacobian(Tensor::from([f32::INFINITY, f32::NAN]));
        assert_eq!(gradients.of_input(&x).to_array(), [0.0, 0.0]);
    }
}
