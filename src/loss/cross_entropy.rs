//! Cross-entropy of softmax, and negative log-likelihood.
//!
//! For logits x of one sample and target probabilities t that sum to 1:
//!
//! loss = - sum_j t_j log(softmax(x)_j) = log(sum_j e^x_j) - sum_j t_j x_j
//!
//! and its gradient is softmax(x) - t exactly: for a class index, p - onehot. It is one operation, which saves only
//! that gradient, in place of the logits.
//!
//! Label smoothing s turns t_j into (1 - s) t_j + s / C for C classes; weights w multiply the term of each class.
//! Samples whose class index is to be ignored (the padding of a sequence) have no loss and no gradient, and do not
//! count in the mean. The negative log-likelihood takes log-probabilities x instead of logits: - sum_j t_j x_j, with
//! the gradient -t.

use super::rows::{Changes, Logits, RowLossOp, Targets, row_loss};
use super::{Mean, Reduction};
use crate::kernels::row_loss;
use crate::numbers::PerFloat;
use crate::shape::{Dim, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

static CROSS_ENTROPY: RowLossOp =
    RowLossOp { name: "cross_entropy", loops: PerFloat { f32: row_loss::cross_entropy, f64: row_loss::cross_entropy } };
static NEGATIVE_LOG_LIKELIHOOD: RowLossOp = RowLossOp {
    name: "negative_log_likelihood",
    loops: PerFloat { f32: row_loss::negative_log_likelihood, f64: row_loss::negative_log_likelihood },
};

/// The settings of [`cross_entropy_with`](Tensor::cross_entropy_with).
///
/// ```
/// use taut::loss::CrossEntropy;
/// use taut::loss::Mean;
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
    /// How much each class counts. The mean over samples with class indices is divided by the sum of their weights;
    /// samples of weight 0 are treated like [ignored](CrossEntropy::ignored) ones.
    pub class_weights: Option<Tensor<(C,), E>>,
    /// A class index, one of the classes or beyond them: samples with this label have no loss and no gradient, and the
    /// mean is over the others, 0 if there are none (NaN in PyTorch, with gradients of 0). PyTorch's `ignore_index`.
    /// For class indices only.
    ///
    /// ```
    /// use taut::loss::CrossEntropy;
    /// use taut::loss::Mean;
    /// use taut::prelude::*;
    /// const PADDING: usize = usize::MAX;
    /// let logits = Tensor::<Rank3<2, 3, 5>>::zeros(); // batch, time, classes
    /// let labels = Tensor::from([[1, 4, PADDING], [0, PADDING, PADDING]]);
    /// let settings = CrossEntropy { ignored: Some(PADDING), ..Default::default() };
    /// assert_eq!(logits.cross_entropy_with(&labels, &settings, Mean).item(), 5.0_f32.ln());
    /// ```
    #[doc(alias = "ignore_index")]
    pub ignored: Option<usize>,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    pub more: (),
}

impl<C: Dim, E: Float> Default for CrossEntropy<C, E> {
    fn default() -> Self {
        CrossEntropy { label_smoothing: 0.0, class_weights: None, ignored: None, more: () }
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The mean cross-entropy between softmax of these logits and the labels.
    ///
    /// Logits have the shape (batch, classes), labels are class indices of shape (batch) or probabilities of shape
    /// (batch, classes). Sequences, (batch, time, classes) with labels (batch, time), pixels, (batch, height, width,
    /// classes) with labels (batch, height, width), and a single sample, (classes) with a scalar label, are accepted
    /// too: classes are the last axis of up to six. (PyTorch has them second: `permute` moves them.)
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
    pub fn cross_entropy<L>(self, labels: &L) -> Tensor<(), E, T>
    where
        S: Logits,
        L: Targets<S::Batch, S::Last, E>,
    {
        row_loss(&CROSS_ENTROPY, self, labels.sizes().as_ref(), labels.rows(), Changes::NONE, Mean)
    }

    /// The [cross-entropy](Tensor::cross_entropy) with label smoothing, class weights and labels to
    /// ignore: the [`Mean`] or [`Sum`](super::Sum) over the samples, or that of [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions disagree, a class index is neither below the number of classes nor to be ignored, the
    /// label smoothing is not between 0 and 1, or a class index is to be ignored and the labels are probabilities.
    #[track_caller]
    pub fn cross_entropy_with<L, R>(
        self,
        labels: &L,
        settings: &CrossEntropy<S::Last, E>,
        reduction: R,
    ) -> Tensor<R::Output, E, T>
    where
        S: Logits,
        L: Targets<S::Batch, S::Last, E>,
        R: Reduction<S::Rows>,
    {
        let settings = settings.checked("cross_entropy", self.shape().last());
        row_loss(&CROSS_ENTROPY, self, labels.sizes().as_ref(), labels.rows(), settings, reduction)
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
    #[doc(alias = "nll_loss")]
    #[track_caller]
    pub fn negative_log_likelihood<L>(self, labels: &L) -> Tensor<(), E, T>
    where
        S: Logits,
        L: Targets<S::Batch, S::Last, E>,
    {
        row_loss(&NEGATIVE_LOG_LIKELIHOOD, self, labels.sizes().as_ref(), labels.rows(), Changes::NONE, Mean)
    }

    /// The [negative log-likelihood](Tensor::negative_log_likelihood) with label smoothing, class weights and labels to
    /// ignore: the [`Mean`] or [`Sum`](super::Sum) over the samples, or that of [`Each`](super::Each).
    ///
    /// # Panics
    /// As for [`cross_entropy_with`](Tensor::cross_entropy_with).
    #[track_caller]
    pub fn negative_log_likelihood_with<L, R>(
        self,
        labels: &L,
        settings: &CrossEntropy<S::Last, E>,
        reduction: R,
    ) -> Tensor<R::Output, E, T>
    where
        S: Logits,
        L: Targets<S::Batch, S::Last, E>,
        R: Reduction<S::Rows>,
    {
        let settings = settings.checked("negative_log_likelihood", self.shape().last());
        row_loss(&NEGATIVE_LOG_LIKELIHOOD, self, labels.sizes().as_ref(), labels.rows(), settings, reduction)
    }
}

impl<C: Dim, E: Float> CrossEntropy<C, E> {
    #[track_caller]
    fn checked(&self, name: &str, classes: C) -> Changes<'_, E> {
        let smoothing = self.label_smoothing;
        assert!((0.0..=1.0).contains(&smoothing), "{name}: `label_smoothing` must be from 0 to 1, and is {smoothing}");
        let weights = self.class_weights.as_ref().map_or(&[][..], |weights| weights.as_slice());
        if self.class_weights.as_ref().is_some_and(|weights| weights.shape().0 != classes) {
            let (found, classes) = (weights.len(), classes.size());
            panic!("{name}: {found} class weights do not fit {classes} classes");
        }
        Changes { smoothing, weights, ignored: self.ignored }
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::{Each, Mean, Sum};
    use crate::ops::testing::*;
    use crate::prelude::*;
    use crate::shape::LastAxis;
    use rand::Rng;

    fn softmax(logits: &[f32]) -> Vec<f32> {
        let mut p = logits.to_vec();
        let (_, sum) = crate::kernels::softmax::exponentials(&mut p);
        let factor = 1.0 / sum;
        p.iter_mut().for_each(|x| *x *= factor);
        p
    }

    #[test]
    fn the_gradient_is_probabilities_minus_one_hot_to_the_last_bit() {
        let mut rng = StdRng::seed_from_u64(1);
        let logits = Tensor::<Rank2<4, 7>>::normal(0.0, 5.0, &mut rng);
        let labels = Tensor::from([3, 0, 6, 3]);
        let tape = Tape::inference();
        let x = tape.watch(logits.clone());
        let gradients = x.clone().cross_entropy_with(&labels, &CrossEntropy::default(), Sum).backward();
        let mut expected = Vec::new();
        for (row, &label) in logits.as_slice().chunks(7).zip(labels.as_slice()) {
            let mut p = softmax(row);
            p[label] -= 1.0;
            expected.extend(p);
        }
        assert_eq!(gradients.of_input(&x).as_slice(), expected);
    }

    #[test]
    fn class_indices_and_one_hot_targets_are_the_same() {
        let mut rng = StdRng::seed_from_u64(2);
        let logits = Tensor::<Rank2<3, 4>, f64>::randn(&mut rng);
        let labels = Tensor::from([2, 0, 3]);
        let one_hot = Tensor::<Rank2<3, 4>, f64>::from_fn(|[i, j]| f64::from(u8::from(labels[[i]] == j)));
        let class_weights = Some(Tensor::of([1.0, 2.0, 0.5, 3.0]));
        let settings = CrossEntropy { label_smoothing: 0.2, class_weights, ..Default::default() };
        let by_index = logits.clone().cross_entropy_with(&labels, &settings, Each);
        let by_probability = logits.cross_entropy_with(&one_hot, &settings, Each);
        assert!(by_index.is_close(&by_probability, 1e-14, 1e-14));
    }

    // the loss of a single sample has the shape ()
    #[allow(clippy::unit_arg)]
    #[test]
    fn gradients_are_those_of_finite_differences() {
        random_shapes!(
            [(usize,), (usize, usize), (usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let classes = shape.last();
                if classes > 0 {
                    let labels = Tensor::from_fn_with(shape.rows(), |_| rng.next_u32() as usize % classes);
                    let soft = random(shape, 0.0, 1.0, rng);
                    let weights = Tensor::uniform_with((classes,), 0.5, 2.0, rng);
                    let settings =
                        CrossEntropy { label_smoothing: 0.1, class_weights: Some(weights), ..Default::default() };
                    let padded = CrossEntropy { ignored: Some(0), ..settings.clone() };
                    let x = random(shape, -3.0, 3.0, rng);
                    if x.count() > 0 {
                        check_gradients(|x| x.cross_entropy(&labels), x.clone()).unwrap();
                        check_gradients(|x| x.cross_entropy_with(&soft, &settings, Mean), x.clone()).unwrap();
                    }
                    check_gradients(|x| x.cross_entropy_with(&labels, &settings, Each), x.clone()).unwrap();
                    check_gradients(|x| x.cross_entropy_with(&labels, &padded, Sum), x.clone()).unwrap();
                    check_gradients(|x| x.negative_log_likelihood_with(&soft, &settings, Each), x).unwrap();
                }
            }
        );
    }

    #[test]
    fn large_logits_neither_overflow_nor_lose_the_difference() {
        let logits = Tensor::from([[10_000.0, 10_001.0], [-1e38, 1e38], [f32::NEG_INFINITY, 3.0]]);
        let losses = logits.cross_entropy_with(&Tensor::from([0, 1, 1]), &CrossEntropy::default(), Each);
        assert!(losses.is_close(&Tensor::from([1.313_261_7, 0.0, 0.0]), 1e-6, 0.0), "{losses}");
        let logits = Tensor::from([[10_000.0, 10_001.0], [f32::NEG_INFINITY, 3.0]]);
        let soft = Tensor::from([[0.5, 0.5], [0.0, 1.0]]);
        let losses = logits.cross_entropy_with(&soft, &CrossEntropy::default(), Each);
        assert!(losses.is_close(&Tensor::from([0.813_261_7, 0.0]), 1e-6, 0.0), "{losses}");
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let logits = Tensor::from([[1.0, f32::NAN, 2.0], [1.0, 2.0, 3.0]]);
        for soft in [false, true] {
            let x = logits.clone();
            let losses = if soft {
                let labels = Tensor::from([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]);
                x.cross_entropy_with(&labels, &CrossEntropy::default(), Each)
            } else {
                x.cross_entropy_with(&Tensor::from([0, 0]), &CrossEntropy::default(), Each)
            };
            assert!(losses[[0]].is_nan() && losses[[1]].is_finite(), "{losses}");
        }
    }

    #[test]
    fn ignored_samples_have_neither_loss_nor_gradient() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([[1.0, 2.0], [f32::NAN, 0.0], [0.5, -0.5]]));
        let settings = CrossEntropy { ignored: Some(7), ..Default::default() };
        let loss = x.clone().cross_entropy_with(&Tensor::from([1, 7, 0]), &settings, Mean);
        let others = Tensor::from([[1.0, 2.0], [0.5, -0.5]]);
        assert_eq!(loss.item(), others.cross_entropy(&Tensor::from([1, 0])).item());
        let gradients = loss.backward();
        assert_eq!(gradients.of_input(&x).slice(1).to_array(), [0.0, 0.0]);
        let none = Tensor::<Rank2<1, 2>>::zeros().cross_entropy_with(&Tensor::from([7]), &settings, Mean);
        assert_eq!(none.item(), 0.0, "a mean of nothing");
    }

    #[test]
    #[should_panic(expected = "cross_entropy: `ignored` is a class index, and these labels are probabilities")]
    fn probabilities_cannot_be_ignored() {
        let settings = CrossEntropy { ignored: Some(0), ..Default::default() };
        let _ = Tensor::<Rank2<1, 2>>::zeros().cross_entropy_with(&Tensor::from([[0.5, 0.5]]), &settings, Mean);
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let mut rng = StdRng::seed_from_u64(3);
        let logits = Tensor::<Rank2<3000, 40>>::randn(&mut rng);
        let labels = Tensor::from_fn_with((Const::<3000>,), |[i]| (i * 7) % 40);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let tape = Tape::inference();
                let x = tape.watch(logits.clone());
                let loss = x.clone().cross_entropy(&labels);
                (loss.item().to_bits(), loss.backward().of_input(&x))
            })
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    #[should_panic(expected = "cross_entropy: label 4 of sample 2 is not one of 4 classes, which are counted from 0")]
    fn a_label_out_of_range_is_named() {
        let _ = Tensor::<Rank2<3, 4>>::zeros().cross_entropy(&Tensor::from([0, 3, 4]));
    }

    #[test]
    #[should_panic(expected = "cross_entropy: label 9 of sample (1, 0) is not one of 4 classes")]
    fn a_label_of_a_sequence_out_of_range_is_named() {
        let _ = Tensor::<Rank3<2, 2, 4>>::zeros().cross_entropy(&Tensor::from([[0, 3], [9, 1]]));
    }

    #[test]
    #[should_panic(expected = "cross_entropy: labels of shape (2,) do not fit logits of batch 3 and 4 classes")]
    fn another_number_of_labels_is_named() {
        let logits = Tensor::<(usize, Const<4>)>::zeros_with((3, Const));
        let _ = logits.cross_entropy(&Tensor::from_vec(vec![0, 1], (2,)).unwrap());
    }

    #[test]
    fn panics_point_to_the_caller() {
        let line = std::sync::Arc::new(std::sync::Mutex::new(None));
        let (before, seen) = (std::panic::take_hook(), line.clone());
        let this_thread = std::thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            // other tests may panic at the same time, in their threads
            if std::thread::current().id() == this_thread {
                *seen.lock().unwrap() = info.location().map(|place| (place.file().to_string(), place.line()));
            }
        }));
        let logits = Tensor::<Rank2<1, 2>>::zeros();
        let here = line!() + 1;
        let caught = std::panic::catch_unwind(|| logits.cross_entropy(&Tensor::from([7])).item());
        std::panic::set_hook(before);
        assert!(caught.is_err());
        assert_eq!(*line.lock().unwrap(), Some((file!().to_string(), here)));
    }
}
