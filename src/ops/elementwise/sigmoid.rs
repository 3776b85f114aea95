//! The logistic function and its logarithm.
//!
//! | y | dy/dx |
//! | --- | --- |
//! | sigmoid(x) = 1 / (1 + e^-x) | y (1 - y) |
//! | ln sigmoid(x) = min(x, 0) - ln(1 + e^-\|x\|) | sigmoid(-x) |
//!
//! The second form of the logarithm takes no exponential of a positive number, so nothing overflows.

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = 1 / (1 + e^-x), dy/dx = y (1 - y)
struct Sigmoid;
impl Unary for Sigmoid {
    const SAVES: Saves = Saves::Output;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::logistic(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(y: E, _: [E; 2]) -> E {
        y * (E::one() - y)
    }
}
static SIGMOID: UnaryOp = UnaryOp::of::<Sigmoid>();

/// y = min(x, 0) - ln(1 + e^-|x|), dy/dx = sigmoid(-x)
struct LogSigmoid;
impl Unary for LogSigmoid {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        let negative = if x > E::zero() { E::zero() } else { x };
        negative - M::ln_1p(M::exp_of_negative(-x.abs()))
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::logistic(-x)
    }
}
static LOG_SIGMOID: UnaryOp = UnaryOp::of::<LogSigmoid>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// 1 / (1 + e^-x), between 0 and 1.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-1000.0, 0.0, 1000.0]).sigmoid().to_array(), [0.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn sigmoid(self) -> Self {
        unary(self, &SIGMOID)
    }

    /// ln(1 / (1 + e^-x)), the logarithm of [`sigmoid`](Tensor::sigmoid), which stays accurate where that rounds to 0
    /// or 1.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-1000.0, 1000.0]).log_sigmoid().to_array(), [-1000.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn log_sigmoid(self) -> Self {
        unary(self, &LOG_SIGMOID)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.sigmoid(), random(shape, -4.0, 4.0, rng));
            check_function(|x| x.log_sigmoid(), random(shape, -4.0, 4.0, rng));
        });
    }

    #[test]
    fn special_values() {
        let infinity = f32::INFINITY;
        let x = Tensor::from([-infinity, -1e30, -0.0, 1e30, infinity, f32::NAN]);
        assert_eq!(x.clone().sigmoid().as_slice()[..5], [0.0, 0.0, 0.5, 1.0, 1.0]);
        assert_eq!(x.clone().log_sigmoid().as_slice()[..5], [-infinity, -1e30, -std::f32::consts::LN_2, 0.0, 0.0]);
        assert!(x.clone().sigmoid()[[5]].is_nan() && x.log_sigmoid()[[5]].is_nan());
    }

    #[test]
    fn gradients_do_not_overflow() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([-1e30, -100.0, 0.0, 100.0, 1e30]));
        let gradients = (x.clone().sigmoid() + x.clone().log_sigmoid()).sum().backward();
        let expected = Tensor::from([1.0, 1.0, 0.75, 0.0, 0.0]);
        assert!(gradients.of_input(&x).is_close(&expected, 0.0, 1e-40), "{:?}", gradients.of_input(&x));
    }
}
