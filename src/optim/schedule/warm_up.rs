//! Rates that start small.

use super::Schedule;
use crate::numbers::range::{expect, not_negative};

/// Rises in a straight line from `first` at step 0 to 1 at step `steps`, and stays there. Goyal et al., "Accurate,
/// Large Minibatch SGD", 2017. (PyTorch's `LinearLR`.)
///
/// ```
/// use taut::optim::{Exponential, Schedule, WarmUp};
/// use taut::prelude::*;
/// let warm_up = WarmUp { steps: 4, first: 0.0 };
/// assert_eq!([0, 1, 4, 9].map(|step| warm_up.factor(step)), [0.0, 0.25, 1.0, 1.0]);
/// let transformer = WarmUp { steps: 4000, first: 0.001 }.then(4000, Exponential { factor: 0.9999 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct WarmUp {
    /// The number of steps until the base rate is reached.
    pub steps: u64,
    /// The factor at step 0.
    pub first: f64,
}

impl Schedule for WarmUp {
    /// The factor at step number `step`.
    ///
    /// # Panics
    /// If `first` is negative, infinite or NaN.
    fn factor(&self, step: u64) -> f64 {
        expect(not_negative("WarmUp", "first", self.first));
        if step >= self.steps {
            return 1.0;
        }
        self.first + (1.0 - self.first) * step as f64 / self.steps as f64
    }
}
