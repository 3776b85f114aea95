//! One step of a recurrent layer for a batch: the gates forward and backward.

use super::vectorized;
use super::vectorized::wide_pays;
use crate::kernels::prefetch::prefetch;
use crate::numbers::Float;
use crate::numbers::math::Math;

/// The largest number of gates of a cell.
pub const GATES: usize = 4;
/// The number of units computed together: a few vector registers of each gate.
const LANES: usize = 16;

/// The numbers of one unit of one sequence, or their gradients.
#[derive(Clone, Copy)]
pub struct Unit<E> {
    /// The gates.
    pub gates: [E; GATES],
    /// The recurrent product of the [separate](Cell::SEPARATE) gate.
    pub separate: E,
    /// h
    pub hidden: E,
    /// c
    pub cell: E,
}

/// The formulas of a recurrent cell, for one unit of one sequence. See `ops/recurrent/`.
pub trait Cell: 'static {
    /// How many gates there are.
    const GATES: usize;
    /// Whether the last gate needs the recurrent product separately from that of the input, where the others need their
    /// sum.
    const SEPARATE: bool;
    /// Whether the state has a second part, c.
    const HAS_CELL: bool;
    /// A step: from the sums of the input's and of the recurrent products with their biases, h and c. `cell` is 0 for
    /// a cell that has none.
    fn forward<M: Math, E: Float>(input: [E; GATES], recurrent: [E; GATES], hidden: E, cell: E) -> Unit<E>;
    /// Its gradient: from the result of the step (with `hidden` from before the step), c from before the step, and
    /// the gradients of h and c after it. In the result, `gates` are the gradients of the gates' sums, `hidden` is the
    /// gradient that reaches the earlier h directly, past the gates.
    fn backward<M: Math, E: Float>(step: Unit<E>, cell_before: E, d_hidden: E, d_cell: E) -> Unit<E>;
}

/// The rows of a batch at one step.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The units of a row.
    pub width: usize,
    pub time: usize,
    /// The number of steps of each row, if not all.
    pub lengths: Option<&'a [usize]>,
}

impl Rows<'_> {
    /// Whether the sequence of this row has not ended.
    #[inline(always)]
    fn runs(&self, row: usize) -> bool {
        self.lengths.is_none_or(|lengths| self.time < lengths[row])
    }
}

/// Operands of a step forward.
pub struct Forward<'a, E> {
    /// The recurrent products, (batch, gates x width).
    pub recurrent: &'a [E],
    /// Of the input's and of the recurrent product, (gates x width) each.
    pub biases: [&'a [E]; 2],
    /// h and c before the step, (batch, width) each.
    pub before: [&'a [E]; 2],
}

/// Operands of a step backward: h and c before it, c after it, and the gradient of the output, (batch, width) each.
pub struct Backward<'a, E> {
    pub before: [&'a [E]; 2],
    pub cell: &'a [E],
    pub upstream: &'a [E],
}

/// What a step saves for the backward pass, which replaces it by gradients: (batch, gates x width) and (batch, width).
pub struct Left<'a, E> {
    pub gates: &'a mut [E],
    pub separate: &'a mut [E],
}

/// The loops of one [`Cell`] for one element type.
pub struct CellLoops<E: 'static> {
    pub gates: usize,
    pub separate: bool,
    pub has_cell: bool,
    /// A step. The gates hold the products of the input.
    pub forward: fn(Rows<'_>, &Forward<'_, E>, Left<'_, E>, [&mut [E]; 2]),
    /// A step back. The last operand holds the gradients of h and c after the step, and then those that reach the
    /// earlier ones directly, past the gates.
    pub backward: fn(Rows<'_>, &Backward<'_, E>, Left<'_, E>, [&mut [E]; 2]),
}

impl<E: Float> CellLoops<E> {
    pub const fn of<C: Cell>() -> Self {
        CellLoops {
            gates: C::GATES,
            separate: C::SEPARATE,
            has_cell: C::HAS_CELL,
            forward: forward::<C, E>,
            backward: backward::<C, E>,
        }
    }
}

/// A block of numbers from `at` on, where they are; if there are fewer, in `spare`, followed by others.
#[inline(always)]
fn block<'a, E: Float>(values: &'a [E], at: usize, spare: &'a mut [E; LANES]) -> &'a [E; LANES] {
    let values = &values[at..];
    match values.first_chunk() {
        Some(block) => block,
        None => {
            spare[..values.len()].copy_from_slice(values);
            spare
        }
    }
}

/// Numbers from `at` on, with zeros after the last.
#[inline(always)]
fn load<E: Float>(values: &[E], at: usize) -> [E; LANES] {
    let mut block = [E::zero(); LANES];
    match values.get(at..at + LANES) {
        Some(values) => block.copy_from_slice(values),
        None => block[..values.len() - at].copy_from_slice(&values[at..]),
    }
    block
}

/// Puts numbers from `at` on, as many as there is room for.
#[inline(always)]
fn store<E: Float>(values: &mut [E], at: usize, block: [E; LANES]) {
    match values.get_mut(at..at + LANES) {
        Some(values) => values.copy_from_slice(&block),
        None => {
            let values = &mut values[at..];
            values.copy_from_slice(&block[..values.len()]);
        }
    }
}

/// The part of a row that belongs to one gate.
#[inline(always)]
fn gate<E>(row: &[E], index: usize, width: usize) -> &[E] {
    &row[index * width..(index + 1) * width]
}

vectorized! {
    wide(wide_pays::<E>(true)) fn forward [C: Cell, E: Float] [C, E] (
        rows: Rows<'_>, operands: &Forward<'_, E>, left: Left<'_, E>, after: [&mut [E]; 2]
    ) {
        let width = rows.width;
        let [hidden, cell] = after;
        let zeros = [E::zero(); LANES];
        let mut spare = [[zeros; 4]; GATES];
        for row in 0..hidden.len() / width.max(1) {
            let of_state = row * width..(row + 1) * width;
            let before = &operands.before[0][of_state.clone()];
            let hidden = &mut hidden[of_state.clone()];
            if !rows.runs(row) {
                hidden.copy_from_slice(before);
                if C::HAS_CELL {
                    cell[of_state.clone()].copy_from_slice(&operands.before[1][of_state]);
                }
                continue;
            }
            let of_gates = row * C::GATES * width..(row + 1) * C::GATES * width;
            let gates = &mut left.gates[of_gates.clone()];
            let recurrent = &operands.recurrent[of_gates];
            for at in (0..width).step_by(LANES) {
                let mut terms = [[&zeros; 4]; GATES];
                for (index, (terms, spare)) in terms.iter_mut().zip(&mut spare).enumerate().take(C::GATES) {
                    // the gates of a whole sequence are too many for the caches
                    let of_next_row = gates.as_ptr().wrapping_add((C::GATES + index) * width + at);
                    prefetch(of_next_row.cast::<[E; LANES]>());
                    let [input, product, bias, product_bias] = spare;
                    *terms = [
                        block(gate(gates, index, width), at, input),
                        block(gate(recurrent, index, width), at, product),
                        block(gate(operands.biases[0], index, width), at, bias),
                        block(gate(operands.biases[1], index, width), at, product_bias),
                    ];
                }
                let mut state = [load(before, at), [E::zero(); LANES]];
                if C::HAS_CELL {
                    state[1] = load(&operands.before[1][of_state.clone()], at);
                }
                let mut separate = [E::zero(); LANES];
                let mut passed = [[E::zero(); LANES]; GATES];
                for lane in 0..LANES {
                    let mut input = [E::zero(); GATES];
                    let mut recurrent = [E::zero(); GATES];
                    for index in 0..C::GATES {
                        let [from_input, product, bias, product_bias] = terms[index];
                        input[index] = from_input[lane] + bias[lane];
                        recurrent[index] = product[lane] + product_bias[lane];
                    }
                    let unit = C::forward::<M, E>(input, recurrent, state[0][lane], state[1][lane]);
                    for (index, passed) in passed.iter_mut().enumerate().take(C::GATES) {
                        passed[lane] = unit.gates[index];
                    }
                    separate[lane] = unit.separate;
                    state[0][lane] = unit.hidden;
                    state[1][lane] = unit.cell;
                }
                for (index, &passed) in passed.iter().enumerate().take(C::GATES) {
                    store(&mut gates[index * width..(index + 1) * width], at, passed);
                }
                store(hidden, at, state[0]);
                if C::HAS_CELL {
                    store(&mut cell[of_state.clone()], at, state[1]);
                }
                if C::SEPARATE {
                    store(&mut left.separate[of_state.clone()], at, separate);
                }
            }
        }
    }
}

vectorized! {
    wide(wide_pays::<E>(true)) fn backward [C: Cell, E: Float] [C, E] (
        rows: Rows<'_>, operands: &Backward<'_, E>, left: Left<'_, E>, d_state: [&mut [E]; 2]
    ) {
        let width = rows.width;
        let [d_hidden, d_cell] = d_state;
        for row in 0..d_hidden.len() / width.max(1) {
            let of_state = row * width..(row + 1) * width;
            let gates = &mut left.gates[row * C::GATES * width..(row + 1) * C::GATES * width];
            if !rows.runs(row) {
                gates.fill(E::zero());
                if C::SEPARATE {
                    left.separate[of_state].fill(E::zero());
                }
                continue;
            }
            for at in (0..width).step_by(LANES) {
                let before = load(&operands.before[0][of_state.clone()], at);
                let upstream = load(&operands.upstream[of_state.clone()], at);
                let mut d_state = [load(&d_hidden[of_state.clone()], at), [E::zero(); LANES]];
                let mut cells = [[E::zero(); LANES]; 2];
                if C::HAS_CELL {
                    d_state[1] = load(&d_cell[of_state.clone()], at);
                    cells = [
                        load(&operands.before[1][of_state.clone()], at),
                        load(&operands.cell[of_state.clone()], at),
                    ];
                }
                let mut separate = [E::zero(); LANES];
                if C::SEPARATE {
                    separate = load(&left.separate[of_state.clone()], at);
                }
                let mut passed = [[E::zero(); LANES]; GATES];
                for (index, passed) in passed.iter_mut().enumerate().take(C::GATES) {
                    let of_next_row = gates.as_ptr().wrapping_add((C::GATES + index) * width + at);
                    prefetch(of_next_row.cast::<[E; LANES]>());
                    *passed = load(gate(gates, index, width), at);
                }
                for lane in 0..LANES {
                    let mut gates = [E::zero(); GATES];
                    for index in 0..C::GATES {
                        gates[index] = passed[index][lane];
                    }
                    let step = Unit { gates, separate: separate[lane], hidden: before[lane], cell: cells[1][lane] };
                    let d_hidden = d_state[0][lane] + upstream[lane];
                    let unit = C::backward::<M, E>(step, cells[0][lane], d_hidden, d_state[1][lane]);
                    for (index, passed) in passed.iter_mut().enumerate().take(C::GATES) {
                        passed[lane] = unit.gates[index];
                    }
                    separate[lane] = unit.separate;
                    d_state[0][lane] = unit.hidden;
                    d_state[1][lane] = unit.cell;
                }
                for (index, &passed) in passed.iter().enumerate().take(C::GATES) {
                    store(&mut gates[index * width..(index + 1) * width], at, passed);
                }
                store(&mut d_hidden[of_state.clone()], at, d_state[0]);
                if C::HAS_CELL {
                    store(&mut d_cell[of_state.clone()], at, d_state[1]);
                }
                if C::SEPARATE {
                    store(&mut left.separate[of_state.clone()], at, separate);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_close, random};
    use crate::numbers::Generator;
    use crate::numbers::math::Separate;

    /// Two gates, the second apart; both parts of a state. Nothing in it is symmetric, so that any mix-up shows.
    struct Toy;
    impl Cell for Toy {
        const GATES: usize = 2;
        const SEPARATE: bool = true;
        const HAS_CELL: bool = true;
        fn forward<M: Math, E: Float>(input: [E; GATES], recurrent: [E; GATES], hidden: E, cell: E) -> Unit<E> {
            let gates = [input[0] + recurrent[0], input[1] - recurrent[1], E::zero(), E::zero()];
            let cell = cell * gates[0] + hidden;
            Unit { gates, separate: recurrent[1], hidden: cell * gates[1], cell }
        }
        fn backward<M: Math, E: Float>(step: Unit<E>, cell_before: E, d_hidden: E, d_cell: E) -> Unit<E> {
            let gates = [d_cell * cell_before + d_hidden, step.gates[1] + step.cell, E::zero(), E::zero()];
            Unit {
                gates,
                separate: step.separate * d_hidden,
                hidden: step.hidden + d_cell,
                cell: step.gates[0] * d_cell,
            }
        }
    }

    #[test]
    fn every_unit_of_every_row_takes_its_own_step_and_ended_rows_stand_still() {
        let loops = CellLoops::<f64>::of::<Toy>();
        let mut rng = Generator::new(0);
        for (batch, width) in [(0, 3), (1, 1), (3, 5), (2, LANES), (3, LANES + 1), (2, 2 * LANES + 3)] {
            for lengths in [None, Some(vec![1, 4, 2])] {
                let rows = Rows { width, time: 2, lengths: lengths.as_deref() };
                let runs = |row: usize| lengths.as_ref().is_none_or(|lengths| lengths[row] > 2);
                let mut draw = |len| random::<f64>(len, &mut rng);
                let (states, gates) = (batch * width, batch * 2 * width);
                let (products, recurrent) = (draw(gates), draw(gates));
                let biases = [draw(2 * width), draw(2 * width)];
                let before = [draw(states), draw(states)];
                let (upstream, d_after) = (draw(states), [draw(states), draw(states)]);

                let (mut left, mut separate) = (products.clone(), vec![f64::NAN; states]);
                let [mut hidden, mut cell] = [vec![f64::NAN; states], vec![f64::NAN; states]];
                let operands = Forward {
                    recurrent: &recurrent,
                    biases: [&biases[0], &biases[1]],
                    before: [&before[0], &before[1]],
                };
                let places = Left { gates: &mut left, separate: &mut separate };
                (loops.forward)(rows, &operands, places, [&mut hidden, &mut cell]);
                let [mut d_hidden, mut d_cell] = d_after.clone();
                let (mut d_gates, mut d_separate) = (left.clone(), separate.clone());
                let operands = Backward { before: [&before[0], &before[1]], cell: &cell, upstream: &upstream };
                let places = Left { gates: &mut d_gates, separate: &mut d_separate };
                (loops.backward)(rows, &operands, places, [&mut d_hidden, &mut d_cell]);

                for (row, unit) in (0..batch).flat_map(|row| (0..width).map(move |unit| (row, unit))) {
                    let at = row * width + unit;
                    let gate = |index: usize| (row * 2 + index) * width + unit;
                    if !runs(row) {
                        assert_eq!((hidden[at], cell[at]), (before[0][at], before[1][at]));
                        assert_eq!((d_gates[gate(0)], d_gates[gate(1)], d_separate[at]), (0.0, 0.0, 0.0));
                        assert_eq!((d_hidden[at], d_cell[at]), (d_after[0][at], d_after[1][at]));
                        continue;
                    }
                    let sum = |values: &[f64], bias: usize, index: usize| {
                        values[gate(index)] + biases[bias][index * width + unit]
                    };
                    let input = [sum(&products, 0, 0), sum(&products, 0, 1), 0.0, 0.0];
                    let again = [sum(&recurrent, 1, 0), sum(&recurrent, 1, 1), 0.0, 0.0];
                    let step = Toy::forward::<Separate, f64>(input, again, before[0][at], before[1][at]);
                    let found = [hidden[at], cell[at], left[gate(0)], left[gate(1)], separate[at]];
                    assert_close(&found, &[step.hidden, step.cell, step.gates[0], step.gates[1], step.separate], 8);
                    let step = Unit { hidden: before[0][at], ..step };
                    let back = Toy::backward::<Separate, f64>(
                        step,
                        before[1][at],
                        d_after[0][at] + upstream[at],
                        d_after[1][at],
                    );
                    let found = [d_hidden[at], d_cell[at], d_gates[gate(0)], d_gates[gate(1)], d_separate[at]];
                    assert_close(&found, &[back.hidden, back.cell, back.gates[0], back.gates[1], back.separate], 16);
                }
            }
        }
    }
}
