//! Environments and actions.

use crate::distributions::Categorical;
use crate::optim::SnapshotMismatch;
use crate::shape::{Const, Dim, InsertAxis, Rank1, StaticShape};
use crate::tensor::Tensor;
use crate::trace::Trace;
use rand::Rng;
use std::fmt::Debug;

/// A world in which an agent acts, step by step, until an episode ends.
///
/// Observations and actions are types: the shape of an observation, and the kind of action. So a network for another
/// environment does not compile.
///
/// An environment's own rules decide when an episode is `terminated`. A limit on the number of steps is not one of its
/// rules; it is enforced by [`Environments`](super::Environments), which call that `truncated`.
///
/// ```
/// use taut::optim::SnapshotMismatch;
/// use taut::prelude::*;
/// use taut::rl::{Discrete, Environment, Outcome, saved_state};
///
/// /// Walk left or right; the episode ends at +3, which pays, or at -3.
/// #[derive(Clone, Default)]
/// struct Walk(i32);
///
/// impl Environment for Walk {
///     type Observation = Rank1<1>;
///     type Action = Discrete<2>;
///     const TIME_LIMIT: Option<usize> = Some(100);
///     fn reset<R: rand::Rng + ?Sized>(&mut self, _: &mut R) {
///         self.0 = 0;
///     }
///     fn step<R: rand::Rng + ?Sized>(&mut self, action: Discrete<2>, _: &mut R) -> Outcome {
///         self.0 += if action.index() == 1 { 1 } else { -1 };
///         Outcome { reward: if self.0 == 3 { 1.0 } else { 0.0 }, terminated: self.0.abs() == 3 }
///     }
///     fn observe(&self, observation: &mut [f32]) {
///         observation[0] = self.0 as f32;
///     }
///     fn save(&self) -> Vec<f64> {
///         vec![f64::from(self.0)]
///     }
///     fn restore(&mut self, state: &[f64]) -> Result<(), SnapshotMismatch> {
///         let [place] = saved_state(state)?;
///         self.0 = place as i32;
///         Ok(())
///     }
/// }
///
/// let mut environments = taut::rl::Environments::<Walk, 4>::new(0);
/// let step = environments.step(&[Discrete::new(1); 4]);
/// assert_eq!(step.successors.to_array(), [[1.0]; 4]);
/// ```
pub trait Environment: Clone + Default + Send + 'static {
    /// The shape of an observation.
    type Observation: StaticShape + InsertAxis<0>;
    /// The kind of action: [`Discrete<N>`](Discrete), one of N actions, or `[f32; N]`, N numbers.
    type Action: Action;
    /// The number of steps after which an episode is truncated, if at all.
    const TIME_LIMIT: Option<usize> = None;

    /// Begins an episode.
    fn reset<R: Rng + ?Sized>(&mut self, rng: &mut R);
    /// Takes an action. After `terminated` the environment must be reset.
    fn step<R: Rng + ?Sized>(&mut self, action: Self::Action, rng: &mut R) -> Outcome;
    /// Writes the current observation in row-major order.
    fn observe(&self, observation: &mut [f32]);
    /// The state, to be saved.
    fn save(&self) -> Vec<f64>;
    /// Restores a [saved](Environment::save) state; [`saved_state`] helps.
    ///
    /// # Errors
    /// If it is not a state of this environment.
    fn restore(&mut self, state: &[f64]) -> Result<(), SnapshotMismatch>;
    /// A picture of the state in plain characters, for a terminal.
    fn draw(&self) -> String {
        format!("{:?}\n", self.save())
    }
}

/// A saved state as an array, for [`Environment::restore`].
///
/// # Errors
/// If it does not have exactly `N` numbers.
pub fn saved_state<const N: usize>(state: &[f64]) -> Result<[f64; N], SnapshotMismatch> {
    let wrong = |_| format!("a state of this environment has {N} numbers, and {} were saved", state.len());
    state.try_into().map_err(wrong).map_err(SnapshotMismatch::new)
}

/// The outcome of an action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The reward.
    pub reward: f64,
    /// Whether the episode ended by the rules of the environment: no more rewards can follow.
    pub terminated: bool,
}

/// The shape of a batch of `N` observations of the environment `E`.
pub type BatchShape<E, const N: usize> = <<E as Environment>::Observation as InsertAxis<0>>::Inserted<Const<N>>;

/// `N` observations of the environment `E`.
pub type Observations<E, const N: usize, T = crate::trace::NoTrace> = Tensor<BatchShape<E, N>, f32, T>;

/// The number of outputs a network needs for an action of the environment `E`: a score for each discrete action, or a
/// mean for each number of a continuous one.
pub type ActionSize<E> = <<E as Environment>::Action as Action>::Size;

/// An action in an environment.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an action",
    note = "an action is `Discrete<N>`, one of N, or `[f32; N]`, N numbers"
)]
pub trait Action: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// The number of network outputs for an action, as a dimension.
    type Size: Dim + Default;
    /// The number of numbers in an action.
    const NUMBERS: usize;
    /// A random action: uniform if discrete, from the standard normal distribution if continuous.
    fn random<R: Rng + ?Sized>(rng: &mut R) -> Self;
    /// Writes the action as numbers.
    fn write(&self, numbers: &mut [f32]);
    /// Reads back an action from what [`write`](Action::write) wrote.
    fn read(numbers: &[f32]) -> Self;
}

/// One of `N` actions, numbered from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Discrete<const N: usize>(usize);

impl<const N: usize> Discrete<N> {
    /// The action of this number.
    ///
    /// # Panics
    /// If it is not below `N`.
    #[track_caller]
    pub fn new(index: usize) -> Self {
        assert!(index < N, "action {index} is not one of {N}, which are counted from 0");
        Discrete(index)
    }

    /// The number of the action.
    pub fn index(self) -> usize {
        self.0
    }

    /// For each row of scores, the action with the highest score, the first one if there is a tie.
    ///
    /// ```
    /// use taut::prelude::*;
    /// use taut::rl::Discrete;
    /// let actions = Discrete::best(&Tensor::from([[0.1, 0.9, 0.3], [2.0, 0.0, 0.0]]));
    /// assert_eq!(actions, [Discrete::<3>::new(1), Discrete::new(0)]);
    /// ```
    pub fn best<const B: usize, T: Trace>(scores: &Tensor<(Const<B>, Const<N>), f32, T>) -> [Self; B] {
        let scores = scores.as_slice();
        std::array::from_fn(|row| {
            let row = &scores[row * N..(row + 1) * N];
            let better = |best: usize, action: usize| if row[action] > row[best] { action } else { best };
            Discrete((1..N).fold(0, better))
        })
    }

    /// For each row of unnormalised log-probabilities, an action drawn from that distribution.
    pub fn sample<const B: usize, R: Rng + ?Sized>(logits: &Tensor<(Const<B>, Const<N>)>, rng: &mut R) -> [Self; B] {
        let drawn = Categorical::new(logits.clone()).sample(rng);
        std::array::from_fn(|row| Discrete(drawn.as_slice()[row]))
    }

    /// The actions as a tensor, to [pick](Tensor::pick) scores by.
    pub fn tensor<const B: usize>(actions: &[Self; B]) -> Tensor<(Const<B>,), usize> {
        Tensor::<Rank1<B>, usize>::from_fn(|[row]| actions[row].0)
    }
}

impl<const N: usize> Action for Discrete<N> {
    type Size = Const<N>;
    const NUMBERS: usize = 1;
    fn random<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Discrete(below(N, rng))
    }
    fn write(&self, numbers: &mut [f32]) {
        numbers[0] = self.0 as f32;
    }
    fn read(numbers: &[f32]) -> Self {
        Discrete::new(numbers[0] as usize)
    }
}

impl<const N: usize> Action for [f32; N] {
    type Size = Const<N>;
    const NUMBERS: usize = N;
    fn random<R: Rng + ?Sized>(rng: &mut R) -> Self {
        std::array::from_fn(|_| crate::tensor::normal_pair(rng)[0] as f32)
    }
    fn write(&self, numbers: &mut [f32]) {
        numbers.copy_from_slice(self);
    }
    fn read(numbers: &[f32]) -> Self {
        std::array::from_fn(|i| numbers[i])
    }
}

/// A whole number below `bound`, all equally likely up to 2^-53 or so.
pub(super) fn below<R: Rng + ?Sized>(bound: usize, rng: &mut R) -> usize {
    ((crate::tensor::unit(rng) * bound as f64) as usize).min(bound.saturating_sub(1))
}

/// A number from `low` to `high`.
pub(super) fn uniform<R: Rng + ?Sized>(low: f64, high: f64, rng: &mut R) -> f64 {
    low + (high - low) * crate::tensor::unit(rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn actions_are_written_and_read_back() {
        let mut rng = StdRng::seed_from_u64(0);
        let mut seen = [0; 3];
        for _ in 0..300 {
            let action = Discrete::<3>::random(&mut rng);
            seen[action.index()] += 1;
            let mut numbers = [0.0; 1];
            action.write(&mut numbers);
            assert_eq!(Discrete::<3>::read(&numbers), action);
            let action = <[f32; 2]>::random(&mut rng);
            let mut numbers = [0.0; 2];
            action.write(&mut numbers);
            assert_eq!(<[f32; 2]>::read(&numbers), action);
        }
        assert!(seen.iter().all(|&count| (70..130).contains(&count)), "{seen:?}");
    }

    #[test]
    #[should_panic(expected = "action 2 is not one of 2, which are counted from 0")]
    fn an_action_that_is_none_is_refused() {
        Discrete::<2>::new(2);
    }

    #[test]
    fn the_best_action_is_the_first_of_the_highest_and_never_one_that_is_no_number() {
        let scores = Tensor::from([[1.0, 1.0, 0.0], [-1.0, f32::NAN, 0.0], [f32::NEG_INFINITY; 3]]);
        assert_eq!(Discrete::best(&scores).map(Discrete::index), [0, 2, 0]);
    }
}
