//! Ending a training that no longer improves.

use crate::numbers::range::expect;
use crate::optim::{Snapshot, SnapshotMismatch, Threshold};

/// The settings of [`EarlyStopping`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct EarlyStoppingConfig {
    /// The number of measurements in a row without improvement after which to stop. 10 by default.
    pub patience: u64,
    /// By how much a measurement must be better than the best so far to count as an improvement.
    /// [`Absolute(0.0)`](Threshold::Absolute) by default: by anything at all.
    #[doc(alias = "min_delta")]
    pub threshold: Threshold,
    /// Whether larger numbers are better (an accuracy) rather than smaller ones (a loss). `false` by default.
    pub larger_is_better: bool,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for EarlyStoppingConfig {
    fn default() -> Self {
        EarlyStoppingConfig { patience: 10, threshold: Threshold::Absolute(0.0), larger_is_better: false, more: () }
    }
}

/// Says when to stop: when a measurement, such as a validation loss, has not improved for a while.
///
/// ```
/// use taut::record::{EarlyStopping, EarlyStoppingConfig};
/// let mut stopping = EarlyStopping::new(EarlyStoppingConfig { patience: 2, ..Default::default() });
/// let losses = [3.0, 2.0, 2.1, 1.9, 1.95, 2.0, 1.8];
/// let epochs = losses.iter().take_while(|&&loss| !stopping.should_stop(loss)).count();
/// assert_eq!((epochs, stopping.best()), (5, Some(1.9)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    config: EarlyStoppingConfig,
    /// Infinite before the first number.
    best: f64,
    /// The number of measurements in a row without improvement.
    waited: u64,
}

impl EarlyStopping {
    /// Without measurements.
    ///
    /// # Panics
    /// If the patience is 0, or the threshold is negative, infinite or NaN.
    #[track_caller]
    pub fn new(config: EarlyStoppingConfig) -> Self {
        expect(config.threshold.check("EarlyStopping"));
        assert!(config.patience > 0, "EarlyStopping: with patience 0 the first measurement would end the training");
        let best = if config.larger_is_better { f64::NEG_INFINITY } else { f64::INFINITY };
        EarlyStopping { config, best, waited: 0 }
    }

    /// Takes a measurement and returns whether to stop. NaN is not an improvement.
    #[must_use = "it only says whether to stop"]
    pub fn should_stop(&mut self, measured: f64) -> bool {
        if self.config.threshold.is_better(measured, self.best, self.config.larger_is_better) {
            (self.best, self.waited) = (measured, 0);
        } else {
            self.waited += 1;
        }
        self.waited >= self.config.patience
    }

    /// The best measurement. `None` before the first one.
    pub fn best(&self) -> Option<f64> {
        Some(self.best).filter(|best| best.is_finite())
    }

    /// The number of measurements in a row without improvement.
    pub fn waited(&self) -> u64 {
        self.waited
    }

    /// The state, for a [checkpoint](crate::Checkpoint) from which the run resumes. The settings are not included: they
    /// are in the program.
    pub fn snapshot(&self) -> Snapshot {
        let numbers = [("best", self.best), ("waited", self.waited as f64)];
        Snapshot { numbers: numbers.map(|(name, value)| (name.to_string(), value)).to_vec(), arrays: Vec::new() }
    }

    /// Restores a [snapshot](EarlyStopping::snapshot).
    ///
    /// # Errors
    /// If the snapshot is for something else, or is damaged. Nothing changes then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotMismatch> {
        (self.best, self.waited) = (snapshot.number("best")?, snapshot.whole("waited")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stops_at(config: EarlyStoppingConfig, measured: &[f64]) -> Option<usize> {
        let mut stopping = EarlyStopping::new(config);
        measured.iter().position(|&measured| stopping.should_stop(measured))
    }

    #[test]
    fn patience_counts_measurements_in_a_row() {
        let config = |patience| EarlyStoppingConfig { patience, ..Default::default() };
        let losses = [5.0, 4.0, 4.0, 3.0, 3.5, f64::NAN, 3.0, 2.0];
        assert_eq!([1, 2, 3, 4].map(|patience| stops_at(config(patience), &losses)), [Some(2), Some(5), Some(6), None]);
        let accuracies = losses.map(|loss| -loss);
        let config = EarlyStoppingConfig { patience: 3, larger_is_better: true, ..Default::default() };
        assert_eq!(stops_at(config, &accuracies), Some(6));
    }

    #[test]
    fn small_improvements_do_not_count() {
        let losses = [1.0, 0.95, 0.9, 0.85, 0.79, 0.7];
        let config = |threshold| EarlyStoppingConfig { patience: 2, threshold, ..Default::default() };
        assert_eq!(stops_at(config(Threshold::Absolute(0.2)), &losses), Some(2));
        assert_eq!(stops_at(config(Threshold::Absolute(0.12)), &losses), Some(2));
        assert_eq!(stops_at(config(Threshold::Absolute(0.08)), &losses), None);
        assert_eq!(stops_at(config(Threshold::Relative(0.04)), &losses), None);
    }

    #[test]
    fn a_resumed_run_stops_where_the_whole_one_does() {
        let losses = [5.0, 4.0, 4.5, 4.2, 4.1, 3.0];
        let config = EarlyStoppingConfig { patience: 3, ..Default::default() };
        for cut in 0..4 {
            let mut first = EarlyStopping::new(config);
            assert!(losses[..cut].iter().all(|&loss| !first.should_stop(loss)));
            let mut second = EarlyStopping::new(config);
            second.restore(&first.snapshot()).unwrap();
            assert_eq!(first, second);
            assert_eq!(losses[cut..].iter().position(|&loss| second.should_stop(loss)), Some(4 - cut));
        }
        let mut stopping = EarlyStopping::new(config);
        assert!(stopping.restore(&Snapshot::default()).is_err() && stopping.best().is_none());
    }

    #[test]
    #[should_panic(expected = "EarlyStopping: `threshold` must be a finite number")]
    fn a_threshold_that_is_no_number_panics() {
        EarlyStopping::new(EarlyStoppingConfig { threshold: Threshold::Relative(f64::NAN), ..Default::default() });
    }
}
