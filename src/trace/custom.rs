//! Custom operations with their own backward pass.

use super::{Merge, Trace};
use crate::memory::Storage;
use crate::shape::{Shape, show};
use crate::tape::Node;
use crate::tape::{Parents, record};
use crate::tensor::{Float, Tensor};
use std::panic::Location;

/// The operands of a [`custom`] operation: a tensor, or a tuple of two to four.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operand of a custom operation",
    note = "`custom` takes a tensor, or a tuple of two to four tensors, of one element type: `f32` or `f64`"
)]
pub trait Operands {
    /// The type of the elements.
    type Element: Float;
    /// The values off the tape, and the gradients: untraced tensors of the same shapes.
    type Values;
    /// The trace of the result: traced if one of the operands is.
    type Trace: Trace;
    #[doc(hidden)]
    fn record_custom<O: Shape, B>(
        self,
        forward: impl FnOnce(Self::Values) -> (Tensor<O, Self::Element>, B),
    ) -> Tensor<O, Self::Element, Self::Trace>
    where
        B: FnOnce(Tensor<O, Self::Element>) -> Self::Values + 'static;
}

/// What the backward pass of a [`custom`] operation may hold: anything but a value of a tape.
///
/// The tape keeps the backward pass, so a traced value in there would keep the tape alive in turn, forever. Traced
/// tensors and tapes stay in their thread, so nothing that can be sent to another thread holds them.
#[diagnostic::on_unimplemented(
    message = "this backward pass holds a value of a tape, or something else that cannot leave its thread",
    note = "a traced tensor would keep its own tape alive: use the untraced values that the forward pass is given, or \
            `x.detach()`"
)]
pub trait WithoutTape {}
#[diagnostic::do_not_recommend]
impl<T: Send> WithoutTape for T {}

/// Adds a gradient that a user computed to that of operand `index`.
fn add<S: Shape, E: Float, const N: usize>(
    parents: &mut Parents<'_, N>,
    index: usize,
    shape: S,
    gradient: Tensor<S, E>,
    made_at: &Location<'_>,
) {
    if gradient.shape() == shape {
        parents.add(index, gradient.into_storage());
    } else {
        let [shape, other] = [show(shape), show(gradient.shape())];
        parents.refuse(format!(
            "custom: operand {index} and its gradient: the shapes {shape} and {other} do not fit, \
             in the operation at {made_at}"
        ));
    }
}

impl<S: Shape, E: Float, T: Trace> Operands for Tensor<S, E, T> {
    type Element = E;
    type Values = Tensor<S, E>;
    type Trace = T;
    #[track_caller]
    fn record_custom<O: Shape, B>(self, forward: impl FnOnce(Tensor<S, E>) -> (Tensor<O, E>, B)) -> Tensor<O, E, T>
    where
        B: FnOnce(Tensor<O, E>) -> Tensor<S, E> + 'static,
    {
        (self,).record_custom(|(x,)| {
            let (y, backward) = forward(x);
            (y, move |gradient| (backward(gradient),))
        })
    }
}

// Each line: how many; the trace of the result; for each operand its index, shape, trace, and how traces merge.
macro_rules! operands {
    ($($count:literal $result:ident: 0 $first:ident $first_trace:ident
       $(, $index:tt $shape:ident $trace:ident $left:ident => $merged:ident)*;)*) => { $(
        impl<Number: Float, $first: Shape, $first_trace: Trace, $($shape: Shape, $trace: Trace, $merged: Trace),*>
            Operands for (Tensor<$first, Number, $first_trace>, $(Tensor<$shape, Number, $trace>,)*)
        where
            $($left: Merge<$trace, Out = $merged>,)*
        {
            type Element = Number;
            type Values = (Tensor<$first, Number>, $(Tensor<$shape, Number>,)*);
            type Trace = $result;
            #[track_caller]
            fn record_custom<O: Shape, B>(
                self,
                forward: impl FnOnce(Self::Values) -> (Tensor<O, Number>, B),
            ) -> Tensor<O, Number, $result>
            where
                B: FnOnce(Tensor<O, Number>) -> Self::Values + 'static,
            {
                let shapes = (self.0.shape(), $(self.$index.shape(),)*);
                let nodes: [Option<Node>; $count] =
                    [self.0.trace().node().cloned(), $(self.$index.trace().node().cloned()),*];
                let (y, backward) = forward((self.0.into_untraced().0, $(self.$index.into_untraced().0,)*));
                let (shape, made_at) = (y.shape(), Location::caller());
                let node = record(nodes.each_ref().map(Option::as_ref), |_| {
                    move |gradient: Storage<Number>, parents: &mut Parents<'_, $count>| {
                        let gradients = backward(Tensor::from_storage(shape, gradient));
                        add(parents, 0, shapes.0, gradients.0, made_at);
                        $(add(parents, $index, shapes.$index, gradients.$index, made_at);)*
                    }
                });
                y.with_trace($result::from_node(node))
            }
        }
    )* };
}
operands! {
    1 T: 0 S T;
    2 M: 0 S T, 1 P U T => M;
    3 N: 0 S T, 1 P U T => M, 2 Q V M => N;
    4 L: 0 S T, 1 P U T => M, 2 Q V M => N, 3 R W N => L;
}

/// A custom operation with its own backward pass.
///
/// `operands` is a tensor, or a tuple of up to four. `forward` is given their untraced values and returns the result
/// and the backward pass: a closure from the gradient of the result to the gradients of the operands, in the same form.
/// It captures what it needs of the forward pass, but no traced tensor. Check it with
/// [`check_gradients`](crate::params::check_gradients).
///
/// # Panics
/// If the operands are on different tapes. At the call of `backward`, if the gradient of an operand does not have its
/// shape.
///
/// ```
/// use taut::prelude::*;
///
/// /// x |x|, whose derivative is 2 |x|.
/// fn signed_square<S: Shape, T: Trace>(x: Tensor<S, f64, T>) -> Tensor<S, f64, T> {
///     custom(x, |x| {
///         let magnitude = x.clone().abs();
///         let y = x * magnitude.clone();
///         (y, move |gradient| gradient * magnitude * 2.0)
///     })
/// }
///
/// let x = Tensor::<_, f64>::of([-3.0, 0.5, 2.0]);
/// check_gradients(signed_square, x).unwrap();
/// ```
///
/// With two operands, here of different shapes:
///
/// ```
/// use taut::prelude::*;
///
/// /// A vector times a scalar: y = s x, so the gradient of x is s g, and that of s is the sum of g x.
/// fn scaled<const N: usize, T: Trace>(
///     x: Tensor<Rank1<N>, f64, T>,
///     s: Tensor<Rank0, f64, T>,
/// ) -> Tensor<Rank1<N>, f64, T> {
///     custom((x, s), |(x, s)| {
///         let y = x.clone() * s.item();
///         (y, move |g: Tensor<Rank1<N>, f64>| (g.clone() * s.item(), (g * x).sum()))
///     })
/// }
///
/// let operands = (Tensor::<_, f64>::of([1.0, -2.0]), Tensor::<_, f64>::of(3.0));
/// check_gradients(|(x, s)| scaled(x, s), operands).unwrap();
/// ```
#[track_caller]
pub fn custom<X: Operands, O: Shape, B>(
    operands: X,
    forward: impl FnOnce(X::Values) -> (Tensor<O, X::Element>, B),
) -> Tensor<O, X::Element, X::Trace>
where
    B: FnOnce(Tensor<O, X::Element>) -> X::Values + WithoutTape + 'static,
{
    operands.record_custom(forward)
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    /// a b c + d, of operands of which any may be untraced.
    fn product_plus<S: Shape, X>(operands: X) -> Tensor<S, f64, X::Trace>
    where
        X: super::Operands<Element = f64, Values = (Tensor<S, f64>, Tensor<S, f64>, Tensor<S, f64>, Tensor<S, f64>)>,
    {
        custom(operands, |(a, b, c, d)| {
            let y = &a * &b * &c + d;
            (y, move |g: Tensor<S, f64>| (&g * &b * &c, &g * &a * &c, &g * &a * &b, g))
        })
    }

    #[test]
    fn several_operands_get_their_gradients() {
        random_shapes!(|shape, rng| {
            let x = [0; 4].map(|_| random(shape, -2.0, 2.0, rng));
            let [a, b, c, d] = x.clone();
            check_gradients(product_plus, (a, b, c, d)).unwrap();
            let [a, b, c, d] = x;
            let constant = d.clone();
            check_gradients(|x: Watched<_>| product_plus((a.clone(), x, b.clone(), constant.clone())), c).unwrap();
        });
    }

    #[test]
    fn one_operand_needs_no_tuple() {
        let cube = |x: Watched<Rank1<2>>| custom(x, |x| (&x * &x * &x, move |g| g * 3.0 * &x * &x));
        check_gradients(cube, Tensor::<_, f64>::of([1.5, -0.5])).unwrap();
    }

    #[test]
    #[should_panic(
        expected = "custom: operand 0 and its gradient: the shapes (2,) and (3,) do not fit, in the operation at src"
    )]
    fn a_gradient_of_another_shape_is_refused() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from_vec(vec![1.0_f32, 2.0], (2_usize,)).unwrap());
        let y = custom(x, |x| (x, |_| Tensor::zeros_with((3_usize,))));
        let _ = y.sum().backward();
    }
}
