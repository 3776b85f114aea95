//! The exponentials of a row, relative to its largest number: the first step of softmax and cross-entropy.

use super::vectorized::wide_pays;
use super::{reduce, vectorized};
use crate::numbers::Float;

/// Independent running maxima.
const LANES: usize = 16;

vectorized! {
    wide(wide_pays::<E>(true))
    /// exp(x - max) of a row in place, and their sum and the maximum.
    pub(crate) fn exponentials [E: Float] [E] (row: &mut [E]) -> (E, E) {
        let larger = |max: E, &x: &E| if x > max { x } else { max };
        let chunks = row.chunks_exact(LANES);
        let rest = chunks.remainder().iter().fold(E::neg_infinity(), larger);
        let mut lanes = [E::neg_infinity(); LANES];
        for chunk in chunks {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane = larger(*lane, x);
            }
        }
        let max = lanes.iter().fold(rest, larger);
        // all minus infinity (an empty or fully masked row): avoid inf - inf
        let shift = if max == E::neg_infinity() { E::zero() } else { max };
        for x in row.iter_mut() {
            *x = M::exp_of_negative(*x - shift);
        }
        (max, reduce::sum(row))
    }
}
