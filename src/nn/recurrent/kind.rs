//! What recurrent layers differ in: their cell, and what they remember.

use super::lstm_state::LstmState;
use crate::ops::{CellOp, GRU, LSTM, RNN_RELU, RNN_TANH, States};
use crate::shape::{Const, Dim};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
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
