//! The LSTM cell, with the gates i, f, g, o in this order. With a_i .. a_o the four parts of W x + b + U h' + c, and h'
//! and c' the state of the previous step:
//!
//! i = sigmoid(a_i), f = sigmoid(a_f), g = tanh(a_g), o = sigmoid(a_o)
//!
//! c = f c' + i g, h = o tanh(c)
//!
//! With G and C the gradients of h and c, and D = C + G o (1 - tanh(c)^2):
//!
//! - gradient of a_i: D g i (1 - i); of a_f: D c' f (1 - f); of a_g: D i (1 - g^2); of a_o: G tanh(c) o (1 - o)
//! - gradient of c': D f
//!
//! Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997; Gers, Schmidhuber and Cummins, "Learning to Forget",
//! 2000.

use super::CellOp;
use crate::kernels::recurrent::{Cell, GATES, Unit};
use crate::numbers::math::Math;
use crate::tensor::Float;

pub(crate) static LSTM: CellOp = CellOp::of::<Lstm>("Lstm");

struct Lstm;

impl Cell for Lstm {
    const GATES: usize = 4;
    const SEPARATE: bool = false;
    const HAS_CELL: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(input: [E; GATES], recurrent: [E; GATES], _: E, cell: E) -> Unit<E> {
        let i = M::logistic(input[0] + recurrent[0]);
        let f = M::logistic(input[1] + recurrent[1]);
        let g = M::tanh(input[2] + recurrent[2]);
        let o = M::logistic(input[3] + recurrent[3]);
        let cell = f * cell + i * g;
        Unit { gates: [i, f, g, o], separate: E::zero(), hidden: o * M::tanh(cell), cell }
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(step: Unit<E>, cell_before: E, d_hidden: E, d_cell: E) -> Unit<E> {
        let one = E::one();
        let [i, f, g, o] = step.gates;
        let squashed = M::tanh(step.cell);
        let d_cell = d_cell + d_hidden * o * (one - squashed * squashed);
        let gates = [
            d_cell * g * i * (one - i),
            d_cell * cell_before * f * (one - f),
            d_cell * i * (one - g * g),
            d_hidden * squashed * o * (one - o),
        ];
        Unit { gates, separate: E::zero(), hidden: E::zero(), cell: d_cell * f }
    }
}
