//! How far predicted numbers are from the true ones.

use super::binary::same_shape;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Errors of predicted numbers, over any number of batches: mean absolute and squared error, and R^2.
///
/// All numbers of a batch, of whatever shape, count as values of one variable. For each of several variables keep one:
/// `[Regression; 3]`, with `predictions.slice_at::<1>(k)`. Sums are in `f64`, those of R^2 about the mean, so that
/// large targets of small spread lose no digits (Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm
/// for Computing Sample Variances", 1979).
///
/// ```
/// use taut::metrics::Regression;
/// use taut::prelude::*;
/// let mut errors = Regression::default();
/// errors.add(&Tensor::from([2.5, 0.0]), &Tensor::from([3.0, -0.5]));
/// errors.add(&Tensor::from([2.0, 8.0]), &Tensor::from([2.0, 7.0]));
/// assert_eq!((errors.mean_absolute_error(), errors.mean_squared_error()), (0.5, 0.375));
/// assert!((errors.r_squared() - 0.949).abs() < 0.001);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regression {
    count: usize,
    absolute: f64,
    squared: f64,
    /// The mean of the targets, and the sum of their squared distances from it.
    mean: f64,
    spread: f64,
}

impl Regression {
    /// Adds a batch of any shape.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn add<S: Shape, E: Float, T: Trace>(&mut self, predictions: &Tensor<S, E, T>, targets: &Tensor<S, E>) {
        same_shape("Regression", predictions.shape(), targets.shape());
        for (prediction, target) in predictions.iter().zip(targets.iter()) {
            let (prediction, target) = (prediction.as_f64(), target.as_f64());
            let error = prediction - target;
            self.merge(&Regression {
                count: 1,
                absolute: error.abs(),
                squared: error * error,
                mean: target,
                spread: 0.0,
            });
        }
    }

    /// The mean of |x - t|. NaN if there are no numbers.
    pub fn mean_absolute_error(&self) -> f64 {
        self.absolute / self.count as f64
    }

    /// The mean of (x - t)^2. NaN if there are no numbers.
    pub fn mean_squared_error(&self) -> f64 {
        self.squared / self.count as f64
    }

    /// The root of the mean of (x - t)^2. NaN if there are no numbers.
    pub fn root_mean_squared_error(&self) -> f64 {
        self.mean_squared_error().sqrt()
    }

    /// The coefficient of determination, 1 - sum (x - t)^2 / sum (t - mean t)^2: 1 for perfect predictions, 0 for those
    /// that are no better than the mean, negative for worse.
    ///
    /// As in scikit-learn: if all targets are the same, it is 1 for perfect predictions and 0 otherwise; of fewer than
    /// two numbers it is NaN.
    #[doc(alias = "r2")]
    pub fn r_squared(&self) -> f64 {
        match self.count {
            0 | 1 => f64::NAN,
            _ if self.spread == 0.0 && self.squared == 0.0 => 1.0,
            _ if self.spread == 0.0 && !self.squared.is_nan() => 0.0,
            _ => 1.0 - self.squared / self.spread,
        }
    }

    /// The number of predicted numbers.
    pub fn total(&self) -> usize {
        self.count
    }

    /// Adds the numbers of another one.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (own, others) = (self.count as f64, other.count as f64);
        let apart = other.mean - self.mean;
        self.spread += other.spread + apart * apart * own * others / (own + others);
        self.mean += apart * others / (own + others);
        self.count += other.count;
        self.absolute += other.absolute;
        self.squared += other.squared;
    }

    /// Forgets all numbers.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}
