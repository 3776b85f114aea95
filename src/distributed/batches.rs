//! Batches in parts, divided among the ranks.

use super::communicator::Communicator;
use crate::data::{Dataset, Subset, shuffled};
use crate::shape::{Const, Dim};
use rand::Rng;
use std::ops::Range;
use std::sync::Arc;

/// The number of parts of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parts {
    /// This many, whatever the number of ranks; that only decides which rank computes which part, so the results are
    /// the same bits on any number of them. At most this many ranks work at the same time; 4 or 8 parts are a good
    /// choice, many small ones are slow.
    Fixed(usize),
    /// One for each rank: the largest possible parts, so this is the fastest. All ranks have the same bits, but they
    /// depend on the number of ranks.
    OnePerRank,
}

impl Parts {
    /// # Panics
    /// If there are none.
    #[track_caller]
    fn count(self, world: &dyn Communicator) -> usize {
        match self {
            Parts::Fixed(count) => {
                assert!(count > 0, "parts: a batch has at least one part");
                count
            }
            Parts::OnePerRank => world.size(),
        }
    }
}

/// Batches and shards of a [`Dataset`] for several ranks.
pub trait DistributedDataset: Dataset {
    /// The samples of this rank, in order, about as many as on any other: for evaluation. Together, the shards have
    /// every sample once. The samples' positions in the whole dataset are its [`indices`](Subset::indices).
    ///
    /// ```
    /// use taut::distributed::{DistributedDataset, run_threads};
    /// use taut::prelude::*;
    /// let numbers = Tensor::from([10.0, 11.0, 12.0, 13.0, 14.0]);
    /// let shards = run_threads(2, |world| numbers.shard(world).whole().to_vec());
    /// assert_eq!(shards, [vec![10.0, 11.0], vec![12.0, 13.0, 14.0]]);
    /// ```
    fn shard(&self, world: &dyn Communicator) -> Subset<Self> {
        self.subset(share(self.len(), world.rank(), world.size()))
    }

    /// All samples in a random order, in batches of `count` parts of `N`; each batch holds the parts of this rank.
    /// Samples that do not fill the last batch are left out. The order is that of [`batches`](Dataset::batches) with
    /// batches of `count * N`.
    ///
    /// All ranks must pass generators in the same state.
    ///
    /// # Panics
    /// If there are no parts.
    #[track_caller]
    fn parts<const N: usize>(
        &self,
        count: usize,
        world: &dyn Communicator,
        rng: &mut (impl Rng + ?Sized),
    ) -> PartBatches<Self, Const<N>> {
        const { assert!(N > 0, "parts: a part has at least one sample") };
        let count = Parts::Fixed(count).count(world);
        let mut batches = PartBatches::new(self.clone(), count.saturating_mul(N), count, world, rng);
        batches.end -= batches.end % batches.size;
        batches
    }

    /// All samples in a random order, in batches of `size`, with the remainder in the last one, each divided into parts
    /// that differ by at most one sample; each batch holds the parts of this rank. A batch of fewer samples than parts
    /// has one part per sample.
    ///
    /// All ranks must pass generators in the same state.
    ///
    /// # Panics
    /// If `size` is 0, or there are no parts.
    #[track_caller]
    fn parts_of(
        &self,
        size: usize,
        parts: Parts,
        world: &dyn Communicator,
        rng: &mut (impl Rng + ?Sized),
    ) -> PartBatches<Self, usize> {
        assert!(size > 0, "parts_of: a batch has at least one sample");
        PartBatches::new(self.clone(), size, parts.count(world), world, rng)
    }
}

impl<D: Dataset> DistributedDataset for D {}

/// Share number `index` of `len` items divided into `shares`: consecutive ones, and the same number in each, give or
/// take one.
pub(super) fn share(len: usize, index: usize, shares: usize) -> Range<usize> {
    // in 128 bits, the product cannot overflow
    let start = |index: usize| (len as u128 * index as u128 / shares as u128) as usize;
    start(index)..start(index + 1)
}

/// The batches of a dataset, with the parts of one rank. See [`DistributedDataset::parts`].
#[derive(Clone, Debug)]
pub struct PartBatches<D, B> {
    dataset: D,
    /// The size of a batch and, if the compiler knows it, of a part.
    size: usize,
    part: std::marker::PhantomData<B>,
    count: usize,
    rank: usize,
    ranks: usize,
    order: Arc<[usize]>,
    /// How many samples of `order` have been used, and how many will be.
    next: usize,
    end: usize,
}

impl<D: Dataset, B: Dim> PartBatches<D, B> {
    #[track_caller]
    fn new(dataset: D, size: usize, count: usize, world: &dyn Communicator, rng: &mut (impl Rng + ?Sized)) -> Self {
        let order = shuffled(dataset.len(), rng);
        let end = order.len();
        let (rank, ranks) = (world.rank(), world.size());
        PartBatches { dataset, size, part: Default::default(), count, rank, ranks, order: order.into(), next: 0, end }
    }
}

impl<D: Dataset, B: Dim> Iterator for PartBatches<D, B> {
    type Item = GlobalBatch<D::Batch<B>>;

    fn next(&mut self) -> Option<Self::Item> {
        let samples = self.size.min(self.end - self.next);
        if samples == 0 {
            return None;
        }
        let batch = &self.order[self.next..][..samples];
        self.next += samples;
        let count = self.count.min(samples);
        let part = |number| {
            let samples = &batch[share(samples, number, count)];
            let size = B::from_size(samples.len()).expect("full batches are cut in parts of the same size");
            Part { number, samples: samples.into(), data: self.dataset.gather(size, samples) }
        };
        let parts = share(count, self.rank, self.ranks).map(part).collect();
        Some(GlobalBatch { samples, count, parts })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = (self.end - self.next).div_ceil(self.size);
        (count, Some(count))
    }
}

impl<D: Dataset, B: Dim> ExactSizeIterator for PartBatches<D, B> {}

/// One batch of all ranks, with the parts of this one: none, if there are more ranks than parts.
#[derive(Clone, Debug)]
pub struct GlobalBatch<X> {
    samples: usize,
    count: usize,
    parts: Vec<Part<X>>,
}

/// A part of a [`GlobalBatch`].
#[derive(Clone, Debug)]
pub struct Part<X> {
    /// Its number among the parts of the batch, from 0.
    pub number: usize,
    /// The indices of its samples in the dataset.
    pub samples: Arc<[usize]>,
    /// The samples.
    pub data: X,
}

impl<X> Part<X> {
    /// Its share of the samples of the batch.
    pub(super) fn weight(&self, samples: usize) -> f64 {
        self.samples.len() as f64 / samples as f64
    }
}

impl<X> GlobalBatch<X> {
    /// The number of samples in the batch, over all ranks.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The number of parts of the batch, over all ranks.
    pub fn part_count(&self) -> usize {
        self.count
    }

    /// The parts of this rank.
    pub fn into_parts(self) -> Vec<Part<X>> {
        self.parts
    }

    /// The same batch, with `f` applied to the samples of each part and their indices in the dataset.
    ///
    /// ```
    /// use taut::data::Augmentation;
    /// use taut::distributed::{DistributedDataset, OneProcess};
    /// use taut::prelude::*;
    /// let mut rng = StdRng::seed_from_u64(0);
    /// let images = Tensor::<Rank4<8, 1, 5, 5>>::ones();
    /// let augmentation = Augmentation::new(&mut rng).crop(1);
    /// for batch in images.parts::<2>(2, &OneProcess, &mut rng) {
    ///     let batch = batch.map(|images, samples| augmentation.apply_to(images, samples));
    ///     assert_eq!(batch.into_parts().len(), 2);
    /// }
    /// ```
    #[must_use]
    pub fn map<Y>(self, mut f: impl FnMut(X, &[usize]) -> Y) -> GlobalBatch<Y> {
        let GlobalBatch { samples, count, parts } = self;
        let parts = parts.into_iter().map(|Part { number, samples, data }| {
            let data = f(data, &samples);
            Part { number, samples, data }
        });
        GlobalBatch { samples, count, parts: parts.collect() }
    }
}
