//! Numbers: the types that a tensor can hold, the functions of one number that loops are made of, and how what is made
//! for each type is chosen by the type.

mod element;
pub mod math;
mod random;
pub mod range;
mod slices;

pub(crate) use element::for_float;
pub use element::{AnyFloat, ByKind, Element, Family, Float, Index, Number, PerFloat};
pub use random::{Generator, GeneratorState};
pub use slices::{Values, ValuesMut};
