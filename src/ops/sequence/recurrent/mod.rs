//! A recurrent layer over a whole batch of sequences, as one operation.
//!
//! Shapes: x (B, T, I), the state h (and c) (B, H), W (G H, I), U (G H, H), both biases (G H), with G gates; the output
//! (B, T, H) holds h after each step.
//!
//! Forward: the products W x of all steps are one large product, or a sum of columns of W if x is one-hot or nearly so;
//! then each step takes one product U h' and one pass over all gates. Saved: x, the gates, and the states, all step by
//! step.
//!
//! Backward, through time: each step back takes one pass over the gates, which turns them into the gradients of their
//! sums, and one product with U, which gives the gradient of the previous state. After that, the gradients of W, U and
//! x are one large product each, and those of the biases one sum. Nothing is recursive, so the number of steps is
//! limited only by memory.
//!
//! Werbos, "Backpropagation Through Time: What It Does and How to Do It", 1990. Each cell has a file of its own.

mod gru;
mod lstm;
mod rnn;
mod times;

pub(crate) use gru::GRU;
pub(crate) use lstm::LSTM;
pub(crate) use rnn::{RNN_RELU, RNN_TANH};
pub(crate) use times::Times;

use crate::kernels::gemm::{Matrix, Packed, gemm};
use crate::kernels::parallel;
use crate::kernels::recurrent::{Backward, Cell, CellLoops, Forward, Left, Rows};
use crate::kernels::reduce::sum_axis;
use crate::kernels::sparse;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::numbers::{Family, PerFloat};
use crate::shape::{Const, Dim, Shape};
use crate::tape::{Node, note_multiply_adds, record};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// This many sequences go through all their steps on one thread: otherwise, threads would wait for each other at every
/// step.
const GROUP: usize = 8;
/// Below this many multiply-adds, threads cost more than they save.
const PARALLEL_ABOVE: usize = 1 << 19;

/// The loops of one [`Cell`], and its name.
pub struct CellOp {
    pub name: &'static str,
    pub loops: PerFloat<CellOp>,
}

impl Family for CellOp {
    type Of<E: Float> = CellLoops<E>;
}

impl CellOp {
    pub const fn of<C: Cell>(name: &'static str) -> Self {
        CellOp { name, loops: PerFloat { f32: CellLoops::of::<C>(), f64: CellLoops::of::<C>() } }
    }
}

/// The parameters of a recurrent layer: W, U, and their biases. G is the dimension of its gates.
pub(crate) type Weights<G, I, const H: usize, E, T> =
    (Tensor<(G, Const<H>, I), E, T>, Tensor<(G, Const<H>, Const<H>), E, T>, [Tensor<(G, Const<H>), E, T>; 2]);

/// h and c. c is `None` for cells that have none; both are `None` for zeros.
pub(crate) type States<B, const H: usize, E, T> = [Option<Tensor<(B, Const<H>), E, T>>; 2];

/// The state after each step, and the one after the last: h and, if there is one, c.
#[track_caller]
pub(crate) fn recurrent<B: Dim, L: Dim, X: Dim, G: Dim, I: Dim, const H: usize, E: Float, T: Trace>(
    op: &'static CellOp,
    x: Tensor<(B, L, X), E, T>,
    initial: States<B, H, E, T>,
    (w, u, biases): Weights<G, I, H, E, T>,
    times: Times,
) -> (Tensor<(B, L, Const<H>), E, T>, States<B, H, E, T>) {
    let (batch, steps, input) = x.shape();
    let loops = E::pick(&op.loops);
    let layer = Layer { loops, input: input.size(), width: H, times };
    let rows = batch.size() * steps.size();
    // panics if the gates would be too large
    let gates = (rows, loops.gates, H).count();
    note_multiply_adds(gates.saturating_mul(input.size() + H));

    let state = (batch, Const::<H>);
    let nodes = [
        x.trace().node().cloned(),
        node(&initial[0]),
        node(&initial[1]),
        w.trace().node().cloned(),
        u.trace().node().cloned(),
        biases[0].trace().node().cloned(),
        biases[1].trace().node().cloned(),
    ];
    let [w, u] = [w.storage().clone(), u.storage().clone()];
    let biases = [biases[0].as_slice(), biases[1].as_slice()];
    let first = [0, 1].map(|part| initial[part].as_ref().map(Tensor::as_slice));
    let saved = layer.forward(x.as_slice(), first, [w.as_slice(), u.as_slice()], biases);
    drop(x);

    let mut y = Storage::scratch(rows * H);
    let after_first = &saved.hidden.as_slice()[state.count()..];
    layer.times.by_sequence(after_first, H, y.make_mut(), Store::Overwrite);
    let last = [&saved.hidden, &saved.cells].map(|states| {
        let start = states.len().checked_sub(state.count())?;
        Some(Storage::from_slice(&states.as_slice()[start..]))
    });

    // The gradients of the last state do not arrive together with that of the output: they wait here for it.
    let waiting: Rc<RefCell<[Option<Storage<E>>; 2]>> = Rc::default();
    let d_last = waiting.clone();
    let node = record(nodes.each_ref().map(Option::as_ref), |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 7>| {
            layer.backward(saved, g.as_slice(), d_last.take(), [w.as_slice(), u.as_slice()], parents);
        }
    });
    let mut parts = [0, 1].into_iter().zip(last).map(|(part, storage)| {
        let waiting = waiting.clone();
        let node = record([node.as_ref()], |_| {
            move |g: Storage<E>, parents: &mut Parents<'_, 1>| {
                waiting.borrow_mut()[part] = Some(g);
                // the output may have no other gradient, but its backward pass must run
                parents.write(0, rows * H, |out: &mut [E], store| {
                    store.clear(out);
                });
            }
        });
        Some(Tensor::from_parts(state, storage?, T::from_node(node)))
    });
    let last = [parts.next().flatten(), parts.next().flatten()];
    drop(parts);
    (Tensor::from_parts((batch, steps, Const), y, T::from_node(node)), last)
}

fn node<S: Shape, E: Float, T: Trace>(tensor: &Option<Tensor<S, E, T>>) -> Option<Node> {
    tensor.as_ref().and_then(|tensor| tensor.trace().node().cloned())
}

/// A recurrent layer in plain sizes.
struct Layer<E: 'static> {
    loops: &'static CellLoops<E>,
    input: usize,
    width: usize,
    times: Times,
}

/// What the backward pass needs, step by step; the states start with the initial ones.
struct Saved<E> {
    x: Storage<E>,
    /// Whether most of x is 0.
    sparse: bool,
    gates: Storage<E>,
    separate: Storage<E>,
    hidden: Storage<E>,
    cells: Storage<E>,
}

impl<E: Float> Layer<E> {
    /// The lengths of a state, and of the gates, at one step of the whole batch.
    fn sizes(&self) -> (usize, usize) {
        let state = self.times.batch * self.width;
        (state, state * self.loops.gates)
    }

    /// The steps to compute: none for an empty batch, however long it is.
    fn steps(&self) -> Range<usize> {
        0..if self.sizes().0 == 0 { 0 } else { self.times.steps }
    }

    fn rows(&self, time: usize, sequences: &Range<usize>) -> Rows<'_> {
        let lengths = self.times.lengths.as_deref().map(|lengths| &lengths[sequences.clone()]);
        Rows { width: self.width, time, lengths }
    }

    /// Runs `f(sequences, parts, alone)` for groups of sequences, each through all its steps, in parallel if that is
    /// worth it. `parts` are the group's parts of four arrays, step by step: for each sequence, the first has the
    /// numbers of all gates, the others those of a state.
    ///
    /// If there is only one group, it is `alone`, and may use several threads itself.
    fn in_groups(&self, arrays: [&mut [E]; 4], f: &(dyn Fn(Range<usize>, &mut [Vec<&mut [E]>; 4], bool) + Sync)) {
        let (batch, width) = (self.times.batch, self.width);
        let gates = self.loops.gates * width;
        let work = (batch * self.times.steps).saturating_mul(gates * width);
        let count = if parallel::worthwhile(work, PARALLEL_ABOVE) { (batch / GROUP).max(1) } else { 1 };
        let ends = (1..count).map(|group| group * GROUP).chain([batch]);
        // hidden states and cells start with the initial one
        let list = || Vec::with_capacity(self.steps().len() + 1);
        let mut groups: Vec<(Range<usize>, [Vec<&mut [E]>; 4])> =
            (0..).step_by(GROUP).zip(ends).map(|(start, end)| (start..end, [list(), list(), list(), list()])).collect();
        for (index, (values, width)) in arrays.into_iter().zip([gates, width, width, width]).enumerate() {
            for mut step in values.chunks_mut((batch * width).max(1)) {
                for (sequences, parts) in &mut groups {
                    let (part, rest) = step.split_at_mut(sequences.len() * width);
                    parts[index].push(part);
                    step = rest;
                }
            }
        }
        parallel::chunks(&mut groups, 1, count > 1, |_, group| {
            for (sequences, parts) in group {
                f(sequences.clone(), parts, count == 1);
            }
        });
    }

    /// The initial state, and room for the state after each step.
    #[track_caller]
    fn states(&self, initial: Option<&[E]>) -> Storage<E> {
        let (state, _) = self.sizes();
        let mut states = Storage::scratch((self.times.steps + 1) * state);
        match initial {
            Some(initial) => states.make_mut()[..state].copy_from_slice(initial),
            None => states.make_mut()[..state].fill(E::zero()),
        }
        states
    }

    #[track_caller]
    fn forward(&self, x: &[E], initial: [Option<&[E]>; 2], [w, u]: [&[E]; 2], biases: [&[E]; 2]) -> Saved<E> {
        let Times { batch, steps, .. } = self.times;
        let (state, all_gates) = self.sizes();
        let columns = self.loops.gates * self.width;
        let x = self.times.by_step(x, self.input);
        let mut gates = Storage::scratch(steps * all_gates);
        let sparse = sparse::is_sparse(x.as_slice());
        if sparse {
            sparse::times_transposed(x.as_slice(), w, (self.input, columns), gates.make_mut());
        } else {
            let product = (Matrix::rows(x.as_slice(), self.input), Matrix::transposed(w, self.input));
            gemm(batch * steps, self.input, columns, product.0, product.1, gates.make_mut(), Store::Overwrite);
        }

        let mut separate = Storage::scratch(if self.loops.separate { steps * state } else { 0 });
        let mut hidden = self.states(initial[0]);
        let mut cells = if self.loops.has_cell { self.states(initial[1]) } else { Storage::scratch(0) };
        let u = Packed::new(batch, self.width, columns, Matrix::transposed(u, self.width));
        let arrays = [gates.make_mut(), separate.make_mut(), hidden.make_mut(), cells.make_mut()];
        self.in_groups(arrays, &|sequences, [gates, separate, hidden, cells], alone| {
            let batch = sequences.len();
            let mut recurrent = Storage::zeros(batch * columns);
            for time in self.steps() {
                let [(hidden_before, hidden), (cell_before, cell)] = [&mut *hidden, cells].map(|s| neighbours(s, time));
                if time > 0 || initial[0].is_some() {
                    let before = Matrix::rows(hidden_before, self.width);
                    u.times(batch, before, recurrent.make_mut(), Store::Overwrite, alone);
                }
                let operands =
                    Forward { recurrent: recurrent.as_slice(), biases, before: [hidden_before, cell_before] };
                let left = Left { gates: at(gates, time), separate: at(separate, time) };
                (self.loops.forward)(self.rows(time, &sequences), &operands, left, [hidden, cell]);
            }
        });
        Saved { x, sparse, gates, separate, hidden, cells }
    }

    /// Passes the gradients of the output (g) and of the last state on to x, h, c, W, U and the biases.
    fn backward(
        &self,
        saved: Saved<E>,
        g: &[E],
        d_last: [Option<Storage<E>>; 2],
        [w, u]: [&[E]; 2],
        parents: &mut Parents<'_, 7>,
    ) {
        let Saved { x, sparse, mut gates, mut separate, hidden, cells } = saved;
        let Times { batch, steps, .. } = self.times;
        let (state, _) = self.sizes();
        let (width, columns, rows) = (self.width, self.loops.gates * self.width, batch * steps);
        // the gates that sum their two products, which then have the same gradient: their columns come first
        let summed = if self.loops.separate { columns - width } else { columns };
        let g = self.times.by_step(g, width);
        let [of_summed, of_separate] = [&u[..summed * width], &u[summed * width..]];
        let of_summed = Packed::new(batch, summed, width, Matrix::rows(of_summed, width));
        let of_separate = Packed::new(batch, columns - summed, width, Matrix::rows(of_separate, width));
        let [mut d_hidden, mut d_cell] = d_last.map(|last| last.unwrap_or_else(|| Storage::zeros(state)));
        let reaches_first = parents.needs(1);
        let arrays = [gates.make_mut(), separate.make_mut(), d_hidden.make_mut(), d_cell.make_mut()];
        self.in_groups(arrays, &|sequences, [gates, separate, d_hidden, d_cell], alone| {
            let batch = sequences.len();
            // where the states of these sequences are in those of the whole batch
            let place = |time: usize| time * state + sequences.start * width..time * state + sequences.end * width;
            let (d_hidden, d_cell) = (at(d_hidden, 0), at(d_cell, 0));
            for time in self.steps().rev() {
                let operands = Backward {
                    before: [part(&hidden, place(time)), part(&cells, place(time))],
                    cell: part(&cells, place(time + 1)),
                    upstream: part(&g, place(time)),
                };
                let (gates, separate) = (at(gates, time), at(separate, time));
                let left = Left { gates: &mut *gates, separate: &mut *separate };
                (self.loops.backward)(self.rows(time, &sequences), &operands, left, [&mut *d_hidden, &mut *d_cell]);
                if time > 0 || reaches_first {
                    of_summed.times(batch, Matrix::rows(gates, columns), d_hidden, Store::Add, alone);
                    if self.loops.separate {
                        of_separate.times(batch, Matrix::rows(separate, width), d_hidden, Store::Add, alone);
                    }
                }
            }
        });
        parents.add(1, d_hidden);
        if self.loops.has_cell {
            parents.add(2, d_cell);
        }

        let (gates, separate, x) = (gates.as_slice(), separate.as_slice(), x.as_slice());
        let before = &hidden.as_slice()[..steps * state];
        if parents.needs(0) {
            let mut d_x = Storage::scratch(rows * self.input);
            let product = (Matrix::rows(gates, columns), Matrix::rows(w, self.input));
            gemm(rows, columns, self.input, product.0, product.1, d_x.make_mut(), Store::Overwrite);
            parents.write(0, rows * self.input, |out, store| {
                self.times.by_sequence(d_x.as_slice(), self.input, out, store);
            });
        }
        parents.write(3, columns * self.input, |out: &mut [E], store| {
            if sparse {
                return sparse::transposed_times(gates, x, (self.input, columns), out, store);
            }
            let product = (Matrix::transposed(gates, columns), Matrix::rows(x, self.input));
            gemm(columns, rows, self.input, product.0, product.1, out, store);
        });
        parents.write(4, columns * width, |out, store| {
            let (of_summed, of_separate) = out.split_at_mut(summed * width);
            let product = (Matrix::transposed(gates, columns), Matrix::rows(before, width));
            gemm(summed, rows, width, product.0, product.1, of_summed, store);
            if self.loops.separate {
                let product = (Matrix::transposed(separate, width), Matrix::rows(before, width));
                gemm(width, rows, width, product.0, product.1, of_separate, store);
            }
        });
        if parents.needs(5) || parents.needs(6) {
            let mut sums = Storage::scratch(columns);
            sum_axis(gates, (1, rows, columns), sums.make_mut(), Store::Overwrite);
            let copy = |sums: &[E], out: &mut [E], store| sum_axis(sums, (1, 1, columns), out, store);
            parents.write(5, columns, |out, store| copy(sums.as_slice(), out, store));
            parents.write(6, columns, |out, store| {
                if self.loops.separate {
                    sum_axis(separate, (1, rows, width), &mut sums.make_mut()[summed..], Store::Overwrite);
                }
                copy(sums.as_slice(), out, store);
            });
        }
    }
}

/// The states before and after a step; empty for states that the cell does not have.
fn neighbours<'s, E>(states: &'s mut [&mut [E]], time: usize) -> (&'s [E], &'s mut [E]) {
    if states.is_empty() {
        return (&[], &mut []);
    }
    let (before, after) = states.split_at_mut(time + 1);
    (&*before[time], &mut *after[0])
}

/// Some of the states; empty for states that the cell does not have.
fn part<E: Float>(states: &Storage<E>, place: Range<usize>) -> &[E] {
    states.as_slice().get(place).unwrap_or_default()
}

/// The part of a step; empty if the cell does not have it.
fn at<'s, E>(steps: &'s mut [&mut [E]], time: usize) -> &'s mut [E] {
    steps.get_mut(time).map_or(&mut [], |step| &mut **step)
}
