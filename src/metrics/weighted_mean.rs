//! Means over batches of different sizes.

/// The mean of losses, or of any other numbers, over batches of different sizes.
///
/// The last batch of an epoch is often smaller: a mean of means would count its samples for more than the others.
///
/// ```
/// use taut::metrics::WeightedMean;
/// let mut loss = WeightedMean::default();
/// loss.add(0.5_f32, 64);
/// loss.add(2.0_f32, 32);
/// assert_eq!(loss.value(), 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WeightedMean {
    sum: f64,
    count: usize,
}

impl WeightedMean {
    /// Adds the mean of `samples` samples: `loss.item()` and `labels.count()`. Without samples it changes nothing,
    /// whatever their mean.
    pub fn add(&mut self, mean: impl Into<f64>, samples: usize) {
        if samples > 0 {
            self.sum += mean.into() * samples as f64;
            self.count += samples;
        }
    }

    /// The mean over all samples. NaN if there are none.
    pub fn value(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// The number of samples.
    pub fn total(&self) -> usize {
        self.count
    }

    /// Adds the samples of another one.
    pub fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}
