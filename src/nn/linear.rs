//! The fully connected layer.

use super::{Init, Module, Param, Parameters};
use crate::ops::linear;
use crate::shape::{Const, Features, LastAxis, Rank1, Rank2, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// y = x W^T + b: from `I` features to `O`.
///
/// | | shape |
/// | --- | --- |
/// | x | (.., I) |
/// | `weight` W | (O, I), as in PyTorch |
/// | `bias` b | (O) |
/// | y | (.., O) |
///
/// `init` draws both from the uniform distribution over -1/sqrt(I) .. 1/sqrt(I), as PyTorch does.
///
/// ```
/// use taut::prelude::*;
/// let layer = Linear::<3, 2>::init(&mut StdRng::seed_from_u64(0));
/// let batch: Tensor<Rank2<64, 2>> = layer.forward(Tensor::<Rank2<64, 3>>::ones());
/// let one: Tensor<Rank1<2>> = layer.forward(Tensor::<Rank1<3>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct Linear<const I: usize, const O: usize, E: Float = f32> {
    /// (O, I)
    pub weight: Param<Rank2<O, I>, E>,
    /// (O)
    pub bias: Param<Rank1<O>, E>,
}

impl<const I: usize, const O: usize, E: Float> Init for Linear<I, O, E> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let bound = 1.0 / (I.max(1) as f64).sqrt();
        Linear {
            weight: Tensor::uniform(E::of(-bound), E::of(bound), rng).into(),
            bias: Tensor::uniform(E::of(-bound), E::of(bound), rng).into(),
        }
    }
}

impl<const I: usize, const O: usize, S: LastAxis, E: Float, T: Trace> Module<Tensor<S, E, T>> for Linear<I, O, E>
where
    S::Last: Features<I>,
{
    type Output = Tensor<S::WithLast<Const<O>>, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        expect_size("Linear", "features", I, x.shape().last());
        let (weight, bias) = (self.weight.on(&x), self.bias.on(&x));
        linear(x, weight, bias)
    }
}
