//! Optimizers: how parameters follow their gradients, and schedules of their learning rate.
//!
//! [`Optimizer::step`] visits the parameters of a model. The state of each parameter (a velocity, say) is kept in the
//! order of that visit, with the parameter's path, and saved by path ([`Snapshot`]).
//!
//! ```
//! use taut::prelude::*;
//! let mut rng = StdRng::seed_from_u64(0);
//! let mut model = <(Linear<2, 8>, Relu, Linear<8, 1>)>::init(&mut rng);
//! let mut optimizer = Adam::new(AdamConfig { learning_rate: 1e-2, ..Default::default() });
//! let x = Tensor::<Rank2<32, 2>>::randn(&mut rng);
//! for _ in 0..10 {
//!     let tape = Tape::training(&mut rng);
//!     let y = model.forward(tape.trace(x.clone()));
//!     let gradients = (y.clone() * y).mean().backward();
//!     optimizer.step(&mut model, &gradients);
//! }
//! ```

mod ada_grad;
mod adam;
mod groups;
mod optimizer;
mod rms_prop;
pub mod schedule;
mod sgd;
mod snapshot;
mod state;

pub use crate::numbers::range::OutOfRange;
pub use ada_grad::{AdaGrad, AdaGradConfig};
pub use adam::{Adam, AdamConfig};
pub use groups::Group;
use groups::Groups;
pub use optimizer::{Arrays, MEMORY, Optimizer, Rule, Step};
pub use rms_prop::{RmsMomentum, RmsProp, RmsPropConfig};
pub use schedule::{
    Anneal, Cosine, CosineRestarts, Exponential, Milestones, OneCycle, Plateau, PlateauConfig, Schedule, Scheduler,
    StepDecay, Threshold, WarmUp,
};
pub use sgd::{Momentum, Sgd, SgdConfig};
pub use snapshot::{Snapshot, SnapshotArray, SnapshotMismatch};

use crate::numbers::range;

/// Weight decay, which pulls parameters towards zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum WeightDecay {
    /// Nothing.
    #[default]
    None,
    /// The gradient of lambda/2 |theta|^2 is added to that of the loss: g <- g + lambda theta.
    Coupled(f64),
    /// theta <- theta - learning_rate lambda theta, beside the step. Loshchilov and Hutter, "Decoupled Weight Decay
    /// Regularization", 2019.
    Decoupled(f64),
}

impl WeightDecay {
    fn check(self, owner: &str) -> Result<(), OutOfRange> {
        match self {
            WeightDecay::None => Ok(()),
            WeightDecay::Coupled(lambda) | WeightDecay::Decoupled(lambda) => {
                range::not_negative(owner, "weight_decay", lambda)
            }
        }
    }

    /// (shrink, pull): the parameter is multiplied by the first, and the second times it is added to the gradient.
    fn factors(self, step: Step) -> (f64, f64) {
        match self {
            WeightDecay::None => (1.0, 0.0),
            WeightDecay::Coupled(lambda) => (1.0, step.weight_decay_factor * lambda),
            WeightDecay::Decoupled(lambda) => (1.0 - step.learning_rate * step.weight_decay_factor * lambda, 0.0),
        }
    }
}
