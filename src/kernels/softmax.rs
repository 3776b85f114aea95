//! Softmax over rows.

use super::{parallel, vectorized};
use crate::tensor::Float;

vectorized! {
    /// exp(x - max) of a row in place, and their sum and the maximum.
    pub(crate) fn exponentials [E: Float] [E] (row: &mut [E]) -> (E, E) {
        let max = row.iter().fold(E::neg_infinity(), |max, &x| if x > max { x } else { max });
        // all minus infinity (an empty or fully masked row): avoid inf - inf
        let shift = if max == E::neg_infinity() { E::zero() } else { max };
        row.iter_mut().for_each(|x| *x = (*x - shift).exponential());
        let mut sum = E::zero();
        row.iter().for_each(|&x| sum += x);
        (max, sum)
    }
}

/// Makes each row of `width` logits probabilities, in place: exp(x_j - max) / sum_k exp(x_k - max).
pub fn softmax_rows<E: Float>(rows: &mut [E], width: usize) {
    if width == 0 {
        return;
    }
    parallel::rows(rows, width, parallel::COSTLY, |_, rows| {
        for row in rows.chunks_exact_mut(width) {
            let (_, sum) = exponentials(row);
            let factor = E::one() / sum;
            row.iter_mut().for_each(|x| *x *= factor);
        }
    });
}
