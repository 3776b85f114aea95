//! Confusion matrices.

use super::accuracy::{expect_class, largest, rows};
use super::average::Average;
use super::binary::BinaryConfusion;
use crate::loss::ClassIndices;
use crate::shape::{Const, Dim, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use std::fmt;

/// The number of samples of each class classified as each class, over any number of batches.
///
/// ```
/// use taut::metrics::{Average, ConfusionMatrix};
/// use taut::prelude::*;
/// let mut confusion = ConfusionMatrix::<2>::default();
/// confusion.add(&Tensor::from([[2.0, 1.0], [0.0, 3.0]]), &Tensor::from([0, 1]));
/// confusion.add(&Tensor::from([[5.0, 4.0]]), &Tensor::from([1]));
/// assert_eq!(confusion.count(1, 0), 1);
/// assert_eq!(confusion.accuracy(), 2.0 / 3.0);
/// assert_eq!((confusion.recall(1), confusion.precision(1), confusion.f1(1)), (0.5, 1.0, 2.0 / 3.0));
/// assert_eq!(confusion.mean_recall(Average::Macro), 0.75); // of class 0: 1
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix<const C: usize> {
    /// A row of `C` for each label, with the predicted classes as columns. On the heap: a thousand classes take 8 MB.
    counts: Vec<usize>,
}

impl<const C: usize> Default for ConfusionMatrix<C> {
    fn default() -> Self {
        ConfusionMatrix { counts: vec![0; (Const::<C>, Const::<C>).count()] }
    }
}

impl<const C: usize> ConfusionMatrix<C> {
    /// Counts the samples of a batch.
    ///
    /// # Panics
    /// If the numbers of samples and labels differ, or a label is not below `C`.
    #[track_caller]
    pub fn add<B: Dim, E: Float, T: Trace>(
        &mut self,
        logits: &Tensor<(B, Const<C>), E, T>,
        labels: &impl ClassIndices<B>,
    ) {
        for (scores, label) in rows("ConfusionMatrix", logits, labels) {
            expect_class("ConfusionMatrix", label, C);
            self.counts[label * C + largest(scores)] += 1;
        }
    }

    fn row(&self, label: usize) -> &[usize] {
        &self.counts[label * C..][..C]
    }

    /// The number of samples of class `label` that were classified as `predicted`.
    ///
    /// # Panics
    /// If one of them is not below `C`.
    #[track_caller]
    pub fn count(&self, label: usize, predicted: usize) -> usize {
        assert!(label < C && predicted < C, "ConfusionMatrix: ({label}, {predicted}) is outside {C} classes");
        self.row(label)[predicted]
    }

    /// The number of samples counted.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The fraction of samples classified correctly. NaN if there are none.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..C).map(|class| self.row(class)[class]).sum();
        right as f64 / self.total() as f64
    }

    /// This class against all others, with it as the positive one.
    ///
    /// # Panics
    /// If `class` is not below `C`.
    #[track_caller]
    pub fn one_against_rest(&self, class: usize) -> BinaryConfusion {
        self.one_against_rest_of(self.total(), class)
    }

    /// The same if the number of all samples is known: counting them takes as long as all classes together.
    #[track_caller]
    fn one_against_rest_of(&self, total: usize, class: usize) -> BinaryConfusion {
        let right = self.count(class, class);
        let of_class: usize = self.row(class).iter().sum();
        let taken: usize = self.counts.iter().skip(class).step_by(C).sum();
        BinaryConfusion::of_counts(right, taken - right, of_class - right, total + right - of_class - taken)
    }

    /// The fraction of the samples of this class that were classified correctly. NaN if there are none.
    ///
    /// # Panics
    /// If `class` is not below `C`.
    #[track_caller]
    pub fn recall(&self, class: usize) -> f64 {
        self.one_against_rest(class).recall()
    }

    /// The fraction of the samples classified as this class that belong to it. NaN if there are none.
    ///
    /// # Panics
    /// If `class` is not below `C`.
    #[track_caller]
    pub fn precision(&self, class: usize) -> f64 {
        self.one_against_rest(class).precision()
    }

    /// The harmonic mean of precision and recall of this class. NaN if no sample belongs to it or is classified as it.
    ///
    /// # Panics
    /// If `class` is not below `C`.
    #[track_caller]
    pub fn f1(&self, class: usize) -> f64 {
        self.one_against_rest(class).f1()
    }

    /// The recall of all classes as one number, see [`Average`].
    pub fn mean_recall(&self, average: Average) -> f64 {
        average.of(self.classes(), BinaryConfusion::recall)
    }

    /// The precision of all classes as one number, see [`Average`].
    pub fn mean_precision(&self, average: Average) -> f64 {
        average.of(self.classes(), BinaryConfusion::precision)
    }

    /// The F1 score of all classes as one number, see [`Average`].
    pub fn mean_f1(&self, average: Average) -> f64 {
        average.of(self.classes(), BinaryConfusion::f1)
    }

    fn classes(&self) -> impl Iterator<Item = BinaryConfusion> {
        let total = self.total();
        (0..C).map(move |class| self.one_against_rest_of(total, class))
    }

    /// Adds what another one has counted.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, other)| *own += other);
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.counts.fill(0);
    }
}

impl<const C: usize> fmt::Display for ConfusionMatrix<C> {
    /// A row for each label, a column for each predicted class, and the recall of each label.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.counts.iter().max().map_or(1, |most| most.to_string().len()).max(2);
        write!(f, "label")?;
        (0..C).try_for_each(|class| write!(f, " {class:>width$}"))?;
        writeln!(f, "  recall")?;
        for (label, decisions) in self.classes().enumerate() {
            write!(f, "{label:>5}")?;
            self.row(label).iter().try_for_each(|count| write!(f, " {count:>width$}"))?;
            writeln!(f, "  {:5.1}%", 100.0 * decisions.recall())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn many_classes_fit_a_small_stack() {
        let run = || {
            let mut confusion = ConfusionMatrix::<1000>::default();
            let logits = Tensor::<(usize, Const<1000>)>::zeros_with((2, Const));
            confusion.add(&logits, &Tensor::from(vec![3, 0]));
            let copy = confusion.clone();
            (copy.total(), copy.count(3, 0), copy.accuracy(), copy.precision(0))
        };
        let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(run).unwrap();
        assert_eq!(thread.join().unwrap(), (2, 1, 0.5, 0.5));
        assert!(ConfusionMatrix::<0>::default().accuracy().is_nan());
    }

    #[test]
    fn the_matrix_agrees_with_the_accuracy() {
        let mut rng = StdRng::seed_from_u64(0);
        let logits = Tensor::<Rank2<50, 3>>::randn(&mut rng);
        let labels = Tensor::<Rank1<50>, usize>::from_fn(|[i]| i % 3);
        let mut confusion = ConfusionMatrix::<3>::default();
        confusion.add(&logits, &labels);
        assert_eq!(confusion.total(), 50);
        assert_eq!(confusion.accuracy(), logits.accuracy(&labels));
        let weighted: f64 = (0..3).map(|class| confusion.recall(class) * [17.0, 17.0, 16.0][class] / 50.0).sum();
        assert!((weighted - confusion.accuracy()).abs() < 1e-12);
        assert_eq!(confusion.to_string().lines().count(), 4);
    }
}
