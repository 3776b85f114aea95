//! The types that a tensor can hold.

use crate::kernels::elementwise::{BinaryLoops, UnaryLoops};
use crate::kernels::gemm::register::{self, Register};
use crate::kernels::gemm::{self, Matrix, Right};
use crate::kernels::integer::Operator;
use crate::kernels::lines::{FoldLoops, MapLoops};
use crate::kernels::mask::{Comparison, Source};
use crate::kernels::pair_loss::PairLossLoops;
use crate::kernels::recurrent::CellLoops;
use crate::kernels::row_loss::RowLoop;
use crate::kernels::{elementwise, mask, math, reduce};
use crate::loss::{PairLossOp, RowLossOp};
use crate::memory::{Pooled, Storage};
use crate::nn::{Values, ValuesMut};
use crate::ops::{BinaryOp, CellOp, FoldOp, MapOp, MoveBack, Operand, Sides, UnaryOp, floats, indices};
use crate::trace::{AnyStorage, Node, constant, record_each};
use std::fmt::{Debug, Display};

/// What a tensor can hold: `f32`, `f64`, `usize` (class labels, indices) or `bool` (masks).
#[diagnostic::on_unimplemented(
    message = "a tensor cannot hold `{Self}`",
    note = "a tensor holds `f32`, `f64`, `usize` (labels and indices) or `bool` (masks)"
)]
pub trait Element: Pooled + Default + PartialEq + PartialOrd + Debug + Display {
    /// The name of the type in messages and files.
    const NAME: &'static str;

    #[doc(hidden)]
    fn compare(comparison: Comparison, a: &[Self], b: Source<'_, Self>, out: &mut [bool]);

    /// Records an operation that moves elements: by default not at all, for only numbers with gradients have any
    /// to move back.
    #[doc(hidden)]
    #[track_caller]
    fn record_movement(operands: &[Operand<'_>], _: impl MoveBack) -> Option<Node> {
        constant(operands.iter().filter_map(|operand| operand.0))
    }
}
impl Element for usize {
    const NAME: &'static str = "usize";
    fn compare(comparison: Comparison, a: &[Self], b: Source<'_, Self>, out: &mut [bool]) {
        mask::compare(comparison, a, b, out);
    }
}
impl Element for bool {
    const NAME: &'static str = "bool";
    fn compare(comparison: Comparison, a: &[Self], b: Source<'_, Self>, out: &mut [bool]) {
        mask::compare(comparison, a, b, out);
    }
}

/// Numbers: every element type but `bool`.
pub trait Number: Element + num_traits::Num {
    /// What an operator gives, and its place on the tape, from the two sides and theirs.
    #[doc(hidden)]
    #[track_caller]
    fn arithmetic(operator: Operator, sides: Sides<Self>, nodes: [Option<&Node>; 2]) -> (Storage<Self>, Option<Node>);
}
impl Number for usize {
    fn arithmetic(
        operator: Operator,
        sides: Sides<usize>,
        nodes: [Option<&Node>; 2],
    ) -> (Storage<usize>, Option<Node>) {
        indices(operator, sides, nodes)
    }
}

/// The types that can be trained and differentiated: `f32` and `f64`.
#[diagnostic::on_unimplemented(
    message = "this needs floating-point numbers, and `{Self}` is none",
    note = "only `f32` and `f64` tensors have gradients and transcendental functions"
)]
pub trait Float: Number + num_traits::Float + num_traits::NumAssign + std::iter::Sum {
    /// This number, rounded to the type.
    fn of(value: f64) -> Self;
    /// This number as an f64.
    fn as_f64(self) -> f64;

    /// What products of matrices are computed with.
    #[doc(hidden)]
    type Register: Register<Self>;
    /// The same on a processor with AVX-512.
    #[doc(hidden)]
    type WideRegister: Register<Self>;
    #[doc(hidden)]
    fn wrap(storage: Storage<Self>) -> AnyStorage;
    #[doc(hidden)]
    fn unwrap(storage: AnyStorage) -> Storage<Self>;
    #[doc(hidden)]
    fn unwrap_mut(storage: &mut AnyStorage) -> &mut Storage<Self>;
    #[doc(hidden)]
    fn unary(op: &UnaryOp) -> &UnaryLoops<Self>;
    #[doc(hidden)]
    fn binary(op: &BinaryOp) -> &BinaryLoops<Self>;
    #[doc(hidden)]
    fn pair_loss(op: &PairLossOp) -> &PairLossLoops<Self>;
    #[doc(hidden)]
    fn row_loss(op: &RowLossOp) -> RowLoop<Self>;
    #[doc(hidden)]
    fn fold(op: &FoldOp) -> &FoldLoops<Self>;
    #[doc(hidden)]
    fn map(op: &MapOp) -> &MapLoops<Self>;
    #[doc(hidden)]
    fn cell(op: &CellOp) -> &CellLoops<Self>;
    #[doc(hidden)]
    fn values(values: &[Self]) -> Values<'_>;
    #[doc(hidden)]
    fn values_mut(values: &mut [Self]) -> ValuesMut<'_>;
    // What the kernels compute element by element: within 2 ulp, and vectorised (`kernels/math.rs`), where the functions
    // of `num_traits` call the standard library for each element.
    /// e^x
    #[doc(hidden)]
    fn exponential(self) -> Self;
    /// e^x - 1
    #[doc(hidden)]
    fn exponential_minus_one(self) -> Self;
    /// ln(x)
    #[doc(hidden)]
    fn logarithm(self) -> Self;
    /// ln(1 + x)
    #[doc(hidden)]
    fn logarithm_of_one_plus(self) -> Self;
    /// tanh(x)
    #[doc(hidden)]
    fn hyperbolic_tangent(self) -> Self;
    /// 1 / (1 + e^-x)
    #[doc(hidden)]
    fn logistic(self) -> Self;
    /// erf(x)
    #[doc(hidden)]
    fn error_function(self) -> Self;
    #[doc(hidden)]
    fn accumulate(sum: &mut [Self], more: &[Self]);
    #[doc(hidden)]
    fn scale(values: &mut [Self], factor: Self);
    #[doc(hidden)]
    fn select(mask: &[bool], a: Source<'_, Self>, b: Source<'_, Self>, out: &mut [Self]);
    #[doc(hidden)]
    fn sum_of_squares(values: &[Self]) -> f64;
    /// See `gemm`: (m, k, n), a, b, c, add.
    #[doc(hidden)]
    fn product(sizes: (usize, usize, usize), a: Matrix<'_, Self>, b: Right<'_, Self>, c: &mut [Self], add: bool);
    /// See `gemm::Packed`: b, (k, n), its columns, rounded up.
    #[doc(hidden)]
    fn pack(b: Matrix<'_, Self>, sizes: (usize, usize), columns: usize, out: &mut [Self]);
}

macro_rules! float {
    ($($type:ident $variant:ident;)*) => { $(
        impl Element for $type {
            const NAME: &'static str = stringify!($type);
            fn compare(comparison: Comparison, a: &[Self], b: Source<'_, Self>, out: &mut [bool]) {
                mask::compare(comparison, a, b, out);
            }
            fn record_movement(operands: &[Operand<'_>], back: impl MoveBack) -> Option<Node> {
                record_each::<$type>(operands, move |operand, gradient, out, add| {
                    back.move_back(operand, gradient, out, add);
                })
            }
        }
        impl Number for $type {
            fn arithmetic(
                operator: Operator,
                sides: Sides<Self>,
                nodes: [Option<&Node>; 2],
            ) -> (Storage<Self>, Option<Node>) {
                floats(operator, sides, nodes)
            }
        }
        impl Float for $type {
            #[inline]
            fn of(value: f64) -> Self {
                value as $type
            }
            #[inline]
            fn as_f64(self) -> f64 {
                f64::from(self)
            }
            type Register = register::$variant;
            type WideRegister = register::wide::$variant;
            fn wrap(storage: Storage<Self>) -> AnyStorage {
                AnyStorage::$variant(storage)
            }
            fn unwrap(storage: AnyStorage) -> Storage<Self> {
                match storage {
                    AnyStorage::$variant(storage) => storage,
                    _ => unreachable!("a value has one element type"),
                }
            }
            fn unwrap_mut(storage: &mut AnyStorage) -> &mut Storage<Self> {
                match storage {
                    AnyStorage::$variant(storage) => storage,
                    _ => unreachable!("a value has one element type"),
                }
            }
            fn unary(op: &UnaryOp) -> &UnaryLoops<Self> {
                &op.$type
            }
            fn binary(op: &BinaryOp) -> &BinaryLoops<Self> {
                &op.$type
            }
            fn pair_loss(op: &PairLossOp) -> &PairLossLoops<Self> {
                &op.$type
            }
            fn row_loss(op: &RowLossOp) -> RowLoop<Self> {
                op.$type
            }
            fn fold(op: &FoldOp) -> &FoldLoops<Self> {
                &op.$type
            }
            fn map(op: &MapOp) -> &MapLoops<Self> {
                &op.$type
            }
            fn cell(op: &CellOp) -> &CellLoops<Self> {
                &op.$type
            }
            fn values(values: &[Self]) -> Values<'_> {
                Values::$variant(values)
            }
            fn values_mut(values: &mut [Self]) -> ValuesMut<'_> {
                ValuesMut::$variant(values)
            }
            #[inline(always)]
            fn exponential(self) -> Self {
                math::exp(self)
            }
            #[inline(always)]
            fn exponential_minus_one(self) -> Self {
                math::exp_m1(self)
            }
            #[inline(always)]
            fn logarithm(self) -> Self {
                math::ln(self)
            }
            #[inline(always)]
            fn logarithm_of_one_plus(self) -> Self {
                math::ln_1p(self)
            }
            #[inline(always)]
            fn hyperbolic_tangent(self) -> Self {
                math::tanh(self)
            }
            #[inline(always)]
            fn logistic(self) -> Self {
                math::logistic(self)
            }
            #[inline(always)]
            fn error_function(self) -> Self {
                math::erf(self)
            }
            fn accumulate(sum: &mut [Self], more: &[Self]) {
                elementwise::add_assign(sum, more);
            }
            fn scale(values: &mut [Self], factor: Self) {
                elementwise::scale(values, factor);
            }
            fn select(mask: &[bool], a: Source<'_, Self>, b: Source<'_, Self>, out: &mut [Self]) {
                mask::select(mask, a, b, out);
            }
            fn sum_of_squares(values: &[Self]) -> f64 {
                reduce::sum_of_squares(values)
            }
            fn product(
                sizes: (usize, usize, usize),
                a: Matrix<'_, Self>,
                b: Right<'_, Self>,
                c: &mut [Self],
                add: bool,
            ) {
                gemm::product(sizes, a, b, c, add);
            }
            fn pack(b: Matrix<'_, Self>, sizes: (usize, usize), columns: usize, out: &mut [Self]) {
                gemm::pack_panels(b, sizes, columns, out);
            }
        }
    )* };
}
float! {
    f32 F32;
    f64 F64;
}
