//! The Gaussian error linear unit: x times the probability that a standard normal variable is below x.
//!
//! gelu(x) = x F(x), with F(x) = (1 + erf(x / sqrt(2))) / 2. Its derivative is F(x) + x f(x), with the density
//! f(x) = e^(-x^2 / 2) / sqrt(2 pi).
//!
//! An approximation that many published models were trained with is x (1 + tanh u) / 2, with
//! u = sqrt(2 / pi) (x + 0.044715 x^3). Its derivative is (1 + tanh u) / 2 + x (1 - tanh^2 u) u' / 2, with
//! u' = sqrt(2 / pi) (1 + 3 * 0.044715 x^2).
//!
//! Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.

use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::numbers::math::Math;
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

const SQRT_2_OVER_PI: f64 = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
const CUBIC: f64 = 0.044_715;

/// y = x F(x), dy/dx = F(x) + x f(x)
struct Gelu;
impl Unary for Gelu {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::times_normal(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        let x = bounded(x);
        let (probability, bell) = M::normal(x);
        probability + x * (E::of(0.5 * SQRT_2_OVER_PI) * bell)
    }
}
static GELU: UnaryOp = UnaryOp::of::<Gelu>();

/// y = x (1 + tanh u) / 2
struct GeluTanh;
impl Unary for GeluTanh {
    const SAVES: Saves = Saves::Input;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        M::times_normal_tanh(x)
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        let x = bounded(x);
        let square = x * x;
        let tanh = M::tanh(E::of(SQRT_2_OVER_PI) * (x + E::of(CUBIC) * x * square));
        let slope = E::of(SQRT_2_OVER_PI) * (E::one() + E::of(3.0 * CUBIC) * square);
        E::of(0.5) * (E::one() + tanh + x * (E::one() - tanh * tanh) * slope)
    }
}
static GELU_TANH: UnaryOp = UnaryOp::of::<GeluTanh>();

/// x limited to -1000 ..= 1000. Beyond, the derivatives of these functions are 0 and 1 to the last bit, but their
/// formulas would multiply 0 by infinity.
#[inline(always)]
pub(crate) fn bounded<E: Float>(x: E) -> E {
    let limit = E::of(1_000.0);
    if x > limit {
        limit
    } else if x < -limit {
        -limit
    } else {
        x
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// x (1 + erf(x / sqrt(2))) / 2.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-1000.0, 0.0, 1000.0]).gelu().to_array(), [0.0, 0.0, 1000.0]);
    /// ```
    #[track_caller]
    pub fn gelu(self) -> Self {
        unary(self, &GELU)
    }

    /// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, an approximation of [`gelu`](Tensor::gelu): PyTorch's
    /// `approximate="tanh"`.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank1<100>>::linspace(-5.0, 5.0);
    /// assert!(x.clone().gelu_tanh().is_close(&x.gelu(), 0.0, 1e-3));
    /// ```
    #[track_caller]
    pub fn gelu_tanh(self) -> Self {
        unary(self, &GELU_TANH)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.gelu(), random(shape, -4.0, 4.0, rng));
            check_function(|x| x.gelu_tanh(), random(shape, -4.0, 4.0, rng));
        });
    }

    #[test]
    fn special_values_and_their_gradients() {
        let infinity = f32::INFINITY;
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([-infinity, -1e30, 0.0, 1e30, infinity]));
        for y in [x.clone().gelu(), x.clone().gelu_tanh()] {
            assert_eq!(y.as_slice(), [0.0, 0.0, 0.0, 1e30, infinity]);
        }
        let gradients = (x.clone().gelu() + x.clone().gelu_tanh()).sum().backward();
        assert_eq!(gradients.of_input(&x).to_array(), [0.0, 0.0, 1.0, 2.0, 2.0]);
        let nan = Tensor::from(f32::NAN);
        assert!(nan.clone().gelu().item().is_nan() && nan.gelu_tanh().item().is_nan());
    }
}
