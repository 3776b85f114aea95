//! RMSProp: steps relative to the gradient's size, measured by its running mean square.
//!
//! With g the gradient, a the learning rate and e a small number:
//!
//! r <- rho r + (1 - rho) g^2, theta <- theta - a g / (sqrt(r) + e)
//!
//! Centred, the running variance takes the place of the mean square: m <- rho m + (1 - rho) g and r - m^2 for r.
//! Momentum comes in two forms: see [`RmsMomentum`].

use super::{Arrays, Optimizer, Rule, Step, WeightDecay};
use crate::kernels::update::{Update, update};
use crate::numbers::range::{OutOfRange, average, not_negative};
use crate::tensor::Float;

/// What [`RmsProp`] keeps of the direction of earlier steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum RmsMomentum {
    /// Nothing.
    #[default]
    None,
    /// A moving average of the gradients, which takes the place of g in the step: v <- b v + (1 - b) g,
    /// theta <- theta - a v / (sqrt(r) + e).
    OfGradients(f64),
    /// A sum of the scaled gradients, as PyTorch: v <- b v + g / (sqrt(r) + e), theta <- theta - a v.
    OfSteps(f64),
}

/// The settings of [`RmsProp`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct RmsPropConfig {
    /// The learning rate. 0.01 by default.
    pub learning_rate: f64,
    /// rho: how much of the mean square is kept at each step. 0.99 by default.
    pub decay: f64,
    /// Added to the root (outside of it, as in PyTorch), so that a small gradient is not divided by nearly 0.
    /// 1e-8 by default.
    pub epsilon: f64,
    /// Whether the mean is subtracted: the variance instead of the mean square. `false` by default.
    pub centred: bool,
    /// None by default.
    pub momentum: RmsMomentum,
    /// None by default.
    pub weight_decay: WeightDecay,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for RmsPropConfig {
    fn default() -> Self {
        RmsPropConfig {
            learning_rate: 0.01,
            decay: 0.99,
            epsilon: 1e-8,
            centred: false,
            momentum: RmsMomentum::None,
            weight_decay: WeightDecay::None,
            more: (),
        }
    }
}

/// RMSProp. Tieleman and Hinton, "Lecture 6.5: RMSProp", Neural Networks for Machine Learning, 2012; centred: Graves,
/// "Generating Sequences With Recurrent Neural Networks", 2013.
///
/// ```
/// use taut::prelude::*;
/// let momentum = RmsMomentum::OfGradients(0.9);
/// let optimizer = RmsProp::new(RmsPropConfig { learning_rate: 1e-3, momentum, ..Default::default() });
/// assert_eq!(optimizer.learning_rate(), 1e-3);
/// ```
pub type RmsProp = Optimizer<RmsPropConfig>;

impl Rule for RmsPropConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
    fn check(&self) -> Result<(), OutOfRange> {
        not_negative("RmsProp", "learning_rate", self.learning_rate)?;
        average("RmsProp", "decay", self.decay)?;
        not_negative("RmsProp", "epsilon", self.epsilon)?;
        self.weight_decay.check("RmsProp")?;
        match self.momentum {
            RmsMomentum::None => Ok(()),
            RmsMomentum::OfGradients(b) | RmsMomentum::OfSteps(b) => average("RmsProp", "momentum", b),
        }
    }
    fn memory(&self) -> &'static [&'static str] {
        match (self.momentum, self.centred) {
            (RmsMomentum::None, false) => &["mean_square"],
            (RmsMomentum::None, true) => &["mean_square", "mean"],
            (_, false) => &["mean_square", "velocity"],
            (_, true) => &["mean_square", "velocity", "mean"],
        }
    }
    fn update<E: Float>(&self, step: Step, Arrays { parameter, gradient, memory }: Arrays<'_, E>) {
        let [r, second, third] = memory;
        match (self.momentum, self.centred) {
            (RmsMomentum::None, false) => update(&self.formula::<E, false, false>(step), parameter, gradient, [r]),
            (RmsMomentum::None, true) => {
                update(&self.formula::<E, false, true>(step), parameter, gradient, [r, second])
            }
            (_, false) => update(&self.formula::<E, true, false>(step), parameter, gradient, [r, second]),
            (_, true) => update(&self.formula::<E, true, true>(step), parameter, gradient, [r, second, third]),
        }
    }
}

impl RmsPropConfig {
    fn formula<E: Float, const MOMENTUM: bool, const CENTRED: bool>(
        &self,
        step: Step,
    ) -> Formula<E, MOMENTUM, CENTRED> {
        let (shrink, pull) = self.weight_decay.factors(step);
        let (keep, of_steps) = match self.momentum {
            RmsMomentum::None => (0.0, false),
            RmsMomentum::OfGradients(b) => (b, false),
            RmsMomentum::OfSteps(b) => (b, true),
        };
        Formula {
            shrink: E::of(shrink),
            pull: E::of(pull),
            rate: E::of(step.learning_rate),
            decay: E::of(self.decay),
            rest: E::of(1.0 - self.decay),
            epsilon: E::of(self.epsilon),
            keep: E::of(keep),
            take: E::of(if of_steps { 1.0 } else { 1.0 - keep }),
            of_steps,
        }
    }
}

struct Formula<E, const MOMENTUM: bool, const CENTRED: bool> {
    shrink: E,
    pull: E,
    rate: E,
    decay: E,
    rest: E,
    epsilon: E,
    keep: E,
    take: E,
    of_steps: bool,
}

impl<E: Float, const MOMENTUM: bool, const CENTRED: bool> Formula<E, MOMENTUM, CENTRED> {
    /// The new theta, r, v and m. Without momentum, v is not looked at; without centring, m is not.
    #[inline(always)]
    fn step(&self, theta: E, g: E, r: E, v: E, m: E) -> (E, E, E, E) {
        let g = g + self.pull * theta;
        let r = self.decay * r + self.rest * (g * g);
        let m = self.decay * m + self.rest * g;
        let spread = if CENTRED { r - m * m } else { r };
        let root = spread.sqrt() + self.epsilon;
        let v = self.keep * v + self.take * if self.of_steps { g / root } else { g };
        let direction = match (MOMENTUM, self.of_steps) {
            (false, _) => g / root,
            (true, false) => v / root,
            (true, true) => v,
        };
        (self.shrink * theta - self.rate * direction, r, v, m)
    }
}

impl<E: Float> Update<E, 1> for Formula<E, false, false> {
    #[inline(always)]
    fn update(&self, theta: E, g: E, [r]: [E; 1]) -> (E, [E; 1]) {
        let (theta, r, _, _) = self.step(theta, g, r, E::zero(), E::zero());
        (theta, [r])
    }
}

impl<E: Float> Update<E, 2> for Formula<E, false, true> {
    #[inline(always)]
    fn update(&self, theta: E, g: E, [r, m]: [E; 2]) -> (E, [E; 2]) {
        let (theta, r, _, m) = self.step(theta, g, r, E::zero(), m);
        (theta, [r, m])
    }
}

impl<E: Float> Update<E, 2> for Formula<E, true, false> {
    #[inline(always)]
    fn update(&self, theta: E, g: E, [r, v]: [E; 2]) -> (E, [E; 2]) {
        let (theta, r, v, _) = self.step(theta, g, r, v, E::zero());
        (theta, [r, v])
    }
}

impl<E: Float> Update<E, 3> for Formula<E, true, true> {
    #[inline(always)]
    fn update(&self, theta: E, g: E, [r, v, m]: [E; 3]) -> (E, [E; 3]) {
        let (theta, r, v, m) = self.step(theta, g, r, v, m);
        (theta, [r, v, m])
    }
}
