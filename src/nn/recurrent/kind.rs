//! The kinds of recurrent layers: their cell and their state.

use super::lstm_state::LstmState;
use crate::ops::{CellOp, GRU, LSTM, RNN_RELU, RNN_TANH, States};
use crate::shape::{Const, Dim};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use std::fmt::Debug;

/// A recurrent cell: [`Elman`], [`ElmanRelu`], [`LstmGates`] or [`GruGates`].
pub trait RecurrentKind: Clone + Debug + 'static {
    /// The number of gates.
    type Gates: Dim + Default;
    /// Its state from step to step: [`Hidden`] or [`HiddenAndCell`].
    type StateKind: StateKind;
    #[doc(hidden)]
    fn op() -> &'static CellOp;
}

/// The state of a cell from step to step.
pub trait StateKind {
    /// As a value.
    type State<B: Dim, const H: usize, E: Float, T: Trace>;
    /// h of a state.
    fn hidden<B: Dim, const H: usize, E: Float, T: Trace>(
        state: Self::State<B, H, E, T>,
    ) -> Tensor<(B, Const<H>), E, T>;
    #[doc(hidden)]
    fn state<B: Dim, const H: usize, E: Float, T: Trace>(parts: States<B, H, E, T>) -> Self::State<B, H, E, T>;
}

const HAS_STATE: &str = "every recurrent layer has a state";

/// h alone, a tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden;
impl StateKind for Hidden {
    type State<B: Dim, const H: usize, E: Float, T: Trace> = Tensor<(B, Const<H>), E, T>;
    fn hidden<B: Dim, const H: usize, E: Float, T: Trace>(
        state: Self::State<B, H, E, T>,
    ) -> Tensor<(B, Const<H>), E, T> {
        state
    }
    fn state<B: Dim, const H: usize, E: Float, T: Trace>([hidden, _]: States<B, H, E, T>) -> Self::State<B, H, E, T> {
        hidden.expect(HAS_STATE)
    }
}

/// h and c, an [`LstmState`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HiddenAndCell;
impl StateKind for HiddenAndCell {
    type State<B: Dim, const H: usize, E: Float, T: Trace> = LstmState<B, Const<H>, E, T>;
    fn hidden<B: Dim, const H: usize, E: Float, T: Trace>(
        state: Self::State<B, H, E, T>,
    ) -> Tensor<(B, Const<H>), E, T> {
        state.hidden
    }
    fn state<B: Dim, const H: usize, E: Float, T: Trace>(parts: States<B, H, E, T>) -> Self::State<B, H, E, T> {
        let [hidden, cell] = parts.map(|part| part.expect(HAS_STATE));
        LstmState { hidden, cell }
    }
}

/// The state of a layer of kind `K`.
pub(super) type State<K, B, const H: usize, E, T> = <<K as RecurrentKind>::StateKind as StateKind>::State<B, H, E, T>;

/// h = tanh(W x + b + U h' + c)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elman;
impl RecurrentKind for Elman {
    type Gates = Const<1>;
    type StateKind = Hidden;
    fn op() -> &'static CellOp {
        &RNN_TANH
    }
}

/// h = relu(W x + b + U h' + c)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ElmanRelu;
impl RecurrentKind for ElmanRelu {
    type Gates = Const<1>;
    type StateKind = Hidden;
    fn op() -> &'static CellOp {
        &RNN_RELU
    }
}

/// The gates i, f, g, o of an LSTM, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LstmGates;
impl RecurrentKind for LstmGates {
    type Gates = Const<4>;
    type StateKind = HiddenAndCell;
    fn op() -> &'static CellOp {
        &LSTM
    }
}

/// The gates r, z, n of a GRU, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GruGates;
impl RecurrentKind for GruGates {
    type Gates = Const<3>;
    type StateKind = Hidden;
    fn op() -> &'static CellOp {
        &GRU
    }
}
