//! Recurrent layers: RNN, LSTM and GRU.

mod cell;
mod direction;
mod kind;
mod lstm_state;
mod state;

pub use cell::{GruCell, LstmCell, RecurrentCell, ReluRnnCell, RnnCell};
pub use direction::{Bidirectional, Direction, Unidirectional};
pub use kind::{Elman, ElmanRelu, GruGates, Hidden, HiddenAndCell, LstmGates, RecurrentKind, StateKind};
pub use lstm_state::LstmState;
pub use state::{InitialState, InitialStates, SequenceLengths};

use super::{Init, Module};
use crate::ops::{States, Times, lengths};
use crate::params::{ParameterPath, Parameters, Visitor, VisitorMut};
use crate::shape::{Accepted, AtLeastOne, Const, Dim, Features, SequenceAxes, Shape, expect_size};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::Trace;
use kind::State;
use rand::Rng;

/// A recurrent layer over whole sequences: `LAYERS` layers, each over the output of the one before, in one or both
/// directions. Programs use it as [`Rnn`], [`Lstm`] or [`Gru`], [`BiRnn`], [`BiLstm`] or [`BiGru`].
///
/// | | shape |
/// | --- | --- |
/// | x | (B, T, I): batch, steps, features |
/// | output | (B, T, H), or (B, T, 2 H) in both directions: h of the last layer after each step |
/// | state h, with c an [`LstmState`] | (B, H) for each layer and direction, zeros if not given |
///
/// Inputs and outputs:
///
/// | input | output |
/// | --- | --- |
/// | `x` | the sequence, so that layers chain |
/// | `(x, lengths)` | `(sequence, states)` |
/// | `(x, states)` | `(sequence, states)` |
/// | `(x, states, lengths)` | `(sequence, states)` |
///
/// `states` is an array with one for each layer (two for each layer in both directions). `lengths` is the number of
/// steps in each sequence: the rest is padding, which changes no state and gets no gradient, and the output there is 0.
/// The states are then those after each sequence's own last step. For a classifier that uses them, see
/// [`LastStep`](super::LastStep).
///
/// Batch and steps may be known to the compiler or only at run time. The names of the parameters are those
/// of PyTorch (`weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, and with `_reverse`), so that its files
/// load. `init` draws all from the uniform distribution over -1/sqrt(H) .. 1/sqrt(H), as PyTorch does.
///
/// # Panics
/// If a run-time dimension is not what the layer expects: the features of the input or of a state, the batch of a state
/// or of the lengths. If a length is more than there are steps. With 0 `LAYERS`, `init` does not compile.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let layer = Lstm::<3, 5>::init(&mut rng);
/// let x = Tensor::<Rank3<2, 7, 3>>::randn(&mut rng);
/// let y: Tensor<Rank3<2, 7, 5>> = layer.forward(x.clone());
///
/// // the second sequence has four steps
/// let (y, [state]) = layer.forward((x.clone(), Tensor::<Rank1<2>, usize>::from([7, 4])));
/// assert_eq!(y.slice(1).slice(6).to_array(), [0.0; 5]);
/// // and from there on
/// let (y, [state]) = layer.forward((x, [state]));
/// ```
///
/// Truncated backpropagation through time: the state is carried on, its tape is not.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut model = Gru::<1, 8>::init(&mut rng);
/// let mut optimizer = Sgd::new(SgdConfig::default());
/// let mut state = Tensor::<Rank2<4, 8>>::zeros();
/// for _ in 0..3 {
///     let tape = Tape::training(&mut rng);
///     let x = tape.trace(Tensor::<Rank3<4, 20, 1>>::ones());
///     let (y, [last]) = model.forward((x, [tape.trace(state)]));
///     state = last.detach();
///     let gradients = y.square().mean().backward();
///     optimizer.step(&mut model, &gradients);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Recurrent<
    K: RecurrentKind,
    const I: usize,
    const H: usize,
    const LAYERS: usize = 1,
    D: Direction<H> = Unidirectional,
    E: Float = f32,
> {
    /// The first layer, for each direction.
    pub first: Vec<RecurrentCell<K, Const<I>, H, E>>,
    /// The `LAYERS - 1` others, each for each direction.
    pub rest: Vec<Vec<RecurrentCell<K, D::Width, H, E>>>,
}

/// Elman's recurrent layer: h_t = tanh(W x_t + b + U h_{t-1} + c). See [`Recurrent`] and [`RnnCell`].
///
/// ```
/// use taut::prelude::*;
/// let layer = Rnn::<3, 5>::init(&mut StdRng::seed_from_u64(0));
/// let x = Tensor::<Rank3<2, 7, 3>>::ones();
/// let y: Tensor<Rank3<2, 7, 5>> = layer.forward(x.clone());
/// let (y, [h]) = layer.forward((x, [y.slice_at::<1>(6)]));
/// ```
pub type Rnn<const I: usize, const H: usize, const LAYERS: usize = 1, D = Unidirectional, E = f32> =
    Recurrent<Elman, I, H, LAYERS, D, E>;
/// [`Rnn`] with ReLU in place of tanh: h_t = max(0, W x_t + b + U h_{t-1} + c).
pub type ReluRnn<const I: usize, const H: usize, const LAYERS: usize = 1, D = Unidirectional, E = f32> =
    Recurrent<ElmanRelu, I, H, LAYERS, D, E>;
/// Long short-term memory. See [`Recurrent`], and [`LstmCell`] for the formulas.
///
/// ```
/// use taut::prelude::*;
/// type Tagger = (Embedding<1000, 16>, Lstm<16, 32, 2>, Linear<32, 5>); // two layers
/// let model = Tagger::init(&mut StdRng::seed_from_u64(0));
/// let tags: Tensor<Rank3<1, 4, 5>> = model.forward(Tensor::from([[4, 8, 15, 16]]));
/// ```
pub type Lstm<const I: usize, const H: usize, const LAYERS: usize = 1, D = Unidirectional, E = f32> =
    Recurrent<LstmGates, I, H, LAYERS, D, E>;
/// The gated recurrent unit. See [`Recurrent`], and [`GruCell`] for the formulas.
///
/// ```
/// use taut::prelude::*;
/// let layer = Gru::<3, 5>::init(&mut StdRng::seed_from_u64(0));
/// // a batch and a number of steps known only at run time
/// let x = Tensor::<(usize, usize, Const<3>)>::ones_with((2, 7, Const));
/// let y: Tensor<(usize, usize, Const<5>)> = layer.forward(x);
/// assert_eq!(y.shape(), (2, 7, Const));
/// ```
pub type Gru<const I: usize, const H: usize, const LAYERS: usize = 1, D = Unidirectional, E = f32> =
    Recurrent<GruGates, I, H, LAYERS, D, E>;
/// Bidirectional [`Rnn`]: the output has 2 `H` features.
pub type BiRnn<const I: usize, const H: usize, const LAYERS: usize = 1, E = f32> = Rnn<I, H, LAYERS, Bidirectional, E>;
/// Bidirectional [`Lstm`]: the output has 2 `H` features, h of both directions concatenated.
///
/// ```
/// use taut::prelude::*;
/// let layer = BiLstm::<3, 5>::init(&mut StdRng::seed_from_u64(0));
/// let x = Tensor::<Rank3<2, 7, 3>>::ones();
/// let lengths = Tensor::<Rank1<2>, usize>::from([7, 4]);
/// // from the first step to each sequence's last, and from there back to the first
/// let (y, [[forward, backward]]) = layer.forward((x.clone(), lengths));
/// let y: Tensor<Rank3<2, 7, 10>> = y;
/// let (y, states) = layer.forward((x, [[forward, backward]]));
/// ```
pub type BiLstm<const I: usize, const H: usize, const LAYERS: usize = 1, E = f32> =
    Lstm<I, H, LAYERS, Bidirectional, E>;
/// Bidirectional [`Gru`]: the output has 2 `H` features.
pub type BiGru<const I: usize, const H: usize, const LAYERS: usize = 1, E = f32> = Gru<I, H, LAYERS, Bidirectional, E>;

/// The states of all layers, in each direction.
type AllStates<K, B, const H: usize, const LAYERS: usize, D, E, T> =
    [<D as Direction<H>>::Each<State<K, B, H, E, T>>; LAYERS];

/// The output of a layer for sequences of shape `X`, and its states after them.
type SequenceAndStates<K, X, const H: usize, const LAYERS: usize, D, E, T> = (
    Tensor<(<X as SequenceAxes>::B, <X as SequenceAxes>::L, <D as Direction<H>>::Width), E, T>,
    AllStates<K, <X as SequenceAxes>::B, H, LAYERS, D, E, T>,
);

/// The suffix of a layer's parameter names.
fn suffix(layer: usize, direction: usize) -> String {
    format!("_l{layer}{}", if direction == 0 { "" } else { "_reverse" })
}

impl<K: RecurrentKind, const I: usize, const H: usize, const LAYERS: usize, D: Direction<H>, E: Float>
    Recurrent<K, I, H, LAYERS, D, E>
{
    /// Runs all layers.
    #[track_caller]
    fn run<X: SequenceAxes, T: Trace>(
        &self,
        x: Tensor<X, E, T>,
        initial: Vec<States<X::B, H, E, T>>,
        lengths: Option<Tensor<(X::B,), usize>>,
    ) -> SequenceAndStates<K, X, H, LAYERS, D, E, T> {
        let shape = x.shape().axes();
        let (batch, steps, features) = shape;
        expect_size(K::op().name, "features", I, features);
        // a closure would hide the caller's line
        #[allow(clippy::manual_map)]
        let lengths = match lengths {
            Some(of_each) => Some(self::lengths(K::op().name, &of_each, batch, steps.size())),
            None => None,
        };
        let times = Times { batch: batch.size(), steps: steps.size(), reverse: false, lengths };
        let mut initial = initial.into_iter();
        let (mut y, states) =
            one_layer::<_, _, _, _, _, H, D, _, _>(&self.first, x.in_shape(shape), &mut initial, &times);
        let mut all_states = vec![states];
        for layer in &self.rest {
            let (next, states) = one_layer::<_, _, _, _, _, H, D, _, _>(layer, y, &mut initial, &times);
            y = next;
            all_states.push(states);
        }
        let mut all_states = all_states.into_iter();
        let states = std::array::from_fn(|_| {
            let of_layer = all_states.next().expect("there is one for each layer");
            D::each(of_layer.into_iter().map(K::StateKind::state).collect())
        });
        (y, states)
    }
}

/// Runs one layer in all its directions.
#[track_caller]
fn one_layer<K: RecurrentKind, B: Dim, L: Dim, X: Dim, I: Dim, const H: usize, D: Direction<H>, E: Float, T: Trace>(
    cells: &[RecurrentCell<K, I, H, E>],
    x: Tensor<(B, L, X), E, T>,
    initial: &mut impl Iterator<Item = States<B, H, E, T>>,
    times: &Times,
) -> (Tensor<(B, L, D::Width), E, T>, Vec<States<B, H, E, T>>) {
    let (mut outputs, mut states) = (Vec::new(), Vec::new());
    for (direction, cell) in cells.iter().enumerate() {
        let times = Times { reverse: direction == 1, ..times.clone() };
        let (output, state) = cell.over(x.clone(), initial.next().unwrap_or([None, None]), times);
        outputs.push(output);
        states.push(state);
    }
    (D::side_by_side(outputs), states)
}

impl<K: RecurrentKind, const I: usize, const H: usize, const LAYERS: usize, D: Direction<H>, E: Float> Init
    for Recurrent<K, I, H, LAYERS, D, E>
where
    Const<LAYERS>: AtLeastOne,
{
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let first = (0..D::COUNT).map(|_| RecurrentCell::<K, Const<I>, H, E>::init(rng)).collect();
        let mut layer = || (0..D::COUNT).map(|_| RecurrentCell::random(D::width(), rng)).collect();
        Recurrent { first, rest: (1..LAYERS).map(|_| layer()).collect() }
    }
}

impl<K: RecurrentKind, const I: usize, const H: usize, const LAYERS: usize, D: Direction<H>, E: Float> Parameters
    for Recurrent<K, I, H, LAYERS, D, E>
{
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        for (direction, cell) in self.first.iter().enumerate() {
            cell.visit_named(&suffix(0, direction), path, visitor);
        }
        for (layer, cells) in self.rest.iter().enumerate() {
            for (direction, cell) in cells.iter().enumerate() {
                cell.visit_named(&suffix(layer + 1, direction), path, visitor);
            }
        }
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        for (direction, cell) in self.first.iter_mut().enumerate() {
            cell.visit_mut_named(&suffix(0, direction), path, visitor);
        }
        for (layer, cells) in self.rest.iter_mut().enumerate() {
            for (direction, cell) in cells.iter_mut().enumerate() {
                cell.visit_mut_named(&suffix(layer + 1, direction), path, visitor);
            }
        }
    }
}

impl<
    K: RecurrentKind,
    X: SequenceAxes,
    const I: usize,
    const H: usize,
    const LAYERS: usize,
    D: Direction<H>,
    E: Float,
    T: Trace,
> Module<Tensor<X, E, T>> for Recurrent<K, I, H, LAYERS, D, E>
where
    X::F: Features<I>,
{
    type Output = Tensor<<X::F as Accepted<I>>::Then<(X::B, X::L, D::Width)>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        self.run(x, Vec::new(), None).0.map_shape(X::F::then)
    }
}

impl<
    K: RecurrentKind,
    X: SequenceAxes,
    N: Shape,
    F: Element,
    U: Trace,
    const I: usize,
    const H: usize,
    const LAYERS: usize,
    D: Direction<H>,
    E: Float,
    T: Trace,
> Module<(Tensor<X, E, T>, Tensor<N, F, U>)> for Recurrent<K, I, H, LAYERS, D, E>
where
    X::F: Features<I>,
    Tensor<N, F, U>: SequenceLengths<X::B>,
{
    type Output = SequenceAndStates<K, X, H, LAYERS, D, E, T>;
    fn apply(&self, (x, lengths): (Tensor<X, E, T>, Tensor<N, F, U>)) -> Self::Output {
        self.run(x, Vec::new(), Some(lengths.into_lengths()))
    }
}

// A state without its array has no lengths: the bound is not met, and says so.
macro_rules! states_alone {
    ($($state:ty [$($parameter:ident: $bound:ident),*];)*) => { $(
        impl<
            K: RecurrentKind,
            X: SequenceAxes,
            $($parameter: $bound,)*
            const I: usize,
            const H: usize,
            const LAYERS: usize,
            D: Direction<H>,
            E: Float,
            T: Trace,
        > Module<(Tensor<X, E, T>, $state)> for Recurrent<K, I, H, LAYERS, D, E>
        where
            X::F: Features<I>,
            $state: SequenceLengths<X::B>,
        {
            type Output = SequenceAndStates<K, X, H, LAYERS, D, E, T>;
            fn apply(&self, (x, lengths): (Tensor<X, E, T>, $state)) -> Self::Output {
                self.apply((x, lengths.into_lengths()))
            }
        }
    )* };
}
states_alone! {
    LstmState<B, S, F, U> [B: Dim, S: Dim, F: Float, U: Trace];
    (P, Q) [P: Sized, Q: Sized];
}

impl<
    K: RecurrentKind,
    X: SequenceAxes,
    S,
    const N: usize,
    const I: usize,
    const H: usize,
    const LAYERS: usize,
    D: Direction<H>,
    E: Float,
    T: Trace,
> Module<(Tensor<X, E, T>, [S; N])> for Recurrent<K, I, H, LAYERS, D, E>
where
    X::F: Features<I>,
    [S; N]: InitialStates<K, X::B, H, LAYERS, D, E, T>,
{
    type Output = SequenceAndStates<K, X, H, LAYERS, D, E, T>;
    fn apply(&self, (x, states): (Tensor<X, E, T>, [S; N])) -> Self::Output {
        self.run(x, states.into_parts(), None)
    }
}

impl<
    K: RecurrentKind,
    X: SequenceAxes,
    S: InitialStates<K, X::B, H, LAYERS, D, E, T>,
    N: SequenceLengths<X::B>,
    const I: usize,
    const H: usize,
    const LAYERS: usize,
    D: Direction<H>,
    E: Float,
    T: Trace,
> Module<(Tensor<X, E, T>, S, N)> for Recurrent<K, I, H, LAYERS, D, E>
where
    X::F: Features<I>,
{
    type Output = SequenceAndStates<K, X, H, LAYERS, D, E, T>;
    fn apply(&self, (x, states, lengths): (Tensor<X, E, T>, S, N)) -> Self::Output {
        self.run(x, states.into_parts(), Some(lengths.into_lengths()))
    }
}
