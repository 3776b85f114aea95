//! Schedules: learning rates that change as training goes on.
//!
//! A [`Schedule`] gives the factor on the base rate at each step (or epoch: whatever is counted), and a
//! [`Scheduler`] counts the steps and sets the rate. [`Plateau`] goes by a measured number instead.
//!
//! Schedules can be combined: [`then`](Schedule::then) one after the other, [`times`](Schedule::times) as a product.
//! A function of the step is a schedule too.
//!
//! ```
//! use taut::optim::{Cosine, Schedule, Scheduler, WarmUp};
//! use taut::prelude::*;
//! let mut optimizer = Adam::new(AdamConfig { learning_rate: 0.5, ..Default::default() });
//! let warm_up = WarmUp { steps: 5, first: 0.2 };
//! let schedule = warm_up.then(5, Cosine { steps: 10, last: 0.0 });
//! let mut scheduler = Scheduler::new(schedule, &mut optimizer);
//! let mut rates = Vec::new();
//! for _ in 0..16 {
//!     rates.push(optimizer.learning_rate());
//!     // ... optimizer.step(&mut model, &gradients);
//!     scheduler.step(&mut optimizer);
//! }
//! assert!((rates[0] - 0.1).abs() < 1e-12); // warm
//! assert!((rates[5] - 0.5).abs() < 1e-12); // full
//! assert!((rates[10] - 0.25).abs() < 1e-12); // half-way down
//! assert!(rates[15] < 1e-12);
//! ```

mod cosine;
mod decay;
mod one_cycle;
mod plateau;
mod scheduler;
mod warm_up;

pub use cosine::{Cosine, CosineRestarts};
pub use decay::{Exponential, Milestones, StepDecay};
pub use one_cycle::{Anneal, OneCycle};
pub use plateau::{Plateau, PlateauConfig, Threshold};
pub use scheduler::Scheduler;
pub use warm_up::WarmUp;

/// The factor on the base learning rate at each step.
///
/// A schedule is a function of the step alone, so it is resumed by continuing the count.
///
/// ```
/// use taut::optim::Schedule;
/// use taut::prelude::*;
/// let inverse_root = |step: u64| 1.0 / (1.0 + step as f64).sqrt();
/// assert_eq!(inverse_root.factor(3), 0.5);
/// ```
pub trait Schedule {
    /// The factor at step `step`, counted from 0.
    #[track_caller]
    fn factor(&self, step: u64) -> f64;

    /// This schedule for `steps` steps, and `next` from then on, which starts counting at 0.
    fn then<N: Schedule>(self, steps: u64, next: N) -> Then<Self, N>
    where
        Self: Sized,
    {
        Then { first: self, steps, next }
    }

    /// The product of this schedule and another.
    fn times<O: Schedule>(self, other: O) -> Times<Self, O>
    where
        Self: Sized,
    {
        Times { left: self, right: other }
    }
}

impl<F: Fn(u64) -> f64> Schedule for F {
    fn factor(&self, step: u64) -> f64 {
        self(step)
    }
}

/// One schedule after the other. See [`Schedule::then`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct Then<F, N> {
    first: F,
    steps: u64,
    next: N,
}

impl<F: Schedule, N: Schedule> Schedule for Then<F, N> {
    fn factor(&self, step: u64) -> f64 {
        match step.checked_sub(self.steps) {
            None => self.first.factor(step),
            Some(later) => self.next.factor(later),
        }
    }
}

/// Two schedules at once. See [`Schedule::times`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct Times<L, R> {
    left: L,
    right: R,
}

impl<L: Schedule, R: Schedule> Schedule for Times<L, R> {
    fn factor(&self, step: u64) -> f64 {
        self.left.factor(step) * self.right.factor(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All schedules with these settings.
    fn all(steps: u64, part: f64) -> Vec<(&'static str, Box<dyn Schedule>)> {
        let cycle = OneCycle { steps, rise: part, first: part, ..Default::default() };
        vec![
            ("Cosine", Box::new(Cosine { steps, last: part })),
            ("CosineRestarts", Box::new(CosineRestarts { steps, growth: steps, last: part })),
            ("CosineRestarts of one length", Box::new(CosineRestarts { steps, growth: 1, last: part })),
            ("StepDecay", Box::new(StepDecay { every: steps.max(1), factor: part })),
            ("Milestones", Box::new(Milestones { steps: [steps, 0, steps], factor: part })),
            ("Exponential", Box::new(Exponential { factor: part })),
            ("OneCycle", Box::new(cycle)),
            ("OneCycle in lines", Box::new(OneCycle { anneal: Anneal::Linear, ..cycle })),
            ("WarmUp", Box::new(WarmUp { steps, first: part })),
            ("Then", Box::new(WarmUp { steps, first: part }.then(steps, Cosine { steps, last: part }))),
            ("Times", Box::new(cycle.times(Exponential { factor: part }))),
        ]
    }

    #[test]
    fn factors_are_from_0_to_1_at_every_step_and_setting() {
        for steps in [0, 1, 2, 3, 7, 10, 11, 1 << 53, u64::MAX] {
            let ends = [0, 1, 2, 8, 9, 10, 11, 1 << 40, u64::MAX - 1, u64::MAX];
            let around = [steps.saturating_sub(2), steps.saturating_sub(1), steps, steps.saturating_add(1)];
            for part in [0.0, 1e-300, 0.05, 0.1, 0.3, 0.5, 1.0 - f64::EPSILON, 1.0] {
                for (name, schedule) in all(steps, part) {
                    for step in ends.into_iter().chain(around) {
                        let factor = schedule.factor(step);
                        // 1 except for rounding
                        assert!((0.0..=1.0 + 1e-12).contains(&factor), "{name} {steps} {part} {step}: {factor}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_cycle_rises_falls_and_ends_as_it_says() {
        for steps in 2..40_u64 {
            for tenths in 0..=10 {
                let cycle = OneCycle { steps, rise: f64::from(tenths) / 10.0, ..Default::default() };
                let peak = (cycle.rise * steps as f64 - 1.0).max(0.0);
                // the last step has its own rate, even in a cycle that only rises
                for step in 1..steps - 1 {
                    let (before, now) = (cycle.factor(step - 1), cycle.factor(step));
                    assert!(step as f64 > peak || now > before, "rises: {cycle:?} {step}");
                    assert!((step - 1) as f64 <= peak || now < before, "falls: {cycle:?} {step}");
                }
                assert_eq!(cycle.factor(steps - 1), cycle.last);
            }
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        for wrong in [-0.5, f64::NAN, f64::INFINITY] {
            for (name, schedule) in all(5, wrong) {
                let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| schedule.factor(3))).unwrap_err();
                let message = panic.downcast::<String>().unwrap();
                let owner = name.split(' ').next().unwrap();
                assert!(
                    message.contains("must be") && (message.starts_with(owner) || ["Then", "Times"].contains(&owner))
                );
            }
        }
    }
}
