//! temporary
use super::UnaryOp;
use super::unary::unary;
use crate::kernels::elementwise::{Saves, Unary};
use crate::kernels::parallel;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// y = max(x, 0), dy/dx = 1 where y > 0, 0 elsewhere (also at 0, as in PyTorch)
struct Relu;
impl Unary for Relu {
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<E: Float>(x: E, _: [E; 2]) -> E {
        // a NaN stays one
        if x < E::zero() { E::zero() } else { x }
    }
    #[inline(always)]
    fn derivative<E: Float>(y: E, _: [E; 2]) -> E {
        if y > E::zero() { E::one() } else { E::zero() }
    }
}
static RELU: UnaryOp = UnaryOp::of::<Relu>();

/// y = 1 / (1 + e^-x), dy/dx = y (1 - y)
struct Sigmoid;
impl Unary for Sigmoid {
    const SAVES: Saves = Saves::Output;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<E: Float>(x: E, _: [E; 2]) -> E {
        x.logistic()
    }
    #[inline(always)]
    fn derivative<E: Float>(y: E, _: [E; 2]) -> E {
        y * (E::one() - y)
    }
}
static SIGMOID: UnaryOp = UnaryOp::of::<Sigmoid>();

struct Sqrt;
impl Unary for Sqrt {
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<E: Float>(x: E, _: [E; 2]) -> E {
        x.sqrt()
    }
    #[inline(always)]
    fn derivative<E: Float>(y: E, _: [E; 2]) -> E {
        E::of(0.5) / y
    }
}
static SQRT: UnaryOp = UnaryOp::of::<Sqrt>();

struct Abs;
impl Unary for Abs {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn forward<E: Float>(x: E, _: [E; 2]) -> E {
        x.abs()
    }
    #[inline(always)]
    fn derivative<E: Float>(x: E, _: [E; 2]) -> E {
        if x > E::zero() {
            E::one()
        } else if x < E::zero() {
            -E::one()
        } else {
            x
        }
    }
}
static ABS: UnaryOp = UnaryOp::of::<Abs>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// max(x, 0).
    #[track_caller]
    pub fn relu(self) -> Self {
        unary(self, &RELU, [E::zero(); 2])
    }
    /// 1 / (1 + e^-x).
    #[track_caller]
    pub fn sigmoid(self) -> Self {
        unary(self, &SIGMOID, [E::zero(); 2])
    }
    /// sqrt(x).
    #[track_caller]
    pub fn sqrt(self) -> Self {
        unary(self, &SQRT, [E::zero(); 2])
    }
    /// |x|.
    #[track_caller]
    pub fn abs(self) -> Self {
        unary(self, &ABS, [E::zero(); 2])
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.sigmoid(), random(shape, -3.0, 3.0, rng));
            check_function(|x| x.sqrt(), random(shape, 0.5, 3.0, rng));
            check_function(|x| x.relu(), random_apart(shape, -3.0, 3.0, &[0.0], rng));
            check_function(|x| x.abs(), random_apart(shape, -3.0, 3.0, &[0.0], rng));
        });
    }
}
