//! A block with a residual connection.

use super::blocks::NoShape;
use super::{Forward, Init, Module};
use crate::params::{ParameterPath, Parameters, Visitor, VisitorMut};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// y = x + F(x). He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", 2016.
///
/// F keeps the shape of x. The wrapper adds nothing to the names of F's parameters.
///
/// ```
/// use taut::prelude::*;
/// type Block = Residual<(Linear<8, 32>, Relu, Linear<32, 8>)>;
/// let block = Block::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank2<4, 8>> = block.forward(Tensor::<Rank2<4, 8>>::ones());
/// block.for_each_parameter(|name, _| assert!(["0.weight", "0.bias", "2.weight", "2.bias"].contains(&name)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Residual<F>(pub F);

/// The output shape of a residual block: that of its input.
#[diagnostic::on_unimplemented(
    message = "a residual block keeps the shape: `{In}` goes into it and `{Self}` comes out",
    label = "this block changes the shape"
)]
pub trait KeepsShape<In> {
    /// The shape itself. A projection, so that rustc does not carry a wrong shape on to the following layers.
    type Same: Shape;
    /// This shape, of the type that went in.
    fn same_as_input(self) -> In;
    #[doc(hidden)]
    fn output(input: In) -> Self::Same;
}
#[diagnostic::do_not_recommend]
impl<S: Shape> KeepsShape<S> for S {
    type Same = S;
    fn same_as_input(self) -> S {
        self
    }
    fn output(input: S) -> S {
        input
    }
}

/// A second implementation, without which rustc would infer that a still unknown shape is that of the input.
#[diagnostic::do_not_recommend]
impl<S: Shape> KeepsShape<S> for NoShape {
    type Same = S;
    fn same_as_input(self) -> S {
        unreachable!("no tensor has this shape")
    }
    fn output(input: S) -> S {
        input
    }
}

impl<F, S: Shape, O: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Residual<F>
where
    F: Module<Tensor<S, E, T>, Output = Tensor<O, E, T>>,
    O: KeepsShape<S>,
{
    type Output = Tensor<O::Same, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        let (shape, y, trace) = self.0.forward(x.clone()).into_parts();
        let (shape, sum, trace) = (Tensor::from_parts(shape.same_as_input(), y, trace) + x).into_parts();
        Tensor::from_parts(O::output(shape), sum, trace)
    }
}

impl<F: Init> Init for Residual<F> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Residual(F::init(rng))
    }
}

impl<F: Parameters> Parameters for Residual<F> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        self.0.visit(path, visitor);
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        self.0.visit_mut(path, visitor);
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn the_input_is_added_to_what_the_block_gives() {
        let mut rng = StdRng::seed_from_u64(0);
        let block = Residual::<(Linear<3, 5>, Relu, Linear<5, 3>)>::init(&mut rng);
        let x = Tensor::<Rank2<4, 3>>::randn(&mut rng);
        assert_eq!(block.forward(x.clone()), block.0.forward(x.clone()) + x);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let mut rng = StdRng::seed_from_u64(1);
        let block = Residual::<(Linear<3, 5, f64>, Sigmoid, Linear<5, 3, f64>)>::init(&mut rng);
        let x = Tensor::<Rank2<4, 3>, f64>::randn(&mut rng);
        check_parameter_gradients(&block, |block, tape| block.forward(tape.trace(x.clone()))).unwrap();
        check_gradients(|x| block.forward(x), x.clone()).unwrap();
    }
}
