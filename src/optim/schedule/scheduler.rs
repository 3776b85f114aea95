//! Counting steps and setting the learning rate.

use super::Schedule;
use crate::numbers::range::not_negative;
use crate::optim::{Optimizer, Rule, Snapshot, SnapshotMismatch};

/// Sets the learning rate of an optimizer, step by step, to the base rate times the factor of a [`Schedule`].
///
/// ```
/// use taut::optim::{Scheduler, StepDecay};
/// use taut::prelude::*;
/// let mut optimizer = Sgd::new(SgdConfig { learning_rate: 0.8, ..Default::default() });
/// let mut scheduler = Scheduler::new(StepDecay { every: 2, factor: 0.5 }, &mut optimizer);
/// let rates: Vec<f64> = (0..6).map(|_| {
///     let rate = optimizer.learning_rate();
///     scheduler.step(&mut optimizer);
///     rate
/// }).collect();
/// assert_eq!(rates, [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheduler<S> {
    schedule: S,
    base: f64,
    step: u64,
}

impl<S: Schedule> Scheduler<S> {
    /// A scheduler whose base rate is the optimizer's learning rate. Sets the rate of the first step.
    ///
    /// # Panics
    /// If the schedule gives a negative rate, or one that is not finite.
    #[track_caller]
    pub fn new<R: Rule>(schedule: S, optimizer: &mut Optimizer<R>) -> Self {
        let scheduler = Scheduler { schedule, base: optimizer.learning_rate(), step: 0 };
        optimizer.set_learning_rate(scheduler.learning_rate());
        scheduler
    }

    /// Counts a step, and sets the learning rate of the next one. Call this after each step of the optimizer, or each
    /// epoch.
    ///
    /// # Panics
    /// If the schedule gives a negative rate, or one that is not finite.
    #[track_caller]
    pub fn step<R: Rule>(&mut self, optimizer: &mut Optimizer<R>) {
        self.step += 1;
        optimizer.set_learning_rate(self.learning_rate());
    }

    /// The current learning rate.
    #[track_caller]
    pub fn learning_rate(&self) -> f64 {
        self.base * self.schedule.factor(self.step)
    }

    /// The rate that the factors multiply.
    pub fn base(&self) -> f64 {
        self.base
    }

    /// Sets the rate that the factors multiply, from the next step on.
    ///
    /// # Panics
    /// If it is negative, infinite, or NaN.
    #[track_caller]
    pub fn set_base(&mut self, base: f64) {
        if let Err(wrong) = not_negative("set_base", "base", base) {
            panic!("{wrong}");
        }
        self.base = base;
    }

    /// The scheduler's state: the base rate and the number of steps. The schedule is not included: it is in the
    /// program.
    ///
    /// ```
    /// use taut::optim::{Exponential, Scheduler};
    /// use taut::prelude::*;
    /// let mut optimizer = Sgd::new(SgdConfig::default());
    /// let mut scheduler = Scheduler::new(Exponential { factor: 0.9 }, &mut optimizer);
    /// (0..7).for_each(|_| scheduler.step(&mut optimizer));
    ///
    /// let mut resumed = Scheduler::new(Exponential { factor: 0.9 }, &mut Sgd::new(SgdConfig::default()));
    /// resumed.restore(&scheduler.snapshot()).unwrap();
    /// assert_eq!(resumed, scheduler);
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        let numbers = vec![("base".to_string(), self.base), ("step".to_string(), self.step as f64)];
        Snapshot { numbers, arrays: Vec::new() }
    }

    /// Restores a [snapshot](Scheduler::snapshot). The optimizer has a snapshot of its own, with its learning rate in
    /// it.
    ///
    /// # Errors
    /// If the snapshot is for something else, or is damaged. The scheduler is then unchanged.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotMismatch> {
        let (base, step) = (snapshot.number("base")?, snapshot.whole("step")?);
        not_negative("the snapshot", "base", base).map_err(|wrong| SnapshotMismatch::new(wrong.to_string()))?;
        (self.base, self.step) = (base, step);
        Ok(())
    }
}
