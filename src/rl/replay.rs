//! Replay memory: past transitions, to learn from more than once.
//!
//! Lin, "Self-Improving Reactive Agents Based on Reinforcement Learning, Planning and Teaching", 1992; Mnih et al.,
//! "Human-Level Control through Deep Reinforcement Learning", 2015.

use super::environment::{Action, Environment, Observations, below};
use super::vectorized::{batch_shape, observation_size};
use crate::memory::Storage;
use crate::numbers::range::{at_least_one, expect};
use crate::optim::{Snapshot, SnapshotArray, SnapshotMismatch};
use crate::shape::{Rank1, Shape};
use crate::tensor::Tensor;
use rand::Rng;

/// An observation, the action taken, its reward, and the next observation.
#[derive(Debug)]
pub struct Transition<'a, E: Environment> {
    /// The observation before the action.
    pub observation: &'a [f32],
    /// The action taken.
    pub action: E::Action,
    /// The reward; with [several steps](super::MultiStep), their discounted sum.
    pub reward: f32,
    /// The observation after the action.
    pub successor: &'a [f32],
    /// How much the value of the successor counts: gamma for one step, and 0 if the episode terminated.
    pub discount: f32,
}

/// `B` transitions to learn from: the target for each action is `reward + discount * V(successor)`.
#[derive(Clone, Debug)]
pub struct Transitions<E: Environment, const B: usize> {
    /// The observation before the action.
    pub observations: Observations<E, B>,
    /// The action taken.
    pub actions: [E::Action; B],
    /// The reward.
    pub rewards: Tensor<Rank1<B>>,
    /// The observation after the action.
    pub successors: Observations<E, B>,
    /// How much the value of the successor counts.
    pub discounts: Tensor<Rank1<B>>,
}

/// A storage type for the numbers of observations.
pub trait Stored: Copy + Send + Sync + 'static {
    /// The nearest number of this type.
    fn keep(number: f32) -> Self;
    /// The number.
    fn number(self) -> f32;
}
impl Stored for f32 {
    fn keep(number: f32) -> f32 {
        number
    }
    fn number(self) -> f32 {
        self
    }
}
/// For pixels: integers from 0 to 255, in a quarter of the memory.
impl Stored for u8 {
    fn keep(number: f32) -> u8 {
        number.round() as u8
    }
    fn number(self) -> f32 {
        f32::from(self)
    }
}

/// The most recent transitions, up to a capacity, in no particular order. The numbers of observations are stored as
/// `X`: `f32`, or `u8` for integers up to 255.
///
/// ```
/// use taut::prelude::*;
/// use taut::rl::{CartPole, Discrete, ReplayMemory, Transition};
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut memory = ReplayMemory::<CartPole>::new(2);
/// for reward in [1.0, 2.0, 3.0] {
///     let (observation, successor) = (&[reward; 4], &[0.0; 4]);
///     memory.add(Transition { observation, action: Discrete::new(1), reward, successor, discount: 0.9 });
/// }
/// let transitions = memory.sample::<8, _>(&mut rng);
/// assert_eq!(transitions.observations.shape(), Rank2::<8, 4>::default());
/// assert!(transitions.rewards.iter().all(|reward| reward == 2.0 || reward == 3.0)); // the first was forgotten
/// ```
#[derive(Clone, Debug)]
pub struct ReplayMemory<E: Environment, X = f32> {
    capacity: usize,
    /// Where the next transition goes once the memory is full.
    next: usize,
    observations: Vec<X>,
    successors: Vec<X>,
    actions: Vec<E::Action>,
    rewards: Vec<f32>,
    discounts: Vec<f32>,
}

impl<E: Environment, X: Stored> ReplayMemory<E, X> {
    /// An empty memory with this capacity.
    ///
    /// # Panics
    /// If the capacity is 0.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        expect(at_least_one("ReplayMemory", "capacity", capacity));
        ReplayMemory {
            capacity,
            next: 0,
            observations: Vec::new(),
            successors: Vec::new(),
            actions: Vec::new(),
            rewards: Vec::new(),
            discounts: Vec::new(),
        }
    }

    /// The number of transitions stored.
    pub fn len(&self) -> usize {
        self.rewards.len()
    }

    /// Whether the memory is empty.
    pub fn is_empty(&self) -> bool {
        self.rewards.is_empty()
    }

    /// The largest number of transitions.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Adds a transition; a full memory drops its oldest. Returns its index in the memory.
    ///
    /// # Panics
    /// If an observation does not have the size of the environment's.
    #[track_caller]
    pub fn add(&mut self, transition: Transition<'_, E>) -> usize {
        let Transition { observation, action, reward, successor, discount } = transition;
        let size = observation_size::<E>();
        assert!(
            observation.len() == size && successor.len() == size,
            "ReplayMemory::add: an observation has {size} numbers, and these have {} and {}",
            observation.len(),
            successor.len()
        );
        if self.len() < self.capacity {
            self.observations.extend(observation.iter().map(|&x| X::keep(x)));
            self.successors.extend(successor.iter().map(|&x| X::keep(x)));
            self.actions.push(action);
            self.rewards.push(reward);
            self.discounts.push(discount);
            return self.len() - 1;
        }
        let index = self.next;
        let row = index * size..(index + 1) * size;
        self.observations[row.clone()].iter_mut().zip(observation).for_each(|(kept, &x)| *kept = X::keep(x));
        self.successors[row].iter_mut().zip(successor).for_each(|(kept, &x)| *kept = X::keep(x));
        self.actions[index] = action;
        self.rewards[index] = reward;
        self.discounts[index] = discount;
        self.next = (index + 1) % self.capacity;
        index
    }

    /// The transitions at these indices.
    ///
    /// # Panics
    /// If there is no transition at one of them.
    #[track_caller]
    pub fn gather<const B: usize>(&self, indices: &[usize; B]) -> Transitions<E, B> {
        Transitions {
            observations: gather::<E, X, B>(&self.observations, indices),
            actions: indices.map(|index| self.actions[index]),
            rewards: Tensor::<Rank1<B>>::from_fn(|[i]| self.rewards[indices[i]]),
            successors: gather::<E, X, B>(&self.successors, indices),
            discounts: Tensor::<Rank1<B>>::from_fn(|[i]| self.discounts[indices[i]]),
        }
    }

    /// `B` transitions drawn uniformly, with replacement.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn sample<const B: usize, R: Rng + ?Sized>(&self, rng: &mut R) -> Transitions<E, B> {
        self.gather(&self.sample_indices::<B, R>(rng))
    }

    /// The indices of `B` transitions drawn uniformly, with replacement.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn sample_indices<const B: usize, R: Rng + ?Sized>(&self, rng: &mut R) -> [usize; B] {
        assert!(!self.is_empty(), "ReplayMemory: nothing was added yet");
        std::array::from_fn(|_| below(self.len(), rng))
    }

    /// The contents of the memory.
    pub fn snapshot(&self) -> Snapshot {
        let numbers = |kept: &[X]| SnapshotArray::F32(kept.iter().map(|x| x.number()).collect());
        let mut actions = vec![0.0; self.actions.len() * E::Action::NUMBERS];
        for (action, numbers) in self.actions.iter().zip(actions.chunks_mut(E::Action::NUMBERS.max(1))) {
            action.write(numbers);
        }
        let arrays = [
            ("observations", numbers(&self.observations)),
            ("successors", numbers(&self.successors)),
            ("actions", SnapshotArray::F32(actions)),
            ("rewards", SnapshotArray::F32(self.rewards.clone())),
            ("discounts", SnapshotArray::F32(self.discounts.clone())),
        ];
        Snapshot {
            numbers: vec![("next".to_string(), self.next as f64)],
            arrays: arrays.into_iter().map(|(name, array)| (name.to_string(), array)).collect(),
        }
    }

    /// Restores a [snapshot](ReplayMemory::snapshot).
    ///
    /// # Errors
    /// If the snapshot is for another environment, or exceeds the capacity. Nothing changes then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotMismatch> {
        let array = |wanted: &str| match snapshot.arrays.iter().find(|(name, _)| name == wanted) {
            Some((_, SnapshotArray::F32(values))) => Ok(values.as_slice()),
            _ => Err(SnapshotMismatch::new(format!("the snapshot has no `{wanted}` of a memory"))),
        };
        let (rewards, discounts) = (array("rewards")?, array("discounts")?);
        let (observations, successors, actions) = (array("observations")?, array("successors")?, array("actions")?);
        let next = snapshot.whole("next")? as usize;
        let (count, size) = (rewards.len(), observation_size::<E>());
        let lengths = [observations.len(), successors.len(), actions.len(), discounts.len()];
        if lengths != [count * size, count * size, count * E::Action::NUMBERS, count] {
            return Err(SnapshotMismatch::new(format!("{count} transitions of this environment are not {lengths:?}")));
        }
        if count > self.capacity || (next > 0 && (count < self.capacity || next >= count)) {
            let capacity = self.capacity;
            return Err(SnapshotMismatch::new(format!("a memory of {count} is not one for {capacity} transitions")));
        }
        self.next = next;
        self.observations = observations.iter().map(|&x| X::keep(x)).collect();
        self.successors = successors.iter().map(|&x| X::keep(x)).collect();
        self.actions = actions.chunks(E::Action::NUMBERS.max(1)).map(E::Action::read).collect();
        (self.rewards, self.discounts) = (rewards.to_vec(), discounts.to_vec());
        Ok(())
    }
}

/// The observations at `B` indices of a flat list of them: for batches of observations collected in a `Vec`.
///
/// # Panics
/// If an index is out of range.
///
/// ```
/// use taut::rl::{MountainCar, gather};
/// let kept = [0.0, 0.1, 1.0, 1.1, 2.0, 2.1_f32]; // two numbers each
/// assert_eq!(gather::<MountainCar, _, 2>(&kept, &[2, 0]).to_array(), [[2.0, 2.1], [0.0, 0.1]]);
/// ```
#[track_caller]
pub fn gather<E: Environment, X: Stored, const B: usize>(kept: &[X], indices: &[usize; B]) -> Observations<E, B> {
    let (shape, size) = (batch_shape::<E, B>(), observation_size::<E>());
    let mut rows = Storage::zeros(shape.count());
    if size > 0 {
        for (row, &index) in rows.make_mut().chunks_mut(size).zip(indices) {
            let kept = &kept[index * size..(index + 1) * size];
            row.iter_mut().zip(kept).for_each(|(x, kept)| *x = kept.number());
        }
    }
    Tensor::from_storage(shape, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;
    use crate::rl::{CartPole, Discrete, Pendulum};

    fn add(memory: &mut ReplayMemory<CartPole, impl Stored>, number: f32) -> usize {
        memory.add(Transition {
            observation: &[number, 1.0, 2.0, 3.0],
            action: Discrete::new(number as usize % 2),
            reward: number,
            successor: &[number + 1.0, 1.0, 2.0, 3.0],
            discount: 0.5,
        })
    }

    fn check<X: Stored>() {
        let mut memory = ReplayMemory::<CartPole, X>::new(3);
        let indices: Vec<usize> = (0..8).map(|i| add(&mut memory, i as f32)).collect();
        assert_eq!(indices, [0, 1, 2, 0, 1, 2, 0, 1]);
        assert_eq!((memory.len(), memory.capacity()), (3, 3));
        let all = memory.gather(&[0, 1, 2]);
        assert_eq!(all.rewards.to_array(), [6.0, 7.0, 5.0]);
        assert_eq!(all.actions.map(Discrete::index), [0, 1, 1]);
        for i in 0..3 {
            assert_eq!(all.observations[[i, 0]], all.rewards[[i]]);
            assert_eq!(all.successors[[i, 0]], all.rewards[[i]] + 1.0);
            assert_eq!(all.observations[[i, 3]], 3.0);
        }
    }

    #[test]
    fn the_oldest_is_forgotten() {
        check::<f32>();
        check::<u8>();
    }

    #[test]
    fn everything_is_drawn_as_often_as_everything_else() {
        let mut memory = ReplayMemory::<CartPole>::new(10);
        for i in 0..10 {
            add(&mut memory, i as f32);
        }
        let mut rng = StdRng::seed_from_u64(0);
        let mut counts = [0; 10];
        for _ in 0..100 {
            memory.sample::<100, _>(&mut rng).rewards.iter().for_each(|reward| counts[reward as usize] += 1);
        }
        // 1,000 each, with a deviation of 30
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_restored_memory_goes_on_as_the_other() {
        let mut rng = taut::Generator::new(0);
        for count in [2, 5, 7] {
            let mut memory = ReplayMemory::<CartPole>::new(5);
            for i in 0..count {
                add(&mut memory, i as f32);
            }
            let mut other = ReplayMemory::<CartPole>::new(5);
            add(&mut other, 100.0);
            other.restore(&memory.snapshot()).unwrap();
            for number in 10..14 {
                assert_eq!(add(&mut memory, number as f32), add(&mut other, number as f32));
                let mut same = rng.clone();
                let (a, b) = (memory.sample::<16, _>(&mut rng), other.sample::<16, _>(&mut same));
                assert_eq!((a.observations, a.actions, a.rewards), (b.observations, b.actions, b.rewards));
                assert_eq!((a.successors, a.discounts), (b.successors, b.discounts));
            }
            assert!(ReplayMemory::<CartPole>::new(1).restore(&memory.snapshot()).is_err());
            assert!(ReplayMemory::<Pendulum>::new(5).restore(&memory.snapshot()).is_err());
        }
    }

    #[test]
    fn continuous_actions_are_kept_as_they_are() {
        let mut memory = ReplayMemory::<Pendulum>::new(2);
        for torque in [0.25, -1.5] {
            memory.add(Transition {
                observation: &[0.0; 3],
                action: [torque],
                reward: 0.0,
                successor: &[0.0; 3],
                discount: 1.0,
            });
        }
        let mut other = ReplayMemory::<Pendulum>::new(2);
        other.restore(&memory.snapshot()).unwrap();
        assert_eq!(other.gather(&[1, 0]).actions, [[-1.5], [0.25]]);
    }
}
