//! Hyperbolic functions.
//!
//! | y | dy/dx |
//! | --- | --- |
//! | sinh x = (e^x - e^-x) / 2 | cosh x |
//! | cosh x = (e^x + e^-x) / 2 | sinh x |
//! | tanh x = sinh x / cosh x | 1 - y^2 |

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = sinh x, dy/dx = cosh x
struct Sinh;
impl Unary for Sinh {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.sinh()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.cosh()
    }
}
static SINH: UnaryOp = UnaryOp::of::<Sinh>();

/// y = cosh x, dy/dx = sinh x
struct Cosh;
impl Unary for Cosh {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.cosh()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.sinh()
    }
}
static COSH: UnaryOp = UnaryOp::of::<Cosh>();

/// y = tanh x, dy/dx = 1 - y^2
struct Tanh;
impl Unary for Tanh {
    const SAVES: Saves = Saves::Output;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::tanh(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(y: E, _: [E; 2]) -> E {
        E::one() - y * y
    }
}
static TANH: UnaryOp = UnaryOp::of::<Tanh>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The hyperbolic sine.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([0.0]).sinh().to_array(), [0.0]);
    /// ```
    #[track_caller]
    pub fn sinh(self) -> Self {
        unary(self, &SINH)
    }

    /// The hyperbolic cosine.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([0.0]).cosh().to_array(), [1.0]);
    /// ```
    #[track_caller]
    pub fn cosh(self) -> Self {
        unary(self, &COSH)
    }

    /// The hyperbolic tangent, between -1 and 1.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-1000.0, 0.0, 1000.0]).tanh().to_array(), [-1.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn tanh(self) -> Self {
        unary(self, &TANH)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.sinh(), random(shape, -3.0, 3.0, rng));
            check_function(|x| x.cosh(), random(shape, -3.0, 3.0, rng));
            check_function(|x| x.tanh(), random(shape, -3.0, 3.0, rng));
        });
    }

    #[test]
    fn special_values() {
        let infinity = f32::INFINITY;
        let x = Tensor::from([-infinity, -1e30, -0.0, 1e30, infinity, f32::NAN]);
        assert_eq!(x.clone().tanh().as_slice()[..5], [-1.0, -1.0, 0.0, 1.0, 1.0]);
        assert_eq!(x.clone().sinh().as_slice()[..5], [-infinity, -infinity, 0.0, infinity, infinity]);
        assert_eq!(x.clone().cosh().as_slice()[..5], [infinity, infinity, 1.0, infinity, infinity]);
        assert!(x.tanh()[[5]].is_nan());
    }
}
