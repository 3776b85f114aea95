//! Moving runs of neighbouring elements: what slices, joins, flips, gathers and repetitions have in common.

use super::reduce::sum_of_rows;
use super::{elementwise, parallel};
use crate::numbers::Float;

/// This many gradients of one element are added up as they come; more of them in groups, whose sums are as good as in
/// f64.
const FEW: usize = 256;

/// Which elements go where: `count` runs of `length` elements; run i is taken from `place(i).0` and put at
/// `place(i).1`.
#[derive(Clone, Copy)]
pub struct Runs<P> {
    pub count: usize,
    pub length: usize,
    /// No element is in more runs than this: then adding up gradients needs no care if this is small.
    pub uses: usize,
    pub place: P,
}

impl<P: Fn(usize) -> (usize, usize) + Sync> Runs<P> {
    /// Copies the runs of `x` to `y`, which they fill in order: run i is put at i times the length.
    pub fn fill<E: Copy + Send + Sync>(&self, x: &[E], y: &mut [E]) {
        assert_eq!(y.len(), self.count * self.length);
        if y.is_empty() {
            return;
        }
        parallel::rows(y, self.length, parallel::CHEAP, |first, y| {
            let place = |i| {
                let (from, to) = (self.place)(first + i);
                (from, to - first * self.length)
            };
            Runs { count: y.len() / self.length, length: self.length, uses: self.uses, place }.copy(x, y);
        });
    }

    /// Copies each run of `x` to its place in `y`.
    pub fn copy<E: Copy>(&self, x: &[E], y: &mut [E]) {
        match self.length {
            // empty runs, or none, however many there would be
            _ if x.is_empty() || y.is_empty() => {}
            0 => {}
            1 => (0..self.count).map(&self.place).for_each(|(from, to)| y[to] = x[from]),
            length => (0..self.count)
                .map(&self.place)
                .for_each(|(from, to)| y[to..to + length].copy_from_slice(&x[from..from + length])),
        }
    }

    /// The reverse for gradients: adds each run of `y` to where it came from in `x`.
    pub fn add_back<E: Float>(&self, y: &[E], x: &mut [E]) {
        match self.length {
            _ if x.is_empty() || y.is_empty() => {}
            0 => {}
            _ if self.uses > FEW => self.add_back_grouped(y, x),
            1 => (0..self.count).map(&self.place).for_each(|(from, to)| x[from] += y[to]),
            length => (0..self.count)
                .map(&self.place)
                .for_each(|(from, to)| elementwise::add_assign(&mut x[from..from + length], &y[to..to + length])),
        }
    }

    /// Those that come from one place after one another: each element of `x` is read and written once.
    fn add_back_grouped<E: Float>(&self, y: &[E], x: &mut [E]) {
        let mut places: Vec<(usize, usize)> = (0..self.count).map(&self.place).collect();
        let cells = places.iter().all(|(from, _)| from.is_multiple_of(self.length));
        if cells && x.len() / self.length <= 4 * self.count {
            places = counted(&places, self.length, x.len() / self.length);
        } else {
            places.sort_unstable();
        }
        if cells {
            // each thread adds to cells of its own
            parallel::rows(x, self.length, parallel::CHEAP, |first, x| {
                let start = first * self.length;
                let before = |end| places.partition_point(|&(from, _)| from < end);
                self.add_sorted(&places[before(start)..before(start + x.len())], start, y, x);
            });
        } else {
            self.add_sorted(&places, 0, y, x);
        }
    }

    /// Adds the runs at these places, those from one place after one another, to the part of `x` from `start` on.
    fn add_sorted<E: Float>(&self, places: &[(usize, usize)], start: usize, y: &[E], x: &mut [E]) {
        let mut sum = Vec::new();
        for places in places.chunk_by(|a, b| a.0 == b.0) {
            let rows = places.iter().map(|&(_, to)| &y[to..to + self.length]);
            let out = &mut x[places[0].0 - start..][..self.length];
            if places.len() > FEW {
                sum.resize(self.length, E::zero());
                sum_of_rows(rows, &mut sum);
                elementwise::add_assign(out, &sum);
            } else {
                rows.for_each(|row| elementwise::add_assign(out, row));
            }
        }
    }
}

/// The places sorted by where they come from, of `cells` cells of this length, by counting how many come from each.
fn counted(places: &[(usize, usize)], length: usize, cells: usize) -> Vec<(usize, usize)> {
    let mut next = vec![0; cells + 1];
    for (from, _) in places {
        next[from / length + 1] += 1;
    }
    for cell in 0..cells {
        next[cell + 1] += next[cell];
    }
    let mut sorted = vec![(0, 0); places.len()];
    for &place in places {
        let next = &mut next[place.0 / length];
        sorted[*next] = place;
        *next += 1;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_fill_an_array_in_order() {
        for (count, length) in [(0, 3), (3, 0), (1, 1), (7, 3), (200_000, 1), (3_000, 50), (2, 100_000)] {
            // from the last to the first, by turns with the first one again
            let from = move |i: usize| if i.is_multiple_of(2) { count - 1 - i } else { 0 };
            let runs = Runs { count, length, uses: count, place: move |i| (from(i) * length, i * length) };
            let x: Vec<usize> = (0..count * length).collect();
            let mut y = vec![usize::MAX; x.len()];
            runs.fill(&x, &mut y);
            for (i, y) in y.into_iter().enumerate() {
                assert_eq!(y, from(i / length) * length + i % length, "{count} runs of {length}");
            }
        }
    }

    /// Each element is used as often as its place says, next to others or not, in tables long and short.
    #[test]
    fn sums_of_many_gradients_are_as_good_as_in_f64() {
        for (uses, length, rows) in [
            (3, 1, 2),
            (300, 1, 2),
            (300, 3, 2),
            (100_000, 1, 3),
            (100_000, 2, 5),
            (2_000, 1, 50_000),
            (2_000, 2, 9_000),
            (2_000, 128, 1_000),
            (2_000, 128, 2_000),
        ] {
            // all of every seventh row, and the last
            let row = move |i: usize| if i.is_multiple_of(2) { rows - 1 } else { i / 2 % 3 * 7 % rows };
            let count = 2 * uses;
            let runs = Runs { count, length, uses: count, place: move |i| (row(i) * length, i * length) };
            let y: Vec<f32> = (0..count * length).map(|i| 0.1 + (i % length) as f32).collect();
            let mut x = vec![1.0_f32; rows * length];
            runs.add_back(&y, &mut x);
            let mut expected = vec![1.0_f64; rows * length];
            for (from, to) in (0..count).map(&runs.place) {
                (0..length).for_each(|i| expected[from + i] += f64::from(y[to + i]));
            }
            for (x, expected) in x.iter().zip(expected) {
                assert!((f64::from(*x) / expected - 1.0).abs() < 2e-5, "{x} instead of {expected}");
            }
        }
    }
}
