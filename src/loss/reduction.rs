//! Reductions of the losses of all samples: to one number, or none.

use crate::kernels::elementwise;
use crate::kernels::row_loss::scale_rows;
use crate::memory::Storage;
use crate::shape::Shape;
use crate::tensor::Float;

/// The mean over the samples (weighted, if the samples have weights): the default of all losses.
///
/// The mean over nothing (an empty batch, only ignored labels, or weights that sum to 0) is 0, and so are its
/// gradients. (In PyTorch it is NaN, though its gradients are 0.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean;

/// The sum over the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum;

/// No reduction: the loss of each sample by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Each;

/// [`Mean`], [`Sum`] or [`Each`] of losses of the shape `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what becomes of the losses",
    note = "the last argument is `Mean`, `Sum` or `Each`"
)]
pub trait Reduction<S: Shape>: Copy {
    /// The shape of the result.
    type Output: Shape;
    #[doc(hidden)]
    const FORM: Form;
    #[doc(hidden)]
    fn output(self, shape: S) -> Self::Output;
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Mean,
    Sum,
    Each,
}

impl<S: Shape> Reduction<S> for Mean {
    type Output = ();
    const FORM: Form = Form::Mean;
    fn output(self, _: S) {}
}

impl<S: Shape> Reduction<S> for Sum {
    type Output = ();
    const FORM: Form = Form::Sum;
    fn output(self, _: S) {}
}

impl<S: Shape> Reduction<S> for Each {
    type Output = S;
    const FORM: Form = Form::Each;
    fn output(self, shape: S) -> S {
        shape
    }
}

/// The factor from the sum of the losses to their mean, if the samples' weights sum to `weight`; 0 if that is 0.
pub fn mean_factor<E: Float>(weight: f64) -> E {
    E::of(if weight == 0.0 { 0.0 } else { 1.0 / weight })
}

/// The gradient of the predictions: their derivatives times the gradient of the result, a row for each loss; `scale`
/// is the factor of a mean.
pub fn chain<E: Float>(mut derivatives: Storage<E>, upstream: &[E], form: Form, scale: E) -> Storage<E> {
    match form {
        Form::Mean => elementwise::scale(derivatives.make_mut(), upstream[0] * scale),
        Form::Sum => elementwise::scale(derivatives.make_mut(), upstream[0]),
        Form::Each => scale_rows(derivatives.make_mut(), upstream),
    }
    derivatives
}
