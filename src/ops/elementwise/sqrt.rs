//! Square roots.
//!
//! | y | dy/dx |
//! | --- | --- |
//! | sqrt(x) | 1 / (2 y) |
//! | 1 / sqrt(x) | -y^3 / 2 |
//!
//! Both are NaN where x < 0.

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = sqrt(x), dy/dx = 1 / (2 y)
struct Sqrt;
impl Unary for Sqrt {
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.sqrt()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(y: E, _: [E; 2]) -> E {
        E::of(0.5) / y
    }
}
static SQRT: UnaryOp = UnaryOp::of::<Sqrt>();

/// y = 1 / sqrt(x), dy/dx = -x^(-3/2) / 2 = -y^3 / 2
struct Rsqrt;
impl Unary for Rsqrt {
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.sqrt().recip()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(y: E, _: [E; 2]) -> E {
        E::of(-0.5) * y * y * y
    }
}
static RSQRT: UnaryOp = UnaryOp::of::<Rsqrt>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The square root. Its gradient at 0 is infinite.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([0.0, 9.0]).sqrt().to_array(), [0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn sqrt(self) -> Self {
        unary(self, &SQRT)
    }

    /// 1 / sqrt(x).
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([0.25, 4.0]).rsqrt().to_array(), [2.0, 0.5]);
    /// ```
    #[track_caller]
    pub fn rsqrt(self) -> Self {
        unary(self, &RSQRT)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.sqrt(), random(shape, 0.5, 3.0, rng));
            check_function(|x| x.rsqrt(), random(shape, 0.5, 3.0, rng));
        });
    }

    #[test]
    fn special_values() {
        let x = Tensor::from([0.0, f32::INFINITY, -1.0, f32::NAN]);
        assert_eq!(x.clone().sqrt().as_slice()[..2], [0.0, f32::INFINITY]);
        assert_eq!(x.clone().rsqrt().as_slice()[..2], [f32::INFINITY, 0.0]);
        for y in [x.clone().sqrt(), x.rsqrt()] {
            assert!(y[[2]].is_nan() && y[[3]].is_nan());
        }
    }
}
