//! Datasets: reading them, splitting them, and iterating over them in batches.
//!
//! A [`Dataset`] gives batches whose shapes are part of their types: `train.batches::<64>(&mut rng)` those of 64
//! samples, `batches_of(n, &mut rng)` those of a size known only at run time. A tensor is a dataset of
//! its rows, [`Images`] holds pixels as bytes, [`Sequences`] are of different lengths, a pair of datasets is a dataset
//! of pairs, a [`Subset`] one of selected samples of another.
//!
//! ```
//! use taut::prelude::*;
//! use taut::data::digits;
//!
//! let mut rng = StdRng::seed_from_u64(0);
//! let (train, test) = digits().split(0.2, &mut rng);
//! assert_eq!((train.len(), test.len()), (1438, 359));
//! for (images, labels) in train.batches::<32>(&mut rng) {
//!     let images: Tensor<Rank2<32, 64>> = images;
//!     let labels: Tensor<Rank1<32>, usize> = labels;
//! }
//! ```

mod augment;
pub mod cifar10;
mod csv;
mod dataset;
mod digits;
#[cfg(feature = "download")]
pub mod download;
mod folder;
mod idx;
mod images;
pub mod mnist;
pub mod names;
mod normalization;
mod pca;
#[cfg(feature = "image")]
pub mod png;
mod prefetch;
mod sequences;

pub use augment::Augmentation;
pub use csv::{Column, Csv, CsvOptions};
pub(crate) use dataset::shuffled;
pub use dataset::{Batches, Dataset, Labels, Subset};
pub use digits::digits;
pub use folder::find_folder;
pub use idx::Idx;
pub use images::{Images, PartOfAnImage};
pub use normalization::Normalization;
pub use pca::Pca;
pub use prefetch::Prefetch;
pub use sequences::Sequences;
