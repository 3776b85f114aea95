//! How clear and how varied samples are to a classifier.

use crate::shape::Dim;
use crate::tensor::{Float, Tensor};

/// e to the mean of KL(p(y|x) || p(y)), over samples x with the probabilities p(y|x) = softmax(logits) and their mean
/// p(y).
///
/// It is 1 if the classifier says the same of every sample, and the number of classes if it is sure of each and all
/// classes are equally frequent. With Inception v3 as the classifier, it is the Inception score. It does not tell
/// whether the samples look like those that the classifier learned from, nor how varied they are within a class: see
/// [`frechet_distance`](super::frechet_distance). NaN for no samples. Computed in `f64`, over all samples at once.
///
/// Salimans et al., "Improved Techniques for Training GANs", 2016.
///
/// ```
/// use taut::metrics::classifier_score;
/// use taut::prelude::*;
/// let sure = Tensor::from([[50.0, 0.0], [0.0, 50.0], [50.0, 0.0], [0.0, 50.0]]);
/// assert!((classifier_score(&sure) - 2.0).abs() < 1e-6);
/// let always_the_same = Tensor::from([[50.0, 0.0], [50.0, 0.0]]);
/// assert!((classifier_score(&always_the_same) - 1.0).abs() < 1e-6);
/// ```
#[doc(alias = "inception_score")]
pub fn classifier_score<N: Dim, C: Dim, E: Float>(logits: &Tensor<(N, C), E>) -> f64 {
    let (samples, classes) = (logits.shape().0.size(), logits.shape().1.size());
    let numbers = logits.iter().map(|logit| logit.as_f64()).collect();
    let of_classes = Tensor::from_vec(numbers, (samples, classes)).expect("a number for each logit").log_softmax::<1>();
    let mean = of_classes.clone().exp().mean_axis::<0>().to_vec();
    let pairs = of_classes.iter().zip(mean.iter().cycle());
    // 0 log 0 = 0
    let terms = pairs.map(|(ln, mean)| if ln.exp() > 0.0 { ln.exp() * (ln - mean.ln()) } else { ln.exp() });
    (terms.sum::<f64>() / samples as f64).exp()
}
