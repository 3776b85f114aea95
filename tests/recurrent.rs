//! Recurrent layers: against PyTorch and finite differences; lengths, states, many steps.

mod common;

use common::{Case, Entry, F32, F64, case};
use taut::nn::{
    Bidirectional, Direction, Elman, GruGates, LstmGates, Recurrent, RecurrentKind, StateKind, Unidirectional,
};
use taut::prelude::*;

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

type Part<const H: usize, E, T> = Tensor<(usize, Const<H>), E, T>;

/// The parts h and c of a layer's states, layer by layer and direction by direction.
trait States<const H: usize, E, T> {
    fn parts(&self) -> Vec<[Option<Part<H, E, T>>; 2]>;
}
impl<const H: usize, E: Float, T: Trace> States<H, E, T> for Part<H, E, T> {
    fn parts(&self) -> Vec<[Option<Part<H, E, T>>; 2]> {
        vec![[Some(self.clone()), None]]
    }
}
impl<const H: usize, E: Float, T: Trace> States<H, E, T> for LstmState<usize, Const<H>, E, T> {
    fn parts(&self) -> Vec<[Option<Part<H, E, T>>; 2]> {
        vec![[Some(self.hidden.clone()), Some(self.cell.clone())]]
    }
}
impl<const H: usize, E: Float, T: Trace, S: States<H, E, T>, const N: usize> States<H, E, T> for [S; N] {
    fn parts(&self) -> Vec<[Option<Part<H, E, T>>; 2]> {
        self.iter().flat_map(S::parts).collect()
    }
}

/// A state from its parts.
trait Begin: RecurrentKind {
    fn begin<const H: usize, E: Float, T: Trace>(
        parts: [Option<Part<H, E, T>>; 2],
    ) -> <Self::StateKind as StateKind>::State<usize, H, E, T>;
}
macro_rules! begin {
    ($($kind:ident)*) => { $(
        impl Begin for $kind {
            fn begin<const H: usize, E: Float, T: Trace>(parts: [Option<Part<H, E, T>>; 2]) -> Part<H, E, T> {
                parts.into_iter().flatten().next().unwrap()
            }
        }
    )* };
}
begin! { Elman GruGates }
impl Begin for LstmGates {
    fn begin<const H: usize, E: Float, T: Trace>(
        parts: [Option<Part<H, E, T>>; 2],
    ) -> LstmState<usize, Const<H>, E, T> {
        let [hidden, cell] = parts.map(Option::unwrap);
        LstmState { hidden, cell }
    }
}

/// A state for a layer.
fn begin<K: Begin, const I: usize, const H: usize, const LAYERS: usize, D: Direction<H>, E: Float, T: Trace>(
    _: &Recurrent<K, I, H, LAYERS, D, E>,
    parts: [Option<Part<H, E, T>>; 2],
) -> <K::StateKind as StateKind>::State<usize, H, E, T> {
    K::begin(parts)
}

/// The number `index` of a list of states that PyTorch stores as one tensor.
fn state_of<const H: usize, E: Float + Entry>(case: &Case, name: &str, index: usize) -> Option<Part<H, E, NoTrace>> {
    case.has_parameter(name).then(|| case.parameter_tensor::<(usize, usize, Const<H>), E>(name).slice(index))
}

/// Compares output, states, and all gradients of a layer with a case of PyTorch's.
macro_rules! compare {
    (
        $name:expr, $layer:ident<$i:literal, $h:literal, $layers:literal, $direction:ident>
        gives $o:literal, $input:ident
    ) => {
        compare!(@run $name, $layer<$i, $h, $layers, $direction, f64>, f64, F64, $i, $h, $o, $input);
        // sums over steps and gates in f32
        compare!(@run $name, $layer<$i, $h, $layers, $direction, f32>, f32, 40.0 * F32, $i, $h, $o, $input);
    };
    (
        @run $name:expr, $layer:ty, $element:ident, $tolerance:expr,
        $i:literal, $h:literal, $o:literal, $input:ident
    ) => {{
        let (case, tolerance) = (case("recurrent", $name), $tolerance);
        let mut layer = <$layer>::init(&mut rng());
        case.fill(&mut layer);
        let tape = Tape::training(&mut rng());
        let x = tape.watch(case.input::<(usize, usize, Const<$i>), $element>(0));
        let initial = |layer: usize| {
            [0, 1].map(|part| {
                let part = state_of::<$h, $element>(&case, &format!("initial {part}"), layer);
                part.map(|part| tape.watch(part))
            })
        };
        let (y, states, begun) = compare!(@$input layer, case, x, initial);
        let y: Tensor<(usize, usize, Const<$o>), $element, _> = y;
        case.expect_output(&y, tolerance);
        let mut loss = (y * case.upstream()).sum();
        for (index, parts) in States::<$h, $element, _>::parts(&states).into_iter().enumerate() {
            for (number, part) in parts.into_iter().enumerate() {
                let Some(part) = part else { continue };
                let expected = state_of::<$h, $element>(&case, &format!("last {number}"), index).unwrap();
                let close = part.detach().is_close(&expected, tolerance, tolerance);
                assert!(close, "{case}: state {index}: {part:?}, not {expected:?}");
                let upstream = state_of::<$h, $element>(&case, &format!("upstream {number}"), index).unwrap();
                loss += (part * upstream).sum();
            }
        }
        let gradients = loss.backward();
        case.expect_gradient(0, &gradients.of_input(&x), tolerance);
        for (index, parts) in begun.into_iter().enumerate() {
            for (number, part) in parts.into_iter().enumerate() {
                let Some(part) = part else { continue };
                let name = format!("gradient of initial {number}");
                let expected = state_of::<$h, $element>(&case, &name, index).unwrap();
                let found = gradients.of_input(&part);
                assert!(found.is_close(&expected, tolerance, tolerance), "{case}: {name}");
            }
        }
        case.expect_gradients(&mut layer, &gradients, tolerance);
    }};
    (@x $layer:ident, $case:ident, $x:ident, $initial:ident) => {{
        // without a state; but the case compares the last state, which comes with lengths
        let (batch, steps, _) = $x.shape();
        let all = Tensor::<(usize,), usize>::from_vec(vec![steps; batch], (batch,)).unwrap();
        let (y, states) = $layer.forward(($x.clone(), all));
        assert_eq!($layer.forward($x.clone()).as_slice(), y.as_slice());
        (y, states, Vec::<[Option<_>; 2]>::from([$initial(0)]))
    }};
    (@lengths $layer:ident, $case:ident, $x:ident, $initial:ident) => {{
        let lengths: Tensor<(usize,), usize> = $case.parameter_tensor("lengths");
        let (y, states) = $layer.forward(($x.clone(), lengths));
        (y, states, Vec::<[Option<_>; 2]>::from([$initial(0)]))
    }};
    (@state $layer:ident, $case:ident, $x:ident, $initial:ident) => {{
        let begun = $initial(0);
        let (y, states) = $layer.forward(($x.clone(), [begin(&$layer, begun.clone())]));
        (y, states, vec![begun])
    }};
    (@two_states $layer:ident, $case:ident, $x:ident, $initial:ident) => {{
        let begun = [$initial(0), $initial(1)];
        let (y, states) = $layer.forward(($x.clone(), begun.clone().map(|parts| begin(&$layer, parts))));
        (y, states, begun.to_vec())
    }};
    (@four_states $layer:ident, $case:ident, $x:ident, $initial:ident) => {{
        let begun = [[$initial(0), $initial(1)], [$initial(2), $initial(3)]];
        let states = begun.clone().map(|ways| ways.map(|parts| begin(&$layer, parts)));
        let (y, states) = $layer.forward(($x.clone(), states));
        (y, states, begun.concat())
    }};
    (@both $layer:ident, $case:ident, $x:ident, $initial:ident) => {{
        let begun = $initial(0);
        let lengths: Tensor<(usize,), usize> = $case.parameter_tensor("lengths");
        let (y, states) = $layer.forward(($x.clone(), [begin(&$layer, begun.clone())], lengths));
        (y, states, vec![begun])
    }};
}

/// All cases of one kind.
macro_rules! kind {
    ($test:ident, $kind:literal, $layer:ident) => {
        #[test]
        fn $test() {
            compare!($kind, $layer<3, 5, 1, Unidirectional> gives 5, x);
            compare!(concat!($kind, " with a state"), $layer<2, 3, 1, Unidirectional> gives 3, state);
            compare!(concat!($kind, " with lengths"), $layer<2, 3, 1, Unidirectional> gives 3, lengths);
            compare!(concat!($kind, " with both"), $layer<3, 2, 1, Unidirectional> gives 2, both);
            compare!(concat!($kind, " of two layers"), $layer<2, 3, 2, Unidirectional> gives 3, two_states);
            compare!(concat!($kind, " both ways"), $layer<3, 2, 1, Bidirectional> gives 4, lengths);
            compare!(concat!($kind, " of two layers both ways"), $layer<1, 2, 2, Bidirectional> gives 4, four_states);
        }
    };
}
kind!(rnn, "rnn", Rnn);
kind!(lstm, "lstm", Lstm);
kind!(gru, "gru", Gru);

#[test]
fn rnn_with_relu() {
    compare!("relu", ReluRnn<3, 5, 1, Unidirectional> gives 5, x);
}

#[test]
fn more_units_than_the_kernels_compute_together() {
    compare!("lstm of many units", Lstm<1, 17, 1, Unidirectional> gives 17, x);
    compare!("gru of many units", Gru<1, 17, 1, Unidirectional> gives 17, state);
}

fn against_finite_differences<K: RecurrentKind>()
where
    Tensor<Rank2<2, 4>, f64, Traced<Training>>: TestState<K>,
{
    let layer = Recurrent::<K, 3, 4, 1, Unidirectional, f64>::init(&mut rng());
    let x = Tensor::<Rank3<2, 3, 3>, f64>::randn(&mut rng());
    let h = Tensor::<Rank2<2, 4>, f64>::randn(&mut rng());
    let c = Tensor::<Rank2<2, 4>, f64>::randn(&mut rng());
    // all results count: the output, and the last state on its own
    check_gradients(|(x, h, c)| TestState::run(&layer, x, h, c).0, (x.clone(), h.clone(), c.clone())).unwrap();
    check_gradients(|(x, h, c)| TestState::run(&layer, x, h, c).1, (x.clone(), h.clone(), c.clone())).unwrap();
    check_parameter_gradients(&layer, |layer, tape| {
        let (y, last) = TestState::run(layer, tape.trace(x.clone()), tape.trace(h.clone()), tape.trace(c.clone()));
        y.sum_axis::<1>() * last
    })
    .unwrap();
}

/// Runs a layer of any kind from h, and from c if it has one.
trait TestState<K: RecurrentKind>: Sized {
    fn run(
        layer: &Recurrent<K, 3, 4, 1, Unidirectional, f64>,
        x: Tensor<Rank3<2, 3, 3>, f64, Traced<Training>>,
        h: Self,
        c: Self,
    ) -> (Tensor<Rank3<2, 3, 4>, f64, Traced<Training>>, Self);
}
macro_rules! hidden_only {
    ($($kind:ident)*) => { $(
        impl TestState<$kind> for Tensor<Rank2<2, 4>, f64, Traced<Training>> {
            fn run(
                layer: &Recurrent<$kind, 3, 4, 1, Unidirectional, f64>,
                x: Tensor<Rank3<2, 3, 3>, f64, Traced<Training>>,
                h: Self,
                c: Self,
            ) -> (Tensor<Rank3<2, 3, 4>, f64, Traced<Training>>, Self) {
                let (y, [h]) = layer.forward((x, [h]));
                (y, h + c * 0.0)
            }
        }
    )* };
}
hidden_only! { Elman GruGates }
impl TestState<LstmGates> for Tensor<Rank2<2, 4>, f64, Traced<Training>> {
    fn run(
        layer: &Recurrent<LstmGates, 3, 4, 1, Unidirectional, f64>,
        x: Tensor<Rank3<2, 3, 3>, f64, Traced<Training>>,
        h: Self,
        c: Self,
    ) -> (Tensor<Rank3<2, 3, 4>, f64, Traced<Training>>, Self) {
        let (y, [state]) = layer.forward((x, [LstmState { hidden: h, cell: c }]));
        (y, state.hidden * state.cell)
    }
}

#[test]
fn gradients_against_finite_differences() {
    against_finite_differences::<Elman>();
    against_finite_differences::<LstmGates>();
    against_finite_differences::<GruGates>();
}

#[test]
fn steps_one_by_one_are_the_sequence() {
    let layer = Lstm::<3, 6>::init(&mut rng());
    let x = Tensor::<Rank3<2, 5, 3>>::randn(&mut rng());
    let (y, [last]) = layer.forward((x.clone(), Tensor::<Rank1<2>, usize>::from([5, 5])));
    let cell = &layer.first[0];
    let mut state = cell.forward(x.clone().slice_at::<1>(0));
    for time in 1..5 {
        state = cell.forward((x.clone().slice_at::<1>(time), state));
        assert_eq!(state.hidden, y.clone().slice_at::<1>(time));
    }
    assert_eq!((state.hidden, state.cell), (last.hidden, last.cell));
}

#[test]
fn a_sequence_cut_in_two_is_the_whole() {
    let layer = Gru::<2, 5, 2>::init(&mut rng());
    let x = Tensor::<Rank3<3, 6, 2>>::randn(&mut rng());
    let zeros = [Tensor::<Rank2<3, 5>>::zeros(), Tensor::zeros()];
    let (whole, last) = layer.forward((x.clone(), zeros.clone()));
    let (first, middle) = layer.forward((x.clone().slice_axis::<1, 0, 2>(), zeros));
    let (second, end) = layer.forward((x.slice_axis::<1, 2, 4>(), middle));
    assert_eq!((first, second).concat::<1>(), whole);
    assert_eq!(end, last);
}

#[test]
fn padding_is_never_seen() {
    let layer = BiLstm::<2, 3>::init(&mut rng());
    let x = Tensor::<Rank3<2, 4, 2>>::randn(&mut rng());
    let mut spoiled = x.clone();
    for step in 2..4 {
        spoiled.as_mut_slice()[(4 + step) * 2..][..2].fill(f32::NAN);
    }
    let lengths = Tensor::<Rank1<2>, usize>::from([4, 2]);
    let run = |x: Tensor<Rank3<2, 4, 2>>| {
        let tape = Tape::training(&mut rng());
        let x = tape.watch(x);
        let (y, [[forward, backward]]) = layer.forward((x.clone(), lengths.clone()));
        let loss = y.clone().square().sum() + (forward.cell * backward.hidden).sum();
        let gradients = loss.backward();
        (y.detach(), gradients.of_input(&x), gradients.of(&layer.first[1].weight_ih))
    };
    let (y, d_x, d_w) = run(x);
    assert_eq!(y.clone().slice(1).slice_axis::<0, 2, 2>(), Tensor::zeros());
    assert_eq!(d_x.clone().slice(1).slice_axis::<0, 2, 2>(), Tensor::zeros());
    assert!(d_x.clone().slice(1).slice_axis::<0, 0, 2>().abs().sum().item() > 0.0);
    assert_eq!(run(spoiled), (y, d_x, d_w));
}

/// Enough sequences for several groups, one of them larger than the others, and some that end early.
#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    fn compare(run: impl Fn() -> [Vec<f32>; 5] + Sync) {
        let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&run);
        let one = on(1);
        for threads in [2, 3, 8] {
            assert!(on(threads) == one, "{threads} threads");
        }
    }
    let x = Tensor::<Rank3<25, 6, 5>>::randn(&mut rng());
    let lengths = Tensor::<Rank1<25>, usize>::from_fn(|[i]| 1 + i % 6);
    let lstm = Lstm::<5, 48>::init(&mut rng());
    compare(|| {
        let tape = Tape::training(&mut rng());
        let x = tape.watch(x.clone());
        let (y, [last]) = lstm.forward((x.clone(), lengths.clone()));
        let gradients = (y.clone().square().sum() + (last.hidden * last.cell).sum()).backward();
        let layer = &lstm.first[0];
        let [d_w, d_u] = [gradients.of(&layer.weight_ih).to_vec(), gradients.of(&layer.weight_hh).to_vec()];
        [y.to_vec(), gradients.of_input(&x).to_vec(), d_w, d_u, gradients.of(&layer.bias_hh).to_vec()]
    });
    let gru = Gru::<5, 48>::init(&mut rng());
    compare(|| {
        let tape = Tape::training(&mut rng());
        let x = tape.watch(x.clone());
        let y = gru.forward(x.clone());
        let gradients = y.clone().square().sum().backward();
        let layer = &gru.first[0];
        let [d_w, d_u] = [gradients.of(&layer.weight_ih).to_vec(), gradients.of(&layer.weight_hh).to_vec()];
        [y.to_vec(), gradients.of_input(&x).to_vec(), d_w, d_u, gradients.of(&layer.bias_hh).to_vec()]
    });
}

/// Products skip zeros; numbers next to zero, which they do not skip, give the same.
#[test]
fn one_hot_inputs() {
    fn check<K: RecurrentKind>() {
        let layer = Recurrent::<K, 20, 7, 1, Unidirectional, f64>::init(&mut rng());
        let one_hot = Tensor::<Rank2<3, 5>, usize>::from_fn(|[i, j]| (i * 7 + j * 3) % 20).one_hot(Const);
        let run = |x: &Tensor<Rank3<3, 5, 20>, f64>| {
            let tape = Tape::training(&mut rng());
            let x = tape.watch(x.clone());
            let y = layer.forward(x.clone());
            let gradients = y.clone().square().sum().backward();
            (y.detach(), gradients.of_input(&x), gradients.of(&layer.first[0].weight_ih))
        };
        let (y, d_x, d_w) = run(&one_hot);
        let (other_y, other_d_x, other_d_w) = run(&(one_hot + 1e-300));
        assert!(y.is_close(&other_y, 1e-13, 1e-13));
        assert!(d_x.is_close(&other_d_x, 1e-13, 1e-13));
        assert!(d_w.is_close(&other_d_w, 1e-13, 1e-13) && d_w.square().sum().item() > 0.0);
    }
    check::<Elman>();
    check::<LstmGates>();
    check::<GruGates>();
}

#[test]
fn ten_thousand_steps() {
    let layer = Lstm::<2, 3>::init(&mut rng());
    let tape = Tape::training(&mut rng());
    let x = Tensor::<(Const<1>, usize, Const<2>)>::uniform_with((Const, 10_000, Const), -1.0, 1.0, &mut rng());
    let x = tape.watch(x);
    let gradients = LastStep.forward(layer.forward(x.clone())).sum().backward();
    assert!(gradients.is_finite());
    let d_x = gradients.of_input(&x);
    assert!(d_x.as_slice()[19_999] != 0.0);
}

#[test]
fn nothing_and_little() {
    let layer = Gru::<2, 3>::init(&mut rng());
    let none = Tensor::<(usize, usize, Const<2>)>::zeros_with((0, 4, Const));
    assert_eq!(layer.forward(none).shape().0, 0);
    let tape = Tape::training(&mut rng());
    let state = tape.watch(Tensor::<Rank2<2, 3>>::ones());
    let no_steps = tape.trace(Tensor::<Rank3<2, 0, 2>>::zeros());
    let (y, [last]) = layer.forward((no_steps, [state.clone()]));
    assert_eq!(y.count(), 0);
    let gradients = last.sum().backward();
    assert_eq!(gradients.of_input(&state), Tensor::ones());
}

#[test]
#[should_panic(expected = "Lstm: expected 3 features, found 4")]
fn another_width_at_run_time() {
    let layer = Lstm::<3, 5>::init(&mut rng());
    let _ = layer.forward(Tensor::<(usize, usize, usize)>::zeros_with((2, 6, 4)));
}

#[test]
#[should_panic(expected = "Gru: expected 5 features of the state, found 4")]
fn another_state_at_run_time() {
    let layer = Gru::<3, 5>::init(&mut rng());
    let _ = layer.forward((Tensor::<Rank3<2, 6, 3>>::zeros(), [Tensor::<(Const<2>, usize)>::zeros_with((Const, 4))]));
}

#[test]
#[should_panic(expected = "Lstm: the length 7 of sequence 1 is more than the 6 steps of the input")]
fn a_length_beyond_the_steps() {
    let layer = Lstm::<3, 5>::init(&mut rng());
    let _ = layer.forward((Tensor::<Rank3<2, 6, 3>>::zeros(), Tensor::<Rank1<2>, usize>::from([6, 7])));
}
