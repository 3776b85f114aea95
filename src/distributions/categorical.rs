//! The categorical distribution: one of N classes.
//!
//! log p(k) = z_k - log sum_j e^z_j, for scores z; the entropy is -sum_k p(k) log p(k).

use crate::shape::Dim;
use crate::tensor::{Float, Tensor, unit};
use crate::trace::{NoTrace, Trace};
use rand::Rng;

/// A batch of `B` distributions over `N` classes. See [`distributions`](super).
#[derive(Clone, Debug)]
pub struct Categorical<B: Dim, N: Dim, E: Float = f32, T: Trace = NoTrace> {
    /// Normalised: the logarithms of the probabilities.
    log_probabilities: Tensor<(B, N), E, T>,
}

impl<B: Dim, N: Dim, E: Float, T: Trace> Categorical<B, N, E, T> {
    /// The distributions with probabilities proportional to the exponentials of `logits`. A logit of minus infinity
    /// makes a class impossible.
    #[track_caller]
    pub fn new(logits: Tensor<(B, N), E, T>) -> Self {
        Categorical { log_probabilities: logits.log_softmax::<1>() }
    }

    /// The logarithm of each class's probability.
    pub fn log_probabilities(&self) -> &Tensor<(B, N), E, T> {
        &self.log_probabilities
    }

    /// The logarithm of the probability of one class of each distribution.
    ///
    /// # Panics
    /// If an index is not that of a class, or the batches differ.
    ///
    /// ```
    /// use taut::distributions::Categorical;
    /// use taut::prelude::*;
    /// let even = Categorical::new(Tensor::<Rank2<2, 4>>::zeros());
    /// let log_probability = even.log_probability(&Tensor::from([0, 3]));
    /// assert!(log_probability.is_close(&Tensor::full(-4.0_f32.ln()), 1e-6, 0.0));
    /// ```
    #[doc(alias = "log_prob")]
    #[track_caller]
    pub fn log_probability(&self, classes: &Tensor<(B,), usize>) -> Tensor<(B,), E, T> {
        self.log_probabilities.clone().pick::<1>(classes)
    }

    /// The entropy of each distribution, in nats.
    pub fn entropy(&self) -> Tensor<(B,), E, T> {
        // 0 log 0 is 0, not 0 times minus infinity; e to the power of this is 0 even in f64
        let finite = self.log_probabilities.clone().clamp_min(E::of(-1e4));
        -(self.log_probabilities.clone().exp() * finite).sum_axis::<1>()
    }

    /// A class drawn from each distribution.
    ///
    /// # Panics
    /// If there are no classes.
    #[track_caller]
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Tensor<(B,), usize> {
        let (batch, classes) = self.log_probabilities.shape();
        assert!(classes.size() > 0, "sample: a categorical distribution has at least one class");
        let mut rows = self.log_probabilities.as_slice().chunks_exact(classes.size());
        Tensor::from_fn_with((batch,), |_| draw(rows.next().unwrap_or_default(), unit(rng)))
    }

    /// The most likely class of each distribution, the first one if there is a tie.
    pub fn mode(&self) -> Tensor<(B,), usize> {
        self.log_probabilities.argmax_axis::<1>()
    }
}

/// The class at which the sum of the probabilities exceeds `u`.
fn draw<E: Float>(log_probabilities: &[E], u: f64) -> usize {
    let (mut sum, mut last) = (0.0, 0);
    for (class, log_probability) in log_probabilities.iter().enumerate() {
        let probability = log_probability.as_f64().exp();
        sum += probability;
        if u < sum {
            return class;
        }
        // if rounding keeps the sum below u, the last possible class
        if probability > 0.0 {
            last = class;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut rng = StdRng::seed_from_u64(0);
        let logits = Tensor::<(usize, Const<4>), f64>::normal_with((3, Const), 0.0, 2.0, &mut rng);
        let classes = Tensor::from(vec![2, 0, 3]);
        check_gradients(|x| Categorical::new(x).log_probability(&classes), logits.clone()).unwrap();
        check_gradients(|x| Categorical::new(x).entropy(), logits).unwrap();
    }

    #[test]
    fn classes_are_drawn_as_often_as_they_are_likely() {
        let mut rng = StdRng::seed_from_u64(1);
        let probabilities = [0.5_f32, 0.2, 0.0, 0.3];
        let logits = Tensor::<Rank2<1000, 4>>::from_fn(|[_, class]| probabilities[class].ln());
        let mut counts = [0; 4];
        let policy = Categorical::new(logits);
        for _ in 0..20 {
            policy.sample(&mut rng).iter().for_each(|class| counts[class] += 1);
        }
        for (count, probability) in counts.into_iter().zip(probabilities) {
            // of 20,000 draws; five standard deviations
            let deviation = (20_000.0 * probability * (1.0 - probability)).sqrt();
            assert!((count as f32 - 20_000.0 * probability).abs() <= 5.0 * deviation, "{counts:?}");
        }
        assert_eq!(policy.mode().as_slice(), [0; 1000]);
    }

    #[test]
    fn what_is_impossible_is_never_drawn_and_adds_no_entropy() {
        let logits = Tensor::from([[f32::NEG_INFINITY, 0.0, 0.0, f32::NEG_INFINITY]]);
        let policy = Categorical::new(logits);
        assert!((policy.entropy().as_slice()[0] - 2.0_f32.ln()).abs() < 1e-6);
        let logits = Tensor::from([[f32::NEG_INFINITY, 1.0, -1.0, f32::NEG_INFINITY]]);
        let tape = Tape::inference();
        let scores = tape.watch(logits);
        let gradient = (Categorical::new(scores.clone()).entropy().sum() * 100.0).backward().of_input(&scores);
        assert!(gradient.iter().all(f32::is_finite) && gradient[[0, 1]] < 0.0, "{gradient}");
        for u in [0.0, 0.499_999, 0.5, 0.999_999_999_999, 1.0] {
            assert!([1, 2].contains(&draw(policy.log_probabilities().as_slice(), u)), "{u}");
        }
    }
}
