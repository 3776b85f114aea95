//! The state of an LSTM.

use crate::shape::Dim;
use crate::tensor::{Float, Tensor};
use crate::trace::{BackTo, Mode, NoTrace, Place, Tape, ToInference, Trace, Traced};

/// The state of an LSTM: h and c.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = Lstm::<3, 5>::init(&mut rng);
/// let zeros = Tensor::<Rank2<2, 5>>::zeros();
/// let state = LstmState { hidden: zeros.clone(), cell: zeros };
///
/// let tape = Tape::training(&mut rng);
/// let x = tape.trace(Tensor::<Rank3<2, 7, 3>>::ones());
/// let (y, [last]) = model.forward((x, [state.trace(&tape)]));
/// let state: LstmState<Const<2>, Const<5>> = last.detach();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LstmState<B: Dim, S: Dim, E: Float = f32, T: Trace = NoTrace> {
    /// h, (B, H)
    pub hidden: Tensor<(B, S), E, T>,
    /// c, (B, H)
    pub cell: Tensor<(B, S), E, T>,
}

impl<B: Dim, S: Dim, E: Float, T: Trace> LstmState<B, S, E, T> {
    /// The state without its tape: truncates backpropagation through time.
    pub fn detach(&self) -> LstmState<B, S, E> {
        LstmState { hidden: self.hidden.detach(), cell: self.cell.detach() }
    }
}

impl<B: Dim, S: Dim, E: Float> LstmState<B, S, E> {
    /// The state as a constant where `place` is: on the tape of that value, if it is on one.
    pub fn on<P: Place>(self, place: &P) -> LstmState<B, S, E, P::Trace> {
        LstmState { hidden: self.hidden.on(place), cell: self.cell.on(place) }
    }

    /// The state on a tape.
    pub fn trace<M: Mode>(self, tape: &Tape<M>) -> LstmState<B, S, E, Traced<M>> {
        LstmState { hidden: tape.trace(self.hidden), cell: tape.trace(self.cell) }
    }
}

impl<B: Dim, S: Dim, E: Float, T: Trace> ToInference for LstmState<B, S, E, T> {
    type Trace = T;
    type Inference = LstmState<B, S, E, T::Inference>;
    fn to_inference(self) -> Self::Inference {
        LstmState { hidden: self.hidden.to_inference(), cell: self.cell.to_inference() }
    }
}

impl<B: Dim, S: Dim, E: Float, T, R: Trace + BackTo<T, Restored: Trace>> BackTo<T> for LstmState<B, S, E, R> {
    type Restored = LstmState<B, S, E, R::Restored>;
    fn back(self) -> Self::Restored {
        LstmState { hidden: self.hidden.back(), cell: self.cell.back() }
    }
}
