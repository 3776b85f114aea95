//! What models hold: parameters and buffers, and the visitors that walk over them.

mod check;
mod ema;
mod gradients;
mod pair;
mod param;
mod parameters;

pub use crate::numbers::{Values, ValuesMut};
pub use check::{GradientMismatch, Inputs, check_gradients, check_parameter_gradients};
pub use ema::Ema;
pub use pair::Pairs;
pub use param::{Buffer, Param};
pub use parameters::{Kind, Leaf, LeafMut, ParameterPath, Parameters, Visitor, VisitorMut};
pub(crate) use parameters::{each_parameter, each_parameter_mut};
pub use taut_macros::Parameters;
