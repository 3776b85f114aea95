//! Recording what a computation did, and walking it backwards.
//!
//! A tensor's third type parameter says whether it is recorded: [`NoTrace`] computes and records nothing;
//! [`Traced<Training>`](Traced) and [`Traced<Inference>`](Traced) come from a [`Tape`] and record every operation.
//! The mode is in the type because layers behave differently in the two: dropout drops in training only, batch norm
//! uses the statistics of the batch there.
//!
//! ```
//! use taut::prelude::*;
//! let tape = Tape::inference();
//! let x = tape.watch(Tensor::from([1.0, 2.0, 3.0]));
//! let y = (x.clone() * x.clone()).sum();
//! let gradients = y.backward();
//! assert_eq!(gradients.of_input(&x).to_array(), [2.0, 4.0, 6.0]);
//! ```
//!
//! # How it works
//!
//! [`Tape`] is a list of nodes, one for each operation whose result depends on something that wants a gradient. A
//! node knows how to turn the gradient of its result into the gradients of its operands (`record.rs`). `backward` puts
//! a 1 at the last node and walks the list from its end (`backward.rs`). Nodes hold plain buffers,
//! never traced tensors, so there is no cycle and no recursion, whatever the length of the list.

mod backward;
mod check;
mod custom;
mod evaluation;
mod frozen;
mod gradients;
mod notes;
mod place;
mod record;
mod rows;
mod tape;

pub use backward::TracedScalar;
pub use check::{GradientMismatch, Inputs, check_gradients, check_parameter_gradients};
pub use custom::{Operands, Untraced, custom};
pub(crate) use evaluation::without_trace;
pub use evaluation::{BackTo, ToInference};
pub(crate) use frozen::FrozenHere;
pub use gradients::Gradients;
pub(crate) use gradients::{AnyStorage, Gradient, Update};
pub(crate) use notes::{LayerNote, RunningLayer, layers_of, note_multiply_adds, note_parameter};
pub use place::Place;
pub use record::Parents;
pub(crate) use record::{constant, record, record_each};
pub(crate) use rows::Rows;
pub(crate) use tape::Node;
pub use tape::Tape;

use std::marker::PhantomData;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::NoTrace {}
    impl<M: super::Mode> Sealed for super::Traced<M> {}
    impl Sealed for super::Training {}
    impl Sealed for super::Inference {}
}

/// The trace of a tensor that is not on a tape: nothing is recorded, at no cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoTrace;

/// The trace of a tensor on a tape of mode `M`.
#[derive(Clone)]
pub struct Traced<M> {
    node: Node,
    mode: PhantomData<M>,
}

/// Layers behave as in training: dropout drops, batch norm uses the batch and notes its statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Training;

/// Layers behave as in use, while gradients are recorded all the same: explanations, adversarial examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inference;

/// [`Training`] or [`Inference`].
pub trait Mode: sealed::Sealed + Copy + 'static {
    /// Whether layers behave as in training.
    const TRAINING: bool;
}
impl Mode for Training {
    const TRAINING: bool = true;
}
impl Mode for Inference {
    const TRAINING: bool = false;
}

/// The third parameter of a tensor: [`NoTrace`] or [`Traced`].
pub trait Trace: sealed::Sealed + Clone + 'static + Merge<NoTrace, Out = Self> + Merge<Self, Out = Self> {
    /// Whether layers behave as in training.
    const TRAINING: bool;
    /// The trace of the same value in a part that [behaves as in use](crate::nn::Eval).
    type Inference: Trace + BackTo<Self, Restored = Self>;
    #[doc(hidden)]
    fn to_inference(self) -> Self::Inference;
    #[doc(hidden)]
    fn node(&self) -> Option<&Node>;
    /// The trace of a result; `node` is `None` only for [`NoTrace`].
    #[doc(hidden)]
    fn from_node(node: Option<Node>) -> Self;
}

impl Trace for NoTrace {
    const TRAINING: bool = false;
    type Inference = NoTrace;
    fn to_inference(self) -> NoTrace {
        self
    }
    #[inline]
    fn node(&self) -> Option<&Node> {
        None
    }
    #[inline]
    fn from_node(_: Option<Node>) -> Self {
        NoTrace
    }
}

impl<M: Mode> Trace for Traced<M> {
    const TRAINING: bool = M::TRAINING;
    type Inference = Traced<Inference>;
    fn to_inference(self) -> Traced<Inference> {
        Traced { node: self.node, mode: PhantomData }
    }
    #[inline]
    fn node(&self) -> Option<&Node> {
        Some(&self.node)
    }
    #[inline]
    fn from_node(node: Option<Node>) -> Self {
        Traced { node: node.expect("the result of a traced operand is traced"), mode: PhantomData }
    }
}

/// A value with trace `Self` can meet one with trace `Right` in an operation; the result has trace `Out`.
#[diagnostic::on_unimplemented(
    message = "a value of mode `{Self}` cannot meet one of mode `{Right}`",
    note = "both come from tapes, one for training and one for inference: bring all values of a computation onto one tape"
)]
pub trait Merge<Right>: Sized {
    /// The trace of the result: traced if one of the operands is.
    type Out: Trace;
}
/// The trace of a result of operands with the traces `T` and `R`.
pub type Merged<T, R> = <T as Merge<R>>::Out;

impl<R: Trace> Merge<R> for NoTrace {
    type Out = R;
}
impl<M: Mode> Merge<NoTrace> for Traced<M> {
    type Out = Self;
}
impl<M: Mode> Merge<Traced<M>> for Traced<M> {
    type Out = Self;
}
