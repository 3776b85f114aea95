//! Input times gradient: x ds/dx.

use super::passes::{gradient, zip};
use super::{Explainable, Target};
use crate::shape::HasAxis;
use crate::tensor::Tensor;

/// What each element of the input contributes to the score, to first order: x ds/dx. For a linear model without biases,
/// the contributions sum to the score.
///
/// Shapes as in [`saliency`](super::saliency). Shrikumar, Greenside, Shcherbina and Kundaje, "Not Just a Black Box:
/// Learning Important Features Through Propagating Activation Differences", 2016.
///
/// ```
/// use taut::explain::{Class, input_times_gradient};
/// use taut::prelude::*;
/// let model = LinearNoBias::<3, 2>::init(&mut StdRng::seed_from_u64(0));
/// let x = Tensor::from([[1.0, -2.0, 3.0]]);
/// let attributions = input_times_gradient(&model, &x, Class(1));
/// assert!((attributions.sum().item() - model.forward(x)[[0, 1]]).abs() < 1e-6);
/// ```
///
/// # Panics
/// If the target is a class that the model does not have, or labels that are not as many as the samples.
#[track_caller]
pub fn input_times_gradient<M, S, G>(model: &M, inputs: &Tensor<S>, target: G) -> Tensor<S>
where
    S: HasAxis<0>,
    M: Explainable<S>,
    G: Target<M::Output, S::Length>,
{
    zip(&gradient(model, inputs, &target, false), inputs, |g, x| g * x)
}
