//! Decisions between two classes.

use crate::numbers::range::{a_number, expect};
use crate::shape::{Shape, show};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// The number of right and wrong decisions between yes and no, over any number of batches.
///
/// A score above the threshold means yes. The threshold is 0, as for logits, unless it is given: 0.5 for probabilities.
///
/// ```
/// use taut::metrics::BinaryConfusion;
/// use taut::prelude::*;
/// let mut confusion = BinaryConfusion::default();
/// confusion.add(&Tensor::from([3.0, -1.0, 0.5]), &Tensor::from([true, true, false]));
/// confusion.add(&Tensor::from([2.0]), &Tensor::from([true]));
/// assert_eq!((confusion.precision(), confusion.recall()), (2.0 / 3.0, 2.0 / 3.0));
/// assert_eq!(confusion.accuracy(), 0.5);
///
/// let mut of_probabilities = BinaryConfusion::with_threshold(0.5);
/// of_probabilities.add(&Tensor::from([0.9, 0.4]), &Tensor::from([true, true]));
/// assert_eq!(of_probabilities.recall(), 0.5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BinaryConfusion {
    threshold: f64,
    true_positives: usize,
    false_positives: usize,
    false_negatives: usize,
    true_negatives: usize,
}

impl BinaryConfusion {
    /// Scores above `threshold` mean yes.
    ///
    /// # Panics
    /// If the threshold is NaN.
    #[track_caller]
    pub fn with_threshold(threshold: f64) -> Self {
        expect(a_number("BinaryConfusion", "threshold", threshold));
        BinaryConfusion { threshold, ..Self::default() }
    }

    pub(super) fn of_counts(
        true_positives: usize,
        false_positives: usize,
        false_negatives: usize,
        true_negatives: usize,
    ) -> Self {
        BinaryConfusion { threshold: 0.0, true_positives, false_positives, false_negatives, true_negatives }
    }

    /// Counts the decisions of a batch of any shape. NaN means no.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn add<S: Shape, E: Float, T: Trace>(&mut self, scores: &Tensor<S, E, T>, labels: &Tensor<S, bool>) {
        same_shape("BinaryConfusion", scores.shape(), labels.shape());
        for (score, label) in scores.iter().zip(labels.iter()) {
            self.add_one(score.as_f64(), label);
        }
    }

    pub(super) fn add_one(&mut self, score: f64, label: bool) {
        let count = match (score > self.threshold, label) {
            (true, true) => &mut self.true_positives,
            (true, false) => &mut self.false_positives,
            (false, true) => &mut self.false_negatives,
            (false, false) => &mut self.true_negatives,
        };
        *count += 1;
    }

    /// How often yes was right.
    pub fn true_positives(&self) -> usize {
        self.true_positives
    }

    /// How often yes was wrong.
    pub fn false_positives(&self) -> usize {
        self.false_positives
    }

    /// How often no was wrong.
    pub fn false_negatives(&self) -> usize {
        self.false_negatives
    }

    /// How often no was right.
    pub fn true_negatives(&self) -> usize {
        self.true_negatives
    }

    /// How often yes would have been right.
    pub(super) fn labels(&self) -> usize {
        self.true_positives + self.false_negatives
    }

    /// How often yes was said.
    pub(super) fn predictions(&self) -> usize {
        self.true_positives + self.false_positives
    }

    /// The number of decisions.
    pub fn total(&self) -> usize {
        self.labels() + self.false_positives + self.true_negatives
    }

    /// The fraction of right decisions. NaN if there are none.
    pub fn accuracy(&self) -> f64 {
        ratio(self.true_positives + self.true_negatives, self.total())
    }

    /// The fraction of yes that was right. NaN if yes was never said.
    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.predictions())
    }

    /// The fraction of what should be yes that was found. NaN if nothing should be yes.
    #[doc(alias = "sensitivity")]
    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.labels())
    }

    /// The fraction of what should be no that was left out. NaN if nothing should be no.
    pub fn specificity(&self) -> f64 {
        ratio(self.true_negatives, self.true_negatives + self.false_positives)
    }

    /// The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN). NaN if yes was never said, and never right.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.true_positives, self.labels() + self.predictions())
    }

    /// Adds the counts of another one; this one keeps its threshold.
    pub fn merge(&mut self, other: &Self) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
        self.true_negatives += other.true_negatives;
    }

    /// Forgets all decisions.
    pub fn reset(&mut self) {
        *self = Self::with_threshold(self.threshold);
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// Run-time dimensions of predictions and labels must agree.
#[track_caller]
pub(super) fn same_shape<S: Shape>(metric: &str, predictions: S, labels: S) {
    let agree = predictions.sizes().as_ref() == labels.sizes().as_ref();
    assert!(agree, "{metric}: predictions of shape {} and labels of shape {}", show(predictions), show(labels));
}
