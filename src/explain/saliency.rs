//! Saliency: |ds/dx|, for the score s of each sample x.

use super::passes::gradient;
use super::{Explainable, Target};
use crate::shape::HasAxis;
use crate::tensor::Tensor;

/// How strongly a small change of each element of the input would change the score: the absolute value of the gradient.
///
/// Shapes: those of the inputs, of any rank; axis 0 is the batch. [`heatmap`](super::heatmap) combines an image's
/// channels into one map. Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks: Visualising Image
/// Classification Models and Saliency Maps", 2014.
///
/// ```
/// use taut::explain::{Class, saliency};
/// use taut::prelude::*;
/// let model = Linear::<3, 2>::init(&mut StdRng::seed_from_u64(0));
/// let attributions = saliency(&model, &Tensor::<Rank2<1, 3>>::ones(), Class(1));
/// assert_eq!(attributions.slice(0), model.weight.value().clone().slice(1).abs());
/// ```
///
/// # Panics
/// If the target is a class that the model does not have, or labels that are not as many as the samples.
#[track_caller]
pub fn saliency<M, S, G>(model: &M, inputs: &Tensor<S>, target: G) -> Tensor<S>
where
    S: HasAxis<0>,
    M: Explainable<S>,
    G: Target<M::Output, S::Length>,
{
    gradient(model, inputs, &target, false).abs()
}
