//! Stochastic gradient descent, with momentum in both forms.
//!
//! With g the gradient, v the velocity (0 at first), a the learning rate and b the momentum:
//!
//! | [`Momentum`] | velocity | step |
//! | --- | --- | --- |
//! | `None` | | theta <- theta - a g |
//! | `Average(b)` | v <- b v + (1 - b) g | theta <- theta - a v |
//! | `Classic(b)` | v <- b v + g | theta <- theta - a v |
//! | `Nesterov(b)` | v <- b v + g | theta <- theta - a (g + b v) |

use super::{Optimizer, Rule, State, WeightDecay};
use crate::kernels::vectorized;
use crate::nn::Parameters;
use crate::tensor::Float;
use crate::trace::Gradients;

/// How the direction of earlier steps is kept. See [`Sgd`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Momentum {
    /// Not at all.
    None,
    /// A moving average of the gradients, v = b v + (1 - b) g: the length of a step does not depend on b.
    Average(f64),
    /// v = b v + g, as PyTorch: the steps are 1 / (1 - b) times as long. Polyak, 1964.
    Classic(f64),
    /// The classic form, looking one step ahead. Nesterov, 1983; Sutskever et al., "On the importance of initialization
    /// and momentum in deep learning", 2013.
    Nesterov(f64),
}

/// The settings of [`Sgd`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdConfig {
    /// The length of a step. 0.01 by default.
    pub learning_rate: f64,
    /// [`Momentum::Average(0.9)`](Momentum::Average) by default.
    pub momentum: Momentum,
    /// None by default.
    pub weight_decay: WeightDecay,
}

impl Default for SgdConfig {
    fn default() -> Self {
        SgdConfig { learning_rate: 0.01, momentum: Momentum::Average(0.9), weight_decay: WeightDecay::None }
    }
}

/// Stochastic gradient descent with momentum.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut model = Linear::<1, 1>::init(&mut rng);
/// let mut optimizer = Sgd::new(SgdConfig { learning_rate: 0.1, momentum: Momentum::Classic(0.5), ..Default::default() });
/// let x = Tensor::from([[-1.0], [0.0], [1.0]]);
/// for _ in 0..100 {
///     let tape = Tape::training(&mut rng);
///     let error = model.forward(tape.trace(x.clone())) - (x.clone() * 3.0 + 1.0); // y = 3 x + 1
///     let gradients = (error.clone() * error).mean().backward();
///     optimizer.step(&mut model, &gradients);
/// }
/// assert!((model.weight.value()[[0, 0]] - 3.0).abs() < 1e-3);
/// ```
#[derive(Clone)]
pub struct Sgd {
    config: SgdConfig,
    velocity: State<1>,
}

impl Sgd {
    /// An optimizer with these settings.
    pub fn new(config: SgdConfig) -> Self {
        Sgd { config, velocity: State::default() }
    }
}

impl Optimizer for Sgd {
    fn step<M: Parameters + ?Sized>(&mut self, model: &mut M, gradients: &Gradients) {
        self.velocity.step(model, gradients, &self.config);
    }
    fn learning_rate(&self) -> f64 {
        self.config.learning_rate
    }
    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.config.learning_rate = learning_rate;
    }
}

impl Rule<1> for SgdConfig {
    fn apply<E: Float>(&self, parameter: &mut [E], gradient: &[E], [velocity]: [&mut [E]; 1]) {
        let rate = self.learning_rate;
        let (shrink, pull) = match self.weight_decay {
            WeightDecay::None => (1.0, 0.0),
            WeightDecay::Coupled(lambda) => (1.0, lambda),
            WeightDecay::Decoupled(lambda) => (1.0 - rate * lambda, 0.0),
        };
        // v = keep v + take g; theta = shrink theta - a (along_v v + along_g g)
        let (keep, take, along_v, along_g) = match self.momentum {
            Momentum::None => (0.0, 0.0, 0.0, 1.0),
            Momentum::Average(b) => (b, 1.0 - b, 1.0, 0.0),
            Momentum::Classic(b) => (b, 1.0, 1.0, 0.0),
            Momentum::Nesterov(b) => (b, 1.0, b, 1.0),
        };
        let numbers = [shrink, pull, keep, take, rate * along_v, rate * along_g].map(E::of);
        step(parameter, gradient, velocity, numbers);
    }
}

vectorized! {
    fn step [E: Float] [E] (parameter: &mut [E], gradient: &[E], velocity: &mut [E], numbers: [E; 6]) {
        let [shrink, pull, keep, take, along_v, along_g] = numbers;
        for ((theta, &g), v) in parameter.iter_mut().zip(gradient).zip(velocity) {
            let g = g + pull * *theta;
            *v = keep * *v + take * g;
            *theta = shrink * *theta - (along_v * *v + along_g * g);
        }
    }
}
