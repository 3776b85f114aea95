//! What the methods share: forward and backward passes.

use super::target::{Explainable, Target};
use crate::nn::{Forward, frozen};
use crate::shape::{Dim, HasAxis, Shape};
use crate::tensor::Tensor;
use crate::trace::{Inference, Tape, Traced};

/// The scores of a batch, off the tape.
#[track_caller]
pub(super) fn scores<M, S, G>(model: &M, inputs: &Tensor<S>, target: &G) -> Tensor<(S::Length,)>
where
    S: HasAxis<0>,
    M: Explainable<S>,
    G: Target<M::Output, S::Length>,
{
    let tape = Tape::inference();
    target.scores(frozen(model).forward(tape.trace(inputs.clone()))).detach()
}

/// The gradient of each sample's score with respect to the sample. Samples are independent, so the gradient of the sum
/// holds that of each.
#[track_caller]
pub(super) fn gradient<M, S, G>(model: &M, inputs: &Tensor<S>, target: &G, guided: bool) -> Tensor<S>
where
    S: HasAxis<0>,
    M: Explainable<S>,
    G: Target<M::Output, S::Length>,
{
    let tape = Tape::inference();
    let x = tape.watch(inputs.clone());
    // not one closure for both, which would hide the caller's line
    let scores = if guided {
        tape.guided(|| target.scores(frozen(model).forward(x.clone())))
    } else {
        target.scores(frozen(model).forward(x.clone()))
    };
    sum(scores).backward().of_input(&x)
}

/// The sum over all samples.
pub(super) fn sum<B: Dim>(scores: Tensor<(B,), f32, Traced<Inference>>) -> Tensor<(), f32, Traced<Inference>> {
    scores.sum()
}

/// One heatmap for each image: the sum over the channels of the absolute values. Shapes: (B, C, H, W) to (B, H, W).
///
/// ```
/// use taut::prelude::*;
/// let attributions = Tensor::from([[[[1.0, -2.0]], [[-3.0, 4.0]]]]);
/// assert_eq!(taut::explain::heatmap(&attributions).to_array(), [[[4.0, 6.0]]]);
/// ```
pub fn heatmap<B: Dim, C: Dim, H: Dim, W: Dim>(attributions: &Tensor<(B, C, H, W)>) -> Tensor<(B, H, W)> {
    attributions.clone().abs().sum_axis::<1>()
}

/// Combines the elements of two tensors of the same shape pairwise.
pub(super) fn zip<S: Shape>(a: &Tensor<S>, b: &Tensor<S>, change: impl Fn(f32, f32) -> f32) -> Tensor<S> {
    let values = a.iter().zip(b.iter()).map(|(a, b)| change(a, b)).collect();
    Tensor::from_vec(values, a.shape()).expect("one number for each element")
}
