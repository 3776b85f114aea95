//! The two tables between [`Const`] and typenum's numbers, written by `build.rs` (which says why they exist).

use super::dim::{Const, Dim};
use typenum::{B0, B1, UInt, UTerm};

/// The typenum number of a `Const`.
#[diagnostic::on_unimplemented(
    message = "the compiler does not compute with a size of {Self}: it is outside the table of sizes",
    note = "the table holds sizes up to 2048: a `usize` dimension works for any size"
)]
pub trait ToNumber {
    type Number;
}

/// A typenum number cut into its low eight bits and the rest.
pub trait Split {
    type High;
    type Low;
}

/// The way back: the `Const` whose low bits are `Self` and whose other bits are `High`.
#[diagnostic::on_unimplemented(
    message = "a size that the compiler computes here is outside the table of sizes",
    label = "outside the table of sizes",
    note = "it knows every result up to 8192 and m * 2^e (m < 1024) up to 262144: a `usize` dimension works for any size"
)]
pub trait Join<High> {
    type Dim: Dim + Default;
}

/// The `Const` of a typenum number.
pub trait ToDim {
    type Dim: Dim + Default;
}

impl<N: Split> ToDim for N
where
    N::Low: Join<N::High>,
{
    type Dim = <N::Low as Join<N::High>>::Dim;
}

include!(concat!(env!("OUT_DIR"), "/sizes.rs"));
