//! The exponential linear unit: elu(x) = x where x > 0, a (e^x - 1) elsewhere.
//!
//! Its derivative is 1 where x > 0, a e^x elsewhere. Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep
//! Network Learning by Exponential Linear Units", 2015.

use super::unary::unary_with;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::numbers::range::{expect, finite};
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = x where x > 0, p0 (e^x - 1) elsewhere
struct Elu;
impl Unary for Elu {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        if x > E::zero() { x } else { p[0] * M::exp_m1(x) }
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        if x > E::zero() { E::one() } else { p[0] * M::exp(x) }
    }
}
static ELU: UnaryOp = UnaryOp::of::<Elu>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// x where x > 0, `alpha` (e^x - 1) elsewhere.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([f32::NEG_INFINITY, 0.0, 3.0]).elu(1.0).to_array(), [-1.0, 0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn elu(self, alpha: E) -> Self {
        expect(finite("elu", "alpha", alpha.as_f64()));
        unary_with(self, &ELU, [alpha; 2])
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.elu(1.0), random(shape, -3.0, 3.0, rng));
            check_function(|x| x.elu(0.5), random_apart(shape, -3.0, 3.0, &[0.0], rng));
        });
    }

    #[test]
    fn special_values() {
        let infinity = f32::INFINITY;
        let x = Tensor::from([-infinity, -1e30, -0.0, 1e30, infinity, f32::NAN]).elu(2.0);
        assert_eq!(x.as_slice()[..5], [-2.0, -2.0, 0.0, 1e30, infinity]);
        assert!(x[[5]].is_nan());
    }
}
