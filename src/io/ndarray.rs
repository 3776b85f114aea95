//! Tensors from and to the arrays of the `ndarray` crate.

use crate::memory::Storage;
use crate::ops::ShapeMismatch;
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};
use ndarray::{Array, ArrayBase, Data, Dim, Dimension, IntoDimension};

/// An array of the same rank.
impl<S: Shape<Sizes = [usize; N]>, E: Element, const N: usize> From<Tensor<S, E>> for Array<E, Dim<[usize; N]>>
where
    [usize; N]: IntoDimension<Dim = Dim<[usize; N]>>,
    Dim<[usize; N]>: Dimension,
{
    fn from(tensor: Tensor<S, E>) -> Self {
        Array::from_shape_vec(tensor.shape().sizes(), tensor.to_vec()).expect("a tensor fills its shape")
    }
}

/// A tensor of the array's elements, whatever their order in memory; a shape that differs from the type's is an error.
impl<S: Shape, E: Element, A: Data<Elem = E>, D: Dimension> TryFrom<&ArrayBase<A, D>> for Tensor<S, E> {
    type Error = ShapeMismatch;
    fn try_from(array: &ArrayBase<A, D>) -> Result<Self, ShapeMismatch> {
        let shape = S::from_sizes(array.shape()).ok_or_else(|| ShapeMismatch::new::<S>(array.shape()))?;
        let mut elements = array.iter();
        let storage = Storage::from_fn(array.len(), |_| *elements.next().expect("as many elements as the length says"));
        Ok(Tensor::from_storage(shape, storage))
    }
}

/// Like from a reference to the array.
impl<S: Shape, E: Element, A: Data<Elem = E>, D: Dimension> TryFrom<ArrayBase<A, D>> for Tensor<S, E> {
    type Error = ShapeMismatch;
    fn try_from(array: ArrayBase<A, D>) -> Result<Self, ShapeMismatch> {
        Tensor::try_from(&array)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;
    use ndarray::{Array0, Array1, Array2, Array3, array, s};

    #[test]
    fn arrays_and_tensors_hold_the_same() {
        let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let there = Array2::from(x.clone());
        assert_eq!(there, array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(Tensor::<Rank2<2, 3>>::try_from(there).unwrap(), x);
        assert_eq!(Array0::from(Tensor::from(2.5))[()], 2.5);
        let labels = Array1::from(Tensor::from([3, 1, 2]));
        assert_eq!(Tensor::<(usize,), usize>::try_from(&labels).unwrap().to_vec(), [3, 1, 2]);
        let empty = Array3::from(Tensor::<Rank3<2, 0, 4>>::zeros());
        assert_eq!(empty.shape(), [2, 0, 4]);
        assert_eq!(Tensor::<Rank3<2, 0, 4>>::try_from(empty).unwrap().count(), 0);
    }

    #[test]
    fn the_order_in_memory_does_not_matter() {
        let a = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        assert_eq!(Tensor::<Rank2<3, 2>>::try_from(a.t()).unwrap().to_array(), [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
        let backwards = a.slice(s![.., ..;-2]);
        assert_eq!(Tensor::<Rank2<2, 2>>::try_from(&backwards).unwrap().to_array(), [[3.0, 1.0], [6.0, 4.0]]);
    }

    #[test]
    fn another_shape_is_an_error() {
        let error = Tensor::<(usize, Const<2>)>::try_from(array![[1.0, 2.0, 3.0]]).unwrap_err();
        assert_eq!(error.to_string(), "a tensor of shape (1, 3) is not one of shape (usize, Const<2>)");
        assert!(Tensor::<Rank1<3>>::try_from(array![[1.0, 2.0, 3.0]]).is_err());
    }
}
