//! Cells of an axis by their indices: y_j = x_i(j). The gradient of x_i is the sum of the gradients of all y_j with
//! i(j) = i.

use super::moving::{Blocks, blocks, move_runs};
use crate::kernels::runs::Runs;
use crate::memory::Storage;
use crate::shape::{Dim, HasAxis, Shape, show_sizes};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The cells of axis `A` at `indices`, in this order; a cell may be taken several times or not at all.
    ///
    /// # Panics
    /// If an index is not below the size of the axis.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let rows = x.index_select::<0, _>(&Tensor::from([2, 0, 2]));
    /// assert_eq!(rows.to_array(), [[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]);
    /// ```
    #[track_caller]
    pub fn index_select<const A: usize, D: Dim>(self, indices: &Tensor<(D,), usize>) -> Tensor<S::With<D>, E, T>
    where
        S: HasAxis<A>,
    {
        let blocks = blocks(self.shape());
        check_indices("index_select", indices, A, blocks.1);
        let shape = self.shape().with(indices.shape().0);
        let runs = selected(blocks, indices.storage().clone());
        move_runs(self, shape, None, runs)
    }
}

/// The cells at `indices` of the middle of the blocks.
fn selected((outer, middle, inner): Blocks, indices: Storage<usize>) -> Runs<impl Fn(usize) -> (usize, usize)> {
    let count = indices.len();
    let from = move |i: usize| i / count * middle + indices.as_slice()[i % count];
    Runs { count: outer * count, length: inner, uses: count, place: move |i| (from(i) * inner, i * inner) }
}

/// Panics at the caller's line if an index is not below `size`, naming it and its position.
#[track_caller]
pub(crate) fn check_indices<S: Shape>(operation: &str, indices: &Tensor<S, usize>, axis: usize, size: usize) {
    if let Some(wrong) = indices.as_slice().iter().position(|&index| index >= size) {
        let index = indices.as_slice()[wrong];
        let mut position = indices.shape().sizes();
        let mut rest = wrong;
        for place in position.as_mut().iter_mut().rev() {
            (*place, rest) = (rest % *place, rest / *place);
        }
        let position = show_sizes(position.as_ref());
        panic!("{operation}: index {index} at position {position} is outside axis {axis} of size {size}");
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize), (usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                let last = shape.sizes()[1].wrapping_sub(1);
                // the same cell twice, and no cell at all
                let indices = if last == usize::MAX { vec![] } else { vec![last, 0, last] };
                let count = indices.len();
                let indices = Tensor::from_vec(indices, (count,)).unwrap();
                check_gradients(|x| x.index_select::<1, _>(&indices), x.clone()).unwrap();
                check_gradients(|x| x.index_select::<0, _>(&Tensor::<(usize,), usize>::zeros_with((0,))), x).unwrap();
            }
        );
    }

    #[test]
    fn labels_can_be_shuffled() {
        let labels = Tensor::from([7, 8, 9]);
        assert_eq!(labels.index_select::<0, _>(&Tensor::from([2, 0, 1])).to_array(), [9, 7, 8]);
        let x = Tensor::from([[true, false], [false, true]]);
        assert_eq!(x.index_select::<1, _>(&Tensor::from([1])).to_array(), [[false], [true]]);
    }

    #[test]
    #[should_panic(expected = "index_select: index 3 at position (1,) is outside axis 0 of size 3")]
    fn an_index_outside_is_named() {
        let _ = Tensor::<Rank2<3, 2>>::ones().index_select::<0, _>(&Tensor::from([0, 3]));
    }
}
