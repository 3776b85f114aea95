//! Rates that fall along a half cosine. Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
//! 2017.

use super::Schedule;
use crate::numbers::range::{expect, not_negative};

/// From 1 at `progress` 0 to `last` at 1.
pub fn half_cosine(progress: f64, last: f64) -> f64 {
    last + (1.0 - last) * (1.0 + (std::f64::consts::PI * progress).cos()) / 2.0
}

/// Falls from 1 at step 0 to `last` at step `steps`, along a half cosine, and stays there. (PyTorch's
/// `CosineAnnealingLR`, which rises again afterwards.)
///
/// ```
/// use taut::optim::{Cosine, Schedule};
/// use taut::prelude::*;
/// let cosine = Cosine { steps: 100, last: 0.1 };
/// assert_eq!((cosine.factor(0), cosine.factor(500)), (1.0, 0.1));
/// assert!((cosine.factor(50) - 0.55).abs() < 1e-12);
/// ```
#[doc(alias = "CosineAnnealingLR")]
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct Cosine {
    /// The step at which the last factor is reached.
    pub steps: u64,
    /// The last factor: 0 to decay to nothing.
    pub last: f64,
}

impl Schedule for Cosine {
    /// The factor at step number `step`.
    ///
    /// # Panics
    /// If `last` is negative, infinite or NaN.
    fn factor(&self, step: u64) -> f64 {
        expect(not_negative("Cosine", "last", self.last));
        if step >= self.steps {
            return self.last;
        }
        half_cosine(step as f64 / self.steps as f64, self.last)
    }
}

/// Falls from 1 towards `last` along a half cosine in `steps` steps, jumps back to 1, and repeats, each cycle `growth`
/// times as long as the one before. (PyTorch's `CosineAnnealingWarmRestarts`.)
///
/// ```
/// use taut::optim::{CosineRestarts, Schedule};
/// use taut::prelude::*;
/// let restarts = CosineRestarts { steps: 10, growth: 2, last: 0.0 };
/// assert_eq!([0, 10, 30, 70].map(|step| restarts.factor(step)), [1.0; 4]);
/// assert!((restarts.factor(20) - 0.5).abs() < 1e-12);
/// ```
#[doc(alias = "CosineAnnealingWarmRestarts")]
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct CosineRestarts {
    /// The number of steps before the first restart. 0 counts as 1.
    pub steps: u64,
    /// The ratio between the lengths of consecutive cycles. 0 counts as 1.
    pub growth: u64,
    /// The factor that each cycle falls towards.
    pub last: f64,
}

impl Schedule for CosineRestarts {
    /// The factor at step number `step`.
    ///
    /// # Panics
    /// If `last` is negative, infinite or NaN.
    fn factor(&self, step: u64) -> f64 {
        expect(not_negative("CosineRestarts", "last", self.last));
        let (mut length, growth) = (self.steps.max(1), self.growth.max(1));
        let mut within = step;
        if growth == 1 {
            within %= length;
        }
        while within >= length {
            within -= length;
            length = length.saturating_mul(growth);
        }
        half_cosine(within as f64 / length as f64, self.last)
    }
}
