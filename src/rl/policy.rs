//! The last layer of a network that chooses actions.

use super::environment::{Action, Discrete};
use crate::distributions::{Categorical, Gaussian};
use crate::nn::{Init, Module};
use crate::params::{Param, Parameters};
use crate::shape::{Const, Dim, Rank1, Rank2};
use crate::tensor::Tensor;
use crate::trace::{NoTrace, Trace};
use rand::Rng;

/// A distribution over the actions in each of `B` environments: what policy gradient methods need.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not choose actions of the type `{A}`",
    note = "a network ends with `CategoricalPolicy` for actions `Discrete<N>`, and with `GaussianPolicy<N>` for `[f32; \
            N]`"
)]
pub trait Policy<A, const B: usize, T: Trace = NoTrace> {
    /// An action drawn for each environment.
    fn act<R: Rng + ?Sized>(&self, rng: &mut R) -> [A; B];
    /// The most likely action in each environment.
    fn best(&self) -> [A; B];
    /// The logarithm of the probability (or density) of an action in each environment.
    fn log_probability_of(&self, actions: &[A; B]) -> Tensor<Rank1<B>, f32, T>;
    /// The entropy of each distribution.
    fn entropy(&self) -> Tensor<Rank1<B>, f32, T>;
}

impl<const B: usize, const N: usize, T: Trace> Policy<Discrete<N>, B, T> for Categorical<Const<B>, Const<N>, f32, T> {
    fn act<R: Rng + ?Sized>(&self, rng: &mut R) -> [Discrete<N>; B] {
        actions(&self.sample(rng))
    }
    fn best(&self) -> [Discrete<N>; B] {
        Discrete::best(self.log_probabilities())
    }
    fn log_probability_of(&self, actions: &[Discrete<N>; B]) -> Tensor<Rank1<B>, f32, T> {
        self.log_probability(&Discrete::tensor(actions))
    }
    fn entropy(&self) -> Tensor<Rank1<B>, f32, T> {
        self.entropy()
    }
}

fn actions<const B: usize, const N: usize>(drawn: &Tensor<Rank1<B>, usize>) -> [Discrete<N>; B] {
    std::array::from_fn(|i| Discrete::new(drawn.as_slice()[i]))
}

impl<const B: usize, const N: usize, T: Trace> Policy<[f32; N], B, T> for Gaussian<Const<B>, Const<N>, f32, T> {
    fn act<R: Rng + ?Sized>(&self, rng: &mut R) -> [[f32; N]; B] {
        rows(&self.sample(rng))
    }
    fn best(&self) -> [[f32; N]; B] {
        rows(&self.mean().detach())
    }
    fn log_probability_of(&self, actions: &[[f32; N]; B]) -> Tensor<Rank1<B>, f32, T> {
        self.log_probability(&Tensor::<Rank2<B, N>>::from_fn(|[i, number]| actions[i][number]))
    }
    fn entropy(&self) -> Tensor<Rank1<B>, f32, T> {
        self.entropy()
    }
}

fn rows<const B: usize, const N: usize>(numbers: &Tensor<Rank2<B, N>>) -> [[f32; N]; B] {
    std::array::from_fn(|i| <[f32; N]>::read(&numbers.as_slice()[i * N..(i + 1) * N]))
}

/// The last layer of a network with a score for each discrete action: turns scores into a [`Categorical`].
///
/// ```
/// use taut::prelude::*;
/// use taut::rl::{CartPole, CategoricalPolicy, Environments, Policy};
/// type Actor = (Linear<4, 64>, Tanh, Linear<64, 2>, CategoricalPolicy);
/// let mut rng = StdRng::seed_from_u64(0);
/// let actor = Actor::init(&mut rng);
/// let mut environments = Environments::<CartPole, 8>::new(0);
/// let actions = actor.forward(environments.observations()).act(&mut rng);
/// environments.step(&actions);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Init, Parameters)]
pub struct CategoricalPolicy;

impl<B: Dim, N: Dim, T: Trace> Module<Tensor<(B, N), f32, T>> for CategoricalPolicy {
    type Output = Categorical<B, N, f32, T>;
    fn apply(&self, logits: Tensor<(B, N), f32, T>) -> Self::Output {
        Categorical::new(logits)
    }
}

/// The last layer of a network with a mean for each of `N` numbers of a continuous action: turns means into a
/// [`Gaussian`] whose standard deviations are parameters, independent of the observation.
#[derive(Clone, Debug, Parameters)]
pub struct GaussianPolicy<const N: usize> {
    /// The logarithms of the standard deviations.
    pub log_deviation: Param<Rank1<N>>,
}

/// All standard deviations are 1.
impl<const N: usize> Init for GaussianPolicy<N> {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        GaussianPolicy { log_deviation: Param::new(Tensor::zeros()) }
    }
}

impl<B: Dim, const N: usize, T: Trace> Module<Tensor<(B, Const<N>), f32, T>> for GaussianPolicy<N> {
    type Output = Gaussian<B, Const<N>, f32, T>;
    fn apply(&self, mean: Tensor<(B, Const<N>), f32, T>) -> Self::Output {
        let log_deviation = self.log_deviation.on(&mean).broadcast_axis::<0, _>(mean.shape().0);
        Gaussian::new(mean, log_deviation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn a_policy_gives_the_numbers_of_its_distribution() {
        let mut rng = StdRng::seed_from_u64(0);
        let logits = Tensor::<Rank2<5, 3>>::randn(&mut rng);
        let policy = CategoricalPolicy.forward(logits.clone());
        let drawn: [Discrete<3>; 5] = policy.act(&mut rng);
        let expected = logits.clone().log_softmax::<1>();
        for (i, log_probability) in policy.log_probability_of(&drawn).iter().enumerate() {
            assert_eq!(log_probability, expected[[i, drawn[i].index()]]);
        }
        assert_eq!(policy.best(), Discrete::best(&logits));
    }

    #[test]
    fn deviations_learn_too() {
        let mut rng = StdRng::seed_from_u64(0);
        let mut policy = GaussianPolicy::<2>::init(&mut rng);
        let mut optimizer = Adam::new(AdamConfig { learning_rate: 0.05, ..Default::default() });
        // the actions to imitate have deviations of 0.5 and 2
        for _ in 0..200 {
            let actions: [[f32; 2]; 64] = std::array::from_fn(|_| {
                let [a, b] = <[f32; 2]>::random(&mut rng);
                [0.5 * a, 2.0 * b]
            });
            let tape = Tape::training(&mut rng);
            let now = policy.forward(tape.trace(Tensor::<Rank2<64, 2>>::zeros()));
            let loss = -now.log_probability_of(&actions).mean();
            optimizer.step(&mut policy, &loss.backward());
        }
        let found = policy.log_deviation.value().clone().exp().to_array();
        assert!((found[0] - 0.5).abs() < 0.1 && (found[1] - 2.0).abs() < 0.4, "{found:?}");
    }
}
