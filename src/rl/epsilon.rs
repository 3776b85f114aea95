//! Epsilon-greedy exploration.

use super::environment::{Action, Discrete};
use crate::numbers::range::{expect, part};
use rand::Rng;

/// The probability of a random action: it falls linearly from `first` to `last` over `steps` steps, and stays there.
///
/// ```
/// use taut::rl::EpsilonGreedy;
/// let epsilon = EpsilonGreedy { first: 1.0, last: 0.1, steps: 100 };
/// assert_eq!((epsilon.at(0), epsilon.at(50), epsilon.at(1000)), (1.0, 0.55, 0.1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct EpsilonGreedy {
    /// At step 0.
    pub first: f64,
    /// From step number `steps` on.
    pub last: f64,
    /// The number of steps of the decay.
    pub steps: usize,
}

impl EpsilonGreedy {
    /// The probability at a step, counted from 0.
    ///
    /// # Panics
    /// If `first` or `last` is not from 0 to 1.
    #[track_caller]
    pub fn at(&self, step: usize) -> f64 {
        expect(part("EpsilonGreedy", "first", self.first).and_then(|()| part("EpsilonGreedy", "last", self.last)));
        if step >= self.steps {
            return self.last;
        }
        self.first + (self.last - self.first) * (step as f64 / self.steps as f64)
    }

    /// Replaces each action with a random one, with the probability at this step.
    ///
    /// # Panics
    /// As [`at`](Self::at).
    #[track_caller]
    pub fn explore<const N: usize, const B: usize, R: Rng + ?Sized>(
        &self,
        actions: &mut [Discrete<N>; B],
        step: usize,
        rng: &mut R,
    ) {
        let probability = self.at(step);
        for action in actions {
            if crate::tensor::unit(rng) < probability {
                *action = Discrete::random(rng);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn actions_are_replaced_as_often_as_said() {
        let mut rng = StdRng::seed_from_u64(0);
        let epsilon = EpsilonGreedy { first: 1.0, last: 0.0, steps: 10 };
        let mut changed = |step| {
            let mut actions = [Discrete::<2>::new(0); 2000];
            epsilon.explore(&mut actions, step, &mut rng);
            actions.iter().filter(|action| action.index() == 1).count()
        };
        // half of the random actions are the same as before
        assert!((900..1100).contains(&changed(0)));
        assert!((400..600).contains(&changed(5)));
        assert_eq!(changed(10), 0);
        assert_eq!(EpsilonGreedy { first: 1.0, last: 0.5, steps: 0 }.at(0), 0.5);
    }
}
