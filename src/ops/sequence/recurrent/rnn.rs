//! Elman's recurrent cell: h = f(a), with a = W x + b + U h' + c, where h' is h of the previous step, and f is tanh or
//! ReLU.
//!
//! With g the gradient of h, the gradient of a is g (1 - h^2) for tanh, and g where h > 0 for ReLU. Elman, "Finding
//! Structure in Time", 1990.

use super::CellOp;
use crate::kernels::recurrent::{Cell, GATES, Unit};
use crate::numbers::math::Math;
use crate::tensor::Float;

pub(crate) static RNN_TANH: CellOp = CellOp::of::<RnnTanh>("Rnn");
pub(crate) static RNN_RELU: CellOp = CellOp::of::<RnnRelu>("ReluRnn");

/// A step of a cell with a single gate.
#[inline(always)]
fn only<E: Float>(gate: E, hidden: E) -> Unit<E> {
    let mut gates = [E::zero(); GATES];
    gates[0] = gate;
    Unit { gates, separate: E::zero(), hidden, cell: E::zero() }
}

struct RnnTanh;

impl Cell for RnnTanh {
    const GATES: usize = 1;
    const SEPARATE: bool = false;
    const HAS_CELL: bool = false;
    #[inline(always)]
    fn forward<M: Math, E: Float>(input: [E; GATES], recurrent: [E; GATES], _: E, _: E) -> Unit<E> {
        let hidden = M::tanh(input[0] + recurrent[0]);
        only(hidden, hidden)
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(step: Unit<E>, _: E, d_hidden: E, _: E) -> Unit<E> {
        only(d_hidden * (E::one() - step.gates[0] * step.gates[0]), E::zero())
    }
}

struct RnnRelu;

impl Cell for RnnRelu {
    const GATES: usize = 1;
    const SEPARATE: bool = false;
    const HAS_CELL: bool = false;
    #[inline(always)]
    fn forward<M: Math, E: Float>(input: [E; GATES], recurrent: [E; GATES], _: E, _: E) -> Unit<E> {
        let sum = input[0] + recurrent[0];
        // NaN stays NaN
        let hidden = if sum <= E::zero() { E::zero() } else { sum };
        only(hidden, hidden)
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(step: Unit<E>, _: E, d_hidden: E, _: E) -> Unit<E> {
        only(if step.gates[0] > E::zero() { d_hidden } else { E::zero() }, E::zero())
    }
}
