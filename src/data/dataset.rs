//! Datasets, and iterating over them.

use crate::memory::Storage;
use crate::numbers::range::{at_least_one, expect};
use crate::shape::{Const, Dim, HasAxis, Shape};
use crate::tensor::{Element, Tensor};
use rand::{Rng, RngExt};
use std::sync::Arc;

/// The classes of all samples, as numbers from 0.
pub type Labels = Tensor<(usize,), usize>;

/// Samples by number, and batches of them.
///
/// Implemented for tensors (each row of the first axis is a sample), [`Images`](super::Images), pairs of datasets of
/// the same length, and [`Subset`]s. A dataset is cheap to clone: clones share the data, so that batches can be made
/// in another thread.
#[doc(alias = "DataLoader")]
pub trait Dataset: Clone {
    /// The type of a batch of `B` samples.
    type Batch<B: Dim>;

    /// The number of samples.
    fn len(&self) -> usize;

    /// The samples with these indices, in this order, as one batch.
    ///
    /// # Panics
    /// If `batch` is not the number of `indices`, or an index is not below [`len`](Self::len).
    #[track_caller]
    fn gather<B: Dim>(&self, batch: B, indices: &[usize]) -> Self::Batch<B>;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All samples in a random order, `N` in each batch; the samples that do not fill a last batch are left out.
    ///
    /// The order is drawn at once, so `rng` is free again while the batches are used. The same generator state gives
    /// the same batches.
    ///
    /// An `N` of 0 does not compile.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let squares = Tensor::from([0.0, 1.0, 4.0, 9.0, 16.0]);
    /// let mut rng = StdRng::seed_from_u64(0);
    /// let batches: Vec<Tensor<Rank1<2>>> = squares.batches::<2>(&mut rng).collect();
    /// assert_eq!(batches.len(), 2);
    /// let sizes: Vec<usize> = squares.batches_of(2, &mut rng).map(|batch| batch.count()).collect();
    /// assert_eq!(sizes, [2, 2, 1]);
    /// ```
    #[track_caller]
    fn batches<const N: usize>(&self, rng: &mut (impl Rng + ?Sized)) -> Batches<Self, Const<N>> {
        const { assert!(N > 0, "batches: a batch has at least one sample") };
        Batches::of_full_ones(self.clone(), Const, shuffled(self.len(), rng))
    }

    /// All samples in a random order, `size` in each batch, and the remainder in the last one.
    ///
    /// # Panics
    /// If `size` is 0.
    #[track_caller]
    fn batches_of(&self, size: usize, rng: &mut (impl Rng + ?Sized)) -> Batches<Self, usize> {
        Batches::of_all(self.clone(), size, shuffled(self.len(), rng))
    }

    /// All samples in order, `size` in each batch, and the remainder in the last one: for evaluation.
    ///
    /// # Panics
    /// If `size` is 0.
    #[track_caller]
    fn in_order(&self, size: usize) -> Batches<Self, usize> {
        Batches::of_all(self.clone(), size, (0..self.len()).collect())
    }

    /// All samples as one batch.
    fn whole(&self) -> Self::Batch<usize> {
        self.gather(self.len(), &(0..self.len()).collect::<Vec<_>>())
    }

    /// The samples with these indices, as a dataset.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len).
    #[track_caller]
    fn subset(&self, indices: impl IntoIterator<Item = usize>) -> Subset<Self> {
        let indices: Arc<[usize]> = indices.into_iter().collect();
        if let Some(&outside) = indices.iter().find(|&&index| index >= self.len()) {
            panic!("subset: sample {outside} is not one of {}", self.len());
        }
        Subset { dataset: self.clone(), indices }
    }

    /// The first `count` samples, or all if there are fewer.
    fn first(&self, count: usize) -> Subset<Self> {
        self.subset(0..count.min(self.len()))
    }

    /// Splits the samples at random: the second part has `fraction` of them (rounded), the first part the rest, as
    /// (training, validation). The same generator state gives the same split.
    ///
    /// # Panics
    /// If `fraction` is not between 0 and 1.
    #[track_caller]
    fn split(&self, fraction: f64, rng: &mut (impl Rng + ?Sized)) -> (Subset<Self>, Subset<Self>) {
        assert!((0.0..=1.0).contains(&fraction), "split: the fraction {fraction} is not between 0 and 1");
        let order = shuffled(self.len(), rng);
        let second = (self.len() as f64 * fraction).round() as usize;
        let (first, second) = order.split_at(self.len() - second);
        (self.subset(first.iter().copied()), self.subset(second.iter().copied()))
    }
}

/// The numbers below `len` in a random order. Fisher and Yates; Durstenfeld, 1964. By hand because the draws of
/// `rand`'s own `shuffle` have changed between versions, and with them the order for a seed.
pub(crate) fn shuffled(len: usize, rng: &mut (impl Rng + ?Sized)) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    for i in (1..len).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    order
}

/// Each row of the first axis is a sample.
impl<S: HasAxis<0>, E: Element> Dataset for Tensor<S, E> {
    type Batch<B: Dim> = Tensor<S::With<B>, E>;

    fn len(&self) -> usize {
        self.shape().length().size()
    }

    fn gather<B: Dim>(&self, batch: B, indices: &[usize]) -> Self::Batch<B> {
        let shape = self.shape().with(batch);
        let row = self.shape().removed().count();
        expect_indices(batch, indices, self.len());
        let mut rows = Storage::scratch(shape.count());
        if row > 0 {
            for (out, &index) in rows.make_mut().chunks_exact_mut(row).zip(indices) {
                out.copy_from_slice(&self.as_slice()[index * row..][..row]);
            }
        }
        Tensor::from_storage(shape, rows)
    }
}

/// Panics if a batch is not of the size of its indices, or an index is outside the dataset.
#[track_caller]
pub(super) fn expect_indices(batch: impl Dim, indices: &[usize], len: usize) {
    assert!(batch.size() == indices.len(), "gather: a batch of {} for {} indices", batch.size(), indices.len());
    if let Some(outside) = indices.iter().find(|&&index| index >= len) {
        panic!("gather: sample {outside} is not one of {len}");
    }
}

/// Pairs: inputs and targets.
impl<X: Dataset, Y: Dataset> Dataset for (X, Y) {
    type Batch<B: Dim> = (X::Batch<B>, Y::Batch<B>);

    /// The number of samples.
    ///
    /// # Panics
    /// If the two have different numbers.
    #[track_caller]
    fn len(&self) -> usize {
        let (left, right) = (self.0.len(), self.1.len());
        assert!(left == right, "a pair of datasets of different lengths, {left} and {right}");
        left
    }

    fn gather<B: Dim>(&self, batch: B, indices: &[usize]) -> Self::Batch<B> {
        (self.0.gather(batch, indices), self.1.gather(batch, indices))
    }
}

/// The batches of a dataset, in an order that is already drawn. See [`Dataset::batches`].
#[derive(Clone, Debug)]
pub struct Batches<D, B> {
    dataset: D,
    size: B,
    order: Vec<usize>,
    /// How many of `order` have been used, and how many will be.
    next: usize,
    end: usize,
}

impl<D: Dataset, B: Dim> Batches<D, B> {
    /// Only batches of the full size.
    #[track_caller]
    fn of_full_ones(dataset: D, size: B, order: Vec<usize>) -> Self {
        let mut batches = Self::of_all(dataset, size, order);
        batches.end -= batches.end % size.size();
        batches
    }

    /// All samples; the last batch may be shorter, hence the run-time size.
    #[track_caller]
    fn of_all(dataset: D, size: B, order: Vec<usize>) -> Self {
        expect(at_least_one("batches", "size", size.size()));
        let end = order.len();
        Batches { dataset, size, order, next: 0, end }
    }
}

impl<D: Dataset, B: Dim> Iterator for Batches<D, B> {
    type Item = D::Batch<B>;

    fn next(&mut self) -> Option<Self::Item> {
        let count = self.size.size().min(self.end - self.next);
        let batch = B::from_size(count).filter(|_| count > 0)?;
        let indices = &self.order[self.next..][..count];
        self.next += count;
        Some(self.dataset.gather(batch, indices))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = (self.end - self.next).div_ceil(self.size.size());
        (count, Some(count))
    }
}

impl<D: Dataset, B: Dim> ExactSizeIterator for Batches<D, B> {}

/// Some samples of a dataset. See [`Dataset::subset`] and [`Dataset::split`].
#[derive(Clone, Debug)]
pub struct Subset<D> {
    dataset: D,
    indices: Arc<[usize]>,
}

impl<D> Subset<D> {
    /// The indices of the samples in the original dataset.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Batch<B: Dim> = D::Batch<B>;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn gather<B: Dim>(&self, batch: B, indices: &[usize]) -> Self::Batch<B> {
        expect_indices(batch, indices, self.len());
        let indices: Vec<usize> = indices.iter().map(|&index| self.indices[index]).collect();
        self.dataset.gather(batch, &indices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    fn pairs() -> (Tensor<(usize, Const<2>)>, Labels) {
        let inputs = Tensor::from_fn_with((10, Const::<2>), |[row, column]| (10 * row + column) as f32);
        (inputs, Tensor::from_fn_with((10,), |[row]| row))
    }

    #[test]
    fn every_sample_comes_once_and_with_its_label() {
        let mut seen = Vec::new();
        for (inputs, labels) in pairs().batches_of(4, &mut StdRng::seed_from_u64(1)) {
            assert!(labels.count() == 4 || labels.count() == 2);
            for (i, label) in labels.iter().enumerate() {
                assert_eq!(inputs[[i, 0]], 10.0 * label as f32);
                assert_eq!(inputs[[i, 1]], 10.0 * label as f32 + 1.0);
                seen.push(label);
            }
        }
        assert_ne!(seen, (0..10).collect::<Vec<_>>(), "the order is shuffled");
        seen.sort();
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn the_seed_decides_the_order_and_static_batches_are_full() {
        let order = |seed| -> Vec<usize> {
            let batches = pairs().batches::<4>(&mut StdRng::seed_from_u64(seed));
            assert_eq!(batches.len(), 2);
            batches.flat_map(|(_, labels)| labels.to_array()).collect()
        };
        assert_eq!(order(3), order(3));
        assert_ne!(order(3), order(4));
        assert_eq!(order(3).len(), 8);
    }

    #[test]
    fn the_order_is_drawn_at_once() {
        let mut rng = StdRng::seed_from_u64(5);
        let first = pairs().1.batches_of(3, &mut rng);
        let second: Vec<_> = pairs().1.batches_of(3, &mut rng).collect();
        let first: Vec<_> = first.collect();
        let mut again = StdRng::seed_from_u64(5);
        assert_eq!(first, pairs().1.batches_of(3, &mut again).collect::<Vec<_>>());
        assert_eq!(second, pairs().1.batches_of(3, &mut again).collect::<Vec<_>>());
    }

    #[test]
    fn the_parts_of_a_split_are_the_whole() {
        let (train, test) = pairs().split(0.3, &mut StdRng::seed_from_u64(2));
        assert_eq!((train.len(), test.len()), (7, 3));
        let mut all: Vec<usize> = train.whole().1.iter().chain(test.whole().1.iter()).collect();
        all.sort();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        let again = pairs().split(0.3, &mut StdRng::seed_from_u64(2));
        assert_eq!(again.1.indices(), test.indices());
        let inner = test.subset([2, 0]);
        assert_eq!(inner.whole().1.to_vec(), [test.indices()[2], test.indices()[0]]);
    }

    #[test]
    fn the_number_of_samples_may_be_known_to_the_compiler() {
        let inputs = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        let labels = Tensor::from([1, 2, 3]);
        let (train, test) = (inputs, labels).split(0.34, &mut StdRng::seed_from_u64(0));
        assert_eq!((train.len(), test.len()), (2, 1));
        for (inputs, labels) in train.batches::<2>(&mut StdRng::seed_from_u64(0)) {
            let inputs: Tensor<Rank2<2, 2>> = inputs;
            assert_eq!(inputs.slice_at::<1>(1).to_array(), labels.cast::<f32>().to_array().map(|label| 2.0 * label));
        }
    }

    #[test]
    fn an_empty_dataset_has_no_batches() {
        let empty = pairs().first(0);
        assert!(empty.is_empty());
        assert_eq!(empty.batches::<4>(&mut StdRng::seed_from_u64(0)).count(), 0);
        assert_eq!(empty.in_order(4).count(), 0);
        assert_eq!(empty.whole().0.shape().0, 0);
    }

    #[test]
    #[should_panic(expected = "different lengths, 10 and 9")]
    fn a_pair_of_different_lengths_panics() {
        let (inputs, labels) = pairs();
        (inputs, labels.first(9)).in_order(3);
    }

    #[test]
    #[should_panic(expected = "sample 10 is not one of 10")]
    fn a_subset_outside_the_dataset_panics() {
        let _ = pairs().subset([0, 10]);
    }
}
