//! Layers, and what models are made of.

mod activation;
mod linear;
mod module;
mod param;
mod parameters;
mod tuple;

pub use activation::{Relu, Sigmoid};
pub use linear::Linear;
pub use module::{Forward, Init, Module, check};
pub use param::{Buffer, Param};
pub use parameters::{Kind, Leaf, LeafMut, Parameters, Path, Values, ValuesMut, Visitor, VisitorMut};
pub use taut_macros::{Init, Module, Parameters};
