//! Whether a value is recorded, and in which mode: the third parameter of tensors.

use super::nodes::Node;
use std::fmt;
use std::marker::PhantomData;

pub mod sealed {
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

impl<M> fmt::Debug for Traced<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Traced {{ entry: {:?} }}", self.node.id)
    }
}

/// Layers behave as in training: dropout is active, batch norm uses the batch and records its statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Training;

/// Layers behave as in inference, but gradients are recorded: for explanations, adversarial examples.
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
    /// The trace of the same value in a part that [runs in inference mode](crate::nn::Eval).
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

/// What a part in inference mode can return: converted back into values of trace `T`. See [`Eval`](crate::nn::Eval).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how it comes back from a part in inference mode",
    note = "tensors do, and tuples, arrays, `Vec`s and `Option`s of them; a type of your own implements `BackTo`"
)]
pub trait BackTo<T> {
    /// The same with traces of the mode outside.
    type Restored;
    /// The same values, seen in the mode outside.
    fn back(self) -> Self::Restored;
}

impl<T: Trace> BackTo<T> for NoTrace {
    type Restored = NoTrace;
    fn back(self) -> NoTrace {
        self
    }
}
impl<M: Mode> BackTo<Traced<M>> for Traced<Inference> {
    type Restored = Traced<M>;
    fn back(self) -> Traced<M> {
        Traced { node: self.node, mode: PhantomData }
    }
}
/// The input was not on a tape, and the part used a value that is on one for inference.
impl BackTo<NoTrace> for Traced<Inference> {
    type Restored = Self;
    fn back(self) -> Self {
        self
    }
}

/// A value with trace `Self` can meet one with trace `Right` in an operation; the result has trace `Out`.
#[diagnostic::on_unimplemented(
    message = "a value of mode `{Self}` cannot meet one of mode `{Right}`",
    note = "both come from tapes, one for training and one for inference: bring all values of a computation onto one \
            tape"
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
