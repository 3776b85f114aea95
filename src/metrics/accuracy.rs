//! Accuracy of the highest score and of the k highest.

use crate::loss::{ClassIndices, Logits};
use crate::numbers::range::{at_least_one, expect};
use crate::shape::{Dim, Shape, show_sizes};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// The index of the largest number, the first one if there is a tie. NaN counts as larger than all numbers, as in
/// PyTorch.
pub(super) fn largest<E: Float>(row: &[E]) -> usize {
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if !row[best].is_nan() && (x.is_nan() || *x > row[best]) {
            best = i;
        }
    }
    best
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The fraction of samples whose label has the highest logit (or probability). NaN for an empty batch.
    ///
    /// Logits and labels have shapes as for [`cross_entropy`](Tensor::cross_entropy): classes are the last axis.
    ///
    /// # Panics
    /// If the run-time numbers of labels and samples differ.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let logits = Tensor::from([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0], [1.0, 0.5]]);
    /// assert_eq!(logits.accuracy(&Tensor::from([0, 1, 1, 0])), 0.75);
    /// ```
    #[track_caller]
    pub fn accuracy<L>(&self, labels: &L) -> f64
    where
        S: Logits,
        L: ClassIndices<S::Batch>,
    {
        let right = rows("accuracy", self, labels).filter(|&(scores, label)| largest(scores) == label).count();
        right as f64 / labels.indices().len() as f64
    }
}

/// For each sample, its scores and its label.
#[track_caller]
pub(super) fn rows<'a, S: Logits, E: Float, T: Trace, L: ClassIndices<S::Batch>>(
    metric: &str,
    scores: &'a Tensor<S, E, T>,
    labels: &'a L,
) -> impl Iterator<Item = (&'a [E], usize)> + use<'a, S, E, T, L> {
    let (batch, width) = (scores.shape().rows().sizes(), scores.shape().last().size());
    let (batch, found) = (batch.as_ref(), labels.sizes());
    if found.as_ref() != batch {
        let (found, batch) = (show_sizes(found.as_ref()), show_sizes(batch));
        panic!("{metric}: labels of shape {found} do not fit logits of batch {batch}");
    }
    scores.as_slice().chunks_exact(width.max(1)).zip(labels.indices().iter().copied())
}

/// # Panics
/// If the label is not one of the classes.
#[track_caller]
pub(super) fn expect_class(metric: &str, label: usize, classes: usize) {
    assert!(label < classes, "{metric}: label {label} is not one of {classes} classes");
}

/// The fraction of samples whose label has the highest score, or one of the k highest, over any number of batches.
///
/// Of equal scores, that of the lower class counts as higher; NaN counts as higher than all numbers. So with k = 1 it
/// is the mean of [`Tensor::accuracy`] over all samples.
///
/// ```
/// use taut::metrics::Accuracy;
/// use taut::prelude::*;
/// let (mut first, mut of_two) = (Accuracy::default(), Accuracy::top(2));
/// for accuracy in [&mut first, &mut of_two] {
///     accuracy.add(&Tensor::from([[2.0, 1.0, 0.0], [0.0, 3.0, 4.0]]), &Tensor::from([0, 1]));
///     accuracy.add(&Tensor::from([[1.0, 2.0, 3.0]]), &Tensor::from([0]));
/// }
/// assert_eq!((first.value(), of_two.value()), (1.0 / 3.0, 2.0 / 3.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "top_k")]
pub struct Accuracy {
    k: usize,
    right: usize,
    total: usize,
}

impl Default for Accuracy {
    /// Of the highest score.
    fn default() -> Self {
        Accuracy::top(1)
    }
}

impl Accuracy {
    /// A sample counts as right if its label is among the `k` classes of the highest scores.
    ///
    /// # Panics
    /// If `k` is 0.
    #[track_caller]
    pub fn top(k: usize) -> Self {
        expect(at_least_one("Accuracy", "k", k));
        Accuracy { k, right: 0, total: 0 }
    }

    /// Counts the samples of a batch. Logits and probabilities give the same.
    ///
    /// # Panics
    /// If the run-time numbers of samples and labels differ, or a label is not one of the classes.
    #[track_caller]
    pub fn add<S: Logits, E: Float, T: Trace>(
        &mut self,
        logits: &Tensor<S, E, T>,
        labels: &impl ClassIndices<S::Batch>,
    ) {
        for (scores, label) in rows("Accuracy", logits, labels) {
            expect_class("Accuracy", label, scores.len());
            self.right += usize::from(higher(scores, label) < self.k);
            self.total += 1;
        }
    }

    /// The fraction of samples that are right. NaN if there are none.
    pub fn value(&self) -> f64 {
        self.right as f64 / self.total as f64
    }

    /// The number of samples.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Adds what another one has counted.
    ///
    /// # Panics
    /// If the two have different k.
    #[track_caller]
    pub fn merge(&mut self, other: &Self) {
        assert!(self.k == other.k, "Accuracy: of the {} highest and of the {} highest", self.k, other.k);
        self.right += other.right;
        self.total += other.total;
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        *self = Accuracy::top(self.k);
    }
}

/// The number of classes before this one in the order of scores.
fn higher<E: Float>(scores: &[E], class: usize) -> usize {
    let own = scores[class];
    let before = |(other, &score): (usize, &E)| match (score.is_nan(), own.is_nan()) {
        (false, false) if score != own => score > own,
        (true, false) => true,
        (false, true) => false,
        _ => other < class,
    };
    scores.iter().enumerate().filter(|&score| before(score)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn the_first_of_equal_ones_and_nan_are_taken() {
        assert_eq!(largest(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(largest(&[1.0, f32::NAN, 3.0]), 1);
        assert_eq!(largest(&[f32::NEG_INFINITY, f32::NEG_INFINITY]), 0);
        assert!(Tensor::<Rank2<0, 3>>::zeros().accuracy(&Tensor::zeros()).is_nan());
    }

    #[test]
    fn the_highest_k_are_those_of_a_sorted_list() {
        let mut rng = StdRng::seed_from_u64(1);
        // many ties
        let logits = Tensor::<Rank2<200, 6>>::randn(&mut rng).round();
        let labels = Tensor::<Rank1<200>, usize>::from_fn(|[i]| i % 6);
        let mut before = 0.0;
        for k in 1..8 {
            let right = (0..200).filter(|&i| {
                let mut classes: Vec<usize> = (0..6).collect();
                classes.sort_by(|&a, &b| logits[[i, b]].partial_cmp(&logits[[i, a]]).unwrap()); // stable
                classes.iter().take(k).any(|&class| class == i % 6)
            });
            let mut accuracy = Accuracy::top(k);
            accuracy.add(&logits, &labels);
            assert_eq!(accuracy.value(), right.count() as f64 / 200.0);
            assert!(accuracy.value() > before || k > 6);
            before = accuracy.value();
        }
        assert_eq!(before, 1.0);
        let mut first = Accuracy::default();
        first.add(&logits, &labels);
        assert_eq!(first.value(), logits.accuracy(&labels));
        assert_eq!([1, 0].map(|class| higher(&[1.0, f32::NAN, 3.0], class)), [0, 2]);
        assert_eq!([0, 1].map(|class| higher(&[f32::NAN, f32::NAN], class)), [0, 1]);
        assert!(Accuracy::default().value().is_nan());
    }

    #[test]
    #[should_panic(expected = "label 3 is not one of 3 classes")]
    fn a_label_beyond_the_classes_panics() {
        Accuracy::top(2).add(&Tensor::<Rank2<1, 3>>::zeros(), &Tensor::from([3]));
    }

    #[test]
    #[should_panic(expected = "of the 1 highest and of the 5 highest")]
    fn accuracies_of_other_kinds_do_not_mix() {
        Accuracy::default().merge(&Accuracy::top(5));
    }

    #[test]
    #[should_panic(expected = "labels of shape (2,) do not fit logits of batch (3,)")]
    fn labels_of_another_number_panic() {
        let logits = Tensor::<(usize, Const<2>)>::zeros_with((3, Const));
        logits.accuracy(&Tensor::zeros_with((2,)));
    }
}
