//! Closures and functions as layers.

use super::Module;
use crate::params::{ParameterPath, Parameters, Visitor, VisitorMut};

/// A closure or function as a layer: y = f(x), without parameters.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = (
///     Linear::<3, 4>::init(&mut rng),
///     Lambda(|x: Tensor<Rank2<2, 4>>| x.reshape::<Rank2<4, 2>>()),
///     Linear::<2, 1>::init(&mut rng),
/// );
/// let y: Tensor<Rank2<4, 1>> = model.forward(Tensor::<Rank2<2, 3>>::ones());
/// ```
///
/// A closure takes one type of tensor, and tensors on a tape have another type than those that are not. For code that
/// runs in both training and inference, define a type with an implementation generic over
/// [`Trace`](crate::trace::Trace):
///
/// ```
/// use taut::prelude::*;
///
/// #[derive(Clone, Init, Parameters)]
/// struct Square;
///
/// impl<S: Shape, T: Trace> Module<Tensor<S, f32, T>> for Square {
///     type Output = Tensor<S, f32, T>;
///     fn apply(&self, x: Tensor<S, f32, T>) -> Self::Output {
///         x.square()
///     }
/// }
/// let model = <(Linear<3, 4>, Square)>::init(&mut StdRng::seed_from_u64(0));
/// ```
#[derive(Clone, Copy)]
pub struct Lambda<F>(pub F);

impl<F> std::fmt::Debug for Lambda<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lambda({})", std::any::type_name::<F>())
    }
}

impl<X, Y, F: Fn(X) -> Y> Module<X> for Lambda<F> {
    type Output = Y;
    fn apply(&self, x: X) -> Y {
        (self.0)(x)
    }
}

impl<F> Parameters for Lambda<F> {
    fn visit(&self, _: &mut ParameterPath, _: &mut dyn Visitor) {}
    fn visit_mut(&mut self, _: &mut ParameterPath, _: &mut dyn VisitorMut) {}
}
