//! Prioritised replay: surprising transitions are replayed more often.
//!
//! A transition with the error delta is drawn with probability P(i) = p_i / sum_k p_k for p_i = (|delta_i| +
//! 0.01)^alpha, and its loss is weighted by (n P(i))^-beta, divided by the largest weight of the batch, since
//! transitions drawn more often would otherwise count too much.
//!
//! Schaul, Quan, Antonoglou and Silver, "Prioritized Experience Replay", 2016.

use crate::numbers::range::{at_least_one, expect, not_negative};
use crate::optim::{Snapshot, SnapshotArray, SnapshotMismatch};
use crate::shape::Rank1;
use crate::tensor::{Tensor, unit};
use rand::Rng;

/// Added to every error, so that every transition can be drawn again.
const LEAST: f64 = 0.01;

/// The priorities of the transitions in a [`ReplayMemory`](super::ReplayMemory), by index.
///
/// They are the leaves of a sum tree, so drawing one and changing one take log n steps.
///
/// ```
/// use taut::prelude::*;
/// use taut::rl::{PrioritizedSample, Priorities};
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut priorities = Priorities::new(100, 1.0);
/// for index in 0..3 {
///     priorities.add(index);
/// }
/// priorities.update(&[0, 1, 2], &[0.99, 0.09, 0.09]);
/// let PrioritizedSample { indices, weights } = priorities.sample::<64, _>(1.0, &mut rng);
/// let of_first = indices.iter().filter(|&&index| index == 0).count();
/// assert!(of_first > 40); // five of six
/// // the others weigh more, as they are drawn less often
/// assert!(indices.iter().zip(weights.iter()).all(|(&index, weight)| (weight < 0.5) == (index == 0)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Priorities {
    alpha: f64,
    /// The number of leaves, a power of two.
    leaves: usize,
    /// Node 1 is the root, the children of node i are 2 i and 2 i + 1; the leaves are the second half.
    sums: Vec<f64>,
    /// The number of transitions with a priority.
    count: usize,
    largest: f64,
}

/// The result of [`Priorities::sample`].
#[derive(Clone, Debug)]
pub struct PrioritizedSample<const B: usize> {
    /// The indices of the transitions.
    pub indices: [usize; B],
    /// The weights of their losses, at most 1.
    pub weights: Tensor<Rank1<B>>,
}

impl Priorities {
    /// Empty priorities for a memory of this capacity. With `alpha` = 0 all are equal, with 1 they are proportional to
    /// the errors.
    ///
    /// # Panics
    /// If the capacity is 0 or above 2^40, or `alpha` negative, infinite or NaN.
    #[track_caller]
    pub fn new(capacity: usize, alpha: f64) -> Self {
        expect(at_least_one("Priorities", "capacity", capacity));
        assert!(capacity as u64 <= 1 << 40, "Priorities: `capacity` must be at most 2^40, and is {capacity}");
        expect(not_negative("Priorities", "alpha", alpha));
        let leaves = capacity.next_power_of_two();
        Priorities { alpha, leaves, sums: vec![0.0; 2 * leaves], count: 0, largest: 1.0 }
    }

    /// Gives the transition just added to the memory at `index` the largest priority so far, so that it is drawn soon.
    ///
    /// # Panics
    /// If `index` is not below the capacity.
    #[track_caller]
    pub fn add(&mut self, index: usize) {
        self.check(index);
        if self.sums[self.leaves + index] == 0.0 {
            self.count += 1;
        }
        self.set(index, self.largest);
    }

    /// Updates the priorities of transitions from their errors.
    ///
    /// # Panics
    /// If an index is not below the capacity, or there are not as many errors as indices.
    #[track_caller]
    pub fn update(&mut self, indices: &[usize], errors: &[f32]) {
        let (count, found) = (indices.len(), errors.len());
        assert!(count == found, "Priorities::update: {found} errors for {count} indices");
        indices.iter().for_each(|&index| self.check(index));
        for (&index, &error) in indices.iter().zip(errors) {
            let priority = (f64::from(error).abs() + LEAST).powf(self.alpha);
            // a NaN error says nothing about the transition
            if priority.is_finite() {
                self.largest = self.largest.max(priority);
                self.set(index, priority);
            }
        }
    }

    #[track_caller]
    fn check(&self, index: usize) {
        let leaves = self.leaves;
        assert!(
            index < leaves,
            "Priorities: index {index} is beyond the capacity, for which there are {leaves} indices"
        );
    }

    fn set(&mut self, index: usize, priority: f64) {
        let mut node = self.leaves + index;
        self.sums[node] = priority;
        while node > 1 {
            node /= 2;
            self.sums[node] = self.sums[2 * node] + self.sums[2 * node + 1];
        }
    }

    /// The first index at which the cumulative sum of priorities exceeds `sum`.
    fn find(&self, mut sum: f64) -> usize {
        let mut node = 1;
        while node < self.leaves {
            let left = self.sums[2 * node];
            // a sum made too large by rounding must not lead to a leaf without priority
            node = if sum < left || self.sums[2 * node + 1] == 0.0 {
                2 * node
            } else {
                sum -= left;
                2 * node + 1
            };
        }
        node - self.leaves
    }

    /// Draws `B` indices by stratified sampling: one from each of `B` equal parts of the total priority.
    ///
    /// # Panics
    /// If nothing was added yet, or `beta` is negative, infinite or NaN.
    #[track_caller]
    pub fn sample<const B: usize, R: Rng + ?Sized>(&self, beta: f64, rng: &mut R) -> PrioritizedSample<B> {
        assert!(self.count > 0, "Priorities::sample: nothing was added yet");
        expect(not_negative("Priorities::sample", "beta", beta));
        let total = self.sums[1];
        let indices: [usize; B] = std::array::from_fn(|i| self.find(total * (i as f64 + unit(rng)) / B as f64));
        let weights = indices.map(|index| (self.count as f64 * self.sums[self.leaves + index] / total).powf(-beta));
        let largest = weights.iter().copied().fold(0.0, f64::max);
        PrioritizedSample { indices, weights: Tensor::<Rank1<B>>::from_fn(|[i]| (weights[i] / largest) as f32) }
    }

    /// All priorities.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            numbers: vec![("largest".to_string(), self.largest)],
            arrays: vec![("priorities".to_string(), SnapshotArray::F64(self.sums[self.leaves..].to_vec()))],
        }
    }

    /// Restores a [snapshot](Priorities::snapshot).
    ///
    /// # Errors
    /// If the capacity differs. Nothing changes then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotMismatch> {
        let largest = snapshot.number("largest")?;
        match snapshot.arrays.as_slice() {
            [(_, SnapshotArray::F64(priorities))] if priorities.len() == self.leaves => {
                self.sums[self.leaves..].copy_from_slice(priorities);
                for node in (1..self.leaves).rev() {
                    self.sums[node] = self.sums[2 * node] + self.sums[2 * node + 1];
                }
                self.count = priorities.iter().filter(|&&priority| priority > 0.0).count();
                self.largest = largest;
                Ok(())
            }
            _ => Err(SnapshotMismatch::new(format!("the snapshot has not {} priorities", self.leaves))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn places_are_drawn_in_proportion_to_their_priorities() {
        let mut rng = StdRng::seed_from_u64(0);
        for (capacity, alpha) in [(1, 0.6), (5, 1.0), (8, 0.5), (13, 0.0)] {
            let mut priorities = Priorities::new(capacity, alpha);
            let errors: Vec<f32> = (0..capacity).map(|i| (i as f32 - 2.0) * 0.5).collect();
            let indices: Vec<usize> = (0..capacity).collect();
            indices.iter().for_each(|&index| priorities.add(index));
            priorities.update(&indices, &errors);
            let expected: Vec<f64> = errors.iter().map(|&e| (f64::from(e).abs() + 0.01).powf(alpha)).collect();
            let total: f64 = expected.iter().sum();
            let mut counts = vec![0; capacity];
            for _ in 0..1000 {
                let PrioritizedSample { indices, weights } = priorities.sample::<16, _>(0.4, &mut rng);
                indices.iter().for_each(|&index| counts[index] += 1);
                let weight = |index: usize| (capacity as f64 * expected[index] / total).powf(-0.4);
                let largest = indices.iter().map(|&index| weight(index)).fold(0.0, f64::max);
                for (&index, found) in indices.iter().zip(weights.iter()) {
                    assert!((f64::from(found) - weight(index) / largest).abs() < 1e-6);
                }
            }
            for (count, expected) in counts.iter().zip(&expected) {
                let probability = expected / total;
                let deviation = (16_000.0 * probability * (1.0 - probability)).sqrt();
                assert!((f64::from(*count) - 16_000.0 * probability).abs() <= 5.0 * deviation, "{counts:?}");
            }
        }
    }

    #[test]
    fn what_has_no_priority_is_never_found() {
        let mut priorities = Priorities::new(8, 1.0);
        priorities.add(2);
        priorities.add(5);
        for sum in [0.0, 0.999, 1.0, 1.5, 2.0, 7.0] {
            assert!([2, 5].contains(&priorities.find(sum)), "{sum}");
        }
        priorities.update(&[2], &[f32::NAN]);
        assert_eq!(priorities.sums[1], 2.0);
    }

    #[test]
    fn restored_priorities_are_the_same() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut priorities = Priorities::new(11, 0.6);
        for step in 0..40 {
            priorities.add(step % 11);
            priorities.update(&[step * 7 % (step + 1).min(11)], &[unit(&mut rng) as f32 * 3.0]);
        }
        let mut other = Priorities::new(11, 0.6);
        other.restore(&priorities.snapshot()).unwrap();
        assert_eq!(priorities, other);
        assert!(Priorities::new(30, 0.6).restore(&priorities.snapshot()).is_err());
    }
}
