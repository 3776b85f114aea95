//! Walking the tape backwards.

use super::gradients::Gradients;
use super::{Mode, Trace, Traced};
use crate::memory::Storage;
use crate::shape::{Shape, shapes_differ};
use crate::tape::{Node, OnParameter, walk};
use crate::tensor::{Float, Tensor};

/// What `backward` can start from: a scalar on a tape.
#[diagnostic::on_unimplemented(
    message = "`backward` needs a traced scalar, and this is `{Self}`",
    label = "not a traced scalar",
    note = "take `.mean()`, `.sum()` or a loss of a tensor that came from `tape.trace(..)` or `tape.watch(..)`"
)]
pub trait TracedScalar {}
impl<E: Float, M: Mode> TracedScalar for Tensor<(), E, Traced<M>> {}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The gradient of this scalar with respect to every parameter and watched input that it depends on.
    ///
    /// The tape is used up: nothing can be recorded on it afterwards.
    ///
    /// # Panics
    /// If `backward` ran on this tape before.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let tape = Tape::inference();
    /// let x = tape.watch(Tensor::from([3.0, 4.0]));
    /// let length = (x.clone() * x.clone()).sum().sqrt();
    /// assert_eq!(length.backward().of_input(&x).to_array(), [0.6, 0.8]);
    /// ```
    #[track_caller]
    pub fn backward(self) -> Gradients
    where
        Self: TracedScalar,
    {
        Gradients::found(walk(place(&self), Storage::filled(1, E::one()), None))
    }
}

impl<S: Shape, E: Float, M: Mode> Tensor<S, E, Traced<M>> {
    /// The product of a vector with the Jacobian: the gradient of the scalar `sum(upstream * self)`, for a tensor of
    /// any shape. `upstream` is the gradient that arrives from outside.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree, or `backward` ran on this tape before.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let tape = Tape::inference();
    /// let x = tape.watch(Tensor::from([1.0, 2.0, 3.0]));
    /// let squares = x.clone() * x.clone();
    /// let gradients = squares.vector_jacobian(Tensor::from([1.0, 0.0, -1.0]));
    /// assert_eq!(gradients.of_input(&x).to_array(), [2.0, 0.0, -6.0]);
    /// ```
    #[track_caller]
    pub fn vector_jacobian(self, upstream: Tensor<S, E>) -> Gradients {
        if self.shape() != upstream.shape() {
            shapes_differ("vector_jacobian", self.shape(), upstream.shape());
        }
        Gradients::found(walk(place(&self), upstream.into_storage(), None))
    }
}

impl<E: Float, M: Mode> Tensor<(), E, Traced<M>> {
    /// The gradients of `upstream` times this; `on_parameter` takes those of parameters while the backward pass runs.
    #[track_caller]
    pub(crate) fn backward_telling(self, upstream: E, on_parameter: OnParameter<'_>) -> Gradients {
        Gradients::found(walk(place(&self), Storage::filled(1, upstream), Some(on_parameter)))
    }
}

fn place<S: Shape, E: Float, T: Trace>(value: &Tensor<S, E, T>) -> &Node {
    value.trace().node().expect("a traced tensor is on a tape")
}
