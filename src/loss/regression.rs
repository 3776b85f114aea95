//! Losses of numbers: squared error, absolute error, Huber.
//!
//! With d = x - t for a prediction x and its target t:
//!
//! | | loss | derivative by x |
//! | --- | --- | --- |
//! | squared error | d^2 | 2 d |
//! | absolute error | \|d\| | sign(d), 0 at 0 |
//! | Huber, \|d\| <= delta | d^2 / 2 | d |
//! | Huber, \|d\| > delta | delta (\|d\| - delta / 2) | delta sign(d) |
//!
//! The target may be traced too: its derivative is the negative.

use super::pair::{PairLossOp, pair_loss};
use super::{Mean, Reduction};
use crate::kernels::pair_loss::PairLoss;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Trace};

struct Squared;
impl PairLoss for Squared {
    #[inline(always)]
    fn loss<E: Float>(x: E, target: E, _: E) -> (E, E) {
        let d = x - target;
        (d * d, d + d)
    }
}

struct Absolute;
impl PairLoss for Absolute {
    #[inline(always)]
    fn loss<E: Float>(x: E, target: E, _: E) -> (E, E) {
        let d = x - target;
        // 0 and what is no number stay as they are
        let sign = if d > E::zero() {
            E::one()
        } else if d < E::zero() {
            -E::one()
        } else {
            d
        };
        (d.abs(), sign)
    }
}

struct Huber;
impl PairLoss for Huber {
    #[inline(always)]
    fn loss<E: Float>(x: E, target: E, delta: E) -> (E, E) {
        let d = x - target;
        let half = E::of(0.5);
        if d > delta {
            (delta * (d - half * delta), delta)
        } else if d < -delta {
            (delta * (-d - half * delta), -delta)
        } else {
            (half * d * d, d)
        }
    }
}

static SQUARED: PairLossOp = PairLossOp::of::<Squared>("squared_error");
static ABSOLUTE: PairLossOp = PairLossOp::of::<Absolute>("absolute_error");
static HUBER: PairLossOp = PairLossOp::of::<Huber>("huber");

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The mean of (x - t)^2 over all elements.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let loss = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).mean_squared_error(&Tensor::from([[1.0, 2.0], [3.0, 0.0]]));
    /// assert_eq!(loss.item(), 4.0);
    /// ```
    #[track_caller]
    pub fn mean_squared_error<U: Trace>(self, target: &Tensor<S, E, U>) -> Tensor<(), E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        self.squared_error_with(target, Mean)
    }

    /// (x - t)^2: the [`Mean`] or [`Sum`](super::Sum) over all elements, or [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn squared_error_with<U: Trace, R: Reduction<S>>(
        self,
        target: &Tensor<S, E, U>,
        reduction: R,
    ) -> Tensor<R::Output, E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        let count = self.count();
        pair_loss(&SQUARED, self, target, 0.0, count, reduction)
    }

    /// The mean of |x - t| over all elements.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let loss = Tensor::from([1.0, -2.0]).mean_absolute_error(&Tensor::from([0.0, 1.0]));
    /// assert_eq!(loss.item(), 2.0);
    /// ```
    #[track_caller]
    pub fn mean_absolute_error<U: Trace>(self, target: &Tensor<S, E, U>) -> Tensor<(), E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        self.absolute_error_with(target, Mean)
    }

    /// |x - t|: the [`Mean`] or [`Sum`](super::Sum) over all elements, or [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn absolute_error_with<U: Trace, R: Reduction<S>>(
        self,
        target: &Tensor<S, E, U>,
        reduction: R,
    ) -> Tensor<R::Output, E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        let count = self.count();
        pair_loss(&ABSOLUTE, self, target, 0.0, count, reduction)
    }

    /// The mean Huber loss over all elements: d^2 / 2 where |d| <= delta, and delta (|d| - delta / 2) beyond, for
    /// d = x - t. Outliers pull with a force of delta and no more. Huber, "Robust Estimation of a Location Parameter",
    /// 1964.
    ///
    /// PyTorch's smooth L1 loss of parameter beta is this loss with delta = beta, divided by beta.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree, or delta is not above 0.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let loss = Tensor::from([0.5, 3.0]).huber(&Tensor::from([0.0, 0.0]), 1.0);
    /// assert_eq!(loss.item(), (0.125 + 2.5) / 2.0);
    /// ```
    #[track_caller]
    pub fn huber<U: Trace>(self, target: &Tensor<S, E, U>, delta: f64) -> Tensor<(), E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        self.huber_with(target, delta, Mean)
    }

    /// The [Huber loss](Tensor::huber): the [`Mean`] or [`Sum`](super::Sum) over all elements, or
    /// [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree, or delta is not above 0.
    #[track_caller]
    pub fn huber_with<U: Trace, R: Reduction<S>>(
        self,
        target: &Tensor<S, E, U>,
        delta: f64,
        reduction: R,
    ) -> Tensor<R::Output, E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        assert!(delta > 0.0, "huber: `delta` must be above 0, and is {delta}");
        let count = self.count();
        pair_loss(&HUBER, self, target, delta, count, reduction)
    }
}
