//! Powers.
//!
//! | y | dy/dx | dy/db |
//! | --- | --- | --- |
//! | x^2 | 2 x | |
//! | x^n, n an integer | n x^(n - 1) | |
//! | x^b, b a number | b x^(b - 1) | |
//! | x^b, b a tensor | b x^(b - 1) | y ln x |
//!
//! x^0 is 1 and its derivative 0, even at x = 0; where x = 0 and b >= 0, dy/db is 0. A negative x has real powers only
//! for integer exponents: the others are NaN.

use super::binary::binary;
use super::unary::{unary, unary_with};
use crate::kernels::elementwise::{Binary, Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::{BinaryOp, UnaryOp};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Trace};

/// y = x^2, dy/dx = 2 x
struct Square;
impl Unary for Square {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x * x
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        x + x
    }
}
static SQUARE: UnaryOp = UnaryOp::of::<Square>();

/// y = x^p0 for an integer p0, dy/dx = p0 x^(p0 - 1)
struct Powi;
impl Unary for Powi {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        x.powi(p[0].as_f64() as i32)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        if p[0] == E::zero() { E::zero() } else { p[0] * x.powi(p[0].as_f64() as i32 - 1) }
    }
}
static POWI: UnaryOp = UnaryOp::of::<Powi>();

/// y = x^p0, dy/dx = p0 x^(p0 - 1)
struct Powf;
impl Unary for Powf {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        x.powf(p[0])
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        derivative_of_power(x, p[0])
    }
}
static POWF: UnaryOp = UnaryOp::of::<Powf>();

/// y = a^b
struct Pow;
impl Binary for Pow {
    const SAVES: bool = true;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<E: Float>(a: E, b: E) -> E {
        a.powf(b)
    }
    #[inline(always)]
    fn left<E: Float>(g: E, a: E, b: E) -> E {
        g * derivative_of_power(a, b)
    }
    #[inline(always)]
    fn right<E: Float>(g: E, a: E, b: E) -> E {
        if a == E::zero() && b >= E::zero() { E::zero() } else { g * a.powf(b) * a.ln() }
    }
}
static POW: BinaryOp = BinaryOp::of::<Pow>("pow");

/// d/dx x^b
#[inline(always)]
fn derivative_of_power<E: Float>(x: E, b: E) -> E {
    if b == E::zero() { E::zero() } else { b * x.powf(b - E::one()) }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// x^2.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-3.0, 2.0]).square().to_array(), [9.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn square(self) -> Self {
        unary(self, &SQUARE)
    }

    /// x to the power of an integer.
    ///
    /// # Panics
    /// If `exponent` is outside -2^24 ..= 2^24, the integers that an f32 represents exactly.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-2.0, 0.5]).powi(-3).to_array(), [-0.125, 8.0]);
    /// ```
    #[track_caller]
    pub fn powi(self, exponent: i32) -> Self {
        assert!(exponent.unsigned_abs() <= 1 << 24, "powi: the exponent {exponent} is outside -2^24 ..= 2^24");
        unary_with(self, &POWI, [E::of(f64::from(exponent)); 2])
    }

    /// x to the power of a number. NaN where x < 0, unless `exponent` is an integer.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([4.0, 9.0]).powf(0.5).to_array(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn powf(self, exponent: E) -> Self {
        unary_with(self, &POWF, [exponent; 2])
    }

    /// Each element to the power of the corresponding element of `exponent`. NaN where x < 0, unless the exponent is an
    /// integer.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([2.0, 9.0]).pow(Tensor::from([3.0, 0.5])).to_array(), [8.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn pow<R: Trace>(self, exponent: Tensor<S, E, R>) -> Tensor<S, E, Merged<T, R>>
    where
        T: Merge<R>,
    {
        binary(self, exponent, &POW)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.square(), random(shape, -3.0, 3.0, rng));
            check_function(|x| x.powi(3), random(shape, -3.0, 3.0, rng));
            check_function(|x| x.powi(0), random(shape, -3.0, 3.0, rng));
            check_function(|x| x.powi(-2), random(shape, 0.5, 3.0, rng));
            check_function(|x| x.powf(2.5), random(shape, 0.5, 3.0, rng));
            check_function(|x| x.powf(0.0), random(shape, -3.0, 3.0, rng));
            let (a, b) = (random(shape, 0.5, 3.0, rng), random(shape, -2.0, 2.0, rng));
            check_function_of_two(|(a, b)| a.pow(b), a, b);
        });
    }

    #[test]
    fn powers_of_zero() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([0.0, 0.0, 0.0]));
        let b = tape.watch(Tensor::from([0.0, 1.0, 2.0]));
        let y = x.clone().pow(b.clone());
        assert_eq!(y.as_slice(), [1.0, 0.0, 0.0]);
        let gradients = (y + x.clone().powf(0.0) + x.clone().powi(0)).sum().backward();
        assert_eq!(gradients.of_input(&x).to_array(), [0.0, 1.0, 0.0]);
        assert_eq!(gradients.of_input(&b).to_array(), [0.0; 3]);
    }

    #[test]
    fn special_values() {
        let infinity = f32::INFINITY;
        let x = Tensor::from([infinity, -infinity, f32::NAN, -2.0]);
        assert_eq!(x.clone().square().as_slice()[..2], [infinity, infinity]);
        assert_eq!(x.clone().powi(3).as_slice()[..2], [infinity, -infinity]);
        assert!(x.clone().square()[[2]].is_nan() && x.clone().powi(3)[[2]].is_nan() && x.powf(0.5)[[3]].is_nan());
    }

    #[test]
    #[should_panic(expected = "pow: the shapes (2,) and (3,) do not fit")]
    fn run_time_sizes_that_differ_panic() {
        let _ = Tensor::<_, f32>::ones_with((2,)).pow(Tensor::ones_with((3,)));
    }
}
