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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::instructions::tests::{available, with};
    use crate::kernels::testing::{assert_close, random, wide};
    use crate::numbers::Generator;

    fn row<E: Float>(x: &[E]) {
        let max = x.iter().fold(E::neg_infinity(), |max, &x| max.max(x));
        let shift = if max == E::neg_infinity() { 0.0 } else { max.as_f64() };
        let expected: Vec<f64> = wide(x).iter().map(|x| (x - shift).exp()).collect();
        for instructions in available() {
            let mut found = x.to_vec();
            let (found_max, sum) = with(instructions, || exponentials(&mut found));
            assert!(found_max == max);
            assert_close(&found, &expected, 8);
            assert_close(&[sum], &[expected.iter().sum()], x.len());
        }
    }

    fn rows<E: Float>() {
        let rng = &mut Generator::new(1);
        // shorter and longer than the lanes, and a remainder
        for len in [0, 1, 15, 16, 53, 1000] {
            let mut x: Vec<E> = random(len, rng);
            x.iter_mut().for_each(|x| *x *= E::of(40.0));
            row(&x);
            // a masked element, at each end
            if let [first, .., last] = &mut x[..] {
                (*first, *last) = (E::neg_infinity(), E::neg_infinity());
                row(&x);
            }
            row(&vec![E::neg_infinity(); len]);
        }
    }

    #[test]
    fn rows_are_those_of_naive_loops() {
        rows::<f32>();
        rows::<f64>();
    }
}
