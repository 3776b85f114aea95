//! Choosing between two tensors: y = a where the mask is true, b elsewhere.
//!
//! The gradient goes to the side that was chosen, and the other gets 0, even where it holds an infinity or NaN that the
//! mask is meant to avoid. Only the mask is saved, one byte per element.

use crate::kernels::mask;
use crate::kernels::mask::Source;
use crate::memory::Storage;
use crate::ops::TensorOrNumber;
use crate::shape::Shape;
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Parents, Trace};

/// The trace of `A` and `B` together.
type MergedTrace<S, E, A, B> = Merged<<A as TensorOrNumber<S, E>>::Trace, <B as TensorOrNumber<S, E>>::Trace>;

impl<S: Shape, M: Trace> Tensor<S, bool, M> {
    /// The elements of `a` where this mask is true, those of `b` elsewhere: PyTorch's `where`. Each of the two is a
    /// tensor, by value or by reference, or a number.
    ///
    /// # Panics
    /// If run-time dimensions disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([4.0, -1.0, 9.0]);
    /// assert_eq!(x.ge(0.0).select(x.clone().sqrt(), 0.0).to_array(), [2.0, 0.0, 3.0]);
    /// let scores = x.lt(5.0).select(&x, f32::NEG_INFINITY); // masked attention scores
    /// assert_eq!(scores.to_array(), [4.0, -1.0, f32::NEG_INFINITY]);
    /// ```
    #[doc(alias = "where")]
    #[doc(alias = "masked_fill")]
    #[track_caller]
    pub fn select<E: Float, A: TensorOrNumber<S, E>, B: TensorOrNumber<S, E>>(
        &self,
        a: A,
        b: B,
    ) -> Tensor<S, E, MergedTrace<S, E, A, B>>
    where
        A::Trace: Merge<B::Trace>,
    {
        let (a, b) = (a.into_elements(), b.into_elements());
        let mut y = Storage::scratch(self.count());
        let (from_a, from_b) = (a.source("select", self.shape()), b.source("select", self.shape()));
        mask::select(self.as_slice(), from_a, from_b, y.make_mut());
        let node = record([a.node(), b.node()], |_| {
            let mask = self.storage().clone();
            move |g: Storage<E>, parents: &mut Parents<'_, 2>| {
                let zero = Source::One(E::zero());
                let gradient = Source::Each(g.as_slice());
                for (operand, (a, b)) in [(gradient, zero), (zero, gradient)].into_iter().enumerate() {
                    if parents.needs(operand) {
                        let mut out = Storage::scratch(g.len());
                        mask::select(mask.as_slice(), a, b, out.make_mut());
                        parents.add(operand, out);
                    }
                }
            }
        });
        Tensor::from_parts(self.shape(), y, MergedTrace::<S, E, A, B>::from_node(node))
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    #[allow(clippy::unit_arg)] // the shape of a scalar is ()
    fn gradients() {
        random_shapes!(|shape, rng| {
            let [a, b] = std::array::from_fn(|_| random(shape, -3.0, 3.0, rng));
            // the mask depends on no operand
            check_function_of_two(|(a, b)| alternating(a.shape()).select(a, b), a.clone(), b.clone());
            check_function(|a| alternating(a.shape()).select(a, 2.0), a.clone());
            check_function(|b| alternating(b.shape()).select(2.0, &b), b.clone());
            let chosen = alternating(shape).select(&a, &b);
            for (i, y) in chosen.iter().enumerate() {
                assert_eq!(y, if i % 2 == 0 { a.as_slice()[i] } else { b.as_slice()[i] });
            }
        });
    }

    fn alternating<S: Shape>(shape: S) -> Tensor<S, bool> {
        let mut next = false;
        Tensor::from_fn_with(shape, |_| {
            next = !next;
            next
        })
    }

    #[test]
    fn what_is_not_chosen_does_not_matter() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([4.0, 0.0]));
        let y = x.gt(0.0).select(x.clone(), f32::NAN);
        assert_eq!(y.as_slice()[0], 4.0);
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [1.0, 0.0]);
        let constant: Tensor<Rank1<2>> = Tensor::from([true, false]).select(1.0, 2.0);
        assert_eq!(constant.to_array(), [1.0, 2.0]);
    }

    #[test]
    #[should_panic(expected = "select: the shapes (2,) and (3,) do not fit")]
    fn run_time_sizes_that_differ_panic() {
        let _ = Tensor::<_, bool>::zeros_with((2,)).select(Tensor::<_, f32>::ones_with((3,)), 1.0);
    }
}
