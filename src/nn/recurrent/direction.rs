//! From the first step to the last, or in both directions.

use crate::ops::Join;
use crate::shape::{Const, Dim, Plus};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use std::fmt::Debug;

/// The direction of a recurrent layer of width `H`: [`Unidirectional`] or [`Bidirectional`].
#[diagnostic::on_unimplemented(message = "`{Self}` is not a direction of a recurrent layer of width {H}")]
pub trait Direction<const H: usize>: Clone + Debug + 'static {
    /// The features of the output.
    type Width: Dim;
    /// Something for each direction.
    type Each<S>;
    #[doc(hidden)]
    const COUNT: usize;
    #[doc(hidden)]
    fn width() -> Self::Width;
    /// `of_direction` has one for each.
    #[doc(hidden)]
    fn each<S>(of_direction: Vec<S>) -> Self::Each<S>;
    /// The outputs side by side.
    #[doc(hidden)]
    fn side_by_side<B: Dim, L: Dim, E: Float, T: Trace>(
        outputs: Vec<Tensor<(B, L, Const<H>), E, T>>,
    ) -> Tensor<(B, L, Self::Width), E, T>;
}

const ONE_EACH: &str = "there is one for each direction";

/// From the first step to the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unidirectional;
impl<const H: usize> Direction<H> for Unidirectional {
    type Width = Const<H>;
    type Each<S> = S;
    const COUNT: usize = 1;
    fn width() -> Const<H> {
        Const
    }
    fn each<S>(mut of_direction: Vec<S>) -> S {
        of_direction.pop().expect(ONE_EACH)
    }
    fn side_by_side<B: Dim, L: Dim, E: Float, T: Trace>(
        mut outputs: Vec<Tensor<(B, L, Const<H>), E, T>>,
    ) -> Tensor<(B, L, Const<H>), E, T> {
        outputs.pop().expect(ONE_EACH)
    }
}

/// From the first step to the last and, with separate parameters, from the last to the first; the outputs are
/// concatenated, so there are 2 `H` features. Schuster and Paliwal, "Bidirectional Recurrent Neural Networks", 1997.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bidirectional;
impl<const H: usize> Direction<H> for Bidirectional
where
    Const<H>: Plus<Const<H>>,
{
    type Width = <Const<H> as Plus<Const<H>>>::Out;
    type Each<S> = [S; 2];
    const COUNT: usize = 2;
    fn width() -> Self::Width {
        Const::<H>.plus(Const::<H>)
    }
    fn each<S>(of_direction: Vec<S>) -> [S; 2] {
        of_direction.try_into().ok().expect(ONE_EACH)
    }
    fn side_by_side<B: Dim, L: Dim, E: Float, T: Trace>(
        outputs: Vec<Tensor<(B, L, Const<H>), E, T>>,
    ) -> Tensor<(B, L, Self::Width), E, T> {
        let ((batch, steps, _), storage, trace) = outputs.concat::<2>().into_parts();
        Tensor::from_parts((batch, steps, <Self as Direction<H>>::width()), storage, trace)
    }
}
