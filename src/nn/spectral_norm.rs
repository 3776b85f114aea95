//! Spectral normalisation.

use super::weighted::{Weighted, WithWeight};
use super::{Init, Module};
use crate::params::{Buffer, Parameters};
use crate::shape::Shape;
use crate::tensor::{Element, Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// A layer whose weight is divided by its largest singular value sigma, so that as a linear map it lengthens no vector
/// (for a convolution: its weight as a matrix of O rows; for an embedding: no difference of two rows is longer than
/// sqrt(2)).
///
/// sigma = u^T W v, where each run on a training tape makes one round of power iteration, which moves u and v towards
/// the singular vectors:
///
/// u <- W v / |W v|, v <- W^T u / |W^T u|
///
/// Gradients flow through sigma to W, not to u and v. The new u and v leave the tape with the gradients, like the
/// running statistics of batch norm, and the optimizer's step applies them; where the layer is [frozen](super::Frozen),
/// u and v are unchanged. In inference, sigma is computed with the current u and v.
///
/// | | shape |
/// | --- | --- |
/// | `layer.weight` W | (O, ..), as a matrix of O rows; of a transposed convolution, the second axis makes the rows |
/// | `u`, `v` | (O), and as many as W has columns |
///
/// `init` does fifteen rounds, as PyTorch's `nn.utils.parametrizations.spectral_norm` does. Miyato, Kataoka, Koyama
/// and Yoshida, "Spectral Normalization for Generative Adversarial Networks", 2018.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut layer = Linear::<2, 2>::init(&mut rng);
/// *layer.weight.value_mut() = Tensor::from([[4.0, 0.0], [0.0, 1.0]]);
/// *layer.bias.value_mut() = Tensor::zeros();
/// let y = SpectralNorm::new(layer, &mut rng).forward(Tensor::from([1.0, 1.0])).to_array();
/// assert!((y[0] - 1.0).abs() < 1e-6 && (y[1] - 0.25).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct SpectralNorm<M: Weighted> {
    /// The layer, with the weight that is trained.
    pub layer: M,
    /// The left singular vector, (O)
    pub u: Buffer<(usize,), M::Element>,
    /// The right singular vector.
    pub v: Buffer<(usize,), M::Element>,
}

/// The number of rounds for the initial u and v.
const FIRST_ROUNDS: usize = 15;

type Vector<E> = Tensor<(usize,), E>;
type Matrix<E> = Tensor<(usize, usize), E>;

impl<M: Weighted> SpectralNorm<M> {
    /// Normalises this layer.
    pub fn new<R: Rng + ?Sized>(layer: M, rng: &mut R) -> Self {
        let matrix = M::matrix(layer.weight().value().clone());
        let shape = matrix.shape();
        let (zero, one) = (M::Element::of(0.0), M::Element::of(1.0));
        let mut u = unit(Tensor::normal_with((shape.0,), zero, one, rng));
        let mut v = unit(Tensor::normal_with((shape.1,), zero, one, rng));
        for _ in 0..FIRST_ROUNDS {
            (u, v) = round(&matrix, v);
        }
        SpectralNorm { layer, u: Buffer::new(u), v: Buffer::new(v) }
    }

    /// W / sigma, as inference uses it.
    #[cfg(feature = "onnx")]
    pub(crate) fn weight_in_use(&self) -> Tensor<M::Weight, M::Element> {
        let weight = self.layer.weight().value().clone();
        let sigma = M::matrix(weight.clone()).matmul(self.v.value().clone()).dot(self.u.value().clone());
        weight / sigma.item()
    }
}

/// x / |x|, without division by zero.
fn unit<E: Float>(x: Vector<E>) -> Vector<E> {
    let length = x.clone().dot(x.clone()).item().sqrt().max(E::of(1e-12));
    x / length
}

fn round<E: Float>(matrix: &Matrix<E>, v: Vector<E>) -> (Vector<E>, Vector<E>) {
    let u = unit(matrix.clone().matmul(v));
    let v = unit(u.clone().matmul(matrix.clone()));
    (u, v)
}

impl<M: Weighted + Init> Init for SpectralNorm<M> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let layer = M::init(rng);
        Self::new(layer, rng)
    }
}

impl<S: Shape, K: Element, T: Trace, M: WithWeight<S, K, T>> Module<Tensor<S, K, T>> for SpectralNorm<M> {
    type Output = M::Output;
    fn apply(&self, x: Tensor<S, K, T>) -> Self::Output {
        // as left by earlier runs on this tape
        let (mut u, mut v) = (self.u.value_on(&x), self.v.value_on(&x));
        if T::TRAINING {
            (u, v) = round(&M::matrix(self.layer.weight().value().clone()), v);
            self.u.update_on(&x, u.clone());
            self.v.update_on(&x, v.clone());
        }
        let weight = self.layer.weight().on(&x);
        let product = M::matrix(weight.clone()).matmul(v.on(&x));
        let sigma = product.dot(u.on(&x));
        let sigma = sigma.broadcast_axis::<0, usize>(weight.count()).reshape_with(weight.shape());
        self.layer.run_with(x, weight / sigma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    type Critic = (SpectralNorm<Conv2d<2, 3, 3, 1, 0, 1, f64>>, LeakyRelu, Flatten, SpectralNorm<Linear<12, 1, f64>>);

    fn x() -> Tensor<Rank4<5, 2, 4, 4>, f64> {
        Tensor::randn(&mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let critic = Critic::init(&mut StdRng::seed_from_u64(0));
        check_gradients(|x| critic.forward(x), x()).unwrap();
        // in training u and v follow the weight, which is not differentiated: those gradients are compared with
        // PyTorch's
        check_parameter_gradients(&critic, |critic, tape| eval(critic).forward(tape.trace(x()))).unwrap();
    }

    #[test]
    fn after_many_rounds_no_vector_is_lengthened() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut layer = SpectralNorm::new(Linear::<6, 5, f64, NoBias>::init(&mut rng), &mut rng);
        for _ in 0..200 {
            let tape = Tape::training(&mut rng);
            let gradients = layer.forward(tape.trace(Tensor::<Rank2<1, 6>, f64>::ones())).sum().backward();
            Sgd::new(SgdConfig { learning_rate: 0.0, ..Default::default() }).step(&mut layer, &gradients);
        }
        let mut longest: f64 = 0.0;
        let length = |x: &Tensor<Rank1<6>, f64>| x.clone().dot(x.clone()).item().sqrt();
        for _ in 0..1000 {
            let x = Tensor::<Rank1<6>, f64>::randn(&mut rng);
            let y = layer.forward(x.clone());
            longest = longest.max(y.clone().dot(y).item().sqrt() / length(&x));
        }
        assert!(longest <= 1.0 + 1e-9 && longest > 0.8, "{longest}");
        let v = Tensor::<Rank1<6>, f64>::from_fn(|[i]| layer.v.value()[[i]]);
        let y = layer.forward(v.clone());
        assert!((y.clone().dot(y).item().sqrt() - 1.0).abs() < 1e-9, "v is what is lengthened most");
    }

    /// Without `frozen`, the critic is trained against itself; with it, every bit of it is unchanged.
    #[test]
    fn a_generator_learns_through_a_frozen_critic_and_the_critic_stays() {
        let mut rng = StdRng::seed_from_u64(3);
        for freeze in [true, false] {
            let mut generator = Linear::<3, 12, f64>::init(&mut rng);
            let mut critic = SpectralNorm::<Linear<12, 3, f64>>::init(&mut rng);
            let before = (generator.clone(), critic.clone());
            let tape = Tape::training(&mut rng);
            let made = generator.forward(tape.trace(Tensor::<Rank2<4, 3>, f64>::ones()));
            let scores = if freeze { frozen(&critic).forward(made) } else { critic.forward(made) };
            let gradients = (-scores.mean()).backward();
            assert_eq!(gradients.unreached(&generator), [""; 0]);
            assert_eq!(gradients.try_of(&critic.layer.weight).is_none(), freeze);
            let mut optimizer = Adam::new(AdamConfig::default());
            optimizer.step(&mut generator, &gradients);
            assert!(generator.distance_to(&before.0) > 0.0);
            if !freeze {
                // the optimizer of both would have moved it
                Sgd::new(SgdConfig { learning_rate: 1.0, ..Default::default() }).step(&mut critic, &gradients);
            }
            assert_eq!(critic.distance_to(&before.1) == 0.0, freeze);
            assert_eq!(critic.u.value() == before.1.u.value() && critic.v.value() == before.1.v.value(), freeze);
        }
    }

    #[test]
    fn its_vectors_are_saved() {
        let path = std::env::temp_dir().join(format!("taut-spectral-{}", std::process::id()));
        let critic = Critic::init(&mut StdRng::seed_from_u64(0));
        critic.save(&path).unwrap();
        assert_eq!(Critic::load(&path).unwrap().forward(x()), critic.forward(x()));
        std::fs::remove_file(&path).unwrap();
    }
}
