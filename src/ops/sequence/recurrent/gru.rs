//! The GRU cell, with the gates r, z, n in this order. With a_r .. a_n the three parts of W x + b, s_r .. s_n those of
//! U h' + c, and h' the state of the previous step:
//!
//! r = sigmoid(a_r + s_r), z = sigmoid(a_z + s_z), n = tanh(a_n + r s_n)
//!
//! h = (1 - z) n + z h'
//!
//! (s_n is kept apart from a_n, as in PyTorch and cuDNN: r is applied after the product with U.) With G the gradient of
//! h, and N = G (1 - z) (1 - n^2):
//!
//! - gradient of a_n: N; of s_n: N r
//! - gradient of a_r and s_r: N s_n r (1 - r); of a_z and s_z: G (h' - n) z (1 - z)
//! - gradient of h' apart from that through the gates: G z
//!
//! Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation", 2014.

use super::CellOp;
use crate::kernels::recurrent::{Cell, GATES, Unit};
use crate::numbers::math::Math;
use crate::tensor::Float;

pub(crate) static GRU: CellOp = CellOp::of::<Gru>("Gru");

struct Gru;

impl Cell for Gru {
    const GATES: usize = 3;
    const SEPARATE: bool = true;
    const HAS_CELL: bool = false;
    #[inline(always)]
    fn forward<M: Math, E: Float>(input: [E; GATES], recurrent: [E; GATES], hidden: E, _: E) -> Unit<E> {
        let r = M::logistic(input[0] + recurrent[0]);
        let z = M::logistic(input[1] + recurrent[1]);
        let n = M::tanh(input[2] + r * recurrent[2]);
        let hidden = (E::one() - z) * n + z * hidden;
        Unit { gates: [r, z, n, E::zero()], separate: recurrent[2], hidden, cell: E::zero() }
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(step: Unit<E>, _: E, d_hidden: E, _: E) -> Unit<E> {
        let one = E::one();
        let [r, z, n, _] = step.gates;
        let d_n = d_hidden * (one - z) * (one - n * n);
        let d_r = d_n * step.separate * r * (one - r);
        let d_z = d_hidden * (step.hidden - n) * z * (one - z);
        Unit { gates: [d_r, d_z, d_n, E::zero()], separate: d_n * r, hidden: d_hidden * z, cell: E::zero() }
    }
}
