//! Softmax as a layer.

use super::{Init, Module};
use crate::params::Parameters;
use crate::shape::HasAxis;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Positive numbers that sum to 1 along axis `A`: y_i = e^x_i / sum_j e^x_j. See [`Tensor::softmax`].
///
/// To train a classifier, end its model with the scores and use [`cross_entropy`](Tensor::cross_entropy): it computes
/// softmax itself, in one numerically stable step.
///
/// ```
/// use taut::prelude::*;
/// let y = Softmax::<1>.forward(Tensor::from([[1000.0, 1000.0], [0.0, 1000.0]]));
/// assert_eq!(y.to_array(), [[0.5, 0.5], [0.0, 1.0]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Softmax<const A: usize>;

impl<const A: usize, S: HasAxis<A>, E: Float, T: Trace> Module<Tensor<S, E, T>> for Softmax<A> {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.softmax::<A>()
    }
}

/// The logarithm of [`Softmax`] along axis `A`: y_i = x_i - log sum_j e^x_j. See [`Tensor::log_softmax`].
///
/// ```
/// use taut::prelude::*;
/// let y = LogSoftmax::<1>.forward(Tensor::from([[1000.0, 1000.0]]));
/// assert!(y.is_close(&Tensor::full(-2.0_f32.ln()), 1e-6, 0.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct LogSoftmax<const A: usize>;

impl<const A: usize, S: HasAxis<A>, E: Float, T: Trace> Module<Tensor<S, E, T>> for LogSoftmax<A> {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.log_softmax::<A>()
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn layers_do_what_the_methods_do() {
        let x = Tensor::<Rank3<2, 3, 4>>::randn(&mut StdRng::seed_from_u64(0));
        assert_eq!(Softmax::<1>.forward(x.clone()), x.clone().softmax::<1>());
        assert_eq!(LogSoftmax::<2>.forward(x.clone()), x.log_softmax::<2>());
    }
}
