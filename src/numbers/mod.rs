//! Numbers: the element types of tensors, elementary functions for the kernels, eigenvalues, and the choice of code by
//! element type.

mod eigen;
mod element;
pub mod math;
mod random;
pub mod range;
mod slices;
mod special;

pub(crate) use eigen::symmetric_eigen;
pub(crate) use element::for_float;
pub use element::{AnyFloat, ByKind, Element, Family, Float, Index, Number, PerFloat};
pub use random::{Generator, GeneratorState};
pub use slices::{Values, ValuesMut};
pub(crate) use special::{of_special_name, special_name};
