//! SmoothGrad: the mean gradient of inputs with noise added.
//!
//! a = 1/n sum_i ds/dx (x + e_i), with e_i from a normal distribution

use super::passes::gradient;
use super::{Explainable, Target};
use crate::numbers::range::{at_least_one, expect, not_negative};
use crate::shape::HasAxis;
use crate::tensor::Tensor;
use rand::Rng;

/// The mean of the gradients around an input: noise in the gradient averages out, and what remains holds in a
/// neighbourhood of the input. The absolute value of each gradient is taken, as in [`saliency`](super::saliency),
/// unless `signed`.
///
/// Smilkov, Thorat, Kim, Viegas and Wattenberg, "SmoothGrad: Removing Noise by Adding Noise", 2017.
///
/// ```
/// use taut::explain::{Class, SmoothGrad};
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = <(Linear<3, 8>, Tanh, Linear<8, 2>)>::init(&mut rng);
/// let method = SmoothGrad { samples: 20, ..Default::default() };
/// let attributions: Tensor<Rank2<4, 3>> = method.explain(&model, &Tensor::<Rank2<4, 3>>::ones(), Class(0), &mut rng);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct SmoothGrad {
    /// The number of noisy inputs. 25 by default.
    pub samples: usize,
    /// The standard deviation of the noise. 0.15 by default, for inputs from 0 to 1.
    pub deviation: f32,
    /// Whether gradients are averaged with their signs. `false` by default.
    pub signed: bool,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for SmoothGrad {
    fn default() -> Self {
        SmoothGrad { samples: 25, deviation: 0.15, signed: false, more: () }
    }
}

impl SmoothGrad {
    /// The mean gradient, of the shape of the inputs.
    ///
    /// # Panics
    /// If there are no samples, or the deviation is negative, infinite or NaN.
    #[track_caller]
    pub fn explain<M, S, G, R>(&self, model: &M, inputs: &Tensor<S>, target: G, rng: &mut R) -> Tensor<S>
    where
        S: HasAxis<0>,
        M: Explainable<S>,
        G: Target<M::Output, S::Length>,
        R: Rng + ?Sized,
    {
        expect(at_least_one("SmoothGrad", "samples", self.samples));
        expect(not_negative("SmoothGrad", "deviation", self.deviation.into()));
        let mut sum = Tensor::zeros_with(inputs.shape());
        for _ in 0..self.samples {
            let noise = Tensor::normal_with(inputs.shape(), 0.0, self.deviation, rng);
            let g = gradient(model, &(inputs.clone() + noise), &target, false);
            sum += if self.signed { g } else { g.abs() };
        }
        sum / self.samples as f32
    }
}

#[cfg(test)]
mod tests {
    use crate::explain::{Class, SmoothGrad, saliency};
    use crate::prelude::*;

    #[test]
    fn noise_does_not_change_the_gradient_of_a_linear_model() {
        let mut rng = StdRng::seed_from_u64(0);
        let model = Linear::<3, 2>::init(&mut rng);
        let x = Tensor::<Rank2<4, 3>>::randn(&mut rng);
        let smooth = SmoothGrad { samples: 4, ..Default::default() }.explain(&model, &x, Class(1), &mut rng);
        assert!(smooth.iter().zip(saliency(&model, &x, Class(1)).iter()).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn the_same_seed_gives_the_same_map() {
        let model = <(Linear<3, 8>, Tanh, Linear<8, 2>)>::init(&mut StdRng::seed_from_u64(0));
        let x = Tensor::<Rank2<4, 3>>::ones();
        let run = |seed| SmoothGrad::default().explain(&model, &x, Class(0), &mut StdRng::seed_from_u64(seed));
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
