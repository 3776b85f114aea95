//! Generalised advantages: how much better things went than the critic expected.
//!
//! delta_t = r_t + gamma V(s'_t) - V(s_t), where V(s'_t) is 0 if the episode terminated;
//!
//! A_t = delta_t + gamma lambda A_t+1, where A_t+1 is 0 if the episode ended, by termination or truncation.
//!
//! With lambda = 1 the advantage is the discounted sum of the rewards to come, minus V(s_t); with lambda = 0 only the
//! next reward is trusted. Schulman, Moritz, Levine, Jordan and Abbeel, "High-Dimensional Continuous Control Using
//! Generalized Advantage Estimation", 2016.

use super::environment::Environment;
use super::vectorized::Outcomes;
use crate::numbers::range::{expect, part};

/// One step of a rollout in `N` environments, with the critic's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RolloutStep<const N: usize> {
    /// The reward of each action.
    pub rewards: [f32; N],
    /// The value of the observation before the step.
    pub values: [f32; N],
    /// The value of the observation after the step, before any reset. Ignored where the episode terminated.
    pub successor_values: [f32; N],
    /// Whether the episode ended by the rules of the environment.
    pub terminated: [bool; N],
    /// Whether it was cut off.
    pub truncated: [bool; N],
}

impl<const N: usize> RolloutStep<N> {
    /// A step, with the values of the observations before and after it.
    pub fn new<E: Environment>(step: &Outcomes<E, N>, values: [f32; N], successor_values: [f32; N]) -> Self {
        let &Outcomes { rewards, terminated, truncated, .. } = step;
        RolloutStep { rewards, values, successor_values, terminated, truncated }
    }
}

/// The generalised advantage of each action in consecutive steps. The target of the critic is advantage + value.
///
/// ```
/// use taut::rl::{RolloutStep, advantages};
/// let step = |reward, terminated| RolloutStep {
///     rewards: [reward],
///     values: [0.0],
///     successor_values: [0.0],
///     terminated: [terminated],
///     truncated: [false],
/// };
/// let found = advantages(&[step(0.0, false), step(0.0, false), step(1.0, true)], 0.5, 1.0);
/// assert_eq!(found, [[0.25], [0.5], [1.0]]);
/// ```
///
/// # Panics
/// If `discount` or `lambda` is not from 0 to 1.
#[doc(alias = "gae")]
#[track_caller]
pub fn advantages<const N: usize>(steps: &[RolloutStep<N>], discount: f32, lambda: f32) -> Vec<[f32; N]> {
    let name = "advantages";
    expect(part(name, "discount", discount.into()).and_then(|()| part(name, "lambda", lambda.into())));
    let mut advantages = vec![[0.0; N]; steps.len()];
    let mut next = [0.0; N];
    for (step, advantage) in steps.iter().zip(&mut advantages).rev() {
        *advantage = std::array::from_fn(|i| {
            let ahead = if step.terminated[i] { 0.0 } else { discount * step.successor_values[i] };
            let delta = step.rewards[i] + ahead - step.values[i];
            let ended = step.terminated[i] || step.truncated[i];
            if ended { delta } else { delta + discount * lambda * next[i] }
        });
        next = *advantage;
    }
    advantages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;
    use crate::rl::environment::below;

    /// The definition: a sum over all later steps of the episode, with weights (gamma lambda)^k.
    fn by_definition(steps: &[RolloutStep<2>], i: usize, t: usize, discount: f32, lambda: f32) -> f32 {
        let (mut sum, mut weight) = (0.0, 1.0);
        for step in &steps[t..] {
            let ahead = if step.terminated[i] { 0.0 } else { step.successor_values[i] };
            sum += weight * (step.rewards[i] + discount * ahead - step.values[i]);
            weight *= discount * lambda;
            if step.terminated[i] || step.truncated[i] {
                break;
            }
        }
        sum
    }

    #[test]
    fn they_are_as_defined_across_the_ends_of_episodes() {
        let mut rng = StdRng::seed_from_u64(0);
        for length in [1, 2, 17, 60] {
            let mut step = || {
                let mut numbers = || Tensor::<Rank1<2>>::randn(&mut rng).to_array();
                let (rewards, values, successor_values) = (numbers(), numbers(), numbers());
                let end: [usize; 2] = std::array::from_fn(|_| below(10, &mut rng));
                let (terminated, truncated) = (end.map(|end| end == 0), end.map(|end| end == 1));
                RolloutStep { rewards, values, successor_values, terminated, truncated }
            };
            let steps: Vec<_> = (0..length).map(|_| step()).collect();
            for (discount, lambda) in [(0.99, 0.95), (0.9, 1.0), (0.5, 0.0), (1.0, 1.0)] {
                for (t, found) in advantages(&steps, discount, lambda).into_iter().enumerate() {
                    for (i, found) in found.into_iter().enumerate() {
                        let expected = by_definition(&steps, i, t, discount, lambda);
                        assert!((found - expected).abs() < 1e-4, "step {t} of {length}: {found}, not {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn truncation_counts_the_value_of_what_would_have_followed_and_termination_does_not() {
        let step = |terminated, truncated| RolloutStep {
            rewards: [1.0],
            values: [0.0],
            successor_values: [10.0],
            terminated: [terminated],
            truncated: [truncated],
        };
        assert_eq!(advantages(&[step(true, false)], 0.9, 0.95), [[1.0]]);
        assert_eq!(advantages(&[step(false, true)], 0.9, 0.95), [[10.0]]);
    }
}
