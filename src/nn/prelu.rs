//! Rectifiers whose slope on the negative side is trained.

use super::{Init, Module};
use crate::ops::prelu;
use crate::params::{Param, Parameters};
use crate::shape::{Channels, HasAxis, Rank1, Shape, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// PyTorch's initial slope.
const SLOPE: f64 = 0.25;

/// x where x > 0, a x elsewhere, with one trained slope a for all numbers. For tensors of any shape.
///
/// `init` sets the slope to 0.25. He et al., "Delving Deep into Rectifiers", 2015.
///
/// ```
/// use taut::prelude::*;
/// let layer: PRelu = PRelu::init(&mut StdRng::seed_from_u64(0));
/// assert_eq!(layer.forward(Tensor::from([-2.0, 3.0])).to_array(), [-0.5, 3.0]);
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct PRelu<E: Float = f32> {
    /// The slope.
    pub weight: Param<Rank1<1>, E>,
}

impl<E: Float> Init for PRelu<E> {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        PRelu { weight: Tensor::full(E::of(SLOPE)).into() }
    }
}

impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for PRelu<E> {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        let slope = self.weight.on(&x);
        let count = x.count();
        prelu(x, slope, count)
    }
}

/// [`PRelu`] with a slope for each of `C` channels: PyTorch's `nn.PReLU(C)`.
///
/// | | shape |
/// | --- | --- |
/// | x, y | (N, C, ..) |
/// | `weight` a | (C) |
///
/// ```
/// use taut::prelude::*;
/// let mut layer = ChannelPRelu::<2>::init(&mut StdRng::seed_from_u64(0));
/// layer.weight.value_mut().as_mut_slice()[1] = 0.5;
/// assert_eq!(layer.forward(Tensor::from([[-2.0, -2.0], [3.0, 3.0]])).to_array(), [[-0.5, -1.0], [3.0, 3.0]]);
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct ChannelPRelu<const C: usize, E: Float = f32> {
    /// The slopes, (C).
    pub weight: Param<Rank1<C>, E>,
}

impl<const C: usize, E: Float> Init for ChannelPRelu<C, E> {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        ChannelPRelu { weight: Tensor::full(E::of(SLOPE)).into() }
    }
}

impl<const C: usize, S: HasAxis<1>, E: Float, T: Trace> Module<Tensor<S, E, T>> for ChannelPRelu<C, E>
where
    S::Length: Channels<C>,
{
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        expect_size("ChannelPRelu", "channels", C, x.shape().length());
        let slopes = self.weight.on(&x);
        let inner = x.shape().sizes().as_ref()[2..].iter().product();
        prelu(x, slopes, inner)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn slopes_are_trained() {
        let mut rng = StdRng::seed_from_u64(0);
        let model = <(PRelu<f64>, ChannelPRelu<3, f64>)>::init(&mut rng);
        let x = Tensor::<Rank3<2, 3, 4>, f64>::randn(&mut rng);
        check_parameter_gradients(&model, |model, tape| model.forward(tape.trace(x.clone()))).unwrap();
    }

    #[test]
    #[should_panic(expected = "ChannelPRelu: expected 3 channels, found 2")]
    fn another_number_of_channels_panics() {
        let layer = ChannelPRelu::<3>::init(&mut StdRng::seed_from_u64(0));
        let _ = layer.forward(Tensor::<(usize, usize)>::ones_with((1, 2)));
    }
}
