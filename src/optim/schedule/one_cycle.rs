//! One rise and one fall.

use super::Schedule;
use super::cosine::half_cosine;
use crate::numbers::range::{expect, not_negative, part};

/// How a [`OneCycle`] goes from one rate to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum Anneal {
    /// Along a half cosine.
    #[default]
    Cosine,
    /// In a straight line.
    Linear,
}

/// Rises from `first` to 1, and falls from there to `last`, both as a factor of the base rate, which is the largest
/// one. Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", 2018.
/// (PyTorch's `OneCycleLR`, with `first` = 1 / `div_factor` and `last` = `first` / `final_div_factor`; momentum stays
/// as it is.)
///
/// ```
/// use taut::optim::{OneCycle, Schedule};
/// use taut::prelude::*;
/// let cycle = OneCycle { steps: 101, ..Default::default() };
/// let factors = [0, 30 - 1, 100].map(|step| cycle.factor(step));
/// assert!((factors[0] - 0.04).abs() < 1e-12 && factors[1] > 0.99 && factors[2] < 1e-5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct OneCycle {
    /// The total number of steps. Afterwards, the rate stays at the last one.
    pub steps: u64,
    /// The fraction of the steps in which the rate rises. 0.3 by default.
    pub rise: f64,
    /// The factor at the first step. 1/25 by default.
    pub first: f64,
    /// The factor at the last step. 1/250,000 by default.
    pub last: f64,
    /// Along a half cosine by default.
    pub anneal: Anneal,
}

impl Default for OneCycle {
    fn default() -> Self {
        OneCycle { steps: 1, rise: 0.3, first: 1.0 / 25.0, last: 1.0 / 250_000.0, anneal: Anneal::Cosine }
    }
}

impl Schedule for OneCycle {
    /// The factor at step number `step`.
    ///
    /// # Panics
    /// If `rise` is not from 0 to 1, or `first` or `last` is negative, infinite or NaN.
    fn factor(&self, step: u64) -> f64 {
        expect(part("OneCycle", "rise", self.rise));
        expect(not_negative("OneCycle", "first", self.first));
        expect(not_negative("OneCycle", "last", self.last));
        let end = self.steps as f64 - 1.0;
        let peak = self.rise * self.steps as f64 - 1.0;
        let step = step as f64;
        let fall = |progress: f64, last: f64| match self.anneal {
            Anneal::Cosine => half_cosine(progress, last),
            Anneal::Linear => 1.0 + (last - 1.0) * progress,
        };
        if step >= end {
            self.last
        } else if step < peak {
            // the fall from the peak, backwards
            fall(1.0 - step / peak, self.first)
        } else {
            fall((step - peak) / (end - peak), self.last)
        }
    }
}
