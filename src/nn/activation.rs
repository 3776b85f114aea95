//! The activation functions as layers, with PyTorch's default parameters.
//!
//! Each takes a tensor of any shape and keeps the shape. None has trainable parameters; for one that does, see
//! [`PRelu`](super::PRelu).

use super::{Init, Module};
use crate::numbers::range::{expect, finite};
use crate::params::Parameters;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// max(x, 0). See [`Tensor::relu`].
///
/// ```
/// use taut::prelude::*;
/// assert_eq!(Relu.forward(Tensor::from([-1.0, 2.0])).to_array(), [0.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Relu;
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Relu {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.relu()
    }
}

/// x where x > 0, `slope` x elsewhere. See [`Tensor::leaky_relu`].
///
/// `init` and `default` give a slope of 0.01. To use another one, set the field:
///
/// ```
/// use taut::prelude::*;
/// let mut model = <(Linear<2, 3>, LeakyRelu)>::init(&mut StdRng::seed_from_u64(0));
/// model.1.slope = 0.25;
/// assert_eq!(model.1.forward(Tensor::from([-1.0, 2.0])).to_array(), [-0.25, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Parameters)]
pub struct LeakyRelu {
    /// The slope on the negative side.
    pub slope: f64,
}
impl Default for LeakyRelu {
    fn default() -> Self {
        LeakyRelu { slope: 0.01 }
    }
}
impl Init for LeakyRelu {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        Self::default()
    }
}
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for LeakyRelu {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        expect(finite("LeakyRelu", "slope", self.slope));
        x.leaky_relu(E::of(self.slope))
    }
}

/// x where x > 0, `alpha` (e^x - 1) elsewhere. See [`Tensor::elu`].
///
/// `init` and `default` give an alpha of 1.
///
/// ```
/// use taut::prelude::*;
/// assert_eq!(Elu { alpha: 0.5 }.forward(Tensor::from([-100.0, 2.0])).to_array(), [-0.5, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Parameters)]
pub struct Elu {
    /// The largest distance of the result below 0.
    pub alpha: f64,
}
impl Default for Elu {
    fn default() -> Self {
        Elu { alpha: 1.0 }
    }
}
impl Init for Elu {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        Self::default()
    }
}
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Elu {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        expect(finite("Elu", "alpha", self.alpha));
        x.elu(E::of(self.alpha))
    }
}

/// x times the probability that a standard normal number is below x. See [`Tensor::gelu`].
///
/// ```
/// use taut::prelude::*;
/// assert_eq!(Gelu.forward(Tensor::from([-100.0, 0.0, 100.0])).to_array(), [0.0, 0.0, 100.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Gelu;
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Gelu {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.gelu()
    }
}

/// [`Gelu`] in the approximation with tanh, PyTorch's `approximate="tanh"`. See [`Tensor::gelu_tanh`].
///
/// ```
/// use taut::prelude::*;
/// assert_eq!(GeluTanh.forward(Tensor::from([-100.0, 0.0, 100.0])).to_array(), [0.0, 0.0, 100.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct GeluTanh;
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for GeluTanh {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.gelu_tanh()
    }
}

/// x / (1 + e^-x), or swish. See [`Tensor::silu`].
///
/// ```
/// use taut::prelude::*;
/// assert_eq!(Silu.forward(Tensor::from([-1000.0, 0.0, 1000.0])).to_array(), [0.0, 0.0, 1000.0]);
/// ```
#[doc(alias = "Swish")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Silu;
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Silu {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.silu()
    }
}

/// ln(1 + e^x). See [`Tensor::softplus`].
///
/// ```
/// use taut::prelude::*;
/// assert_eq!(Softplus.forward(Tensor::from([-1000.0, 1000.0])).to_array(), [0.0, 1000.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Softplus;
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Softplus {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.softplus()
    }
}

/// 1 / (1 + e^-x). See [`Tensor::sigmoid`].
///
/// ```
/// use taut::prelude::*;
/// assert_eq!(Sigmoid.forward(Tensor::from([-1000.0, 0.0, 1000.0])).to_array(), [0.0, 0.5, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Sigmoid;
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Sigmoid {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.sigmoid()
    }
}

/// The hyperbolic tangent. See [`Tensor::tanh`].
///
/// ```
/// use taut::prelude::*;
/// assert_eq!(Tanh.forward(Tensor::from([-1000.0, 0.0, 1000.0])).to_array(), [-1.0, 0.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Tanh;
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Tanh {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.tanh()
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn activations_stand_in_models_of_any_shape() {
        type Model = (Relu, (LeakyRelu, Elu, Gelu), GeluTanh, (Silu, Softplus), (Sigmoid, Tanh));
        const _: () = check::<Model, Tensor<Rank0>>();
        const _: () = check::<Model, Tensor<(usize, Const<3>), f64, Traced<Training>>>();
        let model = Model::init(&mut StdRng::seed_from_u64(0));
        assert_eq!(model.parameter_count(), 0);
        assert_eq!((model.1.0, model.1.1), (LeakyRelu { slope: 0.01 }, Elu { alpha: 1.0 }));
        let x = Tensor::<_, f64>::of([[0.5, -1.5], [2.0, -0.25]]);
        let expected = x.clone().relu().leaky_relu(0.01).elu(1.0).gelu().gelu_tanh().silu().softplus().sigmoid().tanh();
        assert_eq!(model.forward(x), expected);
    }
}
