//! Gradients of tables of which a batch uses only a few rows: only those are computed, stored, and updated.

use super::any_storage::AnyStorage;
use crate::kernels::reduce::sum_of_rows;
use crate::memory::Storage;
use crate::numbers::Float;

/// The gradient of some rows of a table; that of the others is zero.
#[derive(Clone)]
pub struct Rows {
    /// Of the whole table.
    rows: usize,
    /// The length of a row.
    width: usize,
    /// In increasing order.
    pub indices: Vec<usize>,
    /// A row for each index.
    pub values: AnyStorage,
}

impl Rows {
    /// Rows of a table of `rows` of this width: those with these indices, which increase.
    pub fn new(rows: usize, width: usize, indices: Vec<usize>, values: AnyStorage) -> Self {
        Rows { rows, width, indices, values }
    }

    /// The length of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The sum of the rows of g, each of which belongs to `each` rows of the table, those that `indices` says next, if
    /// any. Equal indices are added in the order in which they come.
    pub fn sum<E: Float>(
        rows: usize,
        width: usize,
        indices: impl Iterator<Item = Option<usize>>,
        g: &[E],
        each: usize,
    ) -> Self {
        let mut uses: Vec<(usize, usize)> =
            indices.enumerate().filter_map(|(place, index)| Some((index?, place))).collect();
        uses.sort_unstable();
        let mut indices: Vec<usize> = uses.iter().map(|use_| use_.0).collect();
        indices.dedup();
        let mut values = Storage::scratch(indices.len() * width);
        let mut sums = values.make_mut().chunks_exact_mut(width.max(1));
        for uses in uses.chunk_by(|a, b| a.0 == b.0) {
            let Some(sum) = sums.next() else { break };
            let row = |place: usize| &g[place / each * width..][..width];
            sum_of_rows(uses.iter().map(|&(_, place)| row(place)), sum);
        }
        Rows { rows, width, indices, values: E::wrap(values) }
    }

    /// The rows that this or `other` has.
    pub fn merge(self, other: Rows) -> Rows {
        match (&self.values, &other.values) {
            (AnyStorage::F32(mine), AnyStorage::F32(others)) => self.merged(&other, mine, others),
            (AnyStorage::F64(mine), AnyStorage::F64(others)) => self.merged(&other, mine, others),
            _ => unreachable!("a value has one element type"),
        }
    }

    fn merged<E: Float>(&self, other: &Rows, mine: &Storage<E>, others: &Storage<E>) -> Rows {
        let both: Vec<E> = [mine.as_slice(), others.as_slice()].concat();
        let indices = self.indices.iter().chain(&other.indices).map(|&index| Some(index));
        Rows::sum(self.rows, self.width, indices, &both, 1)
    }

    /// Adds the rows to the gradient of the whole table.
    pub fn add_to(&self, whole: &mut AnyStorage) {
        match (&self.values, whole) {
            (AnyStorage::F32(values), AnyStorage::F32(whole)) => self.scatter(values.as_slice(), whole.make_mut()),
            (AnyStorage::F64(values), AnyStorage::F64(whole)) => self.scatter(values.as_slice(), whole.make_mut()),
            _ => unreachable!("a value has one element type"),
        }
    }

    /// The gradient of the whole table.
    pub fn whole(&self) -> AnyStorage {
        let mut whole = match self.values {
            AnyStorage::F32(_) => AnyStorage::F32(Storage::zeros(self.rows * self.width)),
            AnyStorage::F64(_) => AnyStorage::F64(Storage::zeros(self.rows * self.width)),
        };
        self.add_to(&mut whole);
        whole
    }

    fn scatter<E: Float>(&self, values: &[E], whole: &mut [E]) {
        for (&index, row) in self.indices.iter().zip(values.chunks_exact(self.width.max(1))) {
            add(&mut whole[index * self.width..][..self.width], row);
        }
    }

    /// Where each row is in the table, and where among the values.
    pub fn places(&self) -> impl Iterator<Item = [std::ops::Range<usize>; 2]> {
        let range = |row: usize| row * self.width..(row + 1) * self.width;
        self.indices.iter().enumerate().map(move |(place, &index)| [range(index), range(place)])
    }
}

fn add<E: Float>(sum: &mut [E], row: &[E]) {
    sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
}
