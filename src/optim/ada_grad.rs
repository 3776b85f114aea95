//! AdaGrad: steps scaled by the sum of all squared gradients so far, so that rare features take long steps.
//!
//! With g the gradient of step t (1 at first), a the learning rate, d its decay and e a small number:
//!
//! s <- s + g^2, theta <- theta - a / (1 + (t - 1) d) g / (sqrt(s) + e)

use super::{Arrays, Optimizer, Rule, Step, WeightDecay};
use crate::kernels::update::{Update, update};
use crate::numbers::range::{OutOfRange, not_negative};
use crate::tensor::Float;

/// The settings of [`AdaGrad`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct AdaGradConfig {
    /// The learning rate. 0.01 by default.
    pub learning_rate: f64,
    /// d: how fast the learning rate decays. 0 by default.
    pub learning_rate_decay: f64,
    /// The initial value of the sum of squares. 0 by default.
    pub initial_sum: f64,
    /// Added to the root (outside of it, as in PyTorch). 1e-10 by default.
    pub epsilon: f64,
    /// None by default.
    pub weight_decay: WeightDecay,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for AdaGradConfig {
    fn default() -> Self {
        AdaGradConfig {
            learning_rate: 0.01,
            learning_rate_decay: 0.0,
            initial_sum: 0.0,
            epsilon: 1e-10,
            weight_decay: WeightDecay::None,
            more: (),
        }
    }
}

/// AdaGrad. Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
/// 2011.
///
/// ```
/// use taut::prelude::*;
/// let optimizer = AdaGrad::new(AdaGradConfig { learning_rate: 0.1, ..Default::default() });
/// assert_eq!(optimizer.learning_rate(), 0.1);
/// ```
pub type AdaGrad = Optimizer<AdaGradConfig>;

impl Rule for AdaGradConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
    fn check(&self) -> Result<(), OutOfRange> {
        not_negative("AdaGrad", "learning_rate", self.learning_rate)?;
        not_negative("AdaGrad", "learning_rate_decay", self.learning_rate_decay)?;
        not_negative("AdaGrad", "initial_sum", self.initial_sum)?;
        not_negative("AdaGrad", "epsilon", self.epsilon)?;
        self.weight_decay.check("AdaGrad")
    }
    fn memory(&self) -> &'static [&'static str] {
        &["sum_of_squares"]
    }
    fn skips_zeros(&self) -> bool {
        // a zero gradient adds nothing to the sum, and moves nothing
        self.weight_decay == WeightDecay::None
    }
    fn update<E: Float>(&self, step: Step, Arrays { parameter, gradient, memory: [sum, ..] }: Arrays<'_, E>) {
        let (shrink, pull) = self.weight_decay.factors(step);
        let rate = step.learning_rate / (1.0 + (step.number - 1) as f64 * self.learning_rate_decay);
        let formula = Formula {
            shrink: E::of(shrink),
            pull: E::of(pull),
            rate: E::of(rate),
            initial: E::of(self.initial_sum),
            epsilon: E::of(self.epsilon),
        };
        update(&formula, parameter, gradient, [sum]);
    }
}

struct Formula<E> {
    shrink: E,
    pull: E,
    rate: E,
    initial: E,
    epsilon: E,
}

impl<E: Float> Update<E, 1> for Formula<E> {
    #[inline(always)]
    fn update(&self, theta: E, g: E, [sum]: [E; 1]) -> (E, [E; 1]) {
        let g = g + self.pull * theta;
        let sum = sum + g * g;
        (self.shrink * theta - self.rate * g / ((self.initial + sum).sqrt() + self.epsilon), [sum])
    }
}
