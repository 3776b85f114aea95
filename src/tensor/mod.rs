//! Tensors: arrays of numbers whose shape is part of their type.

#[cfg(feature = "approx")]
mod approx;
mod compare;
mod create;
mod display;

mod random;
mod read;

pub use crate::numbers::{Element, Float, Number};
pub use create::{Array, LengthMismatch};
pub(crate) use random::{normal_pair, unit};

use crate::memory::Storage;
use crate::shape::Shape;
use crate::tape::note_value;
use crate::trace::{NoTrace, Trace};

/// An array of numbers of type `E` with the shape `S`.
///
/// The elements lie one after the other, the last axis fastest. Cloning is O(1): clones share the elements until one
/// of them is written.
///
/// The third parameter says whether operations are [recorded](crate::trace): a plain `Tensor<S>` is not.
///
/// ```
/// use taut::prelude::*;
/// let a = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// let b = Tensor::<Rank2<3, 4>>::ones();
/// let c: Tensor<Rank2<2, 4>> = a.matmul(b);
/// assert_eq!(c.mean_axis::<1>().to_array(), [6.0, 15.0]);
/// ```
#[derive(Clone)]
#[must_use = "operations give a new tensor and leave the old one as it is"]
pub struct Tensor<S, E = f32, T = NoTrace> {
    shape: S,
    storage: Storage<E>,
    trace: T,
}

impl<S: Shape, E: Element> Tensor<S, E> {
    /// A tensor of these elements.
    #[inline]
    #[track_caller]
    pub(crate) fn from_storage(shape: S, storage: Storage<E>) -> Self {
        assert_eq!(shape.count(), storage.len(), "a tensor has as many elements as its shape says");
        Tensor { shape, storage, trace: NoTrace }
    }

    #[inline]
    pub(crate) fn into_storage(self) -> Storage<E> {
        self.storage
    }

    /// Puts this value at a place on a tape.
    #[inline]
    pub(crate) fn with_trace<T: Trace>(self, trace: T) -> Tensor<S, E, T> {
        if let Some(node) = trace.node() {
            note_value(self.shape.sizes(), &self.storage, node, std::any::type_name::<Tensor<S, E, T>>);
        }
        Tensor { shape: self.shape, storage: self.storage, trace }
    }

    /// The elements, for writing. Copies them first if another tensor shares them.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let mut x = Tensor::from([1.0, 2.0]);
    /// x.as_mut_slice()[0] = 5.0;
    /// assert_eq!(x.to_array(), [5.0, 2.0]);
    /// ```
    pub fn as_mut_slice(&mut self) -> &mut [E] {
        self.storage.make_mut()
    }
}

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The parts: shape, elements, trace.
    #[inline]
    pub(crate) fn into_parts(self) -> (S, Storage<E>, T) {
        (self.shape, self.storage, self.trace)
    }

    #[inline]
    #[track_caller]
    pub(crate) fn from_parts(shape: S, storage: Storage<E>, trace: T) -> Self {
        assert_eq!(shape.count(), storage.len(), "a tensor has as many elements as its shape says");
        if let Some(node) = trace.node() {
            note_value(shape.sizes(), &storage, node, std::any::type_name::<Self>);
        }
        Tensor { shape, storage, trace }
    }

    /// The value off the tape, and its trace.
    #[inline]
    pub(crate) fn into_untraced(self) -> (Tensor<S, E>, T) {
        (Tensor { shape: self.shape, storage: self.storage, trace: NoTrace }, self.trace)
    }

    /// Takes the tensor out, to be put back at once: so that its buffer is not shared meanwhile, and is used again.
    pub(crate) fn take(&mut self) -> Self {
        let storage = std::mem::replace(&mut self.storage, Storage::scratch(0));
        Tensor { shape: self.shape, storage, trace: self.trace.clone() }
    }

    #[inline]
    pub(crate) fn storage(&self) -> &Storage<E> {
        &self.storage
    }

    #[inline]
    pub(crate) fn trace(&self) -> &T {
        &self.trace
    }

    /// The shape.
    #[inline]
    pub fn shape(&self) -> S {
        self.shape
    }

    /// The elements, the last axis fastest.
    #[inline]
    pub fn as_slice(&self) -> &[E] {
        self.storage.as_slice()
    }

    /// The number of elements.
    #[doc(alias = "numel")]
    #[inline]
    pub fn count(&self) -> usize {
        self.storage.len()
    }

    /// This value off the tape: operations on the result are not recorded, and no gradient passes through it. Other
    /// libraries call it `stop_gradient` too.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let tape = Tape::inference();
    /// let x = tape.watch(Tensor::from([2.0, 3.0]));
    /// let y = (x.clone() * x.detach()).sum(); // the second factor is a constant
    /// assert_eq!(y.backward().of_input(&x).to_array(), [2.0, 3.0]);
    /// ```
    #[doc(alias = "stop_gradient")]
    pub fn detach(&self) -> Tensor<S, E> {
        Tensor { shape: self.shape, storage: self.storage.clone(), trace: NoTrace }
    }
}
