//! The element types of tensors, and the one mechanism for "f32 or f64".
//!
//! A [`Family`] is a type for each type of floating-point numbers: a slice of them, a loop over them. [`PerFloat`]
//! holds both members of a family, from which generic code picks its own ([`Float::pick`]); [`AnyFloat`] holds one of
//! the two, where the type is known only at run time ([`Float::wrap`], [`Float::unwrap`], [`for_float`]).
//!
//! So loops are compiled for both types in this crate, where a `static` holds pointers to them, and not again in every
//! program that uses them.

use super::math::Format;
use crate::memory::Pooled;
use num_traits::{CheckedAdd, CheckedDiv, CheckedMul, CheckedRem, CheckedSub};
use std::fmt::{Debug, Display};

/// What a tensor can hold: `f32`, `f64`, `usize` (class labels, indices) or `bool` (masks).
#[diagnostic::on_unimplemented(
    message = "a tensor cannot hold `{Self}`",
    note = "a tensor holds `f32`, `f64`, `usize` (labels and indices) or `bool` (masks)"
)]
pub trait Element: Pooled + Default + PartialEq + PartialOrd + Debug + Display {
    /// The name of the type in messages and files.
    const NAME: &'static str;

    /// Runs the arm of `choice` for this kind of element.
    #[doc(hidden)]
    #[track_caller]
    fn by_kind<C: ByKind<Self>>(choice: C) -> C::Result;
}

/// A choice by the kind of element: for code generic over every [`Element`] that treats floats differently.
pub trait ByKind<E: Element> {
    type Result;
    #[track_caller]
    fn float(self) -> Self::Result
    where
        E: Float;
    #[track_caller]
    fn index(self) -> Self::Result
    where
        E: Index;
    #[track_caller]
    fn truth(self) -> Self::Result;
}

impl Element for usize {
    const NAME: &'static str = "usize";
    fn by_kind<C: ByKind<Self>>(choice: C) -> C::Result {
        choice.index()
    }
}
impl Element for bool {
    const NAME: &'static str = "bool";
    fn by_kind<C: ByKind<Self>>(choice: C) -> C::Result {
        choice.truth()
    }
}

/// Numbers: every element type but `bool`.
pub trait Number: Element + num_traits::Num {}
impl Number for usize {}

/// Numbers whose arithmetic is checked: `usize`.
pub trait Index: Number + CheckedAdd + CheckedSub + CheckedMul + CheckedDiv + CheckedRem {}
impl Index for usize {}

/// The types that can be trained and differentiated: `f32` and `f64`.
#[diagnostic::on_unimplemented(
    message = "this needs floating-point numbers, and `{Self}` is none",
    note = "only `f32` and `f64` tensors have gradients and transcendental functions"
)]
pub trait Float: Number + Format + num_traits::Float + num_traits::NumAssign + std::iter::Sum {
    /// This number, rounded to the type.
    fn of(value: f64) -> Self;
    /// This number as an f64.
    fn as_f64(self) -> f64;

    /// This type's member of a family.
    #[doc(hidden)]
    fn pick<F: Family>(both: &PerFloat<F>) -> &F::Of<Self>;
    /// This type's member of a family, as one of the two.
    #[doc(hidden)]
    fn wrap<F: Family>(one: F::Of<Self>) -> AnyFloat<F>;
    /// The reverse of [`Float::wrap`]: `None` if it is the other type's.
    #[doc(hidden)]
    fn unwrap<F: Family>(any: AnyFloat<F>) -> Option<F::Of<Self>>;
}

macro_rules! float {
    ($($type:ident $variant:ident;)*) => { $(
        impl Element for $type {
            const NAME: &'static str = stringify!($type);
            fn by_kind<C: ByKind<Self>>(choice: C) -> C::Result {
                choice.float()
            }
        }
        impl Number for $type {}
        impl Float for $type {
            #[inline]
            fn of(value: f64) -> Self {
                value as $type
            }
            #[inline]
            fn as_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline]
            fn pick<F: Family>(both: &PerFloat<F>) -> &F::Of<Self> {
                &both.$type
            }
            #[inline]
            fn wrap<F: Family>(one: F::Of<Self>) -> AnyFloat<F> {
                AnyFloat::$variant(one)
            }
            #[inline]
            fn unwrap<F: Family>(any: AnyFloat<F>) -> Option<F::Of<Self>> {
                match any {
                    AnyFloat::$variant(one) => Some(one),
                    _ => None,
                }
            }
        }
    )* };
}
float! {
    f32 F32;
    f64 F64;
}

/// A type for each type of floating-point numbers.
pub trait Family {
    /// The member for `E`.
    type Of<E: Float>;
}

/// Both members of a family.
pub struct PerFloat<F: Family> {
    pub f32: F::Of<f32>,
    pub f64: F::Of<f64>,
}

/// One of the two members of a family.
pub enum AnyFloat<F: Family> {
    /// That of `f32`.
    F32(F::Of<f32>),
    /// That of `f64`.
    F64(F::Of<f64>),
}

impl<F: Family> AnyFloat<F> {
    /// Whether `other`, of any family, is of the same type of numbers.
    pub(crate) fn same_type<G: Family>(&self, other: &AnyFloat<G>) -> bool {
        matches!((self, other), (AnyFloat::F32(_), AnyFloat::F32(_)) | (AnyFloat::F64(_), AnyFloat::F64(_)))
    }

    /// The name of the type of the numbers.
    pub fn element(&self) -> &'static str {
        match self {
            AnyFloat::F32(_) => "f32",
            AnyFloat::F64(_) => "f64",
        }
    }
}

impl<F: Family> Clone for AnyFloat<F>
where
    F::Of<f32>: Clone,
    F::Of<f64>: Clone,
{
    fn clone(&self) -> Self {
        match self {
            AnyFloat::F32(one) => AnyFloat::F32(one.clone()),
            AnyFloat::F64(one) => AnyFloat::F64(one.clone()),
        }
    }
}

impl<F: Family> Copy for AnyFloat<F>
where
    F::Of<f32>: Copy,
    F::Of<f64>: Copy,
{
}

impl<F: Family> PartialEq for AnyFloat<F>
where
    F::Of<f32>: PartialEq,
    F::Of<f64>: PartialEq,
{
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (AnyFloat::F32(a), AnyFloat::F32(b)) => a == b,
            (AnyFloat::F64(a), AnyFloat::F64(b)) => a == b,
            _ => false,
        }
    }
}

impl<F: Family> std::fmt::Debug for AnyFloat<F>
where
    F::Of<f32>: std::fmt::Debug,
    F::Of<f64>: std::fmt::Debug,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AnyFloat::F32(one) => one.fmt(f),
            AnyFloat::F64(one) => one.fmt(f),
        }
    }
}

/// Evaluates an expression with whichever member an [`AnyFloat`] holds: `for_float!(any, values => values.len())`. (A
/// macro, since a closure has only one argument type.)
macro_rules! for_float {
    ($any:expr, $one:pat => $result:expr) => {
        match $any {
            $crate::numbers::AnyFloat::F32($one) => $result,
            $crate::numbers::AnyFloat::F64($one) => $result,
        }
    };
}
pub(crate) use for_float;
