//! The L2 term of a loss: lambda/2 |w|^2 of a parameter w, with the gradient lambda w.

use crate::memory::Storage;
use crate::nn::Param;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace, record};

impl<E: Float, T: Trace> Tensor<(), E, T> {
    /// This loss plus lambda/2 |w|^2: half the sum of the squares of the parameter's numbers, times lambda.
    ///
    /// To pull all parameters of a model, or to keep the pull out of the loss that is printed, use the optimizer's
    /// [weight decay](crate::optim::WeightDecay): its coupled form has the same gradient.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let machine = Linear::<2, 1>::init(&mut StdRng::seed_from_u64(0));
    /// let (x, labels) = (Tensor::from([[1.0, 2.0], [-1.0, 0.5]]), Tensor::from([[1.0], [-1.0]]));
    /// let tape = Tape::inference();
    /// let loss = machine.forward(tape.trace(x)).hinge(&labels).plus_l2(0.01, &machine.weight);
    /// let gradients = loss.backward();
    /// ```
    #[track_caller]
    pub fn plus_l2<S: Shape>(self, lambda: f64, parameter: &Param<S, E>) -> Self {
        let weight = parameter.on(&self);
        let (_, mut loss, trace) = self.into_parts();
        let (_, w, weight_trace) = weight.into_parts();
        let value = &mut loss.make_mut()[0];
        *value += E::of(0.5 * lambda * E::sum_of_squares(w.as_slice()));
        let node = record([trace.node(), weight_trace.node()], |_| {
            move |upstream: Storage<E>, parents: &mut Parents<'_, 2>| {
                let factor = E::of(lambda) * upstream.as_slice()[0];
                parents.add(1, {
                    let mut gradient = w;
                    E::scale(gradient.make_mut(), factor);
                    gradient
                });
                parents.add(0, upstream);
            }
        });
        Tensor::from_parts((), loss, T::from_node(node))
    }
}
