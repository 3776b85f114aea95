//! The product of numbers: y = prod_j x_j.
//!
//! The gradient of x_j is the product of all the others: those before it times those after it, so that it is right
//! where an x_j is 0. The product of no numbers is 1.

use super::fold::{fold_all, fold_axes};
use crate::kernels::lines::{Fold, FoldOp};
use crate::memory::Storage;
use crate::numbers::math::Math;
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Independent running products.
const LANES: usize = 8;

struct Product;
impl Fold for Product {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &[E], _: E) -> E {
        // in f64, so that the order does not decide what is out of range on the way
        let (chunks, rest) = line.as_chunks::<LANES>();
        let mut lanes = [1.0; LANES];
        for chunk in chunks {
            for lane in 0..LANES {
                lanes[lane] *= chunk[lane].as_f64();
            }
        }
        E::of(rest.iter().fold(lanes.iter().product(), |product, x| product * x.as_f64()))
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(line: &mut [E], _: E, gradient: E, _: E) {
        let mut after = 1.0;
        let mut products = Storage::<f64>::scratch(line.len());
        let products = products.make_mut();
        for (product, &x) in products.iter_mut().zip(&*line).rev() {
            *product = after;
            after *= x.as_f64();
        }
        let mut before = 1.0;
        for (x, &after) in line.iter_mut().zip(&*products) {
            let factor = *x;
            *x = gradient * E::of(before * after);
            before *= factor.as_f64();
        }
    }
}

static PRODUCT: FoldOp = FoldOp::of::<Product>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The product of all elements.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([2.0, 3.0, 4.0]).product().item(), 24.0);
    /// ```
    #[track_caller]
    pub fn product(self) -> Tensor<(), E, T> {
        fold_all(self, &PRODUCT, E::zero())
    }

    /// The product along axis `A`, which is removed.
    #[track_caller]
    pub fn product_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.product_axes::<Axis<A>>()
    }

    /// The product along several axes, which are removed.
    #[track_caller]
    pub fn product_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        fold_axes::<A, _, _, _>(self, &PRODUCT, E::zero())
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_reduction!(product, product_axis, product_axes, |shape, rng| random(shape, 0.5, 1.5, rng));
        // no zero, one, and two of them
        let x = Tensor::<_, f64>::of([[1.5, 2.0, -0.5], [0.0, 2.0, 3.0], [0.0, 2.0, 0.0]]);
        check_gradients(|x| x.product_axis::<1>(), x).unwrap();
        assert_eq!(Tensor::<Rank2<2, 0>>::zeros().product_axis::<1>().to_array(), [1.0, 1.0]);
    }
}
