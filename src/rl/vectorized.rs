//! Several environments at once.

use super::environment::{BatchShape, Environment, Observations, Outcome};
use crate::memory::Storage;
use crate::numbers::range::{at_least_one, expect};
use crate::numbers::{Generator, GeneratorState};
use crate::optim::{Snapshot, SnapshotArray, SnapshotMismatch};
use crate::shape::{Const, InsertAxis, Shape};
use crate::tensor::Tensor;
use rayon::prelude::*;

/// `N` environments that step together, each with its own generator and episode statistics.
///
/// An environment whose episode ended is reset at once: [`observations`](Environments::observations) then show the next
/// episode, while [`Outcomes`] still has the last observation of the old one.
///
/// ```
/// use taut::prelude::*;
/// use taut::rl::{CartPole, Discrete, Environments};
///
/// let mut environments = Environments::<CartPole, 2>::new(0);
/// let mut steps = 0;
/// let episode = loop {
///     environments.step(&[Discrete::new(0), Discrete::new(1)]);
///     steps += 1;
///     if let Some(episode) = environments.finished().next() {
///         break episode;
///     }
/// };
/// assert_eq!((episode.steps, episode.total_reward), (steps, steps as f64));
/// ```
#[derive(Clone, Debug)]
pub struct Environments<E: Environment, const N: usize> {
    slots: Vec<Slot<E>>,
    time_limit: Option<usize>,
    threads: bool,
    observations: Observations<E, N>,
    finished: Vec<Episode>,
}

#[derive(Clone, Debug)]
struct Slot<E> {
    environment: E,
    rng: Generator,
    /// The current episode so far.
    episode: Episode,
}

/// A finished episode.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Episode {
    /// The sum of its rewards.
    pub total_reward: f64,
    /// The number of steps.
    pub steps: usize,
}

/// The outcomes of one step in `N` environments.
#[derive(Clone, Debug)]
pub struct Outcomes<E: Environment, const N: usize> {
    /// What each action paid.
    pub rewards: [f32; N],
    /// Whether the episode ended by the rules of the environment: no more rewards can follow.
    pub terminated: [bool; N],
    /// Whether the episode was cut off by the time limit without terminating: rewards would follow, so their value must
    /// be estimated.
    pub truncated: [bool; N],
    /// The observations after the step, before any reset.
    pub successors: Observations<E, N>,
}

impl<E: Environment, const N: usize> Outcomes<E, N> {
    /// Whether the episode of environment `index` ended in this step.
    pub fn done(&self, index: usize) -> bool {
        self.terminated[index] || self.truncated[index]
    }
}

/// The number of numbers in an observation.
pub(super) fn observation_size<E: Environment>() -> usize {
    E::Observation::default().count()
}

/// The shape of `N` observations.
pub(super) fn batch_shape<E: Environment, const N: usize>() -> BatchShape<E, N> {
    E::Observation::default().inserted(Const::<N>)
}

impl<E: Environment, const N: usize> Environments<E, N> {
    /// `N` environments, reset. Everything random in them is determined by `seed`.
    pub fn new(seed: u64) -> Self {
        Self::of(E::default(), seed)
    }

    /// `N` environments like this one, for non-default settings. They are reset.
    pub fn of(environment: E, seed: u64) -> Self {
        let mut seeds = Generator::new(seed);
        let slot = |_| {
            let mut rng = Generator::new(rand::Rng::next_u64(&mut seeds));
            let mut environment = environment.clone();
            environment.reset(&mut rng);
            Slot { environment, rng, episode: Episode::default() }
        };
        let slots = (0..N).map(slot).collect();
        let observations = Tensor::zeros_with(batch_shape::<E, N>());
        let mut environments =
            Environments { slots, time_limit: E::TIME_LIMIT, threads: false, observations, finished: Vec::new() };
        environments.observe();
        environments
    }

    /// Sets another limit on the steps of an episode, or none.
    ///
    /// # Panics
    /// If the limit is 0.
    #[must_use]
    #[track_caller]
    pub fn with_time_limit(mut self, steps: Option<usize>) -> Self {
        expect(at_least_one("with_time_limit", "steps", steps.unwrap_or(1)));
        self.time_limit = steps;
        self
    }

    /// Steps with several threads. Worthwhile if a step takes microseconds; results are the same bit for bit.
    #[must_use]
    pub fn with_threads(mut self) -> Self {
        self.threads = true;
        self
    }

    /// The current observations.
    pub fn observations(&self) -> Observations<E, N> {
        self.observations.clone()
    }

    /// The environments themselves.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        self.slots.iter().map(|slot| &slot.environment)
    }

    /// The episodes that ended since the last call, in the order they ended.
    pub fn finished(&mut self) -> impl Iterator<Item = Episode> + '_ {
        self.finished.drain(..)
    }

    /// Takes an action in each environment.
    pub fn step(&mut self, actions: &[E::Action; N]) -> Outcomes<E, N> {
        let size = observation_size::<E>();
        let (shape, limit) = (batch_shape::<E, N>(), self.time_limit);
        let mut successors = Storage::<f32>::zeros(shape.count());
        let mut outcomes = [(Outcome { reward: 0.0, terminated: false }, None); N];
        let observations = self.observations.as_mut_slice();
        if size == 0 {
            // empty observations give no chunks, but there may still be rewards
            for ((slot, &action), outcome) in self.slots.iter_mut().zip(actions).zip(&mut outcomes) {
                *outcome = slot.step(action, limit, &mut [], &mut []);
            }
        } else if self.threads {
            (self.slots.par_iter_mut(), actions, &mut outcomes)
                .into_par_iter()
                .zip(successors.make_mut().par_chunks_mut(size))
                .zip(observations.par_chunks_mut(size))
                .for_each(|(((slot, &action, outcome), successor), observation)| {
                    *outcome = slot.step(action, limit, successor, observation);
                });
        } else {
            let rows = successors.make_mut().chunks_mut(size).zip(observations.chunks_mut(size));
            for (((slot, &action), outcome), (successor, observation)) in
                self.slots.iter_mut().zip(actions).zip(&mut outcomes).zip(rows)
            {
                *outcome = slot.step(action, limit, successor, observation);
            }
        }
        self.finished.extend(outcomes.iter().filter_map(|(_, episode)| *episode));
        Outcomes {
            rewards: outcomes.map(|(outcome, _)| outcome.reward as f32),
            terminated: outcomes.map(|(outcome, _)| outcome.terminated),
            truncated: outcomes.map(|(outcome, episode)| !outcome.terminated && episode.is_some()),
            successors: Tensor::from_storage(shape, successors),
        }
    }

    /// Observes each environment.
    fn observe(&mut self) {
        let size = observation_size::<E>();
        let observations = self.observations.as_mut_slice();
        for (index, slot) in self.slots.iter().enumerate() {
            slot.environment.observe(&mut observations[index * size..(index + 1) * size]);
        }
    }

    /// Everything needed to resume: states, generators, and unfinished episodes.
    pub fn snapshot(&self) -> Snapshot {
        let array = |(index, slot): (usize, &Slot<E>)| {
            let mut numbers = vec![slot.episode.total_reward, slot.episode.steps as f64];
            numbers.extend(words(&slot.rng.state()));
            numbers.extend(slot.environment.save());
            (index.to_string(), SnapshotArray::F64(numbers))
        };
        Snapshot { numbers: Vec::new(), arrays: self.slots.iter().enumerate().map(array).collect() }
    }

    /// Restores a [snapshot](Environments::snapshot): the environments continue bit for bit as they would have.
    ///
    /// # Errors
    /// If the snapshot is for another number or kind of environments. Nothing changes then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotMismatch> {
        let saved = snapshot.arrays.len();
        if saved != N {
            return Err(SnapshotMismatch::new(format!("there are {N} environments, and {saved} were saved")));
        }
        let mut slots = self.slots.clone();
        for (index, slot) in slots.iter_mut().enumerate() {
            let array = snapshot.arrays.iter().find(|(name, _)| *name == index.to_string());
            let Some((_, SnapshotArray::F64(numbers))) = array else {
                return Err(SnapshotMismatch::new(format!("environment {index} was not saved")));
            };
            let (head, state) = numbers.split_at(numbers.len().min(2 + WORDS));
            let (&[total_reward, steps, ref words @ ..], true) = (head, head.len() == 2 + WORDS) else {
                return Err(SnapshotMismatch::new(format!("what was saved of environment {index} is too short")));
            };
            slot.episode = Episode { total_reward, steps: steps as usize };
            slot.rng = Generator::from_state(&state_of(words));
            slot.environment.restore(state)?;
        }
        self.slots = slots;
        self.finished.clear();
        self.observe();
        Ok(())
    }
}

/// The number of 32-bit words in the state of a generator; an f64 holds each exactly.
const WORDS: usize = 14;

fn words(state: &GeneratorState) -> impl Iterator<Item = f64> + use<> {
    let seed: [u32; 8] = std::array::from_fn(|i| {
        let bytes: [u8; 4] = std::array::from_fn(|byte| state.seed[4 * i + byte]);
        u32::from_le_bytes(bytes)
    });
    let (stream, position) = (state.stream, state.position);
    let stream = (0..2).map(move |i| (stream >> (32 * i)) as u32);
    let position = (0..4).map(move |i| (position >> (32 * i)) as u32);
    seed.into_iter().chain(stream).chain(position).map(f64::from)
}

/// The reverse of [`words`].
fn state_of(words: &[f64]) -> GeneratorState {
    let mut seed = [0; 32];
    for (bytes, &word) in seed.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&(word as u32).to_le_bytes());
    }
    let join = |words: &[f64]| words.iter().rev().fold(0_u128, |sum, &word| (sum << 32) | u128::from(word as u32));
    GeneratorState { seed, stream: join(&words[8..10]) as u64, position: join(&words[10..14]) }
}

impl<E: Environment> Slot<E> {
    /// Takes an action, observes, and begins the next episode if this one ended. Returns the ended episode.
    fn step(
        &mut self,
        action: E::Action,
        limit: Option<usize>,
        successor: &mut [f32],
        observation: &mut [f32],
    ) -> (Outcome, Option<Episode>) {
        let outcome = self.environment.step(action, &mut self.rng);
        self.episode.total_reward += outcome.reward;
        self.episode.steps += 1;
        self.environment.observe(successor);
        if !outcome.terminated && limit.is_none_or(|limit| self.episode.steps < limit) {
            observation.copy_from_slice(successor);
            return (outcome, None);
        }
        self.environment.reset(&mut self.rng);
        self.environment.observe(observation);
        (outcome, Some(std::mem::take(&mut self.episode)))
    }
}

/// Lets an agent play one episode in each of `N` environments and returns their total rewards.
///
/// Every environment plays its first episode to the end, so short episodes are not favoured, as they would be among the
/// first `N` to end.
///
/// ```
/// use taut::prelude::*;
/// use taut::rl::{CartPole, Discrete, evaluate};
/// // push towards the side to which the pole is falling
/// let balance = |seen: Tensor<Rank2<100, 4>>| {
///     std::array::from_fn(|i| Discrete::new(usize::from(seen[[i, 2]] + seen[[i, 3]] > 0.0)))
/// };
/// let returns: [f64; 100] = evaluate::<CartPole, 100>(0, balance);
/// assert!(returns.iter().sum::<f64>() / 100.0 > 150.0);
/// ```
pub fn evaluate<E: Environment, const N: usize>(
    seed: u64,
    mut agent: impl FnMut(Observations<E, N>) -> [E::Action; N],
) -> [f64; N] {
    let mut environments = Environments::<E, N>::new(seed);
    let mut returns = [0.0; N];
    let mut playing = [true; N];
    while playing.contains(&true) {
        let step = environments.step(&agent(environments.observations()));
        for index in 0..N {
            if playing[index] {
                returns[index] += f64::from(step.rewards[index]);
                playing[index] = !step.done(index);
            }
        }
    }
    returns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rl::{Action, CartPole, Discrete, Pendulum};

    /// Takes random steps and returns all outcomes, as bits.
    fn run<const N: usize>(
        environments: &mut Environments<CartPole, N>,
        steps: usize,
        rng: &mut Generator,
    ) -> Vec<u32> {
        let mut bits = Vec::new();
        for _ in 0..steps {
            let step = environments.step(&std::array::from_fn(|_| Discrete::random(rng)));
            bits.extend(step.successors.iter().chain(step.rewards).map(f32::to_bits));
            bits.extend(environments.observations().iter().map(f32::to_bits));
            bits.extend(step.terminated.map(u32::from));
        }
        bits
    }

    #[test]
    fn threads_and_company_do_not_change_a_bit() {
        let alone = run(&mut Environments::<CartPole, 5>::new(3), 200, &mut Generator::new(0));
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut environments = Environments::<CartPole, 5>::new(3).with_threads();
            assert!(alone == pool.install(|| run(&mut environments, 200, &mut Generator::new(0))));
        }
        assert!(alone != run(&mut Environments::<CartPole, 5>::new(4), 200, &mut Generator::new(0)));
        // the first environments do not depend on how many others there are
        let (few, many) = (Environments::<CartPole, 2>::new(3), Environments::<CartPole, 5>::new(3));
        assert_eq!(few.observations().as_slice(), &many.observations().as_slice()[..8]);
    }

    #[test]
    fn a_time_limit_truncates_and_does_not_terminate() {
        let mut environments = Environments::<Pendulum, 3>::new(0);
        for step in 1..=400 {
            let outcome = environments.step(&[[0.0]; 3]);
            assert_eq!(outcome.terminated, [false; 3]);
            assert_eq!(outcome.truncated, [step % 200 == 0; 3]);
            // the last observation is kept, although the next episode has begun
            assert_eq!(outcome.successors == environments.observations(), step % 200 != 0);
        }
        assert!(environments.finished().all(|episode| episode.steps == 200 && episode.total_reward < 0.0));
        let mut environments = Environments::<Pendulum, 1>::new(0).with_time_limit(Some(7));
        (0..21).for_each(|_| drop(environments.step(&[[0.0]])));
        assert_eq!(environments.finished().map(|episode| episode.steps).collect::<Vec<_>>(), [7; 3]);
    }

    #[test]
    fn a_pole_that_falls_in_the_last_step_terminates() {
        // pushed to one side only, it falls after 8 to 10 steps
        let mut environments = Environments::<CartPole, 1>::new(0);
        let falls = loop {
            let step = environments.step(&[Discrete::new(0)]);
            if step.terminated[0] {
                break environments.finished().next().unwrap().steps;
            }
        };
        let mut limited = Environments::<CartPole, 1>::new(0).with_time_limit(Some(falls));
        let last = (0..falls).map(|_| limited.step(&[Discrete::new(0)])).last().unwrap();
        assert_eq!((last.terminated, last.truncated), ([true], [false]));
        let mut limited = Environments::<CartPole, 1>::new(0).with_time_limit(Some(falls - 1));
        let last = (0..falls - 1).map(|_| limited.step(&[Discrete::new(0)])).last().unwrap();
        assert_eq!((last.terminated, last.truncated), ([false], [true]));
    }

    #[test]
    fn restored_environments_go_on_bit_by_bit() {
        let mut rng = Generator::new(1);
        let mut environments = Environments::<CartPole, 3>::new(5);
        run(&mut environments, 37, &mut rng);
        let snapshot = environments.snapshot();
        let mut resumed = Environments::<CartPole, 3>::new(99);
        resumed.restore(&snapshot).unwrap();
        let mut same = rng.clone();
        assert!(run(&mut environments, 100, &mut rng) == run(&mut resumed, 100, &mut same));
        environments.finished.truncate(0);

        let wrong = Environments::<CartPole, 2>::new(0).restore(&snapshot).unwrap_err();
        assert_eq!(wrong.to_string(), "there are 2 environments, and 3 were saved");
        let wrong = Environments::<Pendulum, 3>::new(0).restore(&snapshot).unwrap_err();
        assert_eq!(wrong.to_string(), "a state of this environment has 2 numbers, and 4 were saved");
        let mut short = snapshot;
        short.arrays[1].1 = SnapshotArray::F64(vec![1.0, 2.0]);
        let wrong = Environments::<CartPole, 3>::new(0).restore(&short).unwrap_err();
        assert_eq!(wrong.to_string(), "what was saved of environment 1 is too short");
    }

    #[test]
    fn the_words_of_a_generator_are_its_state() {
        let state = GeneratorState {
            seed: std::array::from_fn(|i| (200 + 7 * i) as u8),
            stream: 0xFEDC_BA98_7654_3210,
            position: 0xF_0123_4567_89AB_CDEF,
        };
        let words: Vec<f64> = words(&state).collect();
        assert_eq!(words.len(), WORDS);
        assert_eq!(state_of(&words), state);
    }
}
