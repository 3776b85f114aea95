//! A bias as a separate layer.

use super::{Init, Module};
use crate::ops::add_bias;
use crate::params::{Param, Parameters};
use crate::shape::{Features, LastAxis, Rank1, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// y = x + b, with one number for each of `N` features.
///
/// | | shape |
/// | --- | --- |
/// | x | (.., N) |
/// | `bias` b | (N) |
/// | y | (.., N) |
///
/// `init` makes it zero.
///
/// ```
/// use taut::prelude::*;
/// let layer = Bias { bias: Tensor::from([1.0, -1.0]).into() };
/// assert_eq!(layer.forward(Tensor::from([[2.0, 3.0], [4.0, 5.0]])).to_array(), [[3.0, 2.0], [5.0, 4.0]]);
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct Bias<const N: usize, E: Float = f32> {
    /// (N)
    pub bias: Param<Rank1<N>, E>,
}

impl<const N: usize, E: Float> Init for Bias<N, E> {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        Bias { bias: Tensor::zeros().into() }
    }
}

impl<const N: usize, S: LastAxis, E: Float, T: Trace> Module<Tensor<S, E, T>> for Bias<N, E>
where
    S::Last: Features<N>,
{
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        expect_size("Bias", "features", N, x.shape().last());
        let bias = self.bias.on(&x);
        add_bias(x, bias)
    }
}
