//! The initial states of recurrent layers.

use super::direction::{Bidirectional, Unidirectional};
use super::kind::{Hidden, LstmGates, RecurrentKind};
use super::lstm_state::LstmState;
use crate::ops::States;
use crate::shape::{Const, Dim, Features, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// A possible initial state of a recurrent layer.
///
/// A tensor (B, H) for [`Rnn`](super::Rnn) and [`Gru`](super::Gru), an [`LstmState`] for [`Lstm`](super::Lstm).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of this layer, which has {H} features for each sequence of its input",
    label = "the state of a `{K}` layer is expected, of width {H} and for a batch of `{B}`",
    note = "a state is a tensor (batch, {H}) for `Rnn` and `Gru`, and an `LstmState` of two such tensors for `Lstm`; \
            it is on the tape of the input"
)]
pub trait InitialState<K, B, const H: usize, E, T> {
    #[doc(hidden)]
    #[track_caller]
    fn into_parts(self) -> States<B, H, E, T>;
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

#[diagnostic::do_not_recommend]
impl<K: RecurrentKind<StateKind = Hidden>, B: Dim, S: Features<H>, const H: usize, E: Float, T: Trace>
    InitialState<K, B, H, E, T> for Tensor<(B, S), E, T>
{
    fn into_parts(self) -> States<B, H, E, T> {
        [fit(K::op().name, self), None]
    }
}

#[diagnostic::do_not_recommend]
impl<B: Dim, S: Features<H>, const H: usize, E: Float, T: Trace> InitialState<LstmGates, B, H, E, T>
    for LstmState<B, S, E, T>
{
    fn into_parts(self) -> States<B, H, E, T> {
        let name = LstmGates::op().name;
        [fit(name, self.hidden), fit(name, self.cell)]
    }
}

/// The initial states of all layers of a recurrent network: an array with one for each layer, or two, forward and
/// backward, in both directions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold the states of {LAYERS} layers, `{D}`",
    note = "the states are an array with one for each layer, `[state; {LAYERS}]`, and of a bidirectional layer with \
            two for each, `[[forward, backward]; {LAYERS}]`"
)]
pub trait InitialStates<K, B, const H: usize, const LAYERS: usize, D, E, T> {
    /// Layer by layer, and in each direction by direction.
    #[doc(hidden)]
    #[track_caller]
    fn into_parts(self) -> Vec<States<B, H, E, T>>;
}

/// A loop, not `map`, whose panics would not be at the caller's line.
#[track_caller]
fn parts<K, B, S: InitialState<K, B, H, E, T>, const H: usize, E, T>(
    states: impl IntoIterator<Item = S>,
) -> Vec<States<B, H, E, T>> {
    let mut parts = Vec::new();
    for state in states {
        parts.push(state.into_parts());
    }
    parts
}

impl<K, B, S: InitialState<K, B, H, E, T>, const H: usize, const LAYERS: usize, E, T>
    InitialStates<K, B, H, LAYERS, Unidirectional, E, T> for [S; LAYERS]
{
    fn into_parts(self) -> Vec<States<B, H, E, T>> {
        parts(self)
    }
}

impl<K, B, S: InitialState<K, B, H, E, T>, const H: usize, const LAYERS: usize, E, T>
    InitialStates<K, B, H, LAYERS, Bidirectional, E, T> for [[S; 2]; LAYERS]
{
    fn into_parts(self) -> Vec<States<B, H, E, T>> {
        parts(self.into_iter().flatten())
    }
}

/// The lengths of the sequences of a batch: a tensor (B) of indices.
///
/// A named requirement, rather than simply that tensor in the layer's signature, for the sake of the compiler's error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold the lengths of the sequences of a batch of `{B}`",
    note = "besides its input a recurrent layer takes the lengths, a `Tensor<(B,), usize>` that is not on a tape, or \
            states, an array with one for each layer: a state alone is `(x, [state])`, for an LSTM an `LstmState` in \
            an array"
)]
pub trait SequenceLengths<B: Dim> {
    #[doc(hidden)]
    fn into_lengths(self) -> Tensor<(B,), usize>;
}

#[diagnostic::do_not_recommend]
impl<B: Dim> SequenceLengths<B> for Tensor<(B,), usize> {
    fn into_lengths(self) -> Tensor<(B,), usize> {
        self
    }
}
