//! What recurrent layers differ in: their cell, and what they remember.

use crate::ops::{CellOp, GRU, LSTM, RNN_RELU, RNN_TANH, States};
use crate::shape::{Const, Dim, Features, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::{NoTrace, Trace};
use std::fmt::Debug;

/// A recurrent cell: [`Elman`], [`ElmanRelu`], [`LstmGates`] or [`GruGates`].
pub trait RecurrentKind: Clone + Debug + 'static {
    /// How many gates it has.
    type Gates: Dim + Default;
    /// What it remembers from step to step.
    type State<B: Dim, const H: usize, E: Float, T: Trace>;
    /// h of a state.
    fn hidden<B: Dim, const H: usize, E: Float, T: Trace>(
        state: Self::State<B, H, E, T>,
    ) -> Tensor<(B, Const<H>), E, T>;
    #[doc(hidden)]
    fn op() -> &'static CellOp;
    #[doc(hidden)]
    fn state<B: Dim, const H: usize, E: Float, T: Trace>(parts: States<B, H, E, T>) -> Self::State<B, H, E, T>;
}

/// Kinds whose state is one tensor, h.
pub trait HiddenOnly: RecurrentKind {}

/// What a recurrent layer can begin with.
///
/// A tensor (B, H) for [`Rnn`](super::Rnn) and [`Gru`](super::Gru), an [`LstmState`] for [`Lstm`](super::Lstm).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of this layer, of {H} features for each sequence of its input",
    note = "a state is a tensor (batch, {H}) for `Rnn` and `Gru`, and an `LstmState` of two such tensors for `Lstm`; it is on the tape of the input"
)]
pub trait InitialState<K, B, const H: usize, E, T> {
    #[doc(hidden)]
    #[track_caller]
    fn into_parts(self) -> States<B, H, E, T>;
}

/// The state of an LSTM: h and c.
#[derive(Clone, Debug)]
pub struct LstmState<B: Dim, S: Dim, E: Float = f32, T: Trace = NoTrace> {
    /// h, (B, H)
    pub hidden: Tensor<(B, S), E, T>,
    /// c, (B, H)
    pub cell: Tensor<(B, S), E, T>,
}

impl<B: Dim, S: Dim, E: Float, T: Trace> LstmState<B, S, E, T> {
    /// The state without its tape: where backpropagation through time is cut off.
    pub fn detach(&self) -> LstmState<B, S, E> {
        LstmState { hidden: self.hidden.detach(), cell: self.cell.detach() }
    }
}

impl<B: Dim, S: Dim, E: Float> LstmState<B, S, E> {
    /// The state on a tape.
    pub fn trace<M: crate::trace::Mode>(
        self,
        tape: &crate::trace::Tape<M>,
    ) -> LstmState<B, S, E, crate::trace::Traced<M>> {
        LstmState { hidden: tape.trace(self.hidden), cell: tape.trace(self.cell) }
    }
}

/// A part of a state whose size is known to fit.
#[track_caller]
fn fit<B: Dim, S: Dim, const H: usize, E: Float, T: Trace>(
    kind: &str,
    part: Tensor<(B, S), E, T>,
) -> Option<Tensor<(B, Const<H>), E, T>> {
    let ((batch, features), storage, trace) = part.into_parts();
    expect_size(kind, "features of the state", H, features);
    Some(Tensor::from_parts((batch, Const), storage, trace))
}

impl<K: HiddenOnly, B: Dim, S: Features<H>, const H: usize, E: Float, T: Trace> InitialState<K, B, H, E, T>
    for Tensor<(B, S), E, T>
{
    fn into_parts(self) -> States<B, H, E, T> {
        [fit(K::op().name, self), None]
    }
}

impl<B: Dim, S: Features<H>, const H: usize, E: Float, T: Trace> InitialState<LstmGates, B, H, E, T>
    for LstmState<B, S, E, T>
{
    fn into_parts(self) -> States<B, H, E, T> {
        let name = LstmGates::op().name;
        [fit(name, self.hidden), fit(name, self.cell)]
    }
}

const HAS_STATE: &str = "every recurrent layer has a state";

/// h = tanh(W x + b + U h' + c)
#[derive(Clone, Copy, Debug, Default)]
pub struct Elman;
impl RecurrentKind for Elman {
    type Gates = Const<1>;
    type State<B: Dim, const H: usize, E: Float, T: Trace> = Tensor<(B, Const<H>), E, T>;
    fn hidden<B: Dim, const H: usize, E: Float, T: Trace>(
        state: Self::State<B, H, E, T>,
    ) -> Tensor<(B, Const<H>), E, T> {
        state
    }
    fn op() -> &'static CellOp {
        &RNN_TANH
    }
    fn state<B: Dim, const H: usize, E: Float, T: Trace>([hidden, _]: States<B, H, E, T>) -> Self::State<B, H, E, T> {
        hidden.expect(HAS_STATE)
    }
}
impl HiddenOnly for Elman {}

/// h = relu(W x + b + U h' + c)
#[derive(Clone, Copy, Debug, Default)]
pub struct ElmanRelu;
impl RecurrentKind for ElmanRelu {
    type Gates = Const<1>;
    type State<B: Dim, const H: usize, E: Float, T: Trace> = Tensor<(B, Const<H>), E, T>;
    fn hidden<B: Dim, const H: usize, E: Float, T: Trace>(
        state: Self::State<B, H, E, T>,
    ) -> Tensor<(B, Const<H>), E, T> {
        state
    }
    fn op() -> &'static CellOp {
        &RNN_RELU
    }
    fn state<B: Dim, const H: usize, E: Float, T: Trace>([hidden, _]: States<B, H, E, T>) -> Self::State<B, H, E, T> {
        hidden.expect(HAS_STATE)
    }
}
impl HiddenOnly for ElmanRelu {}

/// The gates i, f, g, o of an LSTM, in this order.
#[derive(Clone, Copy, Debug, Default)]
pub struct LstmGates;
impl RecurrentKind for LstmGates {
    type Gates = Const<4>;
    type State<B: Dim, const H: usize, E: Float, T: Trace> = LstmState<B, Const<H>, E, T>;
    fn hidden<B: Dim, const H: usize, E: Float, T: Trace>(
        state: Self::State<B, H, E, T>,
    ) -> Tensor<(B, Const<H>), E, T> {
        state.hidden
    }
    fn op() -> &'static CellOp {
        &LSTM
    }
    fn state<B: Dim, const H: usize, E: Float, T: Trace>(parts: States<B, H, E, T>) -> Self::State<B, H, E, T> {
        let [hidden, cell] = parts.map(|part| part.expect(HAS_STATE));
        LstmState { hidden, cell }
    }
}

/// The gates r, z, n of a GRU, in this order.
#[derive(Clone, Copy, Debug, Default)]
pub struct GruGates;
impl RecurrentKind for GruGates {
    type Gates = Const<3>;
    type State<B: Dim, const H: usize, E: Float, T: Trace> = Tensor<(B, Const<H>), E, T>;
    fn hidden<B: Dim, const H: usize, E: Float, T: Trace>(
        state: Self::State<B, H, E, T>,
    ) -> Tensor<(B, Const<H>), E, T> {
        state
    }
    fn op() -> &'static CellOp {
        &GRU
    }
    fn state<B: Dim, const H: usize, E: Float, T: Trace>([hidden, _]: States<B, H, E, T>) -> Self::State<B, H, E, T> {
        hidden.expect(HAS_STATE)
    }
}
impl HiddenOnly for GruGates {}
