//! `+`, `-`, `*`, `/` and unary `-`, between tensors of the same shape and with numbers.
//!
//! | y | dy/da | dy/db |
//! | --- | --- | --- |
//! | a + b | 1 | 1 |
//! | a - b | 1 | -1 |
//! | a b | b | a |
//! | a / b | 1 / b | -a / b^2 |
//!
//! Both operands are values or references; the buffer of an operand given by value is used again for the result.

use super::binary::binary;
use super::unary::unary_with;
use super::{BinaryOp, UnaryOp, shapes_differ};
use crate::kernels::elementwise::{Binary, Saves, Unary};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Trace};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

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
        -g * a / (b * b)
    }
}

/// y = p0 x
struct Scale;
impl Unary for Scale {
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<E: Float>(x: E, p: [E; 2]) -> E {
        x * p[0]
    }
    #[inline(always)]
    fn derivative<E: Float>(_: E, p: [E; 2]) -> E {
        p[0]
    }
}

/// y = x / p0
struct Divide;
impl Unary for Divide {
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<E: Float>(x: E, p: [E; 2]) -> E {
        x / p[0]
    }
    #[inline(always)]
    fn derivative<E: Float>(_: E, p: [E; 2]) -> E {
        p[0].recip()
    }
}

/// y = p0 x + p1
struct Affine;
impl Unary for Affine {
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<E: Float>(x: E, p: [E; 2]) -> E {
        x * p[0] + p[1]
    }
    #[inline(always)]
    fn derivative<E: Float>(_: E, p: [E; 2]) -> E {
        p[0]
    }
}

/// y = p0 / x, dy/dx = -y / x = -p0 / x^2
struct Reciprocal;
impl Unary for Reciprocal {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn forward<E: Float>(x: E, p: [E; 2]) -> E {
        p[0] / x
    }
    #[inline(always)]
    fn derivative<E: Float>(x: E, p: [E; 2]) -> E {
        -p[0] / (x * x)
    }
}

static SUM: BinaryOp = BinaryOp::of::<Sum>("+");
static DIFFERENCE: BinaryOp = BinaryOp::of::<Difference>("-");
static PRODUCT: BinaryOp = BinaryOp::of::<Product>("*");
static QUOTIENT: BinaryOp = BinaryOp::of::<Quotient>("/");
static SCALE: UnaryOp = UnaryOp::of::<Scale>();
static DIVIDE: UnaryOp = UnaryOp::of::<Divide>();
static AFFINE: UnaryOp = UnaryOp::of::<Affine>();
static RECIPROCAL: UnaryOp = UnaryOp::of::<Reciprocal>();

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

// The operators' impls differ in nothing but their names and formulas, and Rust has no way to be generic over a trait.
macro_rules! operator {
    ($($operator:ident $method:ident $assign:ident $assign_method:ident $op:ident
       |$x:ident, $n:ident| $right:expr, $left:expr;)*) => { $(
        impl<S: Shape, E: Float, T: Trace + Merge<R>, R: Trace> $operator<Tensor<S, E, R>> for Tensor<S, E, T> {
            type Output = Tensor<S, E, Merged<T, R>>;
            #[track_caller]
            fn $method(self, right: Tensor<S, E, R>) -> Self::Output {
                binary(self, right, &$op)
            }
        }
        impl<S: Shape, E: Float, T: Trace + Merge<R>, R: Trace> $operator<&Tensor<S, E, R>> for Tensor<S, E, T> {
            type Output = Tensor<S, E, Merged<T, R>>;
            #[track_caller]
            fn $method(self, right: &Tensor<S, E, R>) -> Self::Output {
                binary(self, right.clone(), &$op)
            }
        }
        impl<S: Shape, E: Float, T: Trace + Merge<R>, R: Trace> $operator<Tensor<S, E, R>> for &Tensor<S, E, T> {
            type Output = Tensor<S, E, Merged<T, R>>;
            #[track_caller]
            fn $method(self, right: Tensor<S, E, R>) -> Self::Output {
                binary(self.clone(), right, &$op)
            }
        }
        impl<S: Shape, E: Float, T: Trace + Merge<R>, R: Trace> $operator<&Tensor<S, E, R>> for &Tensor<S, E, T> {
            type Output = Tensor<S, E, Merged<T, R>>;
            #[track_caller]
            fn $method(self, right: &Tensor<S, E, R>) -> Self::Output {
                binary(self.clone(), right.clone(), &$op)
            }
        }
        impl<S: Shape, E: Float, T: Trace> $operator<E> for Tensor<S, E, T> {
            type Output = Self;
            #[track_caller]
            fn $method(self, $n: E) -> Self {
                let $x = self;
                $right
            }
        }
        impl<S: Shape, E: Float, T: Trace> $operator<E> for &Tensor<S, E, T> {
            type Output = Tensor<S, E, T>;
            #[track_caller]
            fn $method(self, number: E) -> Tensor<S, E, T> {
                $operator::$method(self.clone(), number)
            }
        }
        operator! { @number f32 $operator $method |$x, $n| $left }
        operator! { @number f64 $operator $method |$x, $n| $left }
        impl<S: Shape, E: Float, T: Trace + Merge<R, Out = T>, R: Trace> $assign<Tensor<S, E, R>> for Tensor<S, E, T> {
            #[track_caller]
            fn $assign_method(&mut self, right: Tensor<S, E, R>) {
                if self.shape() != right.shape() {
                    shapes_differ($op.name, self.shape(), right.shape());
                }
                *self = $operator::$method(self.take(), right);
            }
        }
        impl<S: Shape, E: Float, T: Trace> $assign<E> for Tensor<S, E, T> {
            #[track_caller]
            fn $assign_method(&mut self, number: E) {
                *self = $operator::$method(self.take(), number);
            }
        }
    )* };
    (@number $type:ident $operator:ident $method:ident |$x:ident, $n:ident| $left:expr) => {
        impl<S: Shape, T: Trace> $operator<Tensor<S, $type, T>> for $type {
            type Output = Tensor<S, $type, T>;
            #[track_caller]
            fn $method(self, $x: Tensor<S, $type, T>) -> Tensor<S, $type, T> {
                let $n = self;
                $left
            }
        }
        impl<S: Shape, T: Trace> $operator<&Tensor<S, $type, T>> for $type {
            type Output = Tensor<S, $type, T>;
            #[track_caller]
            fn $method(self, tensor: &Tensor<S, $type, T>) -> Tensor<S, $type, T> {
                $operator::$method(self, tensor.clone())
            }
        }
    };
}
operator! {
    Add add AddAssign add_assign SUM |x, n| unary_with(x, &AFFINE, [num_traits::one(), n]), x + n;
    Sub sub SubAssign sub_assign DIFFERENCE
        |x, n| unary_with(x, &AFFINE, [num_traits::one(), -n]), unary_with(x, &AFFINE, [-1.0, n]);
    Mul mul MulAssign mul_assign PRODUCT |x, n| unary_with(x, &SCALE, [n; 2]), x * n;
    Div div DivAssign div_assign QUOTIENT |x, n| unary_with(x, &DIVIDE, [n; 2]), unary_with(x, &RECIPROCAL, [n; 2]);
}
