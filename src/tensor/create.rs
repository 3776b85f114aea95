//! Creating tensors.

use super::{Element, Float, Number, Tensor};
use crate::memory::Storage;
use crate::numbers::range::{expect, finite};
use crate::shape::{Const, Rank1, Rank2, Shape, StaticShape, show};
use std::fmt;

/// Values that do not fill a shape. See [`Tensor::from_vec`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LengthMismatch {
    shape: String,
    /// `None` for more than can be addressed.
    expected: Option<usize>,
    found: usize,
}

impl fmt::Display for LengthMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LengthMismatch { shape, expected, found } = self;
        match expected {
            Some(expected) => {
                write!(f, "a tensor of shape {shape} has {expected} elements, and {found} values were given")
            }
            None => write!(
                f,
                "a tensor of shape {shape} has more elements than can be addressed, and {found} values were given"
            ),
        }
    }
}
impl std::error::Error for LengthMismatch {}

/// Arrays, and arrays of arrays, up to rank 6.
pub trait Array: Sized {
    /// The type of the elements.
    type Element: Element;
    /// The shape of the array.
    type Shape: StaticShape;
    #[doc(hidden)]
    fn append_to(self, values: &mut Vec<Self::Element>);
    #[doc(hidden)]
    fn take_from(values: &mut impl Iterator<Item = Self::Element>) -> Self;
}

macro_rules! scalar_array {
    ($($type:ty)*) => { $(
        impl Array for $type {
            type Element = $type;
            type Shape = ();
            fn append_to(self, values: &mut Vec<$type>) {
                values.push(self);
            }
            fn take_from(values: &mut impl Iterator<Item = $type>) -> Self {
                values.next().expect("an array takes as many values as its shape has")
            }
        }
    )* };
}
scalar_array! { f32 f64 usize bool }

/// A shape with one more dimension in front.
#[doc(hidden)]
pub trait Within<const N: usize>: Shape {
    type Outer: StaticShape;
}
macro_rules! within {
    ($($($dim:ident)*;)*) => { $(
        impl<const N: usize, $(const $dim: usize),*> Within<N> for ($(Const<$dim>,)*) {
            type Outer = (Const<N>, $(Const<$dim>,)*);
        }
    )* };
}
within! { ; A; A B; A B C; A B C D; A B C D E; }

impl<A: Array, const N: usize> Array for [A; N]
where
    A::Shape: Within<N>,
{
    type Element = A::Element;
    type Shape = <A::Shape as Within<N>>::Outer;
    fn append_to(self, values: &mut Vec<A::Element>) {
        self.into_iter().for_each(|inner| inner.append_to(values));
    }
    fn take_from(values: &mut impl Iterator<Item = A::Element>) -> Self {
        std::array::from_fn(|_| A::take_from(values))
    }
}

impl<E: Element> Tensor<(), E> {
    /// A tensor of the values of an array, or of arrays in arrays; its shape is that of the array.
    ///
    /// [`Tensor::from`] does the same for `f32`, `usize` and `bool`, where literals need no suffix; and it takes a
    /// `Vec` of them.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<_, f64>::of([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum().item(), 10.0);
    /// ```
    pub fn of<A: Array<Element = E>>(array: A) -> Tensor<A::Shape, E> {
        let mut values = Vec::with_capacity(A::Shape::default().count());
        array.append_to(&mut values);
        Tensor::from_storage(A::Shape::default(), Storage::from_slice(&values))
    }
}

// `From` takes arrays, and lists, of f32, usize and bool: so an array of literals like 1.0 is f32, and one like 1 is
// usize, without a suffix.
macro_rules! from_arrays {
    (impls $element:ty: $($array:ty [$($dim:ident)*];)*) => { $(
        impl<$(const $dim: usize),*> From<$array> for Tensor<($(Const<$dim>,)*), $element> {
            fn from(array: $array) -> Self {
                Tensor::<(), $element>::of(array)
            }
        }
    )* };
    ($($element:ident)*) => { $(
        /// As many elements as the list has, a number known only at run time: labels, say.
        impl From<Vec<$element>> for Tensor<(usize,), $element> {
            fn from(values: Vec<$element>) -> Self {
                Tensor::from_storage((values.len(),), Storage::from_slice(&values))
            }
        }
        from_arrays! { impls $element:
            $element [];
            [$element; A] [A];
            [[$element; B]; A] [A B];
            [[[$element; C]; B]; A] [A B C];
            [[[[$element; D]; C]; B]; A] [A B C D];
            [[[[[$element; E]; D]; C]; B]; A] [A B C D E];
            [[[[[[$element; F]; E]; D]; C]; B]; A] [A B C D E F];
        }
    )* };
}
from_arrays! { f32 usize bool }

impl<S: Shape, E: Element> Tensor<S, E> {
    /// A tensor in which every element is `value`.
    ///
    /// # Panics
    /// If it does not fit into memory, like all functions that create a tensor.
    #[track_caller]
    pub fn full_with(shape: S, value: E) -> Self {
        Tensor::from_storage(shape, Storage::filled(shape.count(), value))
    }

    /// A tensor of zeros, or of `false`.
    #[track_caller]
    pub fn zeros_with(shape: S) -> Self {
        Tensor::from_storage(shape, Storage::zeros(shape.count()))
    }

    /// A tensor of ones.
    #[track_caller]
    pub fn ones_with(shape: S) -> Self
    where
        E: Number,
    {
        Self::full_with(shape, E::one())
    }

    /// A tensor with these `values` in row-major order.
    ///
    /// # Errors
    /// If the number of values does not match the shape.
    ///
    /// ```
    /// use taut::prelude::*;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let batch = 2;
    /// let x = Tensor::from_vec(vec![1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0], (batch, Const::<3>))?;
    /// assert_eq!(x.sum_axis::<1>().as_slice(), [6.0, 15.0]);
    /// let error = Tensor::from_vec(vec![1.0_f32; 5], (batch, Const::<3>)).unwrap_err();
    /// assert_eq!(error.to_string(), "a tensor of shape (2, 3) has 6 elements, and 5 values were given");
    ///
    /// let labels = Tensor::from(vec![2, 0, 1]); // a list needs no shape
    /// assert_eq!(labels.shape(), (3,));
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_vec(values: Vec<E>, shape: S) -> Result<Self, LengthMismatch> {
        Self::from_slice(&values, shape)
    }

    /// A tensor with a copy of these `values` in row-major order.
    ///
    /// # Errors
    /// If the number of values does not match the shape.
    pub fn from_slice(values: &[E], shape: S) -> Result<Self, LengthMismatch> {
        let (expected, found) = (shape.checked_count(), values.len());
        if expected != Some(found) {
            return Err(LengthMismatch { shape: show(shape), expected, found });
        }
        Ok(Tensor::from_storage(shape, Storage::from_slice(values)))
    }

    /// A tensor whose element at each position is `value(position)`.
    #[track_caller]
    pub fn from_fn_with(shape: S, mut value: impl FnMut(S::Sizes) -> E) -> Self {
        let sizes = shape.sizes();
        let mut position = sizes;
        position.as_mut().fill(0);
        let storage = Storage::from_fn(shape.count(), |_| {
            let element = value(position);
            for (place, &size) in position.as_mut().iter_mut().zip(sizes.as_ref()).rev() {
                *place += 1;
                if *place < size {
                    break;
                }
                *place = 0;
            }
            element
        });
        Tensor::from_storage(shape, storage)
    }
}

// The bounds are on the methods, so that an invalid shape or element type is reported with taut's own message, as an
// unsatisfied bound, and not as a missing method.
impl<S, E> Tensor<S, E> {
    /// A tensor in which every element is `value`.
    #[track_caller]
    pub fn full(value: E) -> Self
    where
        S: StaticShape,
        E: Element,
    {
        Self::full_with(S::default(), value)
    }

    /// A tensor of zeros, or of `false`.
    #[track_caller]
    pub fn zeros() -> Self
    where
        S: StaticShape,
        E: Element,
    {
        Self::zeros_with(S::default())
    }

    /// A tensor of ones.
    #[track_caller]
    pub fn ones() -> Self
    where
        S: StaticShape,
        E: Number,
    {
        Self::ones_with(S::default())
    }

    /// A tensor whose element at each position is `value(position)`.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank2<2, 3>>::from_fn(|[row, column]| (10 * row + column) as f32);
    /// assert_eq!(x.to_array(), [[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]);
    /// ```
    #[track_caller]
    pub fn from_fn(value: impl FnMut(S::Sizes) -> E) -> Self
    where
        S: StaticShape,
        E: Element,
    {
        Self::from_fn_with(S::default(), value)
    }
}

impl<const N: usize, E: Number> Tensor<Rank2<N, N>, E> {
    /// The identity matrix.
    #[track_caller]
    pub fn eye() -> Self {
        Self::from_fn(|[row, column]| if row == column { E::one() } else { E::zero() })
    }
}

impl<const N: usize, E: Number> Tensor<Rank1<N>, E> {
    /// 0, 1, ... N - 1.
    #[track_caller]
    pub fn arange() -> Self {
        let mut next = E::zero();
        Self::from_fn(|_| {
            let value = next;
            next = next + E::one();
            value
        })
    }
}

impl<const N: usize, E: Float> Tensor<Rank1<N>, E> {
    /// `N` equally spaced numbers from `first` to `last`, both included.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::<Rank1<5>>::linspace(0.0, 1.0).to_array(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If one of the two is infinite or NaN.
    #[track_caller]
    pub fn linspace(first: E, last: E) -> Self {
        expect(finite("linspace", "first", first.as_f64()).and_then(|()| finite("linspace", "last", last.as_f64())));
        let steps = E::of(N.saturating_sub(1).max(1) as f64);
        Self::from_fn(|[i]| if i + 1 == N && N > 1 { last } else { first + (last - first) * E::of(i as f64) / steps })
    }
}
