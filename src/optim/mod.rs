//! Optimizers: how parameters follow their gradients.
//!
//! [`Optimizer::step`] visits the parameters of a model. What an optimizer remembers of each (a velocity, say) is kept
//! in the order of that visit, with the parameter's path, and saved by path.

mod sgd;
mod state;

pub use sgd::{Momentum, Sgd, SgdConfig};
pub(crate) use state::{Rule, State};

use crate::nn::Parameters;
use crate::trace::Gradients;

/// What all optimizers do.
pub trait Optimizer {
    /// Changes the parameters of `model` by their gradients, and its buffers (running statistics) to the values that
    /// the forward pass noted. A parameter without a gradient, and a frozen one, stays as it is.
    ///
    /// # Panics
    /// If `model` has other parameters than in the step before.
    #[track_caller]
    fn step<M: Parameters + ?Sized>(&mut self, model: &mut M, gradients: &Gradients);
    /// The current learning rate.
    fn learning_rate(&self) -> f64;
    /// Sets the learning rate, for schedules.
    fn set_learning_rate(&mut self, learning_rate: f64);
}

/// What pulls parameters towards zero, beside the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
