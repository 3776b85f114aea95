//! The area under the receiver operating characteristic.

use super::accuracy::{expect_class, rows};
use super::binary::same_shape;
use super::weighted_mean::WeightedMean;
use crate::loss::ClassIndices;
use crate::shape::{Const, Dim, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// The area under the receiver operating characteristic: the probability that a sample that should be yes has a higher
/// score than one that should be no, where equal scores count as half.
///
/// It depends on the order of scores only: logits and probabilities give the same. It is exact, not an approximation in
/// bins, so all scores are kept, 8 bytes each, and are sorted when it is asked for.
///
/// Fawcett, "An introduction to ROC analysis", 2006.
///
/// ```
/// use taut::metrics::RocAuc;
/// use taut::prelude::*;
/// let mut auc = RocAuc::default();
/// auc.add(&Tensor::from([0.1, 0.4]), &Tensor::from([false, false]));
/// auc.add(&Tensor::from([0.35, 0.8]), &Tensor::from([true, true]));
/// assert_eq!(auc.value(), 0.75);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RocAuc {
    /// The scores of what should be yes, and of what should be no.
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl RocAuc {
    /// Adds the scores of a batch of any shape.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn add<S: Shape, E: Float, T: Trace>(&mut self, scores: &Tensor<S, E, T>, labels: &Tensor<S, bool>) {
        same_shape("RocAuc", scores.shape(), labels.shape());
        for (score, label) in scores.iter().zip(labels.iter()) {
            self.add_one(score.as_f64(), label);
        }
    }

    fn add_one(&mut self, score: f64, label: bool) {
        if label { &mut self.positives } else { &mut self.negatives }.push(score);
    }

    /// The area. NaN unless there are samples of both kinds, or if a score is NaN.
    pub fn value(&self) -> f64 {
        let (mut positives, mut negatives) = (self.positives.clone(), self.negatives.clone());
        if positives.iter().chain(&negatives).any(|score| score.is_nan()) {
            return f64::NAN;
        }
        for scores in [&mut positives, &mut negatives] {
            scores.iter_mut().for_each(|score| *score += 0.0); // -0 and 0 are equal
            scores.sort_unstable_by(f64::total_cmp);
        }
        let (mut below, mut up_to) = (0, 0);
        let mut twice = 0_u128;
        for score in &positives {
            below += negatives[below..].iter().take_while(|negative| *negative < score).count();
            up_to = up_to.max(below);
            up_to += negatives[up_to..].iter().take_while(|negative| *negative == score).count();
            twice += (below + up_to) as u128;
        }
        twice as f64 / (2 * positives.len() as u128 * negatives.len() as u128) as f64
    }

    /// The number of samples.
    pub fn total(&self) -> usize {
        self.positives.len() + self.negatives.len()
    }

    /// Adds the samples of another one.
    pub fn merge(&mut self, other: &Self) {
        self.positives.extend_from_slice(&other.positives);
        self.negatives.extend_from_slice(&other.negatives);
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.positives.clear();
        self.negatives.clear();
    }
}

/// [`RocAuc`] of each of `C` classes against the rest.
///
/// Scores of one class are compared between samples, so give probabilities (`logits.softmax::<1>()`), not logits.
///
/// ```
/// use taut::metrics::OneVsRestRocAuc;
/// use taut::prelude::*;
/// let mut auc = OneVsRestRocAuc::<3>::default();
/// let logits = Tensor::from([[2.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 1.0, 2.0]]);
/// auc.add(&logits.softmax::<1>(), &Tensor::from([0, 1, 1, 2]));
/// assert_eq!((auc.of(0).value(), auc.of(1).value()), (1.0, 1.0));
/// assert_eq!(auc.macro_average(), 1.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OneVsRestRocAuc<const C: usize> {
    classes: Vec<RocAuc>,
}

impl<const C: usize> Default for OneVsRestRocAuc<C> {
    fn default() -> Self {
        OneVsRestRocAuc { classes: vec![RocAuc::default(); C] }
    }
}

impl<const C: usize> OneVsRestRocAuc<C> {
    /// Adds the samples of a batch.
    ///
    /// # Panics
    /// If the run-time numbers of samples and labels differ, or a label is not below `C`.
    #[track_caller]
    pub fn add<B: Dim, E: Float, T: Trace>(
        &mut self,
        probabilities: &Tensor<(B, Const<C>), E, T>,
        labels: &impl ClassIndices<B>,
    ) {
        for (scores, label) in rows("OneVsRestRocAuc", probabilities, labels) {
            expect_class("OneVsRestRocAuc", label, C);
            for (class, (auc, score)) in self.classes.iter_mut().zip(scores).enumerate() {
                auc.add_one(score.as_f64(), class == label);
            }
        }
    }

    /// The area of one class against the rest.
    ///
    /// # Panics
    /// If `class` is not below `C`.
    #[track_caller]
    pub fn of(&self, class: usize) -> &RocAuc {
        assert!(class < C, "OneVsRestRocAuc: {class} is not one of {C} classes");
        &self.classes[class]
    }

    /// The mean of the classes' areas. Classes without samples have none, and do not count: NaN if there are fewer than
    /// two others.
    pub fn macro_average(&self) -> f64 {
        self.mean(|_| 1)
    }

    /// The mean of the classes' areas, weighted by their numbers of samples.
    pub fn weighted_average(&self) -> f64 {
        self.mean(|class| class.positives.len())
    }

    fn mean(&self, weight: impl Fn(&RocAuc) -> usize) -> f64 {
        let with_area = self.classes.iter().filter(|class| !class.positives.is_empty() && !class.negatives.is_empty());
        let mut mean = WeightedMean::default();
        with_area.for_each(|class| mean.add(class.value(), weight(class)));
        mean.value()
    }

    /// Adds the samples of another one.
    pub fn merge(&mut self, other: &Self) {
        self.classes.iter_mut().zip(&other.classes).for_each(|(own, other)| own.merge(other));
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.classes.iter_mut().for_each(RocAuc::reset);
    }
}
