//! Schedules: learning rates that change as training goes on.
//!
//! A [`Schedule`] says by which factor the base rate is multiplied at each step (or epoch: whatever is counted), and a
//! [`Scheduler`] counts the steps and sets the rate. [`Plateau`] goes by a measured number instead.
//!
//! Schedules are put together: [`then`](Schedule::then) one after the other, [`times`](Schedule::times) both at once.
//! A function of the step is a schedule too.
//!
//! ```
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
//! assert!((rates[10] - 0.25).abs() < 1e-12); // half of the way down
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

/// By which factor the base learning rate is multiplied at each step.
///
/// A schedule is a function of the step alone: so it is resumed by counting on.
///
/// ```
/// use taut::prelude::*;
/// let inverse_root = |step: u64| 1.0 / (1.0 + step as f64).sqrt();
/// assert_eq!(inverse_root.factor(3), 0.5);
/// ```
pub trait Schedule {
    /// The factor at step number `step`, the first of which is 0.
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
pub struct Times<L, R> {
    left: L,
    right: R,
}

impl<L: Schedule, R: Schedule> Schedule for Times<L, R> {
    fn factor(&self, step: u64) -> f64 {
        self.left.factor(step) * self.right.factor(step)
    }
}
