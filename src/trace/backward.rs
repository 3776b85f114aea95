//! Walking the tape backwards.

use super::gradients::{Gradient, Gradients, Table};
use super::{Mode, Trace, Traced};
use crate::memory::Storage;
use crate::shape::Shape;
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
        walk(self.trace(), Storage::filled(1, E::one()))
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
            crate::ops::shapes_differ("vector_jacobian", self.shape(), upstream.shape());
        }
        walk(self.trace(), upstream.into_storage())
    }
}

#[track_caller]
fn walk<E: Float, T: Trace>(trace: &T, upstream: Storage<E>) -> Gradients {
    let node = trace.node().expect("a traced tensor is on a tape");
    let mut state = node.tape.state.borrow_mut();
    if state.closed {
        panic!("`backward` already ran on this tape: make a new tape for each forward pass");
    }
    state.closed = true;
    let mut nodes = std::mem::take(&mut state.nodes);
    let mut table = Table::new(nodes.len());
    let mut inputs = Vec::new();
    if node.needs_gradient() {
        // the results of operations that are watched, the last of them first
        let mut watched = state.watched.clone();
        watched.retain(|watched| *watched <= node.id && nodes[watched.index()].is_some());
        watched.sort_unstable();
        table.add(node.id, Gradient::Whole(E::wrap(upstream)));
        nodes.truncate(node.id.index() + 1);
        while let Some(entry) = nodes.pop() {
            let watched = watched.pop_if(|watched| watched.index() == nodes.len());
            // a leaf keeps its gradient in the table; an operation passes it on and frees what it saved
            if let Some(backward) = entry
                && let Some(gradient) = table.take_at(nodes.len())
            {
                if let Some(node) = watched {
                    inputs.push((node, gradient.clone()));
                }
                backward(gradient, &mut table);
                if let Some(wrong) = table.wrong.take() {
                    panic!("{wrong}");
                }
            }
        }
    }
    let parameters =
        state.parameters.iter().filter_map(|(&parameter, &node)| Some((parameter, table.take(node)?))).collect();
    inputs.extend(state.watched.iter().filter_map(|&node| Some((node, table.take(node)?.whole()))));
    let updates = std::mem::take(&mut state.updates);
    Gradients::new(node.tape.number, parameters, inputs, updates)
}
