//! The exponential function.
//!
//! | y | dy/dx |
//! | --- | --- |
//! | e^x | y |
//! | e^x - 1 | y + 1 |

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = e^x, dy/dx = y
struct Exp;
impl Unary for Exp {
    const SAVES: Saves = Saves::Output;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::exp(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(y: E, _: [E; 2]) -> E {
        y
    }
}
static EXP: UnaryOp = UnaryOp::of::<Exp>();

/// y = e^x - 1, dy/dx = e^x = y + 1
struct ExpM1;
impl Unary for ExpM1 {
    const SAVES: Saves = Saves::Output;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::exp_m1(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(y: E, _: [E; 2]) -> E {
        y + E::one()
    }
}
static EXP_M1: UnaryOp = UnaryOp::of::<ExpM1>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// e^x. Overflows to infinity above 88.7 in f32 and 709.8 in f64.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([0.0, f32::NEG_INFINITY]).exp().to_array(), [1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn exp(self) -> Self {
        unary(self, &EXP)
    }

    /// e^x - 1, accurate even for x near 0, where e^x rounds to 1.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1e-20]).exp_m1().to_array(), [1e-20]);
    /// ```
    #[track_caller]
    pub fn exp_m1(self) -> Self {
        unary(self, &EXP_M1)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.exp(), random(shape, -3.0, 3.0, rng));
            check_function(|x| x.exp_m1(), random(shape, -3.0, 3.0, rng));
        });
    }

    #[test]
    fn special_values() {
        let x = Tensor::from([f32::NEG_INFINITY, -1e30, -0.0, 89.0, f32::INFINITY, f32::NAN]);
        let infinity = f32::INFINITY;
        assert_eq!(x.clone().exp().as_slice()[..5], [0.0, 0.0, 1.0, infinity, infinity]);
        assert_eq!(x.clone().exp_m1().as_slice()[..5], [-1.0, -1.0, 0.0, infinity, infinity]);
        assert!(x.clone().exp()[[5]].is_nan() && x.exp_m1()[[5]].is_nan());
    }
}
