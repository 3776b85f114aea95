//! Labels as vectors: 1 at the label, 0 elsewhere.

use super::index_select::check_indices;
use crate::memory::Storage;
use crate::shape::{Append, Dim, Shape};
use crate::tensor::{Number, Tensor};

impl<S: Shape> Tensor<S, usize> {
    /// A vector for each label, along a new last axis of size `classes`: 1 at the label and 0 elsewhere.
    ///
    /// # Panics
    /// If a label is not below the number of classes.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let labels = Tensor::from([2, 0]);
    /// let y: Tensor<Rank2<2, 3>> = labels.one_hot(Const::<3>);
    /// assert_eq!(y.to_array(), [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
    /// ```
    #[track_caller]
    pub fn one_hot<E: Number, D: Dim>(&self, classes: D) -> Tensor<S::Appended<D>, E>
    where
        S: Append,
    {
        check_indices("one_hot", self, S::RANK, classes.size());
        let shape = self.shape().appended(classes);
        let mut y = Storage::zeros(shape.count());
        let rows = y.make_mut();
        for (i, &label) in self.as_slice().iter().enumerate() {
            rows[i * classes.size() + label] = E::one();
        }
        Tensor::from_storage(shape, y)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn any_rank_and_any_number_of_classes() {
        let one: Tensor<Rank1<2>, usize> = Tensor::from(1).one_hot(Const);
        assert_eq!(one.to_array(), [0, 1]);
        let many: Tensor<(Const<2>, Const<1>, usize), f64> = Tensor::from([[0], [3]]).one_hot(4);
        assert_eq!(many.to_vec(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let none: Tensor<(usize, Const<3>)> = Tensor::<(usize,), usize>::zeros_with((0,)).one_hot(Const);
        assert_eq!(none.count(), 0);
    }

    #[test]
    #[should_panic(expected = "one_hot: index 3 at position (1,) is outside axis 1 of size 3")]
    fn a_label_without_class_is_named() {
        let _: Tensor<Rank2<2, 3>> = Tensor::from([0, 3]).one_hot(Const);
    }
}
