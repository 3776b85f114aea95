//! Binary cross-entropy of logits.
//!
//! For a logit x, p = sigmoid(x), and the probability t that the answer is yes:
//!
//! loss = -w t log(p) - (1 - t) log(1 - p) = (1 - t) x + (1 + (w - 1) t) log(1 + e^-x)
//!
//! with the weight w of the positive answers, 1 by default. Its derivative by x is (1 - t) - (1 + (w - 1) t) (1 - p),
//! which is p - t for w = 1.

use super::logistic::softplus_of_minus;
use super::pair::{PairLossOp, Target, pair_loss};
use super::{Mean, Reduction};
use crate::kernels::pair_loss::PairLoss;
use crate::numbers::math::Math;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{NoTrace, Trace};

struct BinaryCrossEntropy;
impl PairLoss for BinaryCrossEntropy {
    #[inline(always)]
    fn loss<M: Math, E: Float>(x: E, target: E, positive_weight: E) -> (E, E) {
        let (softplus, sigmoid_of_minus) = softplus_of_minus::<M, E>(x);
        let (no, weight) = (E::one() - target, E::one() + (positive_weight - E::one()) * target);
        (no * x + weight * softplus, no - weight * sigmoid_of_minus)
    }
}
static BINARY_CROSS_ENTROPY: PairLossOp = PairLossOp::of::<BinaryCrossEntropy>("binary_cross_entropy");

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The mean of -t log(p) - (1 - t) log(1 - p) over all elements, where p = sigmoid(x): these are logits, not
    /// probabilities. (PyTorch's `binary_cross_entropy_with_logits`.) Targets are 0 and 1, or probabilities.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let loss = Tensor::from([0.0, 100.0]).binary_cross_entropy(&Tensor::from([1.0, 0.0]));
    /// assert_eq!(loss.item(), (2.0_f32.ln() + 100.0) / 2.0);
    /// ```
    #[doc(alias = "binary_cross_entropy_with_logits")]
    #[track_caller]
    pub fn binary_cross_entropy(self, targets: &impl Target<S, E, Trace = NoTrace>) -> Tensor<(), E, T> {
        self.binary_cross_entropy_with(targets, 1.0, Mean)
    }

    /// The [binary cross-entropy](Tensor::binary_cross_entropy) with a weight for the positive answers: above 1, false
    /// negatives cost more than false positives. The [`Mean`] or [`Sum`](super::Sum) over all elements, or
    /// [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree, or the weight is negative or NaN.
    #[track_caller]
    pub fn binary_cross_entropy_with<R: Reduction<S>>(
        self,
        targets: &impl Target<S, E, Trace = NoTrace>,
        positive_weight: f64,
        reduction: R,
    ) -> Tensor<R::Output, E, T> {
        let fits = positive_weight >= 0.0 && positive_weight.is_finite();
        assert!(fits, "binary_cross_entropy: `positive_weight` must be at least 0, and is {positive_weight}");
        let count = self.count();
        pair_loss(&BINARY_CROSS_ENTROPY, self, targets.tensor(), positive_weight, count, reduction)
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::{Each, Mean};
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        random_shapes!(|shape, rng| {
            let targets = random(shape, 0.0, 1.0, rng);
            let x = random(shape, -4.0, 4.0, rng);
            check_gradients(|x| x.binary_cross_entropy_with(&targets, 3.0, Each), x).unwrap();
        });
    }

    #[test]
    #[should_panic(expected = "`positive_weight` must be at least 0, and is -2")]
    fn a_negative_weight_is_refused() {
        let _ = Tensor::from([1.0]).binary_cross_entropy_with(&Tensor::from([0.0]), -2.0, Mean);
    }
}
