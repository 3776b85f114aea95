//! The sigmoid linear unit, or swish: silu(x) = x s, with s = 1 / (1 + e^-x).
//!
//! Its derivative is s + x s (1 - s) = s (1 + x (1 - s)). Elfwing, Uchibe and Doya, "Sigmoid-Weighted Linear Units for
//! Neural Network Function Approximation in Reinforcement Learning", 2017.

use super::gelu::bounded;
use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = x s, dy/dx = s (1 + x (1 - s))
struct Silu;
impl Unary for Silu {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::times_logistic(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        let x = bounded(x);
        let s = M::logistic(x);
        s * (E::one() + x * (E::one() - s))
    }
}
static SILU: UnaryOp = UnaryOp::of::<Silu>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// x / (1 + e^-x).
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-1000.0, 0.0, 1000.0]).silu().to_array(), [0.0, 0.0, 1000.0]);
    /// ```
    #[track_caller]
    pub fn silu(self) -> Self {
        unary(self, &SILU)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.silu(), random(shape, -4.0, 4.0, rng));
        });
    }

    #[test]
    fn special_values_and_their_gradients() {
        let infinity = f32::INFINITY;
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([-infinity, -1e30, 0.0, 1e30, infinity]));
        let y = x.clone().silu();
        assert_eq!(y.as_slice(), [0.0, 0.0, 0.0, 1e30, infinity]);
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [0.0, 0.0, 0.5, 1.0, 1.0]);
        assert!(Tensor::from(f32::NAN).silu().item().is_nan());
    }
}
