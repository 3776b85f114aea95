//! Several decisions between yes and no for each sample.

use super::average::Average;
use super::binary::{BinaryConfusion, same_shape};
use crate::numbers::range::{a_number, expect};
use crate::shape::{Const, Dim};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Several decisions between yes and no for each sample: which of `C` labels it has.
///
/// ```
/// use taut::metrics::{Average, MultilabelConfusion};
/// use taut::prelude::*;
/// let mut confusion = MultilabelConfusion::<3>::default();
/// let logits = Tensor::from([[2.0, -1.0, 3.0], [1.0, 1.0, -2.0]]);
/// confusion.add(&logits, &Tensor::from([[true, false, true], [false, true, true]]));
/// assert_eq!((confusion.of(0).precision(), confusion.of(2).recall()), (0.5, 0.5));
/// assert_eq!(confusion.mean_precision(Average::Micro), 0.75);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MultilabelConfusion<const C: usize> {
    labels: Vec<BinaryConfusion>,
}

impl<const C: usize> Default for MultilabelConfusion<C> {
    /// With the threshold 0, as for logits.
    fn default() -> Self {
        Self::with_threshold(0.0)
    }
}

impl<const C: usize> MultilabelConfusion<C> {
    /// Scores above `threshold` mean yes.
    ///
    /// # Panics
    /// If the threshold is NaN.
    #[track_caller]
    pub fn with_threshold(threshold: f64) -> Self {
        expect(a_number("MultilabelConfusion", "threshold", threshold));
        MultilabelConfusion { labels: vec![BinaryConfusion::with_threshold(threshold); C] }
    }

    /// Counts the decisions of a batch. NaN means no.
    ///
    /// # Panics
    /// If the run-time batches differ.
    #[track_caller]
    pub fn add<B: Dim, E: Float, T: Trace>(
        &mut self,
        scores: &Tensor<(B, Const<C>), E, T>,
        labels: &Tensor<(B, Const<C>), bool>,
    ) {
        same_shape("MultilabelConfusion", scores.shape(), labels.shape());
        let decisions = scores.as_slice().chunks_exact(C.max(1)).zip(labels.as_slice().chunks_exact(C.max(1)));
        for (scores, labels) in decisions {
            for (confusion, (score, &label)) in self.labels.iter_mut().zip(scores.iter().zip(labels)) {
                confusion.add_one(score.as_f64(), label);
            }
        }
    }

    /// The decisions of one label.
    ///
    /// # Panics
    /// If `label` is not below `C`.
    #[track_caller]
    pub fn of(&self, label: usize) -> &BinaryConfusion {
        assert!(label < C, "MultilabelConfusion: {label} is not one of {C} labels");
        &self.labels[label]
    }

    /// The precision of all labels as one number, see [`Average`].
    pub fn mean_precision(&self, average: Average) -> f64 {
        average.of(self.labels.iter().copied(), BinaryConfusion::precision)
    }

    /// The recall of all labels as one number, see [`Average`].
    pub fn mean_recall(&self, average: Average) -> f64 {
        average.of(self.labels.iter().copied(), BinaryConfusion::recall)
    }

    /// The F1 score of all labels as one number, see [`Average`]. (scikit-learn counts labels that do not occur as 0,
    /// too.)
    pub fn mean_f1(&self, average: Average) -> f64 {
        average.of(self.labels.iter().copied(), BinaryConfusion::f1)
    }

    /// Adds the counts of another one; this one keeps its threshold.
    pub fn merge(&mut self, other: &Self) {
        self.labels.iter_mut().zip(&other.labels).for_each(|(own, other)| own.merge(other));
    }

    /// Forgets all decisions.
    pub fn reset(&mut self) {
        self.labels.iter_mut().for_each(BinaryConfusion::reset);
    }
}
