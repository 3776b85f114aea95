//! The Kullback-Leibler divergence of log-probabilities x from probabilities t: the sum of t (log t - x).
//!
//! A class of probability 0 adds nothing. The derivative by x is -t.

use super::pair::{PairLossOp, Target, pair_loss};
use super::{Mean, Reduction};
use crate::kernels::pair_loss::PairLoss;
use crate::numbers::math::Math;
use crate::shape::{LastAxis, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::{NoTrace, Trace};

struct Divergence;
impl PairLoss for Divergence {
    #[inline(always)]
    fn loss<M: Math, E: Float>(x: E, target: E, _: E) -> (E, E) {
        // at 0 the logarithm is infinite, and the limit of t log t is 0; a log-probability may be minus infinity there
        let nothing = target == E::zero() && !x.is_nan();
        (if nothing { E::zero() } else { target * (target.ln() - x) }, -target)
    }
}
static DIVERGENCE: PairLossOp = PairLossOp::of::<Divergence>("kl_divergence");

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The Kullback-Leibler divergence KL(t || e^x) of these log-probabilities (see
    /// `log_softmax`) from the probabilities `targets`, over the last axis; the mean over the samples, which are all
    /// other axes. (PyTorch's `kl_div` with `reduction="batchmean"`, for one axis of samples.)
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[0.5_f32.ln(), 0.5_f32.ln()]]);
    /// assert!((x.kl_divergence(&Tensor::from([[1.0, 0.0]])).item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    #[doc(alias = "kl_div")]
    #[track_caller]
    pub fn kl_divergence(self, targets: &impl Target<S, E, Trace = NoTrace>) -> Tensor<(), E, T>
    where
        S: LastAxis,
    {
        self.kl_divergence_with(targets, Mean)
    }

    /// The [divergence](Tensor::kl_divergence): the [`Mean`] over the samples, the [`Sum`](super::Sum), or t (log t -
    /// x) for [`Each`](super::Each) element.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn kl_divergence_with<R: Reduction<S>>(
        self,
        targets: &impl Target<S, E, Trace = NoTrace>,
        reduction: R,
    ) -> Tensor<R::Output, E, T>
    where
        S: LastAxis,
    {
        let samples = self.shape().rows().count();
        pair_loss(&DIVERGENCE, self, targets.tensor(), 0.0, samples, reduction)
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::Each;
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        random_shapes!(
            [(usize,), (usize, usize), (usize, usize, usize)] | shape,
            rng | {
                let targets = random(shape, 0.0, 1.0, rng);
                let x = random(shape, -4.0, 0.0, rng);
                check_gradients(|x| x.kl_divergence_with(&targets, Each), x).unwrap();
            }
        );
    }

    #[test]
    fn classes_that_cannot_be_add_nothing() {
        let x = Tensor::from([[0.0, f32::NEG_INFINITY]]);
        assert_eq!(x.kl_divergence(&Tensor::from([[1.0, 0.0]])).item(), 0.0);
        assert!(Tensor::from([[0.0, f32::NAN]]).kl_divergence(&Tensor::from([[1.0, 0.0]])).item().is_nan());
    }
}
