//! Hinge losses: 0 once the correct side is ahead by a margin of 1.
//!
//! | | loss | derivative |
//! | --- | --- | --- |
//! | binary, label t = -1 or 1 | max(1 - t x, 0) | -t where t x < 1 |
//! | multi-class, class t | sum over j != t of max(1 + x_j - x_t, 0) | 1 for each x_j above the margin, minus their number for x_t |
//!
//! With [`plus_l2`](Tensor::plus_l2) of the weights, this is the support vector machine.

use super::pair::{PairLossOp, Target, pair_loss};
use super::rows::{Changes, ClassIndices, Logits, RowLossOp, row_loss};
use super::{Mean, Reduction};
use crate::kernels::pair_loss::PairLoss;
use crate::kernels::row_loss::{self, RowTargets};
use crate::numbers::PerFloat;
use crate::numbers::math::Math;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{NoTrace, Trace};

struct Hinge;
impl PairLoss for Hinge {
    #[inline(always)]
    fn loss<M: Math, E: Float>(x: E, label: E, _: E) -> (E, E) {
        let below = E::one() - label * x;
        // written so that NaN stays NaN
        if below <= E::zero() { (E::zero(), E::zero()) } else { (below, -label) }
    }
}
static HINGE: PairLossOp = PairLossOp::of::<Hinge>("hinge");
static MULTI_CLASS_HINGE: RowLossOp = RowLossOp {
    name: "multi_class_hinge",
    loops: PerFloat { f32: row_loss::multi_class_hinge, f64: row_loss::multi_class_hinge },
};

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The mean of max(1 - t x, 0) over all elements, for scores x and labels t of -1 and 1. Cortes and Vapnik,
    /// "Support-Vector Networks", 1995.
    ///
    /// # Panics
    /// If run-time dimensions of scores and labels disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let scores = Tensor::from([2.0, 0.5, -1.0, 1.0]);
    /// let loss = scores.hinge(&Tensor::from([1.0, 1.0, 1.0, 1.0]));
    /// assert_eq!(loss.item(), (0.0 + 0.5 + 2.0 + 0.0) / 4.0);
    /// ```
    #[track_caller]
    pub fn hinge(self, labels: &impl Target<S, E, Trace = NoTrace>) -> Tensor<(), E, T> {
        self.hinge_with(labels, Mean)
    }

    /// max(1 - t x, 0): the [`Mean`] or [`Sum`](super::Sum) over all elements, or [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions of scores and labels disagree.
    #[track_caller]
    pub fn hinge_with<R: Reduction<S>>(
        self,
        labels: &impl Target<S, E, Trace = NoTrace>,
        reduction: R,
    ) -> Tensor<R::Output, E, T> {
        let count = self.count();
        pair_loss(&HINGE, self, labels.tensor(), 0.0, count, reduction)
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The mean over the samples of the sum over all wrong classes j of max(1 + x_j - x_t, 0), for class indices t.
    /// Weston and Watkins, "Support Vector Machines for Multi-Class Pattern Recognition", 1999.
    ///
    /// (PyTorch's `multi_margin_loss` divides this by the number of classes.)
    ///
    /// # Panics
    /// If run-time dimensions disagree, or a class index is not below the number of classes.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let scores = Tensor::from([[3.0, 2.5, 0.0]]);
    /// assert_eq!(scores.multi_class_hinge(&Tensor::from([0])).item(), 0.5);
    /// ```
    #[track_caller]
    pub fn multi_class_hinge<L>(self, labels: &L) -> Tensor<(), E, T>
    where
        S: Logits,
        L: ClassIndices<S::Batch>,
    {
        self.multi_class_hinge_with(labels, Mean)
    }

    /// The [multi-class hinge loss](Tensor::multi_class_hinge): the [`Mean`] or [`Sum`](super::Sum) over the samples,
    /// or that of [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions disagree, or a class index is not below the number of classes.
    #[track_caller]
    pub fn multi_class_hinge_with<L, R>(self, labels: &L, reduction: R) -> Tensor<R::Output, E, T>
    where
        S: Logits,
        L: ClassIndices<S::Batch>,
        R: Reduction<S::Rows>,
    {
        let (sizes, targets) = (labels.sizes(), RowTargets::Indices(labels.indices()));
        row_loss(&MULTI_CLASS_HINGE, self, sizes.as_ref(), targets, Changes::NONE, reduction)
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::Each;
    use crate::ops::testing::*;
    use crate::prelude::*;
    use crate::shape::LastAxis;
    use rand::Rng;

    // the loss of a single sample has the shape ()
    #[allow(clippy::unit_arg)]
    #[test]
    fn gradients_are_those_of_finite_differences() {
        random_shapes!(|shape, rng| {
            let labels = Tensor::from_fn_with(shape, |_| if rng.next_u32() & 1 == 0 { -1.0 } else { 1.0 });
            let x = random_apart(shape, -3.0, 3.0, &[-1.0, 1.0], rng);
            check_gradients(|x| x.hinge_with(&labels, Each), x).unwrap();
        });
        random_shapes!(
            [(usize,), (usize, usize), (usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                if shape.last() > 0 {
                    let labels = Tensor::from_fn_with(shape.rows(), |_| rng.next_u32() as usize % shape.last());
                    let x = random(shape, -3.0, 3.0, rng);
                    check_gradients(|x| x.multi_class_hinge_with(&labels, Each), x).unwrap();
                }
            }
        );
    }

    #[test]
    fn large_scores_lose_nothing_and_what_is_no_number_stays_none() {
        let scores = Tensor::from([[1e8, 0.0, 0.0], [0.0, 1e8, 0.0], [f32::NAN, 0.0, 0.0]]);
        let losses = scores.multi_class_hinge_with(&Tensor::from([0, 0, 0]), Each);
        assert_eq!(losses.as_slice()[..2], [0.0, 1e8 + 2.0]);
        assert!(losses[[2]].is_nan());
        assert!(Tensor::from([f32::NAN]).hinge(&Tensor::from([1.0])).item().is_nan());
    }

    #[test]
    #[should_panic(expected = "multi_class_hinge: label 3 of sample 0 is not one of 3 classes")]
    fn a_label_out_of_range_is_named() {
        let _ = Tensor::from([[1.0, 0.0, 0.0]]).multi_class_hinge(&Tensor::from([3]));
    }
}
