//! Logarithms.
//!
//! | y | dy/dx |
//! | --- | --- |
//! | ln x | 1 / x |
//! | ln(1 + x) | 1 / (1 + x) |
//! | log2 x | 1 / (x ln 2) |
//! | log10 x | 1 / (x ln 10) |
//!
//! Each is -infinity where its argument is 0, and NaN where it is negative.

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = ln x, dy/dx = 1 / x
struct Ln;
impl Unary for Ln {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::ln(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.recip()
    }
    #[inline(always)]
    fn gradient<M: Math, E: Float>(g: E, x: E, _: [E; 2]) -> E {
        g / x
    }
}
static LN: UnaryOp = UnaryOp::of::<Ln>();

/// y = ln(1 + x), dy/dx = 1 / (1 + x)
struct Ln1p;
impl Unary for Ln1p {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::ln_1p(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        (E::one() + x).recip()
    }
}
static LN_1P: UnaryOp = UnaryOp::of::<Ln1p>();

/// y = log2 x, dy/dx = 1 / (x ln 2)
struct Log2;
impl Unary for Log2 {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.log2()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        E::of(std::f64::consts::LOG2_E) / x
    }
    #[inline(always)]
    fn gradient<M: Math, E: Float>(g: E, x: E, _: [E; 2]) -> E {
        g * E::of(std::f64::consts::LOG2_E) / x
    }
}
static LOG2: UnaryOp = UnaryOp::of::<Log2>();

/// y = log10 x, dy/dx = 1 / (x ln 10)
struct Log10;
impl Unary for Log10 {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.log10()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        E::of(std::f64::consts::LOG10_E) / x
    }
    #[inline(always)]
    fn gradient<M: Math, E: Float>(g: E, x: E, _: [E; 2]) -> E {
        g * E::of(std::f64::consts::LOG10_E) / x
    }
}
static LOG10: UnaryOp = UnaryOp::of::<Log10>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The natural logarithm.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1.0, 0.0]).ln().to_array(), [0.0, f32::NEG_INFINITY]);
    /// ```
    #[track_caller]
    pub fn ln(self) -> Self {
        unary(self, &LN)
    }

    /// ln(1 + x), accurate even for x near 0, where 1 + x rounds to 1.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1e-20]).ln_1p().to_array(), [1e-20]);
    /// ```
    #[track_caller]
    pub fn ln_1p(self) -> Self {
        unary(self, &LN_1P)
    }

    /// The logarithm to base 2.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1.0, 8.0]).log2().to_array(), [0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn log2(self) -> Self {
        unary(self, &LOG2)
    }

    /// The logarithm to base 10.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1.0, 100.0]).log10().to_array(), [0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn log10(self) -> Self {
        unary(self, &LOG10)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.ln(), random(shape, 0.5, 3.0, rng));
            check_function(|x| x.ln_1p(), random(shape, -0.5, 3.0, rng));
            check_function(|x| x.log2(), random(shape, 0.5, 3.0, rng));
            check_function(|x| x.log10(), random(shape, 0.5, 3.0, rng));
        });
    }

    #[test]
    fn special_values() {
        let x = Tensor::from([0.0, -0.0, 1.0, f32::INFINITY, -1.0, f32::NAN]);
        for y in [x.clone().ln(), x.clone().log2(), x.clone().log10(), (x.clone() - 1.0).ln_1p()] {
            assert_eq!(y.as_slice()[..4], [f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0, f32::INFINITY]);
            assert!(y[[4]].is_nan() && y[[5]].is_nan());
        }
    }
}
