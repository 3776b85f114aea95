//! A tensor, or a number that stands for one, as comparisons, `select`, `minimum` and `maximum` accept.

use crate::kernels::mask::Source;
use crate::shape::Shape;
use crate::shape::shapes_differ;
use crate::tape::Node;
use crate::tensor::{Element, Tensor};
use crate::trace::{NoTrace, Trace};

/// A tensor of shape `S`, by value or by reference, or a number in place of a constant tensor.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a tensor of shape {S} nor a number, of type `{E}`",
    note = "both sides have the same shape and the same type of elements"
)]
pub trait TensorOrNumber<S, E> {
    /// The trace of the tensor, [`NoTrace`] for a number.
    type Trace: Trace;
    #[doc(hidden)]
    fn into_elements(self) -> Elements<S, E, Self::Trace>;
}

/// What a [`TensorOrNumber`] is.
#[doc(hidden)]
pub enum Elements<S, E, T> {
    Tensor(Tensor<S, E, T>),
    Number(E),
}

impl<S: Shape, E: Element, T: Trace> TensorOrNumber<S, E> for Tensor<S, E, T> {
    type Trace = T;
    fn into_elements(self) -> Elements<S, E, T> {
        Elements::Tensor(self)
    }
}
impl<S: Shape, E: Element, T: Trace> TensorOrNumber<S, E> for &Tensor<S, E, T> {
    type Trace = T;
    fn into_elements(self) -> Elements<S, E, T> {
        Elements::Tensor(self.clone())
    }
}
impl<S: Shape, E: Element> TensorOrNumber<S, E> for E {
    type Trace = NoTrace;
    fn into_elements(self) -> Elements<S, E, NoTrace> {
        Elements::Number(self)
    }
}

impl<S: Shape, E: Element, T: Trace> Elements<S, E, T> {
    /// The node on the tape.
    pub(super) fn node(&self) -> Option<&Node> {
        match self {
            Elements::Tensor(tensor) => tensor.trace().node(),
            Elements::Number(_) => None,
        }
    }

    /// The elements, for a tensor of shape `expected`.
    #[track_caller]
    pub(super) fn source(&self, operation: &str, expected: S) -> Source<'_, E> {
        match self {
            Elements::Tensor(tensor) => {
                if tensor.shape() != expected {
                    shapes_differ(operation, expected, tensor.shape());
                }
                Source::Each(tensor.as_slice())
            }
            Elements::Number(number) => Source::One(*number),
        }
    }
}
