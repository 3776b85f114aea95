//! The error function: erf(x) = 2 / sqrt(pi) * (integral of e^(-t^2) from 0 to x).
//!
//! Its derivative is 2 / sqrt(pi) * e^(-x^2).

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = erf(x), dy/dx = 2 / sqrt(pi) * e^(-x^2)
struct Erf;
impl Unary for Erf {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::erf(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        E::of(std::f64::consts::FRAC_2_SQRT_PI) * M::exp(-x * x)
    }
}
static ERF: UnaryOp = UnaryOp::of::<Erf>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// 2 / sqrt(pi) * (integral of e^(-t^2) from 0 to x), between -1 and 1. (1 + erf(x / sqrt(2))) / 2 is the
    /// probability that a standard normal variable is below x.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-10.0, 0.0, 10.0]).erf().to_array(), [-1.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn erf(self) -> Self {
        unary(self, &ERF)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.erf(), random(shape, -3.0, 3.0, rng));
        });
    }

    #[test]
    fn special_values() {
        let x = Tensor::from([f32::NEG_INFINITY, -1e30, 1e30, f32::INFINITY, f32::NAN]).erf();
        assert_eq!(x.as_slice()[..4], [-1.0, -1.0, 1.0, 1.0]);
        assert!(x[[4]].is_nan());
    }
}
