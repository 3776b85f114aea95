//! The two tables between [`Const`] and typenum's numbers, written by `build.rs` (which says why they exist).

use super::dim::{Const, Dim};
use typenum::{B0, B1, UInt, UTerm};

/// The typenum number of a `Const`.
pub trait ToNumber {
    type Number;
}

/// A typenum number cut into its low six bits and the rest.
pub trait Split {
    type High;
    type Low;
}

/// The way back: the `Const` whose low bits are `Self` and whose other bits are `High`.
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
