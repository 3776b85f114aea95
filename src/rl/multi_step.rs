//! Multi-step returns.
//!
//! From s_t to s_t+n: the reward is sum_k gamma^k r_t+k for k < n, the discount of what follows is gamma^n. Where an
//! episode ends earlier, so does the sum; if it terminated, the discount is 0.
//!
//! Watkins, "Learning from Delayed Rewards", 1989; Sutton and Barto, "Reinforcement Learning: An Introduction", chapter
//! 7.

use super::environment::{Action, Environment, Observations};
use super::replay::Transition;
use super::vectorized::{Outcomes, observation_size};
use crate::numbers::range::{at_least_one, expect, part};
use crate::optim::{Snapshot, SnapshotArray, SnapshotMismatch};
use std::collections::VecDeque;

/// Turns the steps of `N` environments into transitions over several steps.
///
/// ```
/// use taut::prelude::*;
/// use taut::rl::{CartPole, Discrete, Environments, MultiStep, ReplayMemory};
/// let mut environments = Environments::<CartPole, 1>::new(0);
/// let mut memory = ReplayMemory::<CartPole>::new(1000);
/// let mut rewards = MultiStep::new(3, 0.9);
/// for _ in 0..5 {
///     let seen = environments.observations();
///     let actions = [Discrete::new(0)];
///     let step = environments.step(&actions);
///     rewards.add(&seen, &actions, &step, |transition| {
///         memory.add(transition);
///     });
/// }
/// // the first three of five, each with a reward of 1 + 0.9 + 0.81; the others are not complete yet
/// assert_eq!(memory.len(), 3);
/// assert!((memory.gather(&[0]).rewards.to_array()[0] - 2.71_f32).abs() < 1e-6);
/// ```
#[derive(Clone, Debug)]
pub struct MultiStep<E: Environment, const N: usize> {
    steps: usize,
    discount: f32,
    waiting: [VecDeque<Waiting<E>>; N],
    /// Buffers for reuse.
    spare: Vec<Vec<f32>>,
}

/// A step whose transition is not complete.
#[derive(Clone, Debug)]
struct Waiting<E: Environment> {
    observation: Vec<f32>,
    action: E::Action,
    reward: f32,
    /// gamma to the power of the number of rewards added.
    discount: f32,
}

impl<E: Environment, const N: usize> MultiStep<E, N> {
    /// Transitions of `steps` steps; with 1, they are single steps.
    ///
    /// # Panics
    /// If `steps` is 0, or `discount` is not from 0 to 1.
    #[track_caller]
    pub fn new(steps: usize, discount: f32) -> Self {
        expect(at_least_one("MultiStep", "steps", steps));
        expect(part("MultiStep", "discount", discount.into()));
        MultiStep { steps, discount, waiting: std::array::from_fn(|_| VecDeque::new()), spare: Vec::new() }
    }

    /// Adds a step: the observations before it, the actions, and their outcomes. Passes each transition that is now
    /// complete to `complete`.
    pub fn add(
        &mut self,
        seen: &Observations<E, N>,
        actions: &[E::Action; N],
        step: &Outcomes<E, N>,
        mut complete: impl FnMut(Transition<'_, E>),
    ) {
        let size = observation_size::<E>();
        let MultiStep { steps, discount, waiting, spare } = self;
        for (i, waiting) in waiting.iter_mut().enumerate() {
            for earlier in waiting.iter_mut() {
                earlier.reward += earlier.discount * step.rewards[i];
                earlier.discount *= *discount;
            }
            let mut observation = spare.pop().unwrap_or_default();
            observation.clear();
            observation.extend_from_slice(&seen.as_slice()[i * size..(i + 1) * size]);
            waiting.push_back(Waiting {
                observation,
                action: actions[i],
                reward: step.rewards[i],
                discount: *discount,
            });
            let left = if step.done(i) { 0 } else { *steps - 1 };
            while waiting.len() > left {
                let Some(oldest) = waiting.pop_front() else { break };
                complete(Transition {
                    observation: &oldest.observation,
                    action: oldest.action,
                    reward: oldest.reward,
                    successor: &step.successors.as_slice()[i * size..(i + 1) * size],
                    discount: if step.terminated[i] { 0.0 } else { oldest.discount },
                });
                spare.push(oldest.observation);
            }
        }
    }

    /// The steps of incomplete transitions.
    pub fn snapshot(&self) -> Snapshot {
        let array = |(i, waiting): (usize, &VecDeque<Waiting<E>>)| {
            let mut numbers = Vec::new();
            for Waiting { observation, action, reward, discount } in waiting {
                let mut written = vec![0.0; E::Action::NUMBERS];
                action.write(&mut written);
                numbers.extend([*reward, *discount].iter().chain(&written).chain(observation));
            }
            (i.to_string(), SnapshotArray::F32(numbers))
        };
        Snapshot { numbers: Vec::new(), arrays: self.waiting.iter().enumerate().map(array).collect() }
    }

    /// Restores a [snapshot](MultiStep::snapshot).
    ///
    /// # Errors
    /// If it is for another number or kind of environments. Nothing changes then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotMismatch> {
        let numbers = E::Action::NUMBERS;
        let length = 2 + numbers + observation_size::<E>();
        let mut restored = std::array::from_fn(|_| VecDeque::new());
        for (i, waiting) in restored.iter_mut().enumerate() {
            let array = snapshot.arrays.iter().find(|(name, _)| *name == i.to_string());
            let Some((_, SnapshotArray::F32(saved))) = array else {
                return Err(SnapshotMismatch::new(format!("the steps of environment {i} were not saved")));
            };
            if saved.len() % length != 0 || saved.len() / length >= self.steps {
                let (found, most) = (saved.len(), self.steps - 1);
                return Err(SnapshotMismatch::new(format!("{found} numbers are not up to {most} steps of {length}")));
            }
            waiting.extend(saved.chunks_exact(length).map(|saved| Waiting {
                reward: saved[0],
                discount: saved[1],
                action: E::Action::read(&saved[2..2 + numbers]),
                observation: saved[2 + numbers..].to_vec(),
            }));
        }
        if snapshot.arrays.len() != N {
            return Err(SnapshotMismatch::new(format!("{} environments were saved, not {N}", snapshot.arrays.len())));
        }
        self.waiting = restored;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;
    use crate::rl::{Discrete, MountainCar, Observations};

    /// A step of a test: its reward, and whether it ended the episode.
    fn step(reward: f32, terminated: bool, truncated: bool, place: f32) -> Outcomes<MountainCar, 1> {
        let successors: Observations<MountainCar, 1> = Tensor::from([[place, 0.0]]);
        Outcomes { rewards: [reward], terminated: [terminated], truncated: [truncated], successors }
    }

    /// For each transition: where it begins, its reward, where it leads, and its discount.
    fn transitions(steps: usize, ends: &[(bool, bool)]) -> Vec<[f32; 4]> {
        let mut found = Vec::new();
        let mut rewards = MultiStep::<MountainCar, 1>::new(steps, 0.5);
        for (t, &(terminated, truncated)) in ends.iter().enumerate() {
            let seen: Observations<MountainCar, 1> = Tensor::from([[t as f32, 0.0]]);
            let came = step((t + 1) as f32, terminated, truncated, (t + 1) as f32);
            rewards.add(&seen, &[Discrete::new(1)], &came, |transition| {
                let Transition { observation, reward, successor, discount, .. } = transition;
                found.push([observation[0], reward, successor[0], discount]);
            });
        }
        found
    }

    #[test]
    fn rewards_are_summed_up_to_the_end_of_the_episode() {
        let goes_on = (false, false);
        let single = transitions(1, &[goes_on, goes_on, (true, false), goes_on]);
        assert_eq!(single, [[0.0, 1.0, 1.0, 0.5], [1.0, 2.0, 2.0, 0.5], [2.0, 3.0, 3.0, 0.0], [3.0, 4.0, 4.0, 0.5]]);
        // 1 + 2/2 + 3/4, then 2 + 3/2 + 4/4
        let three = transitions(3, &[goes_on; 4]);
        assert_eq!(three, [[0.0, 2.75, 3.0, 0.125], [1.0, 4.5, 4.0, 0.125]]);
        let terminated = transitions(3, &[goes_on, (true, false), goes_on]);
        assert_eq!(terminated, [[0.0, 2.0, 2.0, 0.0], [1.0, 2.0, 2.0, 0.0]]);
        let truncated = transitions(3, &[goes_on, (false, true), goes_on]);
        assert_eq!(truncated, [[0.0, 2.0, 2.0, 0.25], [1.0, 2.0, 2.0, 0.5]]);
    }

    #[test]
    fn restored_steps_are_completed_as_the_others() {
        let seen = |t: usize| -> Observations<MountainCar, 1> { Tensor::from([[t as f32, 0.5]]) };
        let mut rewards = MultiStep::<MountainCar, 1>::new(4, 0.5);
        for t in 0..6 {
            rewards.add(&seen(t), &[Discrete::new(t % 3)], &step(t as f32, false, false, 0.0), |_| {});
        }
        let mut other = MultiStep::new(4, 0.5);
        other.restore(&rewards.snapshot()).unwrap();
        let end = |rewards: &mut MultiStep<MountainCar, 1>| {
            let mut found = Vec::new();
            rewards.add(&seen(6), &[Discrete::new(0)], &step(6.0, true, false, 9.0), |transition| {
                found.push((transition.observation.to_vec(), transition.action, transition.reward));
            });
            found
        };
        let expected = end(&mut rewards);
        assert_eq!(expected.len(), 4);
        assert_eq!(end(&mut other), expected);
        assert!(MultiStep::<MountainCar, 2>::new(4, 0.5).restore(&other.snapshot()).is_err());
        let mut waiting = MultiStep::<MountainCar, 1>::new(4, 0.5);
        waiting.add(&seen(0), &[Discrete::new(0)], &step(0.0, false, false, 0.0), |_| {});
        assert!(MultiStep::<MountainCar, 1>::new(1, 0.5).restore(&waiting.snapshot()).is_err());
    }
}
