//! The exponentials of a row, relative to its largest number: what softmax and cross-entropy begin with.

use super::vectorized;
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
