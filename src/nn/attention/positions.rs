//! Positional encodings: attention sees a set of steps, and must be told their order.

use super::fit;
use crate::nn::{Init, Module};
use crate::ops::add_positions;
use crate::params::{Param, Parameters};
use crate::shape::{Const, Dim, Features, Holds, Rank2, SequenceAxes};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// Adds to step t of each sequence sines and cosines of wavelengths from 2 pi to 20,000 pi:
///
/// y_t,2i = x_t,2i + sin(t / 10000^(2i / `WIDTH`)), y_t,2i+1 = x_t,2i+1 + cos(t / 10000^(2i / `WIDTH`))
///
/// Shapes: x and y (B, L, `WIDTH`), with sequences of any length. Vaswani et al., "Attention Is All You Need",
/// 2017.
///
/// ```
/// use taut::prelude::*;
/// let y = PositionalEncoding::<4>.forward(Tensor::<Rank3<1, 3, 4>>::zeros());
/// assert_eq!(y.clone().slice(0).slice(0).to_array(), [0.0, 1.0, 0.0, 1.0]);
/// assert_eq!(y.slice(0).slice(2).to_array()[..2], [2.0_f32.sin(), 2.0_f32.cos()]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct PositionalEncoding<const WIDTH: usize>;

impl<const WIDTH: usize, X: SequenceAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for PositionalEncoding<WIDTH>
where
    X::F: Features<WIDTH>,
{
    type Output = Tensor<(X::B, X::L, X::F), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape().axes();
        let x = fit::<_, WIDTH, _, _>("PositionalEncoding", "features", x);
        let frequencies: Vec<f64> =
            (0..WIDTH).map(|place| 10_000.0_f64.powf(-((place / 2 * 2) as f64) / WIDTH as f64)).collect();
        let waves = Tensor::from_fn_with((x.shape().1, Const::<WIDTH>), |[step, place]: [usize; 2]| {
            let angle = step as f64 * frequencies[place];
            E::of(if place % 2 == 0 { angle.sin() } else { angle.cos() })
        });
        add_positions(x, waves).in_shape(shape)
    }
}

/// Adds a learned vector to step t of each sequence: y_t = x_t + p_t.
///
/// | | shape |
/// | --- | --- |
/// | x, y | (B, L, `WIDTH`), with L at most `LENGTH` |
/// | `weight` p | (`LENGTH`, `WIDTH`) |
///
/// `init` draws from the standard normal distribution, as for an [`Embedding`](crate::nn::Embedding), which is what
/// PyTorch users take for this. Gehring et al., "Convolutional Sequence to Sequence Learning", 2017.
///
/// # Panics
/// If the sequences have more than `LENGTH` steps; where the compiler knows how many, it is a compile error.
///
/// ```
/// use taut::prelude::*;
/// type Encoder = (Embedding<1000, 16>, LearnedPositionalEncoding<50, 16>);
/// let encoder = Encoder::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank3<2, 30, 16>> = encoder.forward(Tensor::<Rank2<2, 30>, usize>::zeros());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct LearnedPositionalEncoding<const LENGTH: usize, const WIDTH: usize, E: Float = f32> {
    /// p, (`LENGTH`, `WIDTH`)
    pub weight: Param<Rank2<LENGTH, WIDTH>, E>,
}

impl<const LENGTH: usize, const WIDTH: usize, E: Float> Init for LearnedPositionalEncoding<LENGTH, WIDTH, E> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        LearnedPositionalEncoding { weight: Tensor::randn(rng).into() }
    }
}

impl<const LENGTH: usize, const WIDTH: usize, X: SequenceAxes, E: Float, T: Trace> Module<Tensor<X, E, T>>
    for LearnedPositionalEncoding<LENGTH, WIDTH, E>
where
    X::L: StepsWithin<LENGTH>,
    X::F: Features<WIDTH>,
{
    type Output = Tensor<(X::B, X::L, X::F), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape().axes();
        let steps = shape.1.size();
        if steps > LENGTH {
            panic!("LearnedPositionalEncoding: sequences of {steps} steps, and {LENGTH} positions are learned");
        }
        let x = fit::<_, WIDTH, _, _>("LearnedPositionalEncoding", "features", x);
        let weight = self.weight.on(&x);
        add_positions(x, weight).in_shape(shape)
    }
}

/// Sequences of this many steps have no more than `LENGTH`. A `usize` is checked when the layer runs.
#[diagnostic::on_unimplemented(
    message = "sequences of {Self} steps, and {LENGTH} positions are learned",
    note = "give the layer as many positions as the longest sequence has steps; over 2048 the compiler does not \
            compare: such a number of steps is given as `usize`, and checked when the program runs"
)]
pub trait StepsWithin<const LENGTH: usize>: Dim {}
#[diagnostic::do_not_recommend]
impl<const MOST: usize, const STEPS: usize> StepsWithin<MOST> for Const<STEPS> where Const<MOST>: Holds<STEPS, 0> {}
impl<const LENGTH: usize> StepsWithin<LENGTH> for usize {}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn waves_are_those_of_the_paper() {
        // an odd width ends with a sine
        let y = PositionalEncoding::<5>.forward(Tensor::<Rank3<2, 50, 5>, f64>::ones());
        for (step, place) in [(0, 0), (0, 3), (1, 0), (7, 1), (49, 2), (30, 3), (49, 4)] {
            let angle = step as f64 / 10_000.0_f64.powf((place - place % 2) as f64 / 5.0);
            let wave = if place % 2 == 0 { angle.sin() } else { angle.cos() };
            for sequence in 0..2 {
                assert!((y[[sequence, step, place]] - (1.0 + wave)).abs() < 1e-12, "step {step}, place {place}");
            }
        }
    }

    #[test]
    fn a_step_gets_the_vector_of_its_position() {
        let mut rng = StdRng::seed_from_u64(0);
        let layer = LearnedPositionalEncoding::<7, 3>::init(&mut rng);
        let y = layer.forward(Tensor::<Rank3<2, 5, 3>>::zeros());
        let used = layer.weight.value().clone().slice_axis::<0, 0, 5>();
        assert_eq!((y.clone().slice(0), y.slice(1)), (used.clone(), used));
        let mut names = Vec::new();
        layer.for_each_parameter(|name, leaf| names.push(format!("{name} {:?}", leaf.sizes)));
        assert_eq!(names, ["weight [7, 3]"]);
    }
}
