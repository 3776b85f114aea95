//! Layer norm and group norm: each sample is normalised on its own.

use super::{Init, Module};
use crate::kernels::normalize::Rows;
use crate::numbers::range::{expect, not_negative};
use crate::ops::row_norm;
use crate::params::{Param, Parameters};
use crate::shape::{Channels, Const, Features, HasAxis, InGroups, LastAxis, Rank1, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// What is added to the variance, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// Normalises the last axis, of `C` features, to mean 0 and variance 1, then scales and shifts each feature.
///
/// y = gamma (x - m) / sqrt(v + epsilon) + beta, with m and v of one row of `C` numbers
///
/// | | shape |
/// | --- | --- |
/// | x, y | (.., C) |
/// | `weight` gamma, `bias` beta | (C), 1 and 0 at first |
///
/// Ba, Kiros and Hinton, "Layer Normalization", 2016.
///
/// ```
/// use taut::prelude::*;
/// let layer = LayerNorm::<2>::init(&mut StdRng::seed_from_u64(0));
/// let y = layer.forward(Tensor::from([[1.0, 3.0], [10.0, 30.0]]));
/// assert!(y.is_close(&Tensor::from([[-1.0, 1.0], [-1.0, 1.0]]), 1e-4, 0.0));
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct LayerNorm<const C: usize, E: Float = f32> {
    /// gamma, (C)
    pub weight: Param<Rank1<C>, E>,
    /// beta, (C)
    pub bias: Param<Rank1<C>, E>,
    /// What is added to the variance. 1e-5 by default.
    pub epsilon: f64,
}

impl<const C: usize, E: Float> Init for LayerNorm<C, E> {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        LayerNorm { weight: Tensor::ones().into(), bias: Tensor::zeros().into(), epsilon: EPSILON }
    }
}

impl<const C: usize, S: LastAxis, E: Float, T: Trace> Module<Tensor<S, E, T>> for LayerNorm<C, E>
where
    S::Last: Features<C>,
{
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        expect(not_negative("LayerNorm", "epsilon", self.epsilon));
        expect_size("LayerNorm", "features", C, x.shape().last());
        let affine = [self.weight.on(&x), self.bias.on(&x)];
        row_norm(x, affine, self.epsilon, Rows { width: C, positions: 1, groups: 1 })
    }
}

/// Splits the `C` channels of each image into `G` groups, normalises each group to mean 0 and variance 1, then scales
/// and shifts each channel.
///
/// y = gamma (x - m) / sqrt(v + epsilon) + beta, with m and v of one group of one image
///
/// Shapes: x and y (N, C, ..): images (N, C, H, W) or sequences (N, C, L), say; `weight` and `bias` (C). With `G = C`
/// it is instance norm, with `G = 1` it normalises the image as a whole. Wu and He, "Group Normalization", 2018.
///
/// ```
/// use taut::prelude::*;
/// let layer = GroupNorm::<4, 8>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank4<2, 8, 5, 5>> = layer.forward(Tensor::<Rank4<2, 8, 5, 5>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct GroupNorm<const G: usize, const C: usize, E: Float = f32> {
    /// gamma, (C)
    pub weight: Param<Rank1<C>, E>,
    /// beta, (C)
    pub bias: Param<Rank1<C>, E>,
    /// What is added to the variance. 1e-5 by default.
    pub epsilon: f64,
}

impl<const G: usize, const C: usize, E: Float> Init for GroupNorm<G, C, E> {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        GroupNorm { weight: Tensor::ones().into(), bias: Tensor::zeros().into(), epsilon: EPSILON }
    }
}

impl<const G: usize, const C: usize, S: HasAxis<1>, E: Float, T: Trace> Module<Tensor<S, E, T>> for GroupNorm<G, C, E>
where
    S::Length: Channels<C>,
    Const<C>: InGroups<G>,
{
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        expect(not_negative("GroupNorm", "epsilon", self.epsilon));
        expect_size("GroupNorm", "channels", C, x.shape().length());
        let positions = x.shape().sizes().as_ref()[2..].iter().product();
        let affine = [self.weight.on(&x), self.bias.on(&x)];
        row_norm(x, affine, self.epsilon, Rows { width: C / G * positions, positions, groups: G })
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut layer = LayerNorm::<5, f64>::init(&mut rng);
        *layer.weight.value_mut() = Tensor::randn(&mut rng);
        *layer.bias.value_mut() = Tensor::randn(&mut rng);
        let x = Tensor::<Rank3<2, 3, 5>, f64>::randn(&mut rng);
        check_gradients(|x| layer.forward(x), x.clone()).unwrap();
        check_parameter_gradients(&layer, |layer, tape| layer.forward(tape.trace(x.clone()))).unwrap();

        let mut layer = GroupNorm::<2, 4, f64>::init(&mut rng);
        *layer.weight.value_mut() = Tensor::randn(&mut rng);
        let x = Tensor::<Rank4<2, 4, 3, 3>, f64>::randn(&mut rng);
        check_gradients(|x| layer.forward(x), x.clone()).unwrap();
        let sequences = x.clone().reshape::<Rank3<2, 4, 9>>();
        assert_eq!(layer.forward(sequences.clone()).as_slice(), layer.forward(x.clone()).as_slice());
        check_gradients(|x| layer.forward(x), sequences).unwrap();
        check_gradients(|x| layer.forward(x), Tensor::<Rank2<3, 4>, f64>::randn(&mut rng)).unwrap();
        check_parameter_gradients(&layer, |layer, tape| layer.forward(tape.trace(x.clone()))).unwrap();
    }
}
