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

/// A typenum number split into its low eight bits and the rest.
pub trait Split {
    type High;
    type Low;
}

/// The way back: the `Const` whose low bits are `Self` and whose other bits are `High`, or [`OutsideTheTable`].
pub trait Join<High> {
    type Dim;
}

/// Stands for the numbers that are not in the table. A dimension, though none that there is: so that rustc says that
/// the size is not in the table, and not, too, that a shape of it is none.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum OutsideTheTable {}
impl Dim for OutsideTheTable {
    const STATIC: Option<usize> = None;
    fn size(self) -> usize {
        match self {}
    }
    fn from_size(_: usize) -> Option<Self> {
        None
    }
}

/// The `Const` of a typenum number, or [`OutsideTheTable`].
pub trait Lookup {
    type Dim;
}

impl<N: Split> Lookup for N
where
    N::Low: Join<N::High>,
{
    type Dim = <N::Low as Join<N::High>>::Dim;
}

/// A size from the table.
#[diagnostic::on_unimplemented(
    message = "a size that the compiler computes here is outside the table of sizes",
    label = "outside the table of sizes",
    note = "it knows every result up to 8192 and m * 2^e (m < 1024) up to 262144: a `usize` dimension works for any \
            size"
)]
pub trait Size: Dim + Default {}
impl<const N: usize> Size for Const<N> {}

include!(concat!(env!("OUT_DIR"), "/sizes.rs"));
