//! Rates that fall when a measure stops improving.

use crate::numbers::range::{OutOfRange, expect, not_negative, part};
use crate::optim::{Snapshot, SnapshotMismatch};

/// How much a measurement must improve on the best one so far to count as better.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum Threshold {
    /// By this fraction of the best one's magnitude.
    Relative(f64),
    /// By this amount.
    Absolute(f64),
}

impl Threshold {
    /// Whether a measurement is that much better than the best one so far, which is infinite before the first one.
    pub(crate) fn is_better(self, measured: f64, best: f64, larger_is_better: bool) -> bool {
        let sign = if larger_is_better { -1.0 } else { 1.0 };
        let margin = match self {
            // every finite number is better than an infinite one
            Threshold::Relative(part) if best.is_finite() => part * best.abs(),
            Threshold::Relative(_) => 0.0,
            Threshold::Absolute(margin) => margin,
        };
        sign * measured < sign * best - margin
    }

    /// # Errors
    /// If it is negative, infinite or NaN.
    pub(crate) fn check(self, owner: &str) -> Result<(), OutOfRange> {
        let (Threshold::Relative(threshold) | Threshold::Absolute(threshold)) = self;
        not_negative(owner, "threshold", threshold)
    }
}

/// The settings of [`Plateau`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct PlateauConfig {
    /// What the learning rate is multiplied by. 0.1 by default.
    pub factor: f64,
    /// The number of measurements in a row that may bring no improvement: the rate falls at the next one. 10 by
    /// default.
    pub patience: u64,
    /// [`Relative(1e-4)`](Threshold::Relative) by default.
    pub threshold: Threshold,
    /// The number of measurements ignored after the rate fell. 0 by default.
    pub cooldown: u64,
    /// The learning rate never falls below this one, PyTorch's `min_lr`. 0 by default.
    pub smallest_learning_rate: f64,
    /// Whether larger numbers are better (an accuracy) rather than smaller ones (a loss). `false` by default.
    pub larger_is_better: bool,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for PlateauConfig {
    fn default() -> Self {
        PlateauConfig {
            factor: 0.1,
            patience: 10,
            threshold: Threshold::Relative(1e-4),
            cooldown: 0,
            smallest_learning_rate: 0.0,
            larger_is_better: false,
            more: (),
        }
    }
}

/// Lowers the learning rate when a measurement, a validation loss say, stops improving. (PyTorch's
/// `ReduceLROnPlateau`.)
///
/// It works on any rate it is given, so it combines with a [`Scheduler`](super::Scheduler): give it the scheduler's
/// base rate.
///
/// ```
/// use taut::optim::{Plateau, PlateauConfig};
/// use taut::prelude::*;
/// let mut optimizer = Sgd::new(SgdConfig { learning_rate: 0.8, ..Default::default() });
/// let mut plateau = Plateau::new(PlateauConfig { factor: 0.5, patience: 1, ..Default::default() });
/// let mut rates = Vec::new();
/// for validation_loss in [3.0, 2.0, 2.1, 2.2, 2.3] {
///     optimizer.set_learning_rate(plateau.next_learning_rate(optimizer.learning_rate(), validation_loss));
///     rates.push(optimizer.learning_rate());
/// }
/// assert_eq!(rates, [0.8, 0.8, 0.8, 0.4, 0.4]);
/// ```
#[doc(alias = "ReduceLROnPlateau")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    config: PlateauConfig,
    best: f64,
    /// The number of measurements in a row without improvement.
    waited: u64,
    /// The number of measurements still to be ignored.
    cooling: u64,
}

impl Plateau {
    /// A plateau detector without measurements.
    ///
    /// # Panics
    /// If the factor is not from 0 to 1, or another number is negative or NaN.
    #[track_caller]
    pub fn new(config: PlateauConfig) -> Self {
        let checked = config
            .threshold
            .check("Plateau")
            .and_then(|()| not_negative("Plateau", "smallest_learning_rate", config.smallest_learning_rate));
        expect(checked.and_then(|()| part("Plateau", "factor", config.factor)));
        let best = if config.larger_is_better { f64::NEG_INFINITY } else { f64::INFINITY };
        Plateau { config, best, waited: 0, cooling: 0 }
    }

    /// Takes a measurement and returns the learning rate to continue with. NaN is not an improvement.
    ///
    /// # Panics
    /// If the learning rate is negative, infinite, or NaN.
    #[track_caller]
    pub fn next_learning_rate(&mut self, learning_rate: f64, measured: f64) -> f64 {
        expect(not_negative("next_learning_rate", "learning_rate", learning_rate));
        let PlateauConfig { factor, patience, threshold, cooldown, smallest_learning_rate, larger_is_better, .. } =
            self.config;
        if threshold.is_better(measured, self.best, larger_is_better) {
            (self.best, self.waited) = (measured, 0);
        } else {
            self.waited += 1;
        }
        if self.cooling > 0 {
            (self.cooling, self.waited) = (self.cooling - 1, 0);
        }
        if self.waited <= patience {
            return learning_rate;
        }
        (self.cooling, self.waited) = (cooldown, 0);
        (learning_rate * factor).max(smallest_learning_rate).min(learning_rate)
    }

    /// The state: the best measurement and two counts. The settings are not included: they are in the program.
    pub fn snapshot(&self) -> Snapshot {
        let numbers = [("best", self.best), ("waited", self.waited as f64), ("cooling", self.cooling as f64)];
        Snapshot { numbers: numbers.map(|(name, value)| (name.to_string(), value)).to_vec(), arrays: Vec::new() }
    }

    /// Restores a [snapshot](Plateau::snapshot).
    ///
    /// # Errors
    /// If the snapshot is for something else, or is damaged. Nothing changes then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotMismatch> {
        let (best, waited) = (snapshot.number("best")?, snapshot.whole("waited")?);
        (self.best, self.waited, self.cooling) = (best, waited, snapshot.whole("cooling")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::optim::{Plateau, PlateauConfig};
    use crate::prelude::*;

    #[test]
    fn a_restored_detector_goes_on_as_before() {
        let config = PlateauConfig { patience: 2, cooldown: 1, factor: 0.5, ..Default::default() };
        let measured = [3.0, 2.9, 2.95, 3.0, f64::NAN, 3.1, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0];
        for split in 0..measured.len() {
            let (mut whole, mut first) = (Plateau::new(config), Plateau::new(config));
            let (mut rate, mut other) = (1.0, 1.0);
            for &value in &measured[..split] {
                (rate, other) = (whole.next_learning_rate(rate, value), first.next_learning_rate(other, value));
            }
            let mut second = Plateau::new(config);
            second.restore(&first.snapshot()).unwrap();
            assert_eq!(second, whole);
            for &value in &measured[split..] {
                (rate, other) = (whole.next_learning_rate(rate, value), second.next_learning_rate(other, value));
                assert_eq!(rate, other);
            }
            assert_eq!(rate, 0.25, "it fell twice");
        }
    }

    #[test]
    fn a_snapshot_of_something_else_is_refused() {
        let mut plateau = Plateau::new(PlateauConfig::default());
        let error = plateau.restore(&Sgd::new(SgdConfig::default()).snapshot()).unwrap_err();
        assert_eq!(error.to_string(), "the snapshot has no number `best`");
    }

    #[test]
    #[should_panic(expected = "Plateau: `factor` must be from 0 to 1, and is 2")]
    fn a_factor_that_raises_the_rate_is_refused() {
        let _ = Plateau::new(PlateauConfig { factor: 2.0, ..Default::default() });
    }
}
