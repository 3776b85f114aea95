//! Bringing values onto a tape, in code that has a value on it but not the tape itself.

use super::{Mode, Tape, Trace, Traced};
use crate::shape::Shape;
use crate::tape::sealed;
use crate::tape::{Node, NodeId, Shared};
use crate::tensor::{Element, Float, Tensor};
use std::rc::Rc;

/// The place where a computation is recorded: a value on the tape, or the tape. See [`Tensor::on`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not on a tape",
    note = "`on` takes a tensor, traced or not, or a tape: a value of the computation, and not several"
)]
pub trait Place: sealed::Sealed {
    /// The trace of values that are brought there.
    type Trace: Trace;
    #[doc(hidden)]
    fn tape(&self) -> Option<&Rc<Shared>>;
}

impl<S: Shape, E: Element, T: Trace> sealed::Sealed for Tensor<S, E, T> {}
impl<S: Shape, E: Element, T: Trace> Place for Tensor<S, E, T> {
    type Trace = T;
    #[inline]
    fn tape(&self) -> Option<&Rc<Shared>> {
        self.trace().node().map(|node| &node.tape)
    }
}

impl<M: Mode> sealed::Sealed for Tape<M> {}
impl<M: Mode> Place for Tape<M> {
    type Trace = Traced<M>;
    fn tape(&self) -> Option<&Rc<Shared>> {
        Some(self.shared())
    }
}

impl<S: Shape, E: Element> Tensor<S, E> {
    /// This value as a constant where `place` is: on the tape of that value, if it is on one. It gets no gradient.
    ///
    /// This is for code that is generic over the trace: a mask, an initial state, or noise that a layer makes is
    /// brought to its input. A parameter comes with [`Param::on`](crate::params::Param::on).
    ///
    /// ```
    /// use taut::prelude::*;
    ///
    /// /// Starts a recurrent cell from its own state.
    /// fn first_step<T: Trace>(cell: &GruCell<3, 4>, x: Tensor<Rank2<2, 3>, f32, T>) -> Tensor<Rank2<2, 4>, f32, T> {
    ///     let state = Tensor::<Rank2<2, 4>>::ones().on(&x);
    ///     cell.forward((x, state))
    /// }
    ///
    /// let cell = GruCell::init(&mut StdRng::seed_from_u64(0));
    /// let tape = Tape::inference();
    /// let gradients = first_step(&cell, tape.trace(Tensor::ones())).sum().backward();
    /// assert!(gradients.try_of(&cell.weight_hh).is_some());
    /// assert_eq!(first_step(&cell, Tensor::ones()).count(), 8); // nothing is recorded here
    /// ```
    pub fn on<P: Place>(self, place: &P) -> Tensor<S, E, P::Trace> {
        let node = place.tape().map(|tape| Node { tape: tape.clone(), id: NodeId::CONSTANT });
        self.with_trace(P::Trace::from_node(node))
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// This value with its gradient requested: [`gradients.of_input(&x)`](super::Gradients::of_input). Continue with
    /// the result.
    ///
    /// [`Tape::watch`] does this for inputs; this works in the middle of a computation: to explain what a layer sees,
    /// or to find out where gradients vanish. Gradients still pass through to earlier values; where nothing earlier
    /// needs one, the computation of gradients begins here. A tensor that is not on a tape is returned unchanged.
    ///
    /// # Panics
    /// If `backward` already ran on this tape.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let tape = Tape::inference();
    /// let x = tape.watch(Tensor::from([3.0, 4.0]));
    /// let squares = x.clone().square().watch();
    /// let gradients = squares.clone().sum().sqrt().backward();
    /// assert_eq!(gradients.of_input(&squares).to_array(), [0.1, 0.1]);
    /// assert_eq!(gradients.of_input(&x).to_array(), [0.6, 0.8]);
    /// ```
    #[doc(alias = "retain_grad")]
    #[doc(alias = "requires_grad")]
    #[track_caller]
    pub fn watch(self) -> Self {
        let Some(node) = self.trace().node() else { return self };
        let id = if node.needs_gradient() { node.id } else { node.tape.add(None) };
        let node = Node { tape: node.tape.clone(), id };
        node.tape.watch(id);
        self.into_untraced().0.with_trace(T::from_node(Some(node)))
    }
}
