//! Numbers: the types that a tensor can hold, the functions of one number that loops are made of, and how what is made
//! for each type is chosen by the type.

mod element;
mod family;
pub mod math;

pub use element::{ByKind, Element, Float, Index, Number};
pub(crate) use family::for_float;
pub use family::{AnyFloat, Family, PerFloat};
