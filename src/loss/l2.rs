//! The L2 term of a loss: lambda/2 |w|^2 of a parameter w, with the gradient lambda w.

use crate::kernels::elementwise;
use crate::kernels::reduce;
use crate::memory::Storage;
use crate::numbers::range::{expect, not_negative};
use crate::params::Param;
use crate::shape::{ScalarShape, Shape};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

impl<L: Shape, E: Float, T: Trace> Tensor<L, E, T> {
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
    /// let loss = machine.forward(tape.trace(x)).hinge(&labels).plus_l2(&machine.weight, 0.01);
    /// let gradients = loss.backward();
    /// ```
    ///
    /// # Panics
    /// If lambda is negative, infinite or NaN.
    #[track_caller]
    pub fn plus_l2<S: Shape>(self, parameter: &Param<S, E>, lambda: f64) -> Self
    where
        L: ScalarShape,
    {
        expect(not_negative("plus_l2", "lambda", lambda));
        let weight = parameter.on(&self);
        let (shape, mut loss, trace) = self.into_parts();
        let (_, w, weight_trace) = weight.into_parts();
        let value = &mut loss.make_mut()[0];
        *value += E::of(0.5 * lambda * reduce::sum_of_squares(w.as_slice()));
        let node = record([trace.node(), weight_trace.node()], |_| {
            move |upstream: Storage<E>, parents: &mut Parents<'_, 2>| {
                let factor = E::of(lambda) * upstream.as_slice()[0];
                parents.add(1, {
                    let mut gradient = w;
                    elementwise::scale(gradient.make_mut(), factor);
                    gradient
                });
                parents.add(0, upstream);
            }
        });
        Tensor::from_parts(shape, loss, T::from_node(node))
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn the_support_vector_machine_has_the_loss_and_gradient_of_its_formula() {
        let mut rng = StdRng::seed_from_u64(4);
        let machine = Linear::<3, 1, f64>::init(&mut rng);
        let x = Tensor::<Rank2<6, 3>, f64>::randn(&mut rng);
        let labels = Tensor::of([[1.0], [-1.0], [1.0], [1.0], [-1.0], [-1.0]]);
        let lambda = 0.3;
        let loss = |machine: &Linear<3, 1, f64>, tape: &Tape<Training>| {
            machine.forward(tape.trace(x.clone())).hinge(&labels).plus_l2(&machine.weight, lambda)
        };
        check_parameter_gradients(&machine, loss).unwrap();

        let tape = Tape::training(&mut rng);
        let scores = machine.forward(x.clone());
        let hinge: f64 = scores.iter().zip(labels.iter()).map(|(s, y)| (1.0 - y * s).max(0.0)).sum::<f64>() / 6.0;
        let squares: f64 = machine.weight.value().iter().map(|w| w * w).sum();
        assert!((loss(&machine, &tape).item() - (hinge + lambda / 2.0 * squares)).abs() < 1e-12);
    }

    #[test]
    fn a_loss_off_the_tape_has_the_term_too() {
        let weight = Param::new(Tensor::from([3.0, 4.0]));
        assert_eq!(Tensor::from(1.0).plus_l2(&weight, 2.0).item(), 26.0);
    }
}
