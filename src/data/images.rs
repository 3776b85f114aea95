//! Images, as bytes until they are used.

use super::Dataset;
use super::dataset::expect_indices;
use crate::memory::Storage;
use crate::shape::{Dim, InsertAxis, Shape};
use crate::tensor::Tensor;
use std::fmt;
use std::sync::Arc;

/// Images of shape `S` each, held as bytes: a quarter of the memory of `f32`. A batch of them is a tensor of numbers
/// from 0 to 1.
///
/// ```
/// use taut::prelude::*;
/// use taut::data::Images;
/// let two = Images::new(vec![0, 255, 51, 102, 0, 0, 0, 255], 255, <Rank2<2, 2>>::default())?;
/// assert_eq!(two.len(), 2);
/// assert_eq!(two.gather(Const::<1>, &[0]).to_array(), [[[0.0, 1.0], [0.2, 0.4]]]);
/// # Ok::<(), taut::data::PartOfAnImage>(())
/// ```
#[derive(Clone)]
pub struct Images<S> {
    bytes: Arc<[u8]>,
    shape: S,
    /// The byte that stands for 1.
    white: u8,
}

/// Bytes that are not a whole number of images. See [`Images::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartOfAnImage {
    size: usize,
    found: usize,
}

impl fmt::Display for PartOfAnImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes are not a whole number of images of {} bytes each", self.found, self.size)
    }
}
impl std::error::Error for PartOfAnImage {}

impl<S: Shape> Images<S> {
    /// Images of these bytes, one after the other. The byte `white` becomes 1, and 0 stays 0.
    ///
    /// # Errors
    /// If the bytes are not a whole number of images.
    ///
    /// # Panics
    /// If an image of this shape has no elements, or `white` is 0.
    #[track_caller]
    pub fn new(bytes: impl Into<Arc<[u8]>>, white: u8, shape: S) -> Result<Self, PartOfAnImage> {
        assert!(shape.count() > 0, "Images: an image has at least one element");
        assert!(white > 0, "Images: white is another byte than black");
        let bytes = bytes.into();
        if bytes.len() % shape.count() != 0 {
            return Err(PartOfAnImage { size: shape.count(), found: bytes.len() });
        }
        Ok(Images { bytes, shape, white })
    }
}

impl<S: InsertAxis<0>> Dataset for Images<S> {
    type Batch<B: Dim> = Tensor<S::Inserted<B>>;

    fn len(&self) -> usize {
        self.bytes.len() / self.shape.count()
    }

    fn gather<B: Dim>(&self, batch: B, indices: &[usize]) -> Self::Batch<B> {
        expect_indices(batch, indices, self.len());
        let shape = self.shape.inserted(batch);
        let size = self.shape.count();
        let white = f32::from(self.white);
        let mut values = Storage::scratch(shape.count());
        for (out, &index) in values.make_mut().chunks_exact_mut(size).zip(indices) {
            let image = &self.bytes[index * size..][..size];
            out.iter_mut().zip(image).for_each(|(out, &byte)| *out = f32::from(byte) / white);
        }
        Tensor::from_storage(shape, values)
    }
}

impl<S: Shape> fmt::Debug for Images<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Images of {}, {} of them", crate::shape::show(self.shape), self.bytes.len() / self.shape.count())
    }
}
