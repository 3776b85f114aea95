//! The objectives of the two networks, as functions of the critic's scores of real and of generated images.

use crate::networks::Scores;
use clap::ValueEnum;
use std::fmt::{self, Display, Formatter};
use taut::prelude::*;

/// The critic's target for real images, instead of 1: its gradient then does not vanish where it is sure, and the
/// generator is not driven further and further. The target for generated images remains 0: one-sided label smoothing.
/// Salimans et al., "Improved Techniques for Training GANs", 2016.
const REAL: f32 = 0.9;
/// The largest absolute value of a weight of the critic of `wasserstein`. For the gains and shifts of its batch norms
/// and for biases it is `CLIP_VECTORS`: gains of 0.01 would leave the generator hardly any gradient.
pub const CLIP: f32 = 0.01;
pub const CLIP_VECTORS: f32 = 1.0;

/// With D the score, x a real image and G(z) a generated one, the critic minimises the first, the generator the second:
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Loss {
    /// -0.9 log s(D(x)) - 0.1 log(1 - s(D(x))) - log(1 - s(D(G(z)))), and -log s(D(G(z))), s the sigmoid. Goodfellow et
    /// al., 2014
    Original,
    /// (D(x) - 0.9)^2 + D(G(z))^2, and (D(G(z)) - 1)^2. Mao et al., 2017
    LeastSquares,
    /// D(G(z)) - D(x), and -D(G(z)), the critic's weights clipped to 0.01. Arjovsky, Chintala and Bottou, 2017
    Wasserstein,
    /// max(0, 1 - D(x)) + max(0, 1 + D(G(z))), and -D(G(z)), the critic's weights spectrally normalised. Miyato et al.,
    /// 2018
    Hinge,
}

impl Display for Loss {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(self.to_possible_value().expect("no value is skipped").get_name())
    }
}

type Traceable = Scores<Traced<Training>>;
type Value = Tensor<(), f32, Traced<Training>>;

impl Loss {
    /// What the critic minimises.
    pub fn of_critic(self, real: Traceable, made: Traceable) -> Value {
        let all = |value| Tensor::full_with(real.shape(), value);
        match self {
            Loss::Original => {
                real.clone().binary_cross_entropy(&all(REAL)) + made.clone().binary_cross_entropy(&all(0.0))
            }
            Loss::LeastSquares => {
                real.clone().mean_squared_error(&all(REAL)) + made.clone().mean_squared_error(&all(0.0))
            }
            Loss::Wasserstein => made.mean() - real.mean(),
            Loss::Hinge => real.clone().hinge(&all(1.0)) + made.clone().hinge(&all(-1.0)),
        }
    }

    /// What the generator minimises.
    pub fn of_generator(self, made: Traceable) -> Value {
        let ones = Tensor::full_with(made.shape(), 1.0);
        match self {
            Loss::Original => made.binary_cross_entropy(&ones),
            Loss::LeastSquares => made.mean_squared_error(&ones),
            Loss::Wasserstein | Loss::Hinge => -made.mean(),
        }
    }
}
