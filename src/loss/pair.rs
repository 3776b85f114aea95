//! What all losses that compare prediction and target element by element share: one operation, which computes the
//! derivative together with the loss and saves nothing else.
//!
//! A loss states its formula and its derivative side by side ([`PairLoss`]); a `static` [`PairLossOp`] holds its loops,
//! compiled here for f32 and f64.

use super::reduction::{Form, Reduction, chain, mean_factor};
use crate::kernels::elementwise;
use crate::kernels::pair_loss::{PairLoss, PairLossLoops};
use crate::memory::Storage;
use crate::numbers::{Family, PerFloat};
use crate::shape::Shape;
use crate::shape::shapes_differ;
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Parents, Trace};

/// The loops of one [`PairLoss`].
pub struct PairLossOp {
    name: &'static str,
    loops: PerFloat<PairLossOp>,
}

impl Family for PairLossOp {
    type Of<E: Float> = PairLossLoops<E>;
}

impl PairLossOp {
    pub const fn of<L: PairLoss>(name: &'static str) -> Self {
        PairLossOp { name, loops: PerFloat { f32: PairLossLoops::of::<L>(), f64: PairLossLoops::of::<L>() } }
    }
}

/// What predictions of shape `S` are compared with, element by element: a tensor of the same shape and element type.
#[diagnostic::on_unimplemented(
    message = "targets `{Self}` do not fit predictions of shape {S} and element type `{E}`",
    note = "the targets have the shape and the element type of the predictions: nothing is broadcast",
    note = "a column (B, 1) with a row (B,): `squeeze::<1>()` the one or `unsqueeze::<1>()` the other; another \
            element type: `targets.cast::<f32>()`",
    note = "predictions (B, T, F) of a recurrent layer with one target for each sequence: `LastStep` after that layer"
)]
pub trait Target<S: Shape, E: Float> {
    /// Whether the target is on a tape.
    type Trace: Trace;
    /// The tensor.
    fn tensor(&self) -> &Tensor<S, E, Self::Trace>;
}
impl<S: Shape, E: Float, T: Trace> Target<S, E> for Tensor<S, E, T> {
    type Trace = T;
    fn tensor(&self) -> &Self {
        self
    }
}
impl<S: Shape, E: Float, L: Target<S, E>> Target<S, E> for &L {
    type Trace = L::Trace;
    fn tensor(&self) -> &Tensor<S, E, L::Trace> {
        (**self).tensor()
    }
}

/// The losses between predictions and targets. `p` is the parameter of the loss; `samples` is the divisor of a mean.
///
/// The target is a constant, or the loss depends only on the difference: then its derivative by the target is minus
/// that by the prediction.
#[track_caller]
pub fn pair_loss<S: Shape, E: Float, T: Trace + Merge<U>, U: Trace, R: Reduction<S>>(
    op: &'static PairLossOp,
    prediction: Tensor<S, E, T>,
    target: &Tensor<S, E, U>,
    p: f64,
    samples: usize,
    reduction: R,
) -> Tensor<R::Output, E, Merged<T, U>> {
    if prediction.shape() != target.shape() {
        shapes_differ(op.name, prediction.shape(), target.shape());
    }
    let (shape, x, trace) = prediction.into_parts();
    let (loops, p, scale) = (E::pick(&op.loops), E::of(p), mean_factor(samples as f64));
    let mut derivatives = x;
    let losses = match R::FORM {
        Form::Each => {
            let mut losses = Storage::scratch(derivatives.len());
            (loops.each)(derivatives.make_mut(), target.as_slice(), p, losses.make_mut());
            losses
        }
        Form::Sum => Storage::filled(1, (loops.sum)(derivatives.make_mut(), target.as_slice(), p)),
        Form::Mean => Storage::filled(1, (loops.sum)(derivatives.make_mut(), target.as_slice(), p) * scale),
    };
    let node = record([trace.node(), target.trace().node()], |_| {
        move |upstream: Storage<E>, parents: &mut Parents<'_, 2>| {
            let gradient = chain(derivatives, upstream.as_slice(), R::FORM, scale);
            if parents.needs(1) {
                let mut negative = gradient.clone();
                elementwise::scale(negative.make_mut(), -E::one());
                parents.add(1, negative);
            }
            parents.add(0, gradient);
        }
    });
    Tensor::from_parts(reduction.output(shape), losses, Merged::<T, U>::from_node(node))
}
