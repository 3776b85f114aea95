//! Cross-entropy of softmax, and negative log-likelihood.
//!
//! For logits x of one sample and target probabilities t that sum to 1:
//!
//! loss = - sum_j t_j log(softmax(x)_j) = log(sum_j e^x_j) - sum_j t_j x_j
//!
//! and its gradient is softmax(x) - t exactly: for a class index, p - onehot. One operation, which saves that gradient
//! only, in the place of the logits.
//!
//! Label smoothing s makes t_j to (1 - s) t_j + s / C for C classes; weights w multiply the term of each class. The
//! negative log-likelihood takes log-probabilities x instead of logits: - sum_j t_j x_j, with the gradient -t.

use super::rows::{Logits, RowLossOp, Targets, row_loss};
use super::{Mean, Reduction};
use crate::kernels::row_loss;
use crate::shape::Dim;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

static CROSS_ENTROPY: RowLossOp =
    RowLossOp { name: "cross_entropy", f32: row_loss::cross_entropy, f64: row_loss::cross_entropy };
static NEGATIVE_LOG_LIKELIHOOD: RowLossOp = RowLossOp {
    name: "negative_log_likelihood",
    f32: row_loss::negative_log_likelihood,
    f64: row_loss::negative_log_likelihood,
};

/// The settings of [`cross_entropy_with`](Tensor::cross_entropy_with).
///
/// ```
/// use taut::loss::CrossEntropy;
/// use taut::prelude::*;
/// let logits = Tensor::from([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]]);
/// let smooth = CrossEntropy { label_smoothing: 0.1, ..Default::default() };
/// let loss = logits.cross_entropy_with(&Tensor::from([1, 2]), &smooth, Mean);
/// ```
#[derive(Clone, Debug)]
pub struct CrossEntropy<C: Dim, E: Float = f32> {
    /// s: how much of each target is spread evenly over all classes, 0 (the default) to 1. Szegedy et al., "Rethinking
    /// the Inception Architecture for Computer Vision", 2016.
    pub label_smoothing: f64,
    /// How much each class counts. The mean over samples with class indices is divided by the sum of their weights.
    pub class_weights: Option<Tensor<(C,), E>>,
}

impl<C: Dim, E: Float> Default for CrossEntropy<C, E> {
    fn default() -> Self {
        CrossEntropy { label_smoothing: 0.0, class_weights: None }
    }
}

impl<S: Logits, E: Float, T: Trace> Tensor<S, E, T> {
    /// The mean cross-entropy between softmax of these logits and the labels.
    ///
    /// Logits have the shape (batch, classes), labels are class indices of shape (batch) or probabilities of shape
    /// (batch, classes). Sequences, (batch, time, classes) with labels (batch, time), and a single sample, (classes)
    /// with a scalar label, are taken too.
    ///
    /// # Panics
    /// If run-time dimensions disagree, or a class index is not below the number of classes.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let logits = Tensor::from([[0.0, 0.0], [0.0, 0.0]]);
    /// let loss = logits.cross_entropy(&Tensor::from([0, 1]));
    /// assert!((loss.item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    #[track_caller]
    pub fn cross_entropy<L: Targets<S::Batch, S::Last, E>>(self, labels: &L) -> Tensor<(), E, T> {
        row_loss(&CROSS_ENTROPY, self, labels, (0.0, &[]), Mean)
    }

    /// The [cross-entropy](Tensor::cross_entropy) with label smoothing and class weights: the [`Mean`] or
    /// [`Sum`](super::Sum) over the samples, or that of [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions disagree, a class index is not below the number of classes, or the label smoothing is
    /// not between 0 and 1.
    #[track_caller]
    pub fn cross_entropy_with<L: Targets<S::Batch, S::Last, E>, R: Reduction<S::Samples>>(
        self,
        labels: &L,
        settings: &CrossEntropy<S::Last, E>,
        reduction: R,
    ) -> Tensor<R::Output, E, T> {
        let settings = settings.checked("cross_entropy", self.shape().last());
        row_loss(&CROSS_ENTROPY, self, labels, settings, reduction)
    }

    /// The mean of - sum_j t_j x_j over the samples, for log-probabilities x (see `log_softmax`) and labels t as in
    /// [`cross_entropy`](Tensor::cross_entropy).
    ///
    /// # Panics
    /// If run-time dimensions disagree, or a class index is not below the number of classes.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let log_probabilities = Tensor::from([[-0.5, -0.9], [-2.0, -0.1]]);
    /// assert_eq!(log_probabilities.negative_log_likelihood(&Tensor::from([0, 0])).item(), 1.25);
    /// ```
    #[track_caller]
    pub fn negative_log_likelihood<L: Targets<S::Batch, S::Last, E>>(self, labels: &L) -> Tensor<(), E, T> {
        row_loss(&NEGATIVE_LOG_LIKELIHOOD, self, labels, (0.0, &[]), Mean)
    }

    /// The [negative log-likelihood](Tensor::negative_log_likelihood) with label smoothing and class weights: the
    /// [`Mean`] or [`Sum`](super::Sum) over the samples, or that of [`Each`](super::Each).
    ///
    /// # Panics
    /// As [`cross_entropy_with`](Tensor::cross_entropy_with).
    #[track_caller]
    pub fn negative_log_likelihood_with<L: Targets<S::Batch, S::Last, E>, R: Reduction<S::Samples>>(
        self,
        labels: &L,
        settings: &CrossEntropy<S::Last, E>,
        reduction: R,
    ) -> Tensor<R::Output, E, T> {
        let settings = settings.checked("negative_log_likelihood", self.shape().last());
        row_loss(&NEGATIVE_LOG_LIKELIHOOD, self, labels, settings, reduction)
    }
}

impl<C: Dim, E: Float> CrossEntropy<C, E> {
    #[track_caller]
    fn checked(&self, name: &str, classes: C) -> (f64, &[E]) {
        let smoothing = self.label_smoothing;
        assert!((0.0..=1.0).contains(&smoothing), "{name}: `label_smoothing` must be from 0 to 1, and is {smoothing}");
        let weights = self.class_weights.as_ref().map_or(&[][..], |weights| weights.as_slice());
        if self.class_weights.as_ref().is_some_and(|weights| weights.shape().0 != classes) {
            let (found, classes) = (weights.len(), classes.size());
            panic!("{name}: {found} class weights do not fit {classes} classes");
        }
        (smoothing, weights)
    }
}
