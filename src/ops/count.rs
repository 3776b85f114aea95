//! Sums of masks and labels: how many elements are true along an axis, and sums of whole numbers.

use super::movement::{Blocks, blocks};
use crate::memory::Storage;
use crate::shape::{HasAxis, Shape};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;

/// Adds up `value` of each element over the middle of the blocks.
fn totals<E: Element>(x: &[E], (outer, middle, inner): Blocks, value: fn(E) -> usize) -> Storage<usize> {
    let mut totals = Storage::zeros(outer * inner);
    if inner > 0 && middle > 0 {
        let lines = totals.make_mut().chunks_exact_mut(inner).zip(x.chunks_exact(middle * inner));
        for (totals, block) in lines {
            for row in block.chunks_exact(inner) {
                totals.iter_mut().zip(row).for_each(|(total, &x)| *total += value(x));
            }
        }
    }
    totals
}

impl<S: Shape, T: Trace> Tensor<S, bool, T> {
    /// How many elements along axis `A`, which disappears, are true.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let mask = Tensor::from([[true, false], [true, true]]);
    /// assert_eq!(mask.count_true_axis::<0>().to_array(), [2, 1]);
    /// ```
    pub fn count_true_axis<const A: usize>(&self) -> Tensor<S::Removed, usize>
    where
        S: HasAxis<A>,
    {
        Tensor::from_storage(self.shape().removed(), totals(self.as_slice(), blocks(self.shape()), usize::from))
    }
}

impl<S: Shape, T: Trace> Tensor<S, usize, T> {
    /// The sum of all elements.
    pub fn sum(&self) -> Tensor<(), usize> {
        Tensor::from_storage((), totals(self.as_slice(), (1, self.count(), 1), |x| x))
    }

    /// The sum along axis `A`, which disappears.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).sum_axis::<0>().to_array(), [4, 6]);
    /// ```
    pub fn sum_axis<const A: usize>(&self) -> Tensor<S::Removed, usize>
    where
        S: HasAxis<A>,
    {
        Tensor::from_storage(self.shape().removed(), totals(self.as_slice(), blocks(self.shape()), |x| x))
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn masks_and_labels_are_counted() {
        let mask = Tensor::from([[true, false, true], [false, false, true]]);
        assert_eq!(mask.count_true_axis::<1>().to_array(), [2, 1]);
        let nothing = Tensor::<Rank2<2, 0>, bool>::zeros();
        assert_eq!(nothing.count_true_axis::<1>().to_array(), [0, 0]);
        assert_eq!(nothing.count_true_axis::<0>().count(), 0);
        let labels = Tensor::<Rank2<2, 3>, usize>::from_fn(|[i, j]| 10 * i + j);
        assert_eq!((labels.sum().item(), labels.sum_axis::<1>().to_array()), (36, [3, 33]));
    }
}
