//! One bound for models in generic code.

use super::Module;
use crate::params::Parameters;
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};
use crate::trace::{Inference, NoTrace, Trace, Traced, Training};

/// A model from `X` to `Y`, in training and in inference, with parameters: the bound for generic code.
///
/// `X` and `Y` are tensors as they are without a tape. The bound stands for [`Parameters`] and for [`Module`] of these
/// tensors without a tape, on a training tape, and on an inference tape. It is implemented automatically.
///
/// A recipe for a training function that takes every model for one kind of data, here every classifier of digits.
/// Batches of size `usize` are batches of any size:
///
/// ```
/// use taut::prelude::*;
///
/// type Images = Tensor<(usize, Const<64>)>;
/// type Scores = Tensor<(usize, Const<10>)>;
/// type Labels = Tensor<(usize,), usize>;
///
/// fn train<M, D>(model: &mut M, data: &D, rng: &mut StdRng) -> f64
/// where
///     M: Trainable<Images, Scores>,
///     D: Dataset<Batch<usize> = (Images, Labels)>,
/// {
///     let mut optimizer = Adam::new(AdamConfig { learning_rate: 1e-2, ..Default::default() });
///     for (images, labels) in data.batches_of(32, rng) {
///         let tape = Tape::training(rng);
///         let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
///         optimizer.step(model, &loss.backward());
///     }
///     let (images, labels) = data.whole();
///     model.forward(images).accuracy(&labels)
/// }
///
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut small = Linear::<64, 10>::init(&mut rng);
/// let mut large = <((Linear<64, 32>, BatchNorm1d<32>, Relu), Linear<32, 10>)>::init(&mut rng);
/// assert!(train(&mut small, &taut::data::digits(), &mut rng) > 0.5);
/// assert!(train(&mut large, &taut::data::digits(), &mut rng) > 0.5);
/// ```
///
/// Code that is generic over sizes says which it needs in the same way: `B: Dim` for a batch of its caller's kind, and
/// `Trainable<Tensor<(B, Const<I>)>, Tensor<(B, Const<O>)>>`.
#[diagnostic::on_unimplemented(message = "`{Self}` does not take `{X}` and give `{Y}`, with parameters to train")]
pub trait Trainable<X: Untraced, Y: Untraced>:
    Parameters
    + Module<X::On<NoTrace>, Output = Y::On<NoTrace>>
    + Module<X::On<Traced<Training>>, Output = Y::On<Traced<Training>>>
    + Module<X::On<Traced<Inference>>, Output = Y::On<Traced<Inference>>>
{
}
impl<X: Untraced, Y: Untraced, M> Trainable<X, Y> for M where
    M: Parameters
        + Module<X::On<NoTrace>, Output = Y::On<NoTrace>>
        + Module<X::On<Traced<Training>>, Output = Y::On<Traced<Training>>>
        + Module<X::On<Traced<Inference>>, Output = Y::On<Traced<Inference>>>
        + ?Sized
{
}

/// A tensor that is not on a tape, as [`Trainable`] names what a model takes and gives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tensor without a tape",
    note = "`Trainable<X, Y>` is about tensors as they are without a tape: `Tensor<(B, Const<784>)>`, `Tensor<(B,), \
            usize>`"
)]
pub trait Untraced {
    /// The same on a tape of this kind.
    type On<T: Trace>;
}
impl<S: Shape, E: Element> Untraced for Tensor<S, E> {
    type On<T: Trace> = Tensor<S, E, T>;
}
