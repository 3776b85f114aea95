//! The types that a tensor can hold.

use super::math::Format;
use super::{AnyFloat, Family, PerFloat};
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

    /// Does what `choice` says of elements of this kind.
    #[doc(hidden)]
    #[track_caller]
    fn by_kind<C: ByKind<Self>>(choice: C) -> C::Result;
}

/// What is done with elements, by their kind: generic code for every [`Element`] that does something else with floats.
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

    /// The member of a family that is this type's.
    #[doc(hidden)]
    fn pick<F: Family>(both: &PerFloat<F>) -> &F::Of<Self>;
    /// The member of a family that is this type's, as one of the two.
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
