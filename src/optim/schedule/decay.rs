//! Rates that fall in steps, or by the same factor each time.

use super::Schedule;
use crate::numbers::range::{at_least_one, expect, not_negative};

/// Multiplies the rate by `factor` after every `every` steps: factor^floor(step / every). (PyTorch's `StepLR`.)
///
/// ```
/// use taut::optim::{Schedule, StepDecay};
/// use taut::prelude::*;
/// assert_eq!(StepDecay { every: 10, factor: 0.1 }.factor(9), 1.0);
/// assert_eq!(StepDecay { every: 10, factor: 0.1 }.factor(10), 0.1);
/// ```
#[doc(alias = "StepLR")]
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct StepDecay {
    /// The number of steps between decays. 0 counts as 1.
    pub every: u64,
    /// What it is multiplied by.
    pub factor: f64,
}

impl Schedule for StepDecay {
    /// The factor at step number `step`.
    ///
    /// # Panics
    /// If `factor` is negative, infinite or NaN.
    fn factor(&self, step: u64) -> f64 {
        expect(not_negative("StepDecay", "factor", self.factor));
        expect(at_least_one("StepDecay", "every", self.every as usize));
        self.factor.powf((step / self.every) as f64)
    }
}

/// Multiplies the rate by `factor` at each of these steps. (PyTorch's `MultiStepLR`.)
///
/// ```
/// use taut::optim::{Milestones, Schedule};
/// use taut::prelude::*;
/// let schedule = Milestones { steps: [30, 60, 80], factor: 0.5 };
/// assert_eq!([0, 30, 79, 80].map(|step| schedule.factor(step)), [1.0, 0.5, 0.25, 0.125]);
/// ```
#[doc(alias = "MultiStepLR")]
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Milestones<const N: usize> {
    /// The steps at which the rate falls.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_list"))]
    pub steps: [u64; N],
    /// What it is multiplied by.
    pub factor: f64,
}

/// serde has arrays of a few lengths only.
#[cfg(feature = "serde")]
fn as_list<S: serde::Serializer, const N: usize>(steps: &[u64; N], serializer: S) -> Result<S::Ok, S::Error> {
    serde::Serialize::serialize(steps.as_slice(), serializer)
}

impl<const N: usize> Schedule for Milestones<N> {
    /// The factor at step number `step`.
    ///
    /// # Panics
    /// If `factor` is negative, infinite or NaN.
    fn factor(&self, step: u64) -> f64 {
        expect(not_negative("Milestones", "factor", self.factor));
        let passed = self.steps.iter().filter(|&&milestone| milestone <= step).count();
        self.factor.powf(passed as f64)
    }
}

/// Multiplies the rate by `factor` at every step: factor^step. (PyTorch's `ExponentialLR`.)
///
/// ```
/// use taut::optim::{Exponential, Schedule};
/// use taut::prelude::*;
/// assert_eq!(Exponential { factor: 0.5 }.factor(3), 0.125);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct Exponential {
    /// What the rate is multiplied by.
    pub factor: f64,
}

impl Schedule for Exponential {
    /// The factor at step number `step`.
    ///
    /// # Panics
    /// If `factor` is negative, infinite or NaN.
    fn factor(&self, step: u64) -> f64 {
        expect(not_negative("Exponential", "factor", self.factor));
        self.factor.powf(step as f64)
    }
}
