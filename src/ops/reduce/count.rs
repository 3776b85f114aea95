//! How many elements of a mask are true along an axis.

use crate::memory::Storage;
use crate::ops::movement::moving::{Blocks, blocks};
use crate::shape::{HasAxis, Shape};
use crate::tensor::Tensor;
use crate::trace::Trace;

/// Counts over the middle of the blocks.
fn totals(mask: &[bool], (outer, middle, inner): Blocks) -> Storage<usize> {
    let mut totals = Storage::zeros(outer * inner);
    if inner > 0 && middle > 0 {
        let lines = totals.make_mut().chunks_exact_mut(inner).zip(mask.chunks_exact(middle * inner));
        for (totals, block) in lines {
            for row in block.chunks_exact(inner) {
                totals.iter_mut().zip(row).for_each(|(total, &x)| *total += usize::from(x));
            }
        }
    }
    totals
}

impl<S: Shape, T: Trace> Tensor<S, bool, T> {
    /// The number of true elements along axis `A`, which is removed.
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
        Tensor::from_storage(self.shape().removed(), totals(self.as_slice(), blocks(self.shape())))
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn masks_are_counted() {
        let mask = Tensor::from([[true, false, true], [false, false, true]]);
        assert_eq!(mask.count_true_axis::<1>().to_array(), [2, 1]);
        let nothing = Tensor::<Rank2<2, 0>, bool>::zeros();
        assert_eq!(nothing.count_true_axis::<1>().to_array(), [0, 0]);
        assert_eq!(nothing.count_true_axis::<0>().count(), 0);
    }
}
