//! Initial values for weights.
//!
//! [`Init::init`](super::Init) gives every layer PyTorch's defaults. For others, fill the weights of a model, or of a
//! part of it, with a distribution from here:
//!
//! ```
//! use taut::nn::init::{Distribution, Nonlinearity, fill_weights};
//! use taut::prelude::*;
//! let mut rng = StdRng::seed_from_u64(0);
//! let mut model = <(Linear<784, 128>, Relu, Linear<128, 10>)>::init(&mut rng);
//! fill_weights(&mut model.0, Distribution::kaiming_normal(Nonlinearity::Relu), &mut rng);
//! fill_weights(&mut model.2, Distribution::xavier_uniform(Nonlinearity::Linear), &mut rng);
//! ```
//!
//! # Fans
//!
//! A weight of shape (O, I, k1, k2, ..) has fan-in I k1 k2 .., the number of inputs of one output, and fan-out
//! O k1 k2 .. For a transposed convolution, whose weight is (I, O, ..), the two change places, as they do in PyTorch.

use crate::params::{Kind, Parameters, ValuesMut};
use crate::shape::{StaticShape, show_sizes};
use crate::tensor::{Float, Tensor};
use rand::Rng;

/// The nonlinearity after a layer. It decides the gain: the factor on the weights that preserves the variance.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Nonlinearity {
    /// Nothing: gain 1.
    Linear,
    /// Gain 1.
    Sigmoid,
    /// Gain 5/3.
    Tanh,
    /// Gain sqrt(2): half of the inputs are zeroed.
    Relu,
    /// Gain sqrt(2 / (1 + slope^2)).
    LeakyRelu(f64),
    /// Gain 3/4.
    Selu,
}

impl Nonlinearity {
    /// The gain, that of `torch.nn.init.calculate_gain`.
    ///
    /// # Panics
    /// If the slope of a leaky ReLU is infinite or NaN.
    #[track_caller]
    pub fn gain(self) -> f64 {
        match self {
            Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.0,
            Nonlinearity::Tanh => 5.0 / 3.0,
            Nonlinearity::Relu => std::f64::consts::SQRT_2,
            Nonlinearity::LeakyRelu(slope) if !slope.is_finite() => {
                panic!("LeakyRelu: `slope` must be a finite number, and is {slope}")
            }
            Nonlinearity::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
            Nonlinearity::Selu => 0.75,
        }
    }
}

/// The fan that the variance is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fan {
    In,
    Out,
    Mean,
    /// None: the gain is the deviation.
    Fixed,
}

/// How the weights of a layer are drawn: with standard deviation gain / sqrt(fan), or one that is given, uniformly or
/// normally.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distribution {
    fan: Fan,
    gain: f64,
    uniform: bool,
}

impl Distribution {
    /// Uniform over -bound .. bound with bound = gain sqrt(3 / fan-in), which keeps the variance of the activations.
    /// He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015.
    ///
    /// # Panics
    /// As [`gain`](Nonlinearity::gain).
    #[track_caller]
    pub fn kaiming_uniform(nonlinearity: Nonlinearity) -> Self {
        Distribution { fan: Fan::In, gain: nonlinearity.gain(), uniform: true }
    }

    /// Normal with deviation gain / sqrt(fan-in). See [`kaiming_uniform`](Distribution::kaiming_uniform).
    #[track_caller]
    pub fn kaiming_normal(nonlinearity: Nonlinearity) -> Self {
        Distribution { uniform: false, ..Self::kaiming_uniform(nonlinearity) }
    }

    /// Uniform over -bound .. bound with bound = gain sqrt(6 / (fan-in + fan-out)), a compromise between the variance
    /// of the activations and that of the gradients. Glorot and Bengio, "Understanding the Difficulty of Training Deep
    /// Feedforward Neural Networks", 2010.
    ///
    /// # Panics
    /// As [`gain`](Nonlinearity::gain).
    #[track_caller]
    pub fn xavier_uniform(nonlinearity: Nonlinearity) -> Self {
        Distribution { fan: Fan::Mean, gain: nonlinearity.gain(), uniform: true }
    }

    /// Normal with deviation gain sqrt(2 / (fan-in + fan-out)). See [`xavier_uniform`](Distribution::xavier_uniform).
    #[track_caller]
    pub fn xavier_normal(nonlinearity: Nonlinearity) -> Self {
        Distribution { uniform: false, ..Self::xavier_uniform(nonlinearity) }
    }

    /// Normal with this deviation, whatever the fans: 0.02 in adversarial networks (Radford, Metz and Chintala,
    /// "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks", 2015) and in
    /// language models.
    ///
    /// # Panics
    /// If the deviation is negative, infinite or NaN.
    ///
    /// ```
    /// use taut::nn::init::{Distribution, fill_weights};
    /// use taut::prelude::*;
    /// let mut rng = StdRng::seed_from_u64(0);
    /// let mut layer = Linear::<100, 784>::init(&mut rng);
    /// fill_weights(&mut layer, Distribution::normal(0.02), &mut rng);
    /// let deviation = layer.weight.value().clone().square().mean().item().sqrt();
    /// assert!((deviation - 0.02).abs() < 1e-3);
    /// ```
    #[track_caller]
    pub fn normal(deviation: f64) -> Self {
        let fits = deviation >= 0.0 && deviation.is_finite();
        assert!(fits, "Distribution::normal: `deviation` must be a finite number from 0 up, and is {deviation}");
        Distribution { fan: Fan::Fixed, gain: deviation, uniform: false }
    }

    /// The same with fan-out in place of fan-in, PyTorch's `mode="fan_out"`: keeps the variance of the gradients in the
    /// backward pass. A [given deviation](Distribution::normal) stays.
    #[must_use]
    pub fn by_fan_out(self) -> Self {
        match self.fan {
            Fan::Fixed => self,
            _ => Distribution { fan: Fan::Out, ..self },
        }
    }

    /// The standard deviation for a weight of these sizes; `None` if it has fewer than two axes, and so no fans.
    pub fn deviation(self, sizes: &[usize]) -> Option<f64> {
        let &[outputs, inputs, ref window @ ..] = sizes else { return None };
        let window: usize = window.iter().product();
        let fan = match self.fan {
            Fan::In => inputs as f64,
            Fan::Out => outputs as f64,
            Fan::Mean => (inputs + outputs) as f64 / 2.0,
            Fan::Fixed => return Some(self.gain),
        };
        // a weight without elements needs no values, and must not divide by zero
        Some(self.gain / (fan * window as f64).max(1.0).sqrt())
    }

    fn draw<E: Float, R: Rng + ?Sized>(self, deviation: f64, values: &mut [E], rng: &mut R) {
        let shape = (values.len(),);
        let drawn = if self.uniform {
            // the uniform distribution over -b .. b has deviation b / sqrt(3)
            let bound = E::of(deviation * 3.0_f64.sqrt());
            Tensor::uniform_with(shape, -bound, bound, rng)
        } else {
            Tensor::normal_with(shape, E::zero(), E::of(deviation), rng)
        };
        values.copy_from_slice(drawn.as_slice());
    }

    /// A weight drawn from this distribution.
    ///
    /// # Panics
    /// If the shape has fewer than two axes.
    ///
    /// ```
    /// use taut::nn::init::{Distribution, Nonlinearity};
    /// use taut::prelude::*;
    /// let mut rng = StdRng::seed_from_u64(0);
    /// let kernel: Tensor<Rank4<16, 6, 5, 5>> = Distribution::kaiming_uniform(Nonlinearity::Relu).weight(&mut rng);
    /// let bound = (6.0_f32 / (6.0 * 5.0 * 5.0)).sqrt();
    /// assert!(kernel.iter().all(|x| x.abs() <= bound));
    /// ```
    #[track_caller]
    pub fn weight<S: StaticShape, E: Float, R: Rng + ?Sized>(self, rng: &mut R) -> Tensor<S, E> {
        let mut weight = Tensor::zeros();
        let sizes = S::default().sizes();
        let Some(deviation) = self.deviation(sizes.as_ref()) else {
            panic!(
                "a weight of shape {} has no fan-in and fan-out: it has fewer than two axes",
                show_sizes(sizes.as_ref())
            )
        };
        self.draw(deviation, weight.as_mut_slice(), rng);
        weight
    }
}

/// Fills every trained parameter of at least two axes, in the order of the model. Biases and other vectors have no fans
/// and are left unchanged.
pub fn fill_weights<M: Parameters, R: Rng + ?Sized>(model: &mut M, distribution: Distribution, rng: &mut R) {
    model.for_each_parameter_mut(|_, leaf| {
        if let (Kind::Parameter, Some(deviation)) = (leaf.kind, distribution.deviation(leaf.sizes)) {
            match leaf.values {
                ValuesMut::F32(values) => distribution.draw(deviation, values, rng),
                ValuesMut::F64(values) => distribution.draw(deviation, values, rng),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    /// Mean, standard deviation and largest magnitude.
    fn statistics(values: &[f64]) -> (f64, f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        (mean, variance.sqrt(), values.iter().fold(0.0, |largest, x| x.abs().max(largest)))
    }

    #[test]
    fn gains_are_those_of_pytorch() {
        // torch.nn.init.calculate_gain
        let expected = [1.0, 1.0, 1.666_666_666_7, std::f64::consts::SQRT_2, 1.386_750_490_6, 0.75];
        let of = [
            Nonlinearity::Linear,
            Nonlinearity::Sigmoid,
            Nonlinearity::Tanh,
            Nonlinearity::Relu,
            Nonlinearity::LeakyRelu(0.2),
            Nonlinearity::Selu,
        ];
        for (nonlinearity, gain) in of.into_iter().zip(expected) {
            assert!((nonlinearity.gain() - gain).abs() < 1e-9, "{nonlinearity:?}: {} not {gain}", nonlinearity.gain());
        }
    }

    #[test]
    fn moments_and_bounds_are_those_of_the_papers() {
        let mut rng = StdRng::seed_from_u64(0);
        let relu = Nonlinearity::Relu;
        // fan-in 20 * 9, fan-out 40 * 9
        let cases = [
            (Distribution::kaiming_uniform(relu), 2.0 / 180.0),
            (Distribution::kaiming_normal(relu), 2.0 / 180.0),
            (Distribution::kaiming_normal(relu).by_fan_out(), 2.0 / 360.0),
            (Distribution::kaiming_uniform(Nonlinearity::Linear), 1.0 / 180.0),
            (Distribution::xavier_uniform(Nonlinearity::Linear), 2.0 / 540.0),
            (Distribution::xavier_normal(Nonlinearity::Tanh), 25.0 / 9.0 * 2.0 / 540.0),
            (Distribution::normal(0.02), 4e-4),
            (Distribution::normal(0.02).by_fan_out(), 4e-4),
        ];
        for (distribution, variance) in cases {
            let weight: Tensor<Rank4<40, 20, 3, 3>, f64> = distribution.weight(&mut rng);
            let (mean, deviation, largest) = statistics(weight.as_slice());
            let expected = f64::sqrt(variance);
            // 7,200 numbers: the mean is off by 1/85 of a deviation, the deviation itself by under 1/120 (normal)
            assert!(mean.abs() < expected * 4.0 / 85.0, "{distribution:?}: mean {mean}");
            assert!((deviation / expected - 1.0).abs() < 4.0 / 120.0, "{distribution:?}: {deviation}, not {expected}");
            if distribution.uniform {
                let bound = expected * 3.0_f64.sqrt();
                assert!(largest <= bound && largest > 0.99 * bound, "{distribution:?}: {largest}, bound {bound}");
            } else {
                assert!(largest > 3.0 * expected, "{distribution:?}: a normal distribution has tails");
            }
        }
    }

    #[test]
    fn weights_are_filled_and_biases_left() {
        let mut rng = StdRng::seed_from_u64(0);
        let mut model = (Linear::<30, 20>::init(&mut rng), Frozen(Linear::<20, 4>::init(&mut rng)));
        let before = model.clone();
        fill_weights(&mut model, Distribution::xavier_uniform(Nonlinearity::Linear), &mut StdRng::seed_from_u64(5));
        let expected: Tensor<Rank2<20, 30>> =
            Distribution::xavier_uniform(Nonlinearity::Linear).weight(&mut StdRng::seed_from_u64(5));
        assert_eq!(model.0.weight.value(), &expected);
        assert_eq!(model.0.bias.value(), before.0.bias.value());
        assert_eq!(model.1.0.weight.value(), before.1.0.weight.value());
    }

    #[test]
    #[should_panic(expected = "Distribution::normal: `deviation` must be a finite number from 0 up, and is -0.02")]
    fn a_deviation_below_zero_is_refused() {
        let _ = Distribution::normal(-0.02);
    }

    #[test]
    fn weights_without_elements_or_fans() {
        let mut rng = StdRng::seed_from_u64(0);
        let normal = Distribution::kaiming_normal(Nonlinearity::Relu);
        assert_eq!(normal.weight::<Rank2<3, 0>, f32, _>(&mut rng).count(), 0);
        assert_eq!(normal.deviation(&[5]), None);
        assert!(std::panic::catch_unwind(move || normal.weight::<Rank1<5>, f32, _>(&mut rng)).is_err());
    }
}
