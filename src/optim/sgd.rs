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

use super::{Arrays, Optimizer, Rule, Step, WeightDecay};
use crate::kernels::update::{Update, update};
use crate::numbers::range::{OutOfRange, average, not_negative};
use crate::tensor::Float;

/// How the direction of earlier steps is carried on. See [`Sgd`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum Momentum {
    /// Not at all.
    None,
    /// A moving average of the gradients, v = b v + (1 - b) g: the length of a step does not depend on b.
    Average(f64),
    /// v = b v + g, as in PyTorch: the steps are 1 / (1 - b) times as long. Polyak, 1964.
    Classic(f64),
    /// The classic form, looking one step ahead. Nesterov, 1983; Sutskever et al., "On the importance of initialization
    /// and momentum in deep learning", 2013.
    Nesterov(f64),
}

/// The settings of [`Sgd`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct SgdConfig {
    /// The learning rate. 0.01 by default.
    pub learning_rate: f64,
    /// [`Momentum::Average(0.9)`](Momentum::Average) by default.
    pub momentum: Momentum,
    /// None by default.
    pub weight_decay: WeightDecay,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for SgdConfig {
    fn default() -> Self {
        SgdConfig { learning_rate: 0.01, momentum: Momentum::Average(0.9), weight_decay: WeightDecay::None, more: () }
    }
}

/// Stochastic gradient descent with momentum.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut model = Linear::<1, 1>::init(&mut rng);
/// let config = SgdConfig { learning_rate: 0.1, momentum: Momentum::Classic(0.5), ..Default::default() };
/// let mut optimizer = Sgd::new(config);
/// let x = Tensor::from([[-1.0], [0.0], [1.0]]);
/// for _ in 0..100 {
///     let tape = Tape::training(&mut rng);
///     let error = model.forward(tape.trace(x.clone())) - (x.clone() * 3.0 + 1.0); // y = 3 x + 1
///     let gradients = (error.clone() * error).mean().backward();
///     optimizer.step(&mut model, &gradients);
/// }
/// assert!((model.weight.value()[[0, 0]] - 3.0).abs() < 1e-3);
/// ```
pub type Sgd = Optimizer<SgdConfig>;

impl Rule for SgdConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
    fn check(&self) -> Result<(), OutOfRange> {
        not_negative("Sgd", "learning_rate", self.learning_rate)?;
        self.weight_decay.check("Sgd")?;
        match self.momentum {
            Momentum::None => Ok(()),
            Momentum::Average(b) | Momentum::Classic(b) | Momentum::Nesterov(b) => average("Sgd", "momentum", b),
        }
    }
    fn memory(&self) -> &'static [&'static str] {
        if self.momentum == Momentum::None { &[] } else { &["velocity"] }
    }
    fn skips_zeros(&self) -> bool {
        // without momentum and decay, a zero gradient moves nothing
        self.momentum == Momentum::None && self.weight_decay == WeightDecay::None
    }
    fn update<E: Float>(&self, step: Step, arrays: Arrays<'_, E>) {
        let Arrays { parameter, gradient, memory: [velocity, ..] } = arrays;
        let (shrink, pull) = self.weight_decay.factors(step);
        let (shrink, pull, rate) = (E::of(shrink), E::of(pull), E::of(step.learning_rate));
        let form = |keep: f64, take: f64| (E::of(keep), E::of(take));
        let (keep, take) = match self.momentum {
            Momentum::None => return update(&Plain { shrink, pull, rate }, parameter, gradient, []),
            Momentum::Average(b) => form(b, 1.0 - b),
            Momentum::Classic(b) | Momentum::Nesterov(b) => form(b, 1.0),
        };
        let nesterov = matches!(self.momentum, Momentum::Nesterov(_));
        let (along_v, along_g) = if nesterov { (rate * keep, rate) } else { (rate, E::zero()) };
        update(&WithVelocity { shrink, pull, keep, take, along_v, along_g }, parameter, gradient, [velocity]);
    }
}

/// theta <- shrink theta - rate (g + pull theta)
struct Plain<E> {
    shrink: E,
    pull: E,
    rate: E,
}

impl<E: Float> Update<E, 0> for Plain<E> {
    #[inline(always)]
    fn update(&self, theta: E, g: E, _: [E; 0]) -> (E, [E; 0]) {
        let g = g + self.pull * theta;
        (self.shrink * theta - self.rate * g, [])
    }
}

/// v <- keep v + take (g + pull theta), theta <- shrink theta - (along_v v + along_g (g + pull theta))
struct WithVelocity<E> {
    shrink: E,
    pull: E,
    keep: E,
    take: E,
    along_v: E,
    along_g: E,
}

impl<E: Float> Update<E, 1> for WithVelocity<E> {
    #[inline(always)]
    fn update(&self, theta: E, g: E, [v]: [E; 1]) -> (E, [E; 1]) {
        let g = g + self.pull * theta;
        let v = self.keep * v + self.take * g;
        (self.shrink * theta - (self.along_v * v + self.along_g * g), [v])
    }
}
