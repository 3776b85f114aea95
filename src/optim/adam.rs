//! Adam: momentum, scaled by the running mean square of the gradient, both corrected for their start at zero.
//!
//! With g the gradient of step t (1 at first), a the learning rate, b1 and b2 the two decays and e a small number:
//!
//! | | |
//! | --- | --- |
//! | mean | m <- b1 m + (1 - b1) g |
//! | mean square | r <- b2 r + (1 - b2) g^2 |
//! | step | theta <- theta - a (m / (1 - b1^t)) / (sqrt(r / (1 - b2^t)) + e) |
//!
//! AMSGrad takes the largest r so far for r in the step.

use super::{Arrays, Optimizer, Rule, Step, WeightDecay};
use crate::kernels::update::{Update, update};
use crate::numbers::range::{OutOfRange, average, not_negative};
use crate::tensor::Float;

/// The settings of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct AdamConfig {
    /// The learning rate. 1e-3 by default.
    pub learning_rate: f64,
    /// b1: how much of the mean is kept at each step. 0.9 by default.
    pub mean_decay: f64,
    /// b2: how much of the mean square is kept at each step. 0.999 by default.
    pub square_decay: f64,
    /// Added to the root after the correction (outside of it, as in the paper and in PyTorch). 1e-8 by default.
    pub epsilon: f64,
    /// None by default. [`WeightDecay::Decoupled`] makes this AdamW.
    pub weight_decay: WeightDecay,
    /// Whether the largest mean square so far scales the step, so that steps cannot grow again. Reddi, Kale and Kumar,
    /// "On the Convergence of Adam and Beyond", 2018. `false` by default.
    pub ams_grad: bool,
    /// Whether rows of an [embedding](crate::nn::Embedding) that a step does not use, and their moments, stay as they
    /// are without decay, as in PyTorch's `SparseAdam`: the cost of a step then does not depend on the size of the
    /// table. Otherwise they keep moving in the direction of earlier steps. `false` by default.
    pub lazy: bool,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for AdamConfig {
    fn default() -> Self {
        AdamConfig {
            learning_rate: 1e-3,
            mean_decay: 0.9,
            square_decay: 0.999,
            epsilon: 1e-8,
            weight_decay: WeightDecay::None,
            ams_grad: false,
            lazy: false,
            more: (),
        }
    }
}

/// Adam, and with decoupled weight decay AdamW. Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015;
/// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
///
/// ```
/// use taut::prelude::*;
/// let adam = Adam::new(AdamConfig { learning_rate: 3e-4, ..Default::default() });
/// let weight_decay = WeightDecay::Decoupled(0.01);
/// let adam_w = Adam::new(AdamConfig { weight_decay, ..Default::default() }).no_decay_of_biases();
/// ```
#[doc(alias = "AdamW")]
#[doc(alias = "AMSGrad")]
pub type Adam = Optimizer<AdamConfig>;

impl Rule for AdamConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
    fn check(&self) -> Result<(), OutOfRange> {
        not_negative("Adam", "learning_rate", self.learning_rate)?;
        average("Adam", "mean_decay", self.mean_decay)?;
        average("Adam", "square_decay", self.square_decay)?;
        not_negative("Adam", "epsilon", self.epsilon)?;
        self.weight_decay.check("Adam")
    }
    fn memory(&self) -> &'static [&'static str] {
        if self.ams_grad { &["mean", "mean_square", "largest_mean_square"] } else { &["mean", "mean_square"] }
    }
    fn skips_zeros(&self) -> bool {
        self.lazy
    }
    fn update<E: Float>(&self, step: Step, Arrays { parameter, gradient, memory }: Arrays<'_, E>) {
        let (shrink, pull) = self.weight_decay.factors(step);
        let steps = step.number as f64;
        let formula = Formula {
            shrink: E::of(shrink),
            pull: E::of(pull),
            rate: E::of(step.learning_rate / (1.0 - self.mean_decay.powf(steps))),
            mean_decay: E::of(self.mean_decay),
            mean_rest: E::of(1.0 - self.mean_decay),
            square_decay: E::of(self.square_decay),
            square_rest: E::of(1.0 - self.square_decay),
            root_correction: E::of((1.0 - self.square_decay.powf(steps)).sqrt().recip()),
            epsilon: E::of(self.epsilon),
        };
        let [m, r, largest] = memory;
        if self.ams_grad {
            update(&formula, parameter, gradient, [m, r, largest]);
        } else {
            update(&formula, parameter, gradient, [m, r]);
        }
    }
}

struct Formula<E> {
    shrink: E,
    pull: E,
    /// a / (1 - b1^t)
    rate: E,
    mean_decay: E,
    mean_rest: E,
    square_decay: E,
    square_rest: E,
    /// 1 / sqrt(1 - b2^t)
    root_correction: E,
    epsilon: E,
}

impl<E: Float> Formula<E> {
    /// The new m and r; g includes coupled weight decay.
    #[inline(always)]
    fn means(&self, theta: E, g: E, m: E, r: E) -> (E, E) {
        let g = g + self.pull * theta;
        (self.mean_decay * m + self.mean_rest * g, self.square_decay * r + self.square_rest * (g * g))
    }

    #[inline(always)]
    fn step(&self, theta: E, m: E, r: E) -> E {
        self.shrink * theta - self.rate * m / (r.sqrt() * self.root_correction + self.epsilon)
    }
}

impl<E: Float> Update<E, 2> for Formula<E> {
    #[inline(always)]
    fn update(&self, theta: E, g: E, [m, r]: [E; 2]) -> (E, [E; 2]) {
        let (m, r) = self.means(theta, g, m, r);
        (self.step(theta, m, r), [m, r])
    }
}

impl<E: Float> Update<E, 3> for Formula<E> {
    #[inline(always)]
    fn update(&self, theta: E, g: E, [m, r, largest]: [E; 3]) -> (E, [E; 3]) {
        let (m, r) = self.means(theta, g, m, r);
        // a NaN mean square stays NaN
        let largest = if r <= largest { largest } else { r };
        (self.step(theta, m, largest), [m, r, largest])
    }
}
