//! One step of a recurrent layer.

use super::kind::{Elman, ElmanRelu, GruGates, LstmGates, RecurrentKind, State, StateKind};
use super::state::InitialState;
use crate::nn::{Init, Module};
use crate::ops::{States, Times, recurrent};
use crate::params::{Param, ParameterPath, Parameters, Visitor, VisitorMut};
use crate::shape::{Const, Dim, Features, RowAxes, Shape, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// One step of a recurrent layer, with its parameters. For the formulas see [`RnnCell`], [`LstmCell`] and [`GruCell`].
///
/// | | shape |
/// | --- | --- |
/// | x | (B, I) |
/// | state h, and c of an LSTM | (B, H), zeros if not given |
/// | `weight_ih` W | (G, H, I), for G gates; in files (G H, I) |
/// | `weight_hh` U | (G, H, H); in files (G H, H) |
/// | `bias_ih` b, `bias_hh` c | (G, H); in files (G H) |
///
/// It takes `x` or `(x, state)` and returns the state after the step. The names and the order of the gates are those of
/// PyTorch. `init` draws all from the uniform distribution over -1/sqrt(H) .. 1/sqrt(H), as PyTorch does.
///
/// # Panics
/// If a run-time dimension is not what the cell expects: the features of the input or of the state, or the batch of the
/// state.
#[derive(Clone, Debug)]
pub struct RecurrentCell<K: RecurrentKind, I: Dim, const H: usize, E: Float = f32> {
    /// W, (G, H, I)
    pub weight_ih: Param<(K::Gates, Const<H>, I), E>,
    /// U, (G, H, H)
    pub weight_hh: Param<(K::Gates, Const<H>, Const<H>), E>,
    /// b, (G, H)
    pub bias_ih: Param<(K::Gates, Const<H>), E>,
    /// c, (G, H)
    pub bias_hh: Param<(K::Gates, Const<H>), E>,
}

/// Elman's cell: h = tanh(W x + b + U h' + c). See [`RecurrentCell`].
///
/// ```
/// use taut::prelude::*;
/// let cell = RnnCell::<3, 5>::init(&mut StdRng::seed_from_u64(0));
/// let h: Tensor<Rank2<2, 5>> = cell.forward(Tensor::<Rank2<2, 3>>::ones());
/// let h: Tensor<Rank2<2, 5>> = cell.forward((Tensor::<Rank2<2, 3>>::ones(), h));
/// ```
pub type RnnCell<const I: usize, const H: usize, E = f32> = RecurrentCell<Elman, Const<I>, H, E>;
/// [`RnnCell`] with ReLU in place of tanh: h = max(0, W x + b + U h' + c).
pub type ReluRnnCell<const I: usize, const H: usize, E = f32> = RecurrentCell<ElmanRelu, Const<I>, H, E>;
/// The cell of an LSTM. With the four gates i, f, g, o, each with its part of W, U, b and c:
///
/// i = sigmoid(W_i x + b_i + U_i h' + c_i), f and o likewise, g = tanh(W_g x + b_g + U_g h' + c_g)
///
/// c = f c' + i g, h = o tanh(c)
///
/// See [`RecurrentCell`]. Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
///
/// ```
/// use taut::prelude::*;
/// let cell = LstmCell::<3, 5>::init(&mut StdRng::seed_from_u64(0));
/// let mut state = cell.forward(Tensor::<Rank2<2, 3>>::ones());
/// for _ in 0..10 {
///     state = cell.forward((Tensor::<Rank2<2, 3>>::ones(), state));
/// }
/// let h: Tensor<Rank2<2, 5>> = state.hidden;
/// ```
pub type LstmCell<const I: usize, const H: usize, E = f32> = RecurrentCell<LstmGates, Const<I>, H, E>;
/// The cell of a GRU. With the three gates r, z, n, each with its part of W, U, b and c:
///
/// r = sigmoid(W_r x + b_r + U_r h' + c_r), z likewise, n = tanh(W_n x + b_n + r (U_n h' + c_n))
///
/// h = (1 - z) n + z h'
///
/// See [`RecurrentCell`]. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
/// Machine Translation", 2014.
///
/// ```
/// use taut::prelude::*;
/// let cell = GruCell::<3, 5>::init(&mut StdRng::seed_from_u64(0));
/// let h: Tensor<Rank2<2, 5>> = cell.forward(Tensor::<Rank2<2, 3>>::ones());
/// let h = cell.forward((Tensor::<Rank2<2, 3>>::ones(), h));
/// ```
pub type GruCell<const I: usize, const H: usize, E = f32> = RecurrentCell<GruGates, Const<I>, H, E>;

impl<K: RecurrentKind, I: Dim, const H: usize, E: Float> RecurrentCell<K, I, H, E> {
    pub(super) fn random<R: Rng + ?Sized>(input: I, rng: &mut R) -> Self {
        fn uniform<S: Shape, E: Float, R: Rng + ?Sized>(shape: S, bound: f64, rng: &mut R) -> Param<S, E> {
            Tensor::uniform_with(shape, E::of(-bound), E::of(bound), rng).into()
        }
        let bound = 1.0 / (H.max(1) as f64).sqrt();
        let (gates, hidden) = (K::Gates::default(), Const::<H>);
        RecurrentCell {
            weight_ih: uniform((gates, hidden, input), bound, rng),
            weight_hh: uniform((gates, hidden, hidden), bound, rng),
            bias_ih: uniform((gates, hidden), bound, rng),
            bias_hh: uniform((gates, hidden), bound, rng),
        }
    }

    /// Runs this cell over sequences: the state after each step, and the one after the last.
    #[track_caller]
    pub(super) fn over<B: Dim, L: Dim, X: Dim, T: Trace>(
        &self,
        x: Tensor<(B, L, X), E, T>,
        initial: States<B, H, E, T>,
        times: Times,
    ) -> (Tensor<(B, L, Const<H>), E, T>, States<B, H, E, T>) {
        let (name, batch) = (K::op().name, x.shape().0);
        for state in initial.iter().flatten() {
            let found = state.shape().0;
            if batch != found {
                panic!("{name}: the input has {} sequences, the state {}", batch.size(), found.size());
            }
        }
        let weights = (self.weight_ih.on(&x), self.weight_hh.on(&x), [self.bias_ih.on(&x), self.bias_hh.on(&x)]);
        recurrent(K::op(), x, initial, weights, times)
    }

    #[track_caller]
    fn step<B: Dim, X: Dim, T: Trace>(
        &self,
        x: Tensor<(B, X), E, T>,
        initial: States<B, H, E, T>,
    ) -> State<K, B, H, E, T> {
        let ((batch, features), storage, trace) = x.into_parts();
        let x = Tensor::from_parts((batch, Const::<1>, features), storage, trace);
        let times = Times { batch: batch.size(), steps: 1, reverse: false, lengths: None };
        K::StateKind::state(self.over(x, initial, times).1)
    }

    /// The parameters by name, with `suffix`, and their sizes in files.
    pub(super) fn visit_named(&self, suffix: &str, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        let [gates, input] = self.file_sizes();
        path.at(&format!("weight_ih{suffix}"), |path| self.weight_ih.visit_as(&[gates, input], path, visitor));
        path.at(&format!("weight_hh{suffix}"), |path| self.weight_hh.visit_as(&[gates, H], path, visitor));
        path.at(&format!("bias_ih{suffix}"), |path| self.bias_ih.visit_as(&[gates], path, visitor));
        path.at(&format!("bias_hh{suffix}"), |path| self.bias_hh.visit_as(&[gates], path, visitor));
    }

    pub(super) fn visit_mut_named(&mut self, suffix: &str, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        let [gates, input] = self.file_sizes();
        path.at(&format!("weight_ih{suffix}"), |path| self.weight_ih.visit_mut_as(&[gates, input], path, visitor));
        path.at(&format!("weight_hh{suffix}"), |path| self.weight_hh.visit_mut_as(&[gates, H], path, visitor));
        path.at(&format!("bias_ih{suffix}"), |path| self.bias_ih.visit_mut_as(&[gates], path, visitor));
        path.at(&format!("bias_hh{suffix}"), |path| self.bias_hh.visit_mut_as(&[gates], path, visitor));
    }

    fn file_sizes(&self) -> [usize; 2] {
        let (gates, hidden, input) = self.weight_ih.shape();
        [gates.size() * hidden.size(), input.size()]
    }
}

impl<K: RecurrentKind, I: Dim, const H: usize, E: Float> Parameters for RecurrentCell<K, I, H, E> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        self.visit_named("", path, visitor);
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        self.visit_mut_named("", path, visitor);
    }
}

impl<K: RecurrentKind, const I: usize, const H: usize, E: Float> Init for RecurrentCell<K, Const<I>, H, E> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Self::random(Const, rng)
    }
}

impl<K: RecurrentKind, X: RowAxes, const I: usize, const H: usize, E: Float, T: Trace> Module<Tensor<X, E, T>>
    for RecurrentCell<K, Const<I>, H, E>
where
    X::F: Features<I>,
{
    type Output = State<K, X::B, H, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape().axes();
        expect_size(K::op().name, "features", I, shape.1);
        let x = x.in_shape(shape);
        self.step(x, [None, None])
    }
}

impl<
    K: RecurrentKind,
    X: RowAxes,
    S: InitialState<K, X::B, H, E, T>,
    const I: usize,
    const H: usize,
    E: Float,
    T: Trace,
> Module<(Tensor<X, E, T>, S)> for RecurrentCell<K, Const<I>, H, E>
where
    X::F: Features<I>,
{
    type Output = State<K, X::B, H, E, T>;
    fn apply(&self, (x, state): (Tensor<X, E, T>, S)) -> Self::Output {
        let shape = x.shape().axes();
        expect_size(K::op().name, "features", I, shape.1);
        let x = x.in_shape(shape);
        self.step(x, state.into_parts())
    }
}
