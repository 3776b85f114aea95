//! Guided backpropagation: the gradient, of which each ReLU passes only the positive part.

use super::passes::gradient;
use super::{Explainable, Target};
use crate::shape::HasAxis;
use crate::tensor::Tensor;

/// The gradient of the score, but each ReLU passes on max(g, 0) where its input is positive: only positive evidence,
/// all the way back. See [`Tape::guided`](crate::trace::Tape::guided).
///
/// The sharp edges it shows are largely those of the image: the map is nearly the same for another class, or for a
/// model whose last layers are random (Adebayo et al., "Sanity Checks for Saliency Maps", 2018). Springenberg,
/// Dosovitskiy, Brox and Riedmiller, "Striving for Simplicity: The All Convolutional Net", 2015.
///
/// ```
/// use taut::explain::{Class, guided_backpropagation};
/// use taut::prelude::*;
/// let model = <(Linear<3, 8>, Relu, Linear<8, 2>)>::init(&mut StdRng::seed_from_u64(0));
/// let attributions: Tensor<Rank2<4, 3>> = guided_backpropagation(&model, &Tensor::<Rank2<4, 3>>::ones(), Class(0));
/// ```
///
/// # Panics
/// If the target is a class that the model does not have, or labels that are not as many as the samples.
#[track_caller]
pub fn guided_backpropagation<M, S, G>(model: &M, inputs: &Tensor<S>, target: G) -> Tensor<S>
where
    S: HasAxis<0>,
    M: Explainable<S>,
    G: Target<M::Output, S::Length>,
{
    gradient(model, inputs, &target, true)
}
