//! Layers whose weight can be replaced while they run.

use crate::params::{Param, Parameters};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};

/// A layer with a weight whose first axis is the outputs: [`Linear`](super::Linear) and [`Conv2d`](super::Conv2d).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no weight that spectral normalisation knows",
    note = "`Linear` and `Conv2d` have one"
)]
pub trait Weighted: Parameters {
    /// Of its numbers.
    type Element: Float;
    /// (O, ..)
    type Weight: Shape;
    /// The weight.
    fn weight(&self) -> &Param<Self::Weight, Self::Element>;
}

/// A layer that can be run with another weight than its own.
pub trait WithWeight<S, T>: Weighted {
    /// The output.
    type Output;
    /// Runs the layer with this weight and its own bias.
    #[track_caller]
    fn run_with(&self, x: Tensor<S, Self::Element, T>, weight: Tensor<Self::Weight, Self::Element, T>) -> Self::Output;
}
