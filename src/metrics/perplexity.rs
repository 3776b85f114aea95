//! How surprised a model is by a text.

use super::WeightedMean;
use super::accuracy::{expect_class, rows};
use crate::loss::{ClassIndices, Logits};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// e to the mean cross-entropy of tokens: the number of equally likely tokens among which the model would be as
/// uncertain.
///
/// ```
/// use taut::metrics::Perplexity;
/// use taut::prelude::*;
/// let mut perplexity = Perplexity::default();
/// perplexity.add(&Tensor::<Rank2<2, 4>>::zeros(), &Tensor::from([0, 3])); // four equally likely ones
/// assert!((perplexity.value() - 4.0).abs() < 1e-12);
/// assert!((perplexity.bits() - 2.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Perplexity {
    mean: WeightedMean,
}

impl Perplexity {
    /// Adds the tokens of a batch, one per row. Computed in `f64`.
    ///
    /// # Panics
    /// If the run-time numbers of rows and labels differ, or a label is not one of the classes.
    #[track_caller]
    pub fn add<S: Logits, E: Float, T: Trace>(
        &mut self,
        logits: &Tensor<S, E, T>,
        labels: &impl ClassIndices<S::Batch>,
    ) {
        for (scores, label) in rows("Perplexity", logits, labels) {
            expect_class("Perplexity", label, scores.len());
            let largest = scores.iter().fold(f64::NEG_INFINITY, |largest, score| largest.max(score.as_f64()));
            // a NaN among the scores is in this sum
            let sum: f64 = scores.iter().map(|score| (score.as_f64() - largest).exp()).sum();
            self.mean.add(sum.ln() + largest - scores[label].as_f64(), 1);
        }
    }

    /// Adds the mean cross-entropy (in nats, as [`cross_entropy`](Tensor::cross_entropy) gives it) of this many tokens.
    pub fn add_loss(&mut self, mean: impl Into<f64>, tokens: usize) {
        self.mean.add(mean, tokens);
    }

    /// The perplexity. NaN without tokens.
    pub fn value(&self) -> f64 {
        self.mean.value().exp()
    }

    /// Its logarithm to the base 2: the bits per token. NaN without tokens.
    pub fn bits(&self) -> f64 {
        self.mean.value() / std::f64::consts::LN_2
    }

    /// The number of tokens.
    pub fn total(&self) -> usize {
        self.mean.total()
    }

    /// Adds the tokens of another one.
    pub fn merge(&mut self, other: &Self) {
        self.mean.merge(&other.mean);
    }

    /// Forgets all tokens.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}
