//! Going through a dataset.

use super::Dataset;
use crate::shape::Dim;

/// The batches of a dataset, in an order that is already drawn. See [`Dataset::batches`].
#[derive(Clone, Debug)]
pub struct Batches<D, B> {
    dataset: D,
    size: B,
    order: Vec<usize>,
    /// How many of `order` have been used, and how many are to be.
    next: usize,
    end: usize,
}

impl<D: Dataset, B: Dim> Batches<D, B> {
    /// Only batches of the full size.
    #[track_caller]
    pub(super) fn of_full_ones(dataset: D, size: B, order: Vec<usize>) -> Self {
        let mut batches = Self::of_all(dataset, size, order);
        batches.end -= batches.end % size.size();
        batches
    }

    /// All samples; the last batch may be short, which only a run-time size can say.
    #[track_caller]
    pub(super) fn of_all(dataset: D, size: B, order: Vec<usize>) -> Self {
        assert!(size.size() > 0, "batches: a batch has at least one sample");
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
