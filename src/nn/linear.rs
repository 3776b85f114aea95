//! The fully connected layer.

use super::optional_bias::default_parameters;
use super::weighted::{Weighted, WithWeight};
use super::{Init, Module, NoBias, OptionalBias};
use crate::ops::linear;
use crate::params::{Param, Parameters};
use crate::shape::{Accepted, Const, Features, LastAxis, Rank1, Rank2, expect_size};
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
///
/// [`LinearNoBias`] has no `bias`.
#[derive(Clone, Debug, Parameters)]
pub struct Linear<const I: usize, const O: usize, E: Float = f32, B = Param<Rank1<O>, E>> {
    /// (O, I)
    pub weight: Param<Rank2<O, I>, E>,
    /// (O)
    pub bias: B,
}

/// y = x W^T. See [`Linear`].
///
/// ```
/// use taut::prelude::*;
/// let layer = LinearNoBias::<3, 2>::init(&mut StdRng::seed_from_u64(0));
/// assert_eq!(layer.forward(Tensor::<Rank1<3>>::zeros()), Tensor::zeros());
/// assert_eq!(layer.parameter_count(), 6);
/// ```
pub type LinearNoBias<const I: usize, const O: usize, E = f32> = Linear<I, O, E, NoBias>;

impl<const I: usize, const O: usize, E: Float, B: OptionalBias<O, E>> Init for Linear<I, O, E, B> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let (weight, bias) = default_parameters(Default::default(), I, rng);
        Linear { weight, bias }
    }
}

impl<const I: usize, const O: usize, S: LastAxis, E: Float, T: Trace, B: OptionalBias<O, E>> Module<Tensor<S, E, T>>
    for Linear<I, O, E, B>
where
    S::Last: Features<I>,
{
    type Output = Tensor<<S::Last as Accepted<I>>::Then<S::WithLast<Const<O>>>, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        let weight = self.weight.on(&x);
        self.run_with(x, weight).map_shape(S::Last::then)
    }
}

impl<const I: usize, const O: usize, S: LastAxis, E: Float, T: Trace, B: OptionalBias<O, E>> WithWeight<S, E, T>
    for Linear<I, O, E, B>
where
    S::Last: Features<I>,
{
    type Output = Tensor<S::WithLast<Const<O>>, E, T>;
    fn run_with(&self, x: Tensor<S, E, T>, weight: Tensor<Rank2<O, I>, E, T>) -> Self::Output {
        expect_size("Linear", "features", I, x.shape().last());
        let bias = self.bias.on(&x);
        linear(x, weight, bias)
    }
}

impl<const I: usize, const O: usize, E: Float, B: OptionalBias<O, E>> Weighted for Linear<I, O, E, B> {
    type Element = E;
    type Weight = Rank2<O, I>;
    fn weight(&self) -> &Param<Self::Weight, E> {
        &self.weight
    }
}
