//! Where the largest or smallest element is. Indices have no gradient.
//!
//! Of several equal elements, the first counts; a NaN counts as both larger and smaller than every number, as in
//! PyTorch.

use super::fold::expect_elements;
use crate::memory::Storage;
use crate::ops::movement::moving::{Blocks, blocks};
use crate::shape::{HasAxis, Shape};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;

/// Whether `x` comes before `best`, the best one so far.
type Better<E> = fn(x: &E, best: &E) -> bool;

fn is_nan<E: PartialEq>(x: &E) -> bool {
    // only NaN differs from itself, and this works for elements that are not floats too
    #[allow(clippy::eq_op)]
    let differs = x != x;
    differs
}

fn larger<E: Element>(x: &E, best: &E) -> bool {
    x > best || (is_nan(x) && !is_nan(best))
}

fn smaller<E: Element>(x: &E, best: &E) -> bool {
    x < best || (is_nan(x) && !is_nan(best))
}

/// The index, along the middle of the blocks, of the best element.
fn best<E: Element>(x: &[E], (outer, middle, inner): Blocks, better: Better<E>) -> Storage<usize> {
    let mut indices = Storage::zeros(outer * inner);
    if inner == 0 {
        return indices;
    }
    for (o, indices) in indices.make_mut().chunks_exact_mut(inner).enumerate() {
        let block = &x[o * middle * inner..(o + 1) * middle * inner];
        // row by row, so that memory is read in order
        for (j, row) in block.chunks_exact(inner).enumerate() {
            for (column, (index, x)) in indices.iter_mut().zip(row).enumerate() {
                if better(x, &block[*index * inner + column]) {
                    *index = j;
                }
            }
        }
    }
    indices
}

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    #[track_caller]
    fn best<O: Shape>(&self, operation: &str, shape: O, blocks: Blocks, better: Better<E>) -> Tensor<O, usize> {
        expect_elements(operation, self.shape(), blocks.1, shape.count());
        Tensor::from_storage(shape, best(self.as_slice(), blocks, better))
    }

    /// The index of the largest element, counted over all elements in row-major order.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn argmax(&self) -> Tensor<(), usize> {
        self.best("argmax", (), (1, self.count(), 1), larger)
    }

    /// The index of the largest element along axis `A`, which is removed.
    ///
    /// # Panics
    /// If the axis has size 0.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let scores = Tensor::from([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]);
    /// assert_eq!(scores.argmax_axis::<1>().to_array(), [1, 0]);
    /// ```
    #[track_caller]
    pub fn argmax_axis<const A: usize>(&self) -> Tensor<S::Removed, usize>
    where
        S: HasAxis<A>,
    {
        self.best("argmax_axis", self.shape().removed(), blocks(self.shape()), larger)
    }

    /// The index of the smallest element, counted over all elements in row-major order.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn argmin(&self) -> Tensor<(), usize> {
        self.best("argmin", (), (1, self.count(), 1), smaller)
    }

    /// The index of the smallest element along axis `A`, which is removed.
    ///
    /// # Panics
    /// If the axis has size 0.
    #[track_caller]
    pub fn argmin_axis<const A: usize>(&self) -> Tensor<S::Removed, usize>
    where
        S: HasAxis<A>,
    {
        self.best("argmin_axis", self.shape().removed(), blocks(self.shape()), smaller)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn the_first_of_equals_and_nan_before_all() {
        let x = Tensor::from([[1.0, 3.0, 3.0], [2.0, f32::NAN, 5.0], [-1.0, f32::NAN, f32::NAN]]);
        assert_eq!(x.argmax_axis::<1>().to_array(), [1, 1, 1]);
        assert_eq!(x.argmin_axis::<1>().to_array(), [0, 1, 1]);
        assert_eq!(x.argmax_axis::<0>().to_array(), [1, 1, 2]);
        assert_eq!(x.argmax().item(), 4);
        assert_eq!(Tensor::from([4, 2, 9, 9]).argmax().item(), 2);
        assert_eq!(Tensor::from([true, false]).argmin().item(), 1);
    }

    #[test]
    fn every_axis_agrees_with_the_maximum() {
        let x = Tensor::<Rank3<4, 5, 6>>::randn(&mut StdRng::seed_from_u64(0));
        assert_eq!(x.clone().pick::<0>(&x.argmax_axis::<0>()), x.clone().max_axis::<0>());
        assert_eq!(x.clone().pick::<1>(&x.argmin_axis::<1>()), x.clone().min_axis::<1>());
        assert_eq!(x.clone().pick::<2>(&x.argmax_axis::<2>()), x.max_axis::<2>());
    }

    #[test]
    fn of_no_lines_there_is_nothing_to_find() {
        assert_eq!(Tensor::<Rank2<0, 0>>::ones().argmax_axis::<1>().count(), 0);
    }

    #[test]
    #[should_panic(expected = "argmax_axis: there is nothing along the axis, the shape is (2, 0)")]
    fn an_empty_line_has_no_largest_element() {
        let _ = Tensor::<Rank2<2, 0>>::ones().argmax_axis::<1>();
    }
}
