//! Sorting along an axis, and the largest elements.
//!
//! The sorted values are gathered by the indices, so gradients go back to where the values came from. Equal elements
//! keep their order; a NaN counts as the largest, as in PyTorch.

use super::gather::gathered;
use super::moving::{Blocks, blocks, move_runs};
use crate::kernels::runs::Runs;
use crate::memory::Storage;
use crate::shape::{Const, HasAxis, Holds, Shape};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;
use std::cmp::Ordering;

/// The order of sorting. See [`Tensor::sort`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
}

/// A NaN is larger than every number and equal to any other NaN.
fn compare<E: Element>(a: &E, b: &E) -> Ordering {
    #[allow(clippy::eq_op)]
    let is_nan = |x: &E| x != x;
    a.partial_cmp(b).unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)))
}

/// The indices, along the middle of the blocks, of the first `count` elements of the order.
fn sorted_indices<E: Element>(x: &[E], (outer, middle, inner): Blocks, order: Order, count: usize) -> Storage<usize> {
    let mut all = Storage::scratch(outer * count * inner);
    if all.len() == 0 {
        return all; // however long the lines are
    }
    let mut line: Vec<usize> = Vec::with_capacity(middle);
    for o in 0..outer {
        for i in 0..inner {
            let element = |j: usize| &x[(o * middle + j) * inner + i];
            // equal elements by index, so that an unstable selection gives the same as a stable sort
            let before = |&a: &usize, &b: &usize| {
                let by_value = compare(element(a), element(b));
                let by_value = if order == Order::Ascending { by_value } else { by_value.reverse() };
                by_value.then(a.cmp(&b))
            };
            line.clear();
            line.extend(0..middle);
            if count < middle {
                line.select_nth_unstable_by(count - 1, before);
                line.truncate(count);
            }
            line.sort_unstable_by(before);
            for (j, &index) in line.iter().enumerate() {
                all.make_mut()[(o * count + j) * inner + i] = index;
            }
        }
    }
    all
}

/// The largest elements and their indices. See [`Tensor::top_k`].
pub type Top<S, E, T> = (Tensor<S, E, T>, Tensor<S, usize>);

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The indices along axis `A` that would sort it.
    ///
    /// ```
    /// use taut::ops::Order;
    /// use taut::prelude::*;
    /// let x = Tensor::from([3.0, 1.0, 2.0]);
    /// assert_eq!(x.argsort::<0>(Order::Ascending).to_array(), [1, 2, 0]);
    /// ```
    pub fn argsort<const A: usize>(&self, order: Order) -> Tensor<S, usize>
    where
        S: HasAxis<A>,
    {
        let blocks = blocks(self.shape());
        Tensor::from_storage(self.shape(), sorted_indices(self.as_slice(), blocks, order, blocks.1))
    }

    /// The tensor sorted along axis `A`, and the indices that the elements had.
    ///
    /// ```
    /// use taut::ops::Order;
    /// use taut::prelude::*;
    /// let (values, indices) = Tensor::from([3.0, 1.0, 2.0]).sort::<0>(Order::Descending);
    /// assert_eq!((values.to_array(), indices.to_array()), ([3.0, 2.0, 1.0], [0, 2, 1]));
    /// ```
    #[track_caller]
    pub fn sort<const A: usize>(self, order: Order) -> (Self, Tensor<S, usize>)
    where
        S: HasAxis<A>,
    {
        let (shape, blocks) = (self.shape(), blocks(self.shape()));
        let indices = self.argsort::<A>(order);
        let runs = Runs { uses: 1, ..gathered(blocks, blocks, indices.storage().clone()) };
        (move_runs(self, shape, None, runs), indices)
    }

    /// The `K` largest elements along axis `A`, the largest first, and their indices.
    ///
    /// # Panics
    /// If a run-time dimension is smaller than `K`.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let (values, indices) = Tensor::from([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]]).top_k::<1, 2>();
    /// assert_eq!(values.to_array(), [[3.0, 2.0], [6.0, 5.0]]);
    /// assert_eq!(indices.to_array(), [[0, 2], [1, 2]]);
    /// ```
    #[track_caller]
    pub fn top_k<const A: usize, const K: usize>(self) -> Top<S::With<Const<K>>, E, T>
    where
        S: HasAxis<A>,
        S::Length: Holds<0, K>,
    {
        self.shape().length().check_slice();
        let shape = self.shape().with(Const::<K>);
        let (outer, middle, inner) = blocks(self.shape());
        let indices = sorted_indices(self.as_slice(), (outer, middle, inner), Order::Descending, K);
        let runs = Runs { uses: 1, ..gathered((outer, middle, inner), (outer, K, inner), indices.clone()) };
        (move_runs(self, shape, None, runs), Tensor::from_storage(shape, indices))
    }
}

#[cfg(test)]
mod tests {
    use super::Order::{Ascending, Descending};
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize), (usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let x = distinct(shape, rng);
                check_gradients(|x| x.sort::<0>(Ascending).0, x.clone()).unwrap();
                check_gradients(|x| x.sort::<1>(Descending).0, x.clone()).unwrap();
                if shape.sizes()[1] > 0 {
                    check_gradients(|x| x.top_k::<1, 1>().0, x).unwrap();
                }
            }
        );
    }

    #[test]
    fn equal_elements_keep_their_order_and_nan_is_largest() {
        let x = Tensor::from([2.0, f32::NAN, 1.0, 2.0, f32::INFINITY, 1.0]);
        assert_eq!(x.argsort::<0>(Ascending).to_array(), [2, 5, 0, 3, 4, 1]);
        assert_eq!(x.argsort::<0>(Descending).to_array(), [1, 4, 0, 3, 2, 5]);
        assert_eq!(x.top_k::<0, 4>().1.to_array(), [1, 4, 0, 3]);
        let labels = Tensor::from([[3, 1], [2, 5]]);
        assert_eq!(labels.clone().sort::<0>(Ascending).0.to_array(), [[2, 1], [3, 5]]);
        assert_eq!(labels.top_k::<1, 0>().0.count(), 0);
    }

    #[test]
    fn a_few_are_the_first_of_all() {
        let x = Tensor::<Rank3<3, 50, 4>>::randn(&mut StdRng::seed_from_u64(0));
        let (all, _) = x.clone().sort::<1>(Descending);
        assert_eq!(x.top_k::<1, 7>().0, all.slice_axis::<1, 0, 7>());
    }

    #[test]
    #[should_panic(expected = "a slice of 3 from 0 on does not fit dimension 2")]
    fn there_must_be_enough() {
        let _ = Tensor::<(usize,)>::ones_with((2,)).top_k::<0, 3>();
    }
}
