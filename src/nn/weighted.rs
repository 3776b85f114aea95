//! Layers whose weight can be replaced while they run.

use crate::params::{Param, Parameters};
use crate::shape::Shape;
use crate::tensor::{Element, Float, Tensor};
use crate::trace::Trace;

/// A layer with one weight: [`Linear`](super::Linear), the convolutions (along sequences, too, in groups and with
/// rectangular windows), [`ConvTranspose2d`](super::ConvTranspose2d) and [`Embedding`](super::Embedding).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no weight that spectral normalisation knows",
    note = "`Linear`, the convolutions, `ConvTranspose2d` and `Embedding` have one; of a tuple, normalise each layer"
)]
pub trait Weighted: Parameters {
    /// Of its numbers.
    type Element: Float;
    /// (O, ..), where nothing else is said.
    type Weight: Shape;
    /// The weight.
    fn weight(&self) -> &Param<Self::Weight, Self::Element>;
    /// A weight of this layer as a matrix, with a row for each output.
    fn matrix<T: Trace>(weight: Tensor<Self::Weight, Self::Element, T>) -> Tensor<(usize, usize), Self::Element, T> {
        let rows = weight.shape().sizes().as_ref()[0];
        let columns = weight.count() / rows.max(1);
        weight.reshape_with((rows, columns))
    }
}

/// A layer that can be run with another weight than its own, on a tensor of `K`.
pub trait WithWeight<S: Shape, K: Element, T>: Weighted {
    /// The output.
    type Output;
    /// Runs the layer with this weight and its own bias.
    #[track_caller]
    fn run_with(&self, x: Tensor<S, K, T>, weight: Tensor<Self::Weight, Self::Element, T>) -> Self::Output;
}
