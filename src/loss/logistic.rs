//! The logistic loss of a score x and a label t of -1 or 1: log(1 + e^(-t x)).
//!
//! Computed as max(-z, 0) + log(1 + e^-|z|) with z = t x, which neither overflows nor loses small values. The
//! derivative by x is -t / (1 + e^z).

use super::pair::{PairLossOp, Target, pair_loss};
use super::{Mean, Reduction};
use crate::kernels::pair_loss::PairLoss;
use crate::numbers::math::Math;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{NoTrace, Trace};

/// log(1 + e^-z) and 1 / (1 + e^z), for any z.
#[inline(always)]
pub fn softplus_of_minus<M: Math, E: Float>(z: E) -> (E, E) {
    let small = M::exp_of_negative(-z.abs());
    let sigmoid = if z < E::zero() { E::one() } else { small } / (E::one() + small);
    // written so that NaN stays NaN
    let linear = if z > E::zero() { E::zero() } else { -z };
    (linear + M::ln_1p(small), sigmoid)
}

struct Logistic;
impl PairLoss for Logistic {
    #[inline(always)]
    fn loss<M: Math, E: Float>(x: E, label: E, _: E) -> (E, E) {
        let (loss, sigmoid) = softplus_of_minus::<M, E>(label * x);
        (loss, -label * sigmoid)
    }
}
static LOGISTIC: PairLossOp = PairLossOp::of::<Logistic>("logistic");

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The mean of log(1 + e^(-t x)) over all elements: logistic regression with labels of -1 and 1.
    ///
    /// With labels of 0 and 1, it is [`binary_cross_entropy`](Tensor::binary_cross_entropy).
    ///
    /// # Panics
    /// If run-time dimensions of scores and labels disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let loss = Tensor::from([0.0, 1000.0, -1000.0]).logistic(&Tensor::from([1.0, 1.0, 1.0]));
    /// assert_eq!(loss.item(), (2.0_f32.ln() + 0.0 + 1000.0) / 3.0);
    /// ```
    #[track_caller]
    pub fn logistic(self, labels: &impl Target<S, E, Trace = NoTrace>) -> Tensor<(), E, T> {
        self.logistic_with(labels, Mean)
    }

    /// log(1 + e^(-t x)): the [`Mean`] or [`Sum`](super::Sum) over all elements, or [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions of scores and labels disagree.
    #[track_caller]
    pub fn logistic_with<R: Reduction<S>>(
        self,
        labels: &impl Target<S, E, Trace = NoTrace>,
        reduction: R,
    ) -> Tensor<R::Output, E, T> {
        let count = self.count();
        pair_loss(&LOGISTIC, self, labels.tensor(), 0.0, count, reduction)
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::Each;
    use crate::ops::testing::*;
    use crate::prelude::*;
    use rand::Rng;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        random_shapes!(|shape, rng| {
            let labels = Tensor::from_fn_with(shape, |_| if rng.next_u32() & 1 == 0 { -1.0 } else { 1.0 });
            let x = random(shape, -4.0, 4.0, rng);
            check_gradients(|x| x.logistic_with(&labels, Each), x).unwrap();
        });
    }

    #[test]
    fn it_is_stable_at_both_ends() {
        let x = Tensor::<_, f64>::of([-1e4, -50.0, 0.0, 50.0, 800.0, f64::NAN]);
        let losses = x.logistic_with(&Tensor::ones(), Each);
        let expected = [1e4, 50.0, std::f64::consts::LN_2, (-50.0_f64).exp(), 0.0];
        for (loss, expected) in losses.iter().zip(expected) {
            assert!((loss - expected).abs() <= 1e-15 * expected, "{loss} instead of {expected}");
        }
        assert!(losses[[5]].is_nan());
    }

    #[test]
    fn labels_of_minus_one_are_those_of_zero_in_binary_cross_entropy() {
        let x = Tensor::<Rank1<20>, f64>::linspace(-5.0, 5.0);
        let signs = Tensor::from_fn_with(x.shape(), |[i]| if i % 3 == 0 { 1.0 } else { -1.0 });
        let answers = Tensor::from_fn_with(x.shape(), |[i]| if i % 3 == 0 { 1.0 } else { 0.0 });
        let difference = x.clone().logistic(&signs).item() - x.binary_cross_entropy(&answers).item();
        assert!(difference.abs() < 1e-15);
    }
}
