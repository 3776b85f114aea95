//! A smooth form of the rectified linear unit: softplus(x) = ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|).
//!
//! The second form takes no exponential of a positive number, so nothing overflows, and no threshold is needed above
//! which the result is x. The derivative is sigmoid(x). Dugas, Bengio et al., "Incorporating Second-Order Functional
//! Knowledge for Better Option Pricing", 2001.

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = max(x, 0) + ln(1 + e^-|x|), dy/dx = sigmoid(x)
struct Softplus;
impl Unary for Softplus {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        let positive = if x < E::zero() { E::zero() } else { x };
        positive + M::ln_1p(M::exp_of_negative(-x.abs()))
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::logistic(x)
    }
}
static SOFTPLUS: UnaryOp = UnaryOp::of::<Softplus>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// ln(1 + e^x). For a sharper form: `(x * beta).softplus() / beta`.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-1000.0, 0.0, 1000.0]).softplus().to_array(), [0.0, std::f32::consts::LN_2, 1000.0]);
    /// ```
    #[track_caller]
    pub fn softplus(self) -> Self {
        unary(self, &SOFTPLUS)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.softplus(), random(shape, -4.0, 4.0, rng));
        });
    }

    #[test]
    fn special_values_and_their_gradients() {
        let infinity = f32::INFINITY;
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([-infinity, -1e30, 0.0, 1e30, infinity]));
        let y = x.clone().softplus();
        assert_eq!(y.as_slice(), [0.0, 0.0, std::f32::consts::LN_2, 1e30, infinity]);
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [0.0, 0.0, 0.5, 1.0, 1.0]);
        assert!(Tensor::from(f32::NAN).softplus().item().is_nan());
    }
}
