//! "f32 or f64", said once.
//!
//! A [`Family`] is a type for each type of floating-point numbers: a slice of them, a loop over them. [`PerFloat`] holds
//! both members of a family, of which generic code takes its own ([`Float::pick`]); [`AnyFloat`] holds one of the two, where
//! the type is known to the running program only ([`Float::wrap`], [`Float::unwrap`], [`for_float`]).
//!
//! So loops are compiled for both types in this crate, where a `static` holds pointers to them, and not again in each
//! program that uses them.

use super::Float;

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

/// Computes the same with whichever member an [`AnyFloat`] holds: `for_float!(any, values => values.len())`. (A macro,
/// for a closure has one type of argument.)
macro_rules! for_float {
    ($any:expr, $one:pat => $result:expr) => {
        match $any {
            $crate::numbers::AnyFloat::F32($one) => $result,
            $crate::numbers::AnyFloat::F64($one) => $result,
        }
    };
}
pub(crate) use for_float;
