//! The last step of a sequence.

use super::{Init, Module};
use crate::params::Parameters;
use crate::shape::{Dim, SequenceAxes};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Picks the last step of each sequence: (B, T, F) becomes (B, F). The input of a classifier after a recurrent layer.
///
/// # Panics
/// If the sequences have no steps.
///
/// ```
/// use taut::prelude::*;
/// type Classifier = (Lstm<8, 16>, LastStep, Linear<16, 3>);
/// let model = Classifier::init(&mut StdRng::seed_from_u64(0));
/// let logits: Tensor<Rank2<4, 3>> = model.forward(Tensor::<Rank3<4, 20, 8>>::ones());
/// ```
///
/// For sequences of different lengths, take the state that the layer returns instead: it is the state after each
/// sequence's own last step. Layers of a chain pass on one tensor, so this takes a custom module, here for batches of
/// [`Sequences`](crate::data::Sequences):
///
/// ```
/// use taut::prelude::*;
/// use taut::data::Sequences;
///
/// #[derive(Init, Parameters)]
/// struct Classifier {
///     words: Embedding<1000, 8>,
///     memory: Lstm<8, 16>,
///     output: Linear<16, 3>,
/// }
///
/// impl<B: Dim, L: Dim, T: Trace> Module<(Tensor<(B, L), usize, T>, Tensor<(B,), usize>)> for Classifier {
///     type Output = Tensor<(B, Const<3>), f32, T>;
///     fn apply(&self, (words, lengths): (Tensor<(B, L), usize, T>, Tensor<(B,), usize>)) -> Self::Output {
///         let (_, [state]) = self.memory.forward((self.words.forward(words), lengths));
///         self.output.forward(state.hidden)
///     }
/// }
///
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = Classifier::init(&mut rng);
/// let sentences = (Sequences::new([vec![3, 1, 2], vec![4]]), Tensor::from([0, 2]));
/// for ((words, lengths), labels) in sentences.batches_of(2, &mut rng) {
///     let tape = Tape::training(&mut rng);
///     let loss = model.forward((tape.trace(words), lengths)).cross_entropy(&labels);
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct LastStep;

impl<X: SequenceAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for LastStep {
    type Output = Tensor<(X::B, X::F), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let steps = x.shape().axes().1.size();
        assert!(steps > 0, "LastStep: sequences without a step have no last one");
        let shape = x.shape().axes();
        x.in_shape(shape).slice_at::<1>(steps - 1)
    }
}
