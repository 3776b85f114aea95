//! What to explain.

use crate::nn::Module;
use crate::shape::{Dim, Shape};
use crate::tensor::Tensor;
use crate::trace::{Inference, Traced};

/// A value on the tape of an explanation.
pub(super) type OnTape<S> = Tensor<S, f32, Traced<Inference>>;

/// A model that takes batches of shape `S`: any [`Module`] that runs on a tape in inference mode.
pub trait Explainable<S: Shape>: Module<Tensor<S, f32, Traced<Inference>>> {}
impl<S: Shape, M: Module<Tensor<S, f32, Traced<Inference>>> + ?Sized> Explainable<S> for M {}

/// The number to explain, computed from a model's output `Y` for each of `B` samples.
///
/// A [`Class`], the [`Probability`] of a class, a tensor with the class of each sample, or a function of the output:
///
/// ```
/// use taut::explain::saliency;
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = Linear::<3, 2>::init(&mut rng);
/// let x = Tensor::<Rank2<4, 3>>::randn(&mut rng);
/// // by how much the first class is ahead of the second
/// let ahead = |logits: Tensor<Rank2<4, 2>, f32, Traced<Inference>>| {
///     logits.clone().slice_at::<1>(0) - logits.slice_at::<1>(1)
/// };
/// let by_feature = saliency(&model, &x, ahead);
/// let of_labels = saliency(&model, &x, Tensor::from([0, 1, 1, 0]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a target for a model that gives `{Y}`",
    note = "a target is `Class(number)` or a tensor of labels for logits (batch, classes), or a function from the \
            output to one number for each sample, (batch)"
)]
pub trait Target<Y, B: Dim> {
    /// One number for each sample.
    #[track_caller]
    fn scores(&self, output: Y) -> Tensor<(B,), f32, Traced<Inference>>;
}

/// The logit of this class, for every sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(pub usize);

/// The probability of this class, the softmax of the logits, for every sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probability(pub usize);

impl<Y, B: Dim, F: Fn(Y) -> OnTape<(B,)>> Target<Y, B> for F {
    fn scores(&self, output: Y) -> OnTape<(B,)> {
        self(output)
    }
}

impl<B: Dim, K: Dim> Target<OnTape<(B, K)>, B> for Class {
    fn scores(&self, output: OnTape<(B, K)>) -> OnTape<(B,)> {
        let classes = output.shape().1.size();
        assert!(self.0 < classes, "Class({}): the model tells {classes} classes apart", self.0);
        pick(output, |_| self.0)
    }
}

impl<B: Dim, K: Dim> Target<OnTape<(B, K)>, B> for Probability {
    fn scores(&self, output: OnTape<(B, K)>) -> OnTape<(B,)> {
        Class(self.0).scores(output.softmax::<1>())
    }
}

/// The class of each sample.
impl<B: Dim, K: Dim> Target<OnTape<(B, K)>, B> for Tensor<(B,), usize> {
    fn scores(&self, output: OnTape<(B, K)>) -> OnTape<(B,)> {
        let (batch, classes) = output.shape();
        let (found, batch) = (self.count(), batch.size());
        assert!(found == batch, "target: {found} labels for {batch} samples");
        if let Some(label) = self.iter().find(|&label| label >= classes.size()) {
            panic!("target: label {label} is not one of {} classes", classes.size());
        }
        pick(output, |sample| self.as_slice()[sample])
    }
}

/// One element of each row.
fn pick<B: Dim, K: Dim>(rows: OnTape<(B, K)>, class: impl Fn(usize) -> usize) -> OnTape<(B,)> {
    let one = Tensor::<(B, K)>::from_fn_with(rows.shape(), |[sample, k]| f32::from(u8::from(class(sample) == k)));
    (rows * one).sum_axis::<1>()
}
