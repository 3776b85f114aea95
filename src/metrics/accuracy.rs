//! Accuracy and confusion matrices.

use crate::shape::{Const, Dim, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use std::fmt;

/// The index of the largest number, the first one if there is a tie. NaN counts as larger than all numbers, as in
/// PyTorch.
fn largest<E: Float>(row: &[E]) -> usize {
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if !row[best].is_nan() && (x.is_nan() || *x > row[best]) {
            best = i;
        }
    }
    best
}

impl<B: Dim, C: Dim, E: Float, T: Trace> Tensor<(B, C), E, T> {
    /// The fraction of samples whose highest logit (or probability) is at their label. NaN for an empty batch.
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
    pub fn accuracy(&self, labels: &Tensor<(B,), usize>) -> f64 {
        let right = classes(self, labels).filter(|(predicted, label)| predicted == label).count();
        right as f64 / labels.count() as f64
    }
}

/// For each sample, the class with the highest logit and the label.
#[track_caller]
fn classes<'a, B: Dim, C: Dim, E: Float, T: Trace>(
    logits: &'a Tensor<(B, C), E, T>,
    labels: &'a Tensor<(B,), usize>,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let (batch, width) = (logits.shape().0.size(), logits.shape().1.size());
    let count = labels.count();
    assert!(batch == count, "accuracy: {count} labels do not fit logits of batch {batch}");
    let predicted = logits.as_slice().chunks_exact(width.max(1)).map(largest);
    predicted.zip(labels.iter())
}

/// How often samples of each class were classified as each other class, counted over any number of batches.
///
/// ```
/// use taut::metrics::ConfusionMatrix;
/// use taut::prelude::*;
/// let mut confusion = ConfusionMatrix::<2>::default();
/// confusion.add(&Tensor::from([[2.0, 1.0], [0.0, 3.0]]), &Tensor::from([0, 1]));
/// confusion.add(&Tensor::from([[5.0, 4.0]]), &Tensor::from([1]));
/// assert_eq!(confusion.count(1, 0), 1);
/// assert_eq!(confusion.accuracy(), 2.0 / 3.0);
/// assert_eq!((confusion.recall(1), confusion.precision(1)), (0.5, 1.0));
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
        labels: &Tensor<(B,), usize>,
    ) {
        for (predicted, label) in classes(logits, labels) {
            assert!(label < C, "ConfusionMatrix: label {label} is not one of {C} classes");
            self.counts[label * C + predicted] += 1;
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

    /// The fraction of the samples of this class that were classified correctly. NaN if there are none.
    ///
    /// # Panics
    /// If `class` is not below `C`.
    #[track_caller]
    pub fn recall(&self, class: usize) -> f64 {
        self.count(class, class) as f64 / self.row(class).iter().sum::<usize>() as f64
    }

    /// The fraction of the samples classified as this class that belong to it. NaN if there are none.
    ///
    /// # Panics
    /// If `class` is not below `C`.
    #[track_caller]
    pub fn precision(&self, class: usize) -> f64 {
        let taken: usize = self.counts.iter().skip(class).step_by(C.max(1)).sum();
        self.count(class, class) as f64 / taken as f64
    }
}

impl<const C: usize> fmt::Display for ConfusionMatrix<C> {
    /// A row for each label, a column for each predicted class, and the recall of each label.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.counts.iter().max().map_or(1, |most| most.to_string().len()).max(2);
        write!(f, "label")?;
        (0..C).try_for_each(|class| write!(f, " {class:>width$}"))?;
        writeln!(f, "  recall")?;
        for label in 0..C {
            write!(f, "{label:>5}")?;
            self.row(label).iter().try_for_each(|count| write!(f, " {count:>width$}"))?;
            writeln!(f, "  {:5.1}%", 100.0 * self.recall(label))?;
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
    fn the_first_of_equal_ones_and_nan_are_taken() {
        assert_eq!(largest(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(largest(&[1.0, f32::NAN, 3.0]), 1);
        assert_eq!(largest(&[f32::NEG_INFINITY, f32::NEG_INFINITY]), 0);
        assert!(Tensor::<Rank2<0, 3>>::zeros().accuracy(&Tensor::zeros()).is_nan());
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

    #[test]
    #[should_panic(expected = "2 labels do not fit logits of batch 3")]
    fn labels_of_another_number_panic() {
        let logits = Tensor::<(usize, Const<2>)>::zeros_with((3, Const));
        logits.accuracy(&Tensor::zeros_with((2,)));
    }
}
