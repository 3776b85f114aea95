//! The last step of a sequence.

use super::{Init, Module, Parameters};
use crate::shape::Dim;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Picks the last step of each sequence: (B, T, F) becomes (B, F). What a classifier takes from a recurrent layer.
///
/// For sequences of different lengths, take the state that the layer returns instead: it is that after each sequence's
/// own last step.
///
/// # Panics
/// If the sequences have no step.
///
/// ```
/// use taut::prelude::*;
/// type Classifier = (Lstm<8, 16>, LastStep, Linear<16, 3>);
/// let model = Classifier::init(&mut StdRng::seed_from_u64(0));
/// let logits: Tensor<Rank2<4, 3>> = model.forward(Tensor::<Rank3<4, 20, 8>>::ones());
/// ```
#[derive(Clone, Copy, Debug, Default, Init, Parameters)]
pub struct LastStep;

impl<B: Dim, L: Dim, F: Dim, E: Float, T: Trace> Module<Tensor<(B, L, F), E, T>> for LastStep {
    type Output = Tensor<(B, F), E, T>;
    fn apply(&self, x: Tensor<(B, L, F), E, T>) -> Self::Output {
        let steps = x.shape().1.size();
        assert!(steps > 0, "LastStep: sequences without a step have no last one");
        x.slice_at::<1>(steps - 1)
    }
}
