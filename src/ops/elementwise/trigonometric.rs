//! Trigonometric functions, of angles in radians, and their inverses.
//!
//! | y | dy/dx |
//! | --- | --- |
//! | sin x | cos x |
//! | cos x | -sin x |
//! | tan x | 1 + y^2 |
//! | asin x | 1 / sqrt(1 - x^2) |
//! | acos x | -1 / sqrt(1 - x^2) |
//! | atan x | 1 / (1 + x^2) |
//!
//! For the angle of a point, see [`Tensor::atan2`].

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = sin x, dy/dx = cos x
struct Sin;
impl Unary for Sin {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.sin()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.cos()
    }
}
static SIN: UnaryOp = UnaryOp::of::<Sin>();

/// y = cos x, dy/dx = -sin x
struct Cos;
impl Unary for Cos {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.cos()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        -x.sin()
    }
}
static COS: UnaryOp = UnaryOp::of::<Cos>();

/// y = tan x, dy/dx = 1 + y^2
struct Tan;
impl Unary for Tan {
    const SAVES: Saves = Saves::Output;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.tan()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(y: E, _: [E; 2]) -> E {
        E::one() + y * y
    }
}
static TAN: UnaryOp = UnaryOp::of::<Tan>();

/// sqrt(1 - x^2), in a form that is accurate near -1 and 1
#[inline(always)]
fn sine_of_angle<E: Float>(x: E) -> E {
    ((E::one() - x) * (E::one() + x)).sqrt()
}

/// y = asin x, dy/dx = 1 / sqrt(1 - x^2)
struct Asin;
impl Unary for Asin {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.asin()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        sine_of_angle(x).recip()
    }
}
static ASIN: UnaryOp = UnaryOp::of::<Asin>();

/// y = acos x, dy/dx = -1 / sqrt(1 - x^2)
struct Acos;
impl Unary for Acos {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.acos()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        -sine_of_angle(x).recip()
    }
}
static ACOS: UnaryOp = UnaryOp::of::<Acos>();

/// y = atan x, dy/dx = 1 / (1 + x^2)
struct Atan;
impl Unary for Atan {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x.atan()
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        // 1 / (1 + x^2), without a square that overflows
        let inverse = x.recip();
        if x.abs() > E::one() { inverse / (x + inverse) } else { (E::one() + x * x).recip() }
    }
}
static ATAN: UnaryOp = UnaryOp::of::<Atan>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The sine of an angle in radians.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([0.0]).sin().to_array(), [0.0]);
    /// ```
    #[track_caller]
    pub fn sin(self) -> Self {
        unary(self, &SIN)
    }

    /// The cosine of an angle in radians.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([0.0]).cos().to_array(), [1.0]);
    /// ```
    #[track_caller]
    pub fn cos(self) -> Self {
        unary(self, &COS)
    }

    /// The tangent of an angle in radians.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([0.0]).tan().to_array(), [0.0]);
    /// ```
    #[track_caller]
    pub fn tan(self) -> Self {
        unary(self, &TAN)
    }

    /// The angle, from -pi/2 to pi/2, whose sine is x. NaN outside -1 ..= 1; the gradient is infinite at the ends.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1.0]).asin().to_array(), [std::f32::consts::FRAC_PI_2]);
    /// ```
    #[track_caller]
    pub fn asin(self) -> Self {
        unary(self, &ASIN)
    }

    /// The angle, from 0 to pi, whose cosine is x. NaN outside -1 ..= 1; the gradient is infinite at the ends.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1.0]).acos().to_array(), [0.0]);
    /// ```
    #[track_caller]
    pub fn acos(self) -> Self {
        unary(self, &ACOS)
    }

    /// The angle, from -pi/2 to pi/2, whose tangent is x.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([f32::INFINITY]).atan().to_array(), [std::f32::consts::FRAC_PI_2]);
    /// ```
    #[track_caller]
    pub fn atan(self) -> Self {
        unary(self, &ATAN)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.sin(), random(shape, -6.0, 6.0, rng));
            check_function(|x| x.cos(), random(shape, -6.0, 6.0, rng));
            check_function(|x| x.tan(), random(shape, -1.2, 1.2, rng));
            check_function(|x| x.asin(), random(shape, -0.9, 0.9, rng));
            check_function(|x| x.acos(), random(shape, -0.9, 0.9, rng));
            check_function(|x| x.atan(), random(shape, -3.0, 3.0, rng));
        });
    }

    #[test]
    fn special_values() {
        let x = Tensor::from([f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
        for y in [x.clone().sin(), x.clone().cos(), x.clone().tan(), x.clone().asin(), x.clone().acos()] {
            assert!(y.iter().all(f32::is_nan));
        }
        let right_angle = std::f32::consts::FRAC_PI_2;
        assert_eq!(x.atan().as_slice()[..2], [right_angle, -right_angle]);
    }
}
