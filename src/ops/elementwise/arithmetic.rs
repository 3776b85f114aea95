//! `+`, `-`, `*`, `/`, `%` and unary `-` of floats, between tensors of the same shape and with numbers.
//!
//! | y | dy/da | dy/db |
//! | --- | --- | --- |
//! | a + b | 1 | 1 |
//! | a - b | 1 | -1 |
//! | a b | b | a |
//! | a / b | 1 / b | -(a / b) / b |
//! | a % b = a - b trunc(a / b) | 1 | -trunc(a / b) |
//!
//! The remainder has the sign of a, as in Rust and in C (PyTorch's `fmod`). The operators' impls are in `operators.rs`.

use super::binary::binary_values;
use super::unary::{unary_values, unary_with};
use crate::kernels::elementwise::{Binary, Saves, Unary};
use crate::kernels::integer::Operator;
use crate::memory::Storage;
use crate::numbers::math::Math;
use crate::ops::{BinaryOp, UnaryOp};
use crate::shape::Shape;
use crate::tape::Node;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use std::ops::Neg;

/// The two sides of an operator.
pub enum Sides<E> {
    Tensors(Storage<E>, Storage<E>),
    TensorAndNumber(Storage<E>, E),
    NumberAndTensor(E, Storage<E>),
}

struct Sum;
impl Binary for Sum {
    const SAVES: bool = false;
    #[inline(always)]
    fn forward<E: Float>(a: E, b: E) -> E {
        a + b
    }
    #[inline(always)]
    fn left<E: Float>(g: E, _: E, _: E) -> E {
        g
    }
    #[inline(always)]
    fn right<E: Float>(g: E, _: E, _: E) -> E {
        g
    }
}

struct Difference;
impl Binary for Difference {
    const SAVES: bool = false;
    #[inline(always)]
    fn forward<E: Float>(a: E, b: E) -> E {
        a - b
    }
    #[inline(always)]
    fn left<E: Float>(g: E, _: E, _: E) -> E {
        g
    }
    #[inline(always)]
    fn right<E: Float>(g: E, _: E, _: E) -> E {
        -g
    }
}

struct Product;
impl Binary for Product {
    const SAVES: bool = true;
    #[inline(always)]
    fn forward<E: Float>(a: E, b: E) -> E {
        a * b
    }
    #[inline(always)]
    fn left<E: Float>(g: E, _: E, b: E) -> E {
        g * b
    }
    #[inline(always)]
    fn right<E: Float>(g: E, a: E, _: E) -> E {
        g * a
    }
}

struct Quotient;
impl Binary for Quotient {
    const SAVES: bool = true;
    #[inline(always)]
    fn forward<E: Float>(a: E, b: E) -> E {
        a / b
    }
    #[inline(always)]
    fn left<E: Float>(g: E, _: E, b: E) -> E {
        g / b
    }
    #[inline(always)]
    fn right<E: Float>(g: E, a: E, b: E) -> E {
        // no division by the square, which may overflow or underflow
        -g * (a / b) / b
    }
}

struct Remainder;
impl Binary for Remainder {
    const SAVES: bool = true;
    #[inline(always)]
    fn forward<E: Float>(a: E, b: E) -> E {
        a % b
    }
    #[inline(always)]
    fn left<E: Float>(g: E, _: E, _: E) -> E {
        g
    }
    #[inline(always)]
    fn right<E: Float>(g: E, a: E, b: E) -> E {
        -g * (a / b).trunc()
    }
}

/// y = p0 x
struct Scale;
impl Unary for Scale {
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        x * p[0]
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(_: E, p: [E; 2]) -> E {
        p[0]
    }
}

/// y = x / p0
struct Divide;
impl Unary for Divide {
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        x / p[0]
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(_: E, p: [E; 2]) -> E {
        p[0].recip()
    }
    #[inline(always)]
    fn gradient<M: Math, E: Float>(g: E, _: E, p: [E; 2]) -> E {
        g / p[0]
    }
}

/// y = p0 x + p1
struct Affine;
impl Unary for Affine {
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        x * p[0] + p[1]
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(_: E, p: [E; 2]) -> E {
        p[0]
    }
}

/// y = p0 / x, dy/dx = -y / x = -p0 / x^2
struct Reciprocal;
impl Unary for Reciprocal {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        p[0] / x
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        -(p[0] / x) / x
    }
    #[inline(always)]
    fn gradient<M: Math, E: Float>(g: E, x: E, p: [E; 2]) -> E {
        // no division by the square, which may overflow or underflow
        -g * (p[0] / x) / x
    }
}

/// y = x % p0
struct RemainderBy;
impl Unary for RemainderBy {
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        x % p[0]
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(_: E, _: [E; 2]) -> E {
        E::one()
    }
}

/// y = p0 % x, dy/dx = -trunc(p0 / x)
struct RemainderOf;
impl Unary for RemainderOf {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        p[0] % x
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        -(p[0] / x).trunc()
    }
}

static SUM: BinaryOp = BinaryOp::of::<Sum>("+");
static DIFFERENCE: BinaryOp = BinaryOp::of::<Difference>("-");
static PRODUCT: BinaryOp = BinaryOp::of::<Product>("*");
static QUOTIENT: BinaryOp = BinaryOp::of::<Quotient>("/");
static REMAINDER: BinaryOp = BinaryOp::of::<Remainder>("%");
static SCALE: UnaryOp = UnaryOp::of::<Scale>();
pub(crate) static DIVIDE: UnaryOp = UnaryOp::of::<Divide>();
static AFFINE: UnaryOp = UnaryOp::of::<Affine>();
static RECIPROCAL: UnaryOp = UnaryOp::of::<Reciprocal>();
static REMAINDER_BY: UnaryOp = UnaryOp::of::<RemainderBy>();
static REMAINDER_OF: UnaryOp = UnaryOp::of::<RemainderOf>();

/// The result of an operator on floats, and its node on the tape; `nodes` are those of the two sides.
#[track_caller]
pub(crate) fn floats<E: Float>(
    operator: Operator,
    sides: Sides<E>,
    nodes: [Option<&Node>; 2],
) -> (Storage<E>, Option<Node>) {
    let node = nodes[0].or(nodes[1]);
    let (x, op, p) = match (operator, sides) {
        (Operator::Add, Sides::Tensors(a, b)) => return binary_values(a, b, nodes, &SUM),
        (Operator::Subtract, Sides::Tensors(a, b)) => return binary_values(a, b, nodes, &DIFFERENCE),
        (Operator::Multiply, Sides::Tensors(a, b)) => return binary_values(a, b, nodes, &PRODUCT),
        (Operator::Divide, Sides::Tensors(a, b)) => return binary_values(a, b, nodes, &QUOTIENT),
        (Operator::Remainder, Sides::Tensors(a, b)) => return binary_values(a, b, nodes, &REMAINDER),
        (Operator::Add, Sides::TensorAndNumber(x, n) | Sides::NumberAndTensor(n, x)) => (x, &AFFINE, [E::one(), n]),
        (Operator::Subtract, Sides::TensorAndNumber(x, n)) => (x, &AFFINE, [E::one(), -n]),
        (Operator::Subtract, Sides::NumberAndTensor(n, x)) => (x, &AFFINE, [-E::one(), n]),
        (Operator::Multiply, Sides::TensorAndNumber(x, n) | Sides::NumberAndTensor(n, x)) => (x, &SCALE, [n; 2]),
        (Operator::Divide, Sides::TensorAndNumber(x, n)) => (x, &DIVIDE, [n; 2]),
        (Operator::Divide, Sides::NumberAndTensor(n, x)) => (x, &RECIPROCAL, [n; 2]),
        (Operator::Remainder, Sides::TensorAndNumber(x, n)) => (x, &REMAINDER_BY, [n; 2]),
        (Operator::Remainder, Sides::NumberAndTensor(n, x)) => (x, &REMAINDER_OF, [n; 2]),
    };
    unary_values(x, node, op, p)
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// `scale * self + shift`, in one pass.
    #[track_caller]
    pub fn scale_shift(self, scale: E, shift: E) -> Self {
        unary_with(self, &AFFINE, [scale, shift])
    }

    /// `1 / self`.
    #[track_caller]
    pub fn reciprocal(self) -> Self {
        unary_with(self, &RECIPROCAL, [E::one(); 2])
    }
}

impl<S: Shape, E: Float, T: Trace> Neg for Tensor<S, E, T> {
    type Output = Self;
    #[track_caller]
    fn neg(self) -> Self {
        unary_with(self, &SCALE, [-E::one(); 2])
    }
}
impl<S: Shape, E: Float, T: Trace> Neg for &Tensor<S, E, T> {
    type Output = Tensor<S, E, T>;
    #[track_caller]
    fn neg(self) -> Tensor<S, E, T> {
        -self.clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_of_two_tensors() {
        random_shapes!(|shape, rng| {
            let a = random(shape, -3.0, 3.0, rng);
            // not near 0, nor where a / b is near an integer
            let b = random_apart(shape, -2.0, 2.0, &[0.0], rng).sign() * (a.clone().abs() + 0.25);
            check_function_of_two(|(a, b)| a + b, a.clone(), b.clone());
            check_function_of_two(|(a, b)| &a - &b, a.clone(), b.clone());
            check_function_of_two(|(a, b)| &a * b, a.clone(), b.clone());
            check_function_of_two(|(a, b)| a / &b, a.clone(), b.clone());
            check_function_of_two(|(a, b)| a % b, a.clone(), b.clone());
            check_function_of_two(|(a, b)| b % (a.square() + 1.5), a, b);
        });
    }

    #[test]
    fn gradients_with_numbers() {
        random_shapes!(|shape, rng| {
            let x = random_apart(shape, -3.0, 3.0, &[-3.0, -1.5, 0.0, 1.5, 3.0], rng);
            check_function(|x| x + 2.0, x.clone());
            check_function(|x| 2.0 + x, x.clone());
            check_function(|x| x - 2.0, x.clone());
            check_function(|x| 2.0 - x, x.clone());
            check_function(|x| x * -3.0, x.clone());
            check_function(|x| -3.0 * &x, x.clone());
            check_function(|x| &x / 4.0, x.clone());
            check_function(|x| 4.0 / (x.square() + 0.5), x.clone());
            check_function(|x| x % 1.5, x.clone());
            // 5 / (x^2 + 1.5) is near no integers other than 1 and 2
            check_function(|x| 5.0 % (x.clamp(-0.9, 0.9).square() + 1.7), x.clone());
            check_function(|x| -x, x.clone());
            check_function(|x| x.scale_shift(0.5, 3.0), x.clone());
            check_function(|x| (x.square() + 0.5).reciprocal(), x);
        });
    }

    #[test]
    fn gradients_of_assigning_operators() {
        let change = |mut x: Watched<Rank1<3>>| {
            let y = x.clone();
            x += y.clone();
            x *= y.clone() - 4.0;
            x -= 1.0;
            x /= y + 8.0;
            x *= 2.0;
            x
        };
        check_gradients(change, Tensor::of([0.5, -1.0, 2.0])).unwrap();
    }

    #[test]
    fn the_remainder_has_the_sign_of_the_dividend() {
        let x = Tensor::from([5.5, -5.5, 4.0]);
        assert_eq!((&x % 2.0).to_array(), [1.5, -1.5, 0.0]);
        assert_eq!((7.0 % &x).to_array(), [1.5, 1.5, 3.0]);
        assert_eq!((x % Tensor::from([-3.0, 3.0, 1.5])).to_array(), [2.5, -2.5, 1.0]);
    }
}
