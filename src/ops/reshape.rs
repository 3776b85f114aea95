//! The same elements in another shape. Nothing is copied; the gradient is reshaped back.

use super::shapes_differ;
use crate::memory::Storage;
use crate::shape::{Shape, StaticShape, show};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::{Parents, Trace, record};

/// A shape that a tensor does not have. See [`Tensor::try_into_shape`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeMismatch {
    expected: String,
    found: String,
}

impl std::fmt::Display for ShapeMismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a tensor of shape {} is not one of shape {}", self.found, self.expected)
    }
}
impl std::error::Error for ShapeMismatch {}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The same elements, the last axis fastest, in a shape known to the compiler.
    ///
    /// Another number of elements is an error when the program is built, if both shapes are known to the compiler,
    /// and a panic when it runs otherwise.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank1<6>>::arange().reshape::<Rank2<2, 3>>();
    /// assert_eq!(x.to_array(), [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    /// ```
    #[track_caller]
    pub fn reshape<O: StaticShape>(self) -> Tensor<O, E, T> {
        self.reshape_with(O::default())
    }

    /// The same elements, the last axis fastest, in another shape.
    ///
    /// # Panics
    /// If the number of elements is another.
    #[track_caller]
    pub fn reshape_with<O: Shape>(self, shape: O) -> Tensor<O, E, T> {
        const {
            if let (Some(from), Some(to)) = (S::STATIC, O::STATIC) {
                assert!(from == to, "reshape: the two shapes have different numbers of elements");
            }
        }
        if shape.count() != self.count() {
            shapes_differ("reshape", self.shape(), shape);
        }
        let (_, storage, trace) = self.into_parts();
        let node = record([trace.node()], |_| |g: Storage<E>, parents: &mut Parents<'_, 1>| parents.add(0, g));
        Tensor::from_parts(shape, storage, T::from_node(node))
    }
}

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The same tensor with dimensions that are known in the one type and not in the other.
    ///
    /// # Errors
    /// If a size is another than `O` says.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from_vec(vec![1.0_f32; 6], (2_usize, 3_usize)).unwrap();
    /// let y: Tensor<Rank2<2, 3>> = x.clone().try_into_shape().unwrap();
    /// let error = x.try_into_shape::<Rank2<3, 2>>().unwrap_err();
    /// assert_eq!(error.to_string(), "a tensor of shape (2, 3) is not one of shape (Const<3>, Const<2>)");
    /// ```
    pub fn try_into_shape<O: Shape>(self) -> Result<Tensor<O, E, T>, ShapeMismatch> {
        match O::from_sizes(self.shape().sizes().as_ref()) {
            Some(shape) => {
                let (_, storage, trace) = self.into_parts();
                Ok(Tensor::from_parts(shape, storage, trace))
            }
            None => {
                let expected = std::any::type_name::<O>().replace("taut::shape::dim::", "");
                Err(ShapeMismatch { expected, found: show(self.shape()) })
            }
        }
    }
}
