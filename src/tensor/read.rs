//! Reading the elements of a tensor.

use super::{Array, Element, Tensor};
use crate::shape::{ScalarShape, Shape, show, show_sizes};
use crate::trace::Trace;
use std::iter::Copied;
use std::ops::Index;
use std::slice;

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The number of a scalar.
    pub fn item(&self) -> E
    where
        S: ScalarShape,
    {
        self.as_slice()[0]
    }

    /// The elements as arrays in arrays.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank2<2, 2>>::eye();
    /// assert_eq!(x.to_array(), [[1.0, 0.0], [0.0, 1.0]]);
    /// ```
    pub fn to_array<A: Array<Element = E, Shape = S>>(&self) -> A
    where
        S: ToArray<E, Array = A>,
    {
        A::take_from(&mut self.as_slice().iter().copied())
    }

    /// The elements as a vector, the last axis fastest.
    pub fn to_vec(&self) -> Vec<E> {
        self.as_slice().to_vec()
    }

    /// The elements, the last axis fastest.
    pub fn iter(&self) -> Copied<slice::Iter<'_, E>> {
        self.as_slice().iter().copied()
    }

    /// The element at this position, or `None` outside the shape.
    pub fn get(&self, position: S::Sizes) -> Option<&E> {
        let mut index = 0;
        for (&place, &size) in position.as_ref().iter().zip(self.shape().sizes().as_ref()) {
            if place >= size {
                return None;
            }
            index = index * size + place;
        }
        self.as_slice().get(index)
    }
}

/// The array type of a shape without run-time dimensions.
#[diagnostic::on_unimplemented(
    message = "the shape `{Self}` has no array type",
    note = "a shape with a run-time dimension is read with `as_slice()`, `to_vec()` or `iter()`"
)]
pub trait ToArray<E>: Shape {
    /// The array type.
    type Array;
}
macro_rules! to_array {
    ($([$($dim:ident)*] $array:ty;)*) => { $(
        impl<X, $(const $dim: usize),*> ToArray<X> for ($(crate::shape::Const<$dim>,)*) {
            type Array = $array;
        }
    )* };
}
to_array! {
    [] X;
    [A] [X; A];
    [A B] [[X; B]; A];
    [A B C] [[[X; C]; B]; A];
    [A B C D] [[[[X; D]; C]; B]; A];
    [A B C D E] [[[[[X; E]; D]; C]; B]; A];
    [A B C D E F] [[[[[[X; F]; E]; D]; C]; B]; A];
}

/// As [`Tensor::iter`].
impl<'a, S: Shape, E: Element, T: Trace> IntoIterator for &'a Tensor<S, E, T> {
    type Item = E;
    type IntoIter = Copied<slice::Iter<'a, E>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<S: Shape<Sizes = [usize; N]>, E: Element, T: Trace, const N: usize> Index<[usize; N]> for Tensor<S, E, T> {
    type Output = E;

    /// The element at a position: `x[[row, column]]`.
    ///
    /// # Panics
    /// Outside the shape.
    #[track_caller]
    fn index(&self, position: [usize; N]) -> &E {
        match self.get(position) {
            Some(element) => element,
            None => {
                panic!("position {} is outside a tensor of shape {}", show_sizes(&position), show(self.shape()))
            }
        }
    }
}
