//! Mean and variance of many numbers, as accurate as with sums in f64, in one pass over memory.
//!
//! The numbers are taken in blocks that stay in the first-level cache. Of each block, a first pass finds a number p
//! near its mean, and a second one the sums of d and of d^2 with d = x - p. Near p, x - p is exact, so p itself need
//! not be the exact mean: the difference is in the sum of d. The sums of the blocks, relative to the p of the first,
//! are added up in f64.

use super::reduce::{lane_sums, total};
use super::vectorized;
use super::vectorized::wide_pays;
use crate::numbers::Float;

/// The largest size of a block.
const BLOCK: usize = 1024;
/// Independent running sums, where two are computed at once.
const LANES: usize = 32;

/// The state after the numbers added so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: f64,
    /// A number near the mean of the first block.
    pivot: f64,
    /// The sum of x - pivot.
    sum: f64,
    /// The sum of (x - pivot)^2.
    squares: f64,
}

impl Moments {
    /// The moments of `values`.
    pub fn of<E: Float>(values: &[E]) -> Self {
        let mut moments = Moments::default();
        moments.add(values);
        moments
    }

    /// Adds numbers.
    pub fn add<E: Float>(&mut self, values: &[E]) {
        add(self, values);
    }

    /// [`Moments::add`] for loops that are vectorised themselves.
    #[inline(always)]
    pub fn add_inline<E: Float>(&mut self, values: &[E]) {
        for block in values.chunks(BLOCK) {
            let [pivot, sum, squares] = of_block(block);
            self.join(Moments { count: block.len() as f64, pivot, sum, squares });
        }
    }

    /// Adds the numbers of another state.
    #[inline(always)]
    pub fn join(&mut self, Moments { count, pivot, sum, squares }: Moments) {
        if self.count == 0.0 {
            *self = Moments { count, pivot, sum, squares };
        } else {
            let offset = pivot - self.pivot;
            self.count += count;
            self.sum += sum + count * offset;
            self.squares += squares + offset * (2.0 * sum + count * offset);
        }
    }

    /// The state as numbers, to be sent.
    pub fn to_numbers(self) -> [f64; 4] {
        [self.count, self.pivot, self.sum, self.squares]
    }

    /// The reverse of [`to_numbers`](Self::to_numbers).
    pub fn of_numbers([count, pivot, sum, squares]: [f64; 4]) -> Self {
        Moments { count, pivot, sum, squares }
    }

    /// The mean; NaN if there are no numbers.
    pub fn mean(&self) -> f64 {
        self.pivot + self.sum / self.count
    }

    /// The sum of the squared differences to the mean. Never negative.
    pub fn squares(&self) -> f64 {
        let squares = self.squares - self.sum * (self.sum / self.count);
        // NaN stays NaN
        if squares < 0.0 { 0.0 } else { squares }
    }

    /// The (biased) variance; NaN if there are no numbers.
    pub fn variance(&self) -> f64 {
        self.squares() / self.count
    }
}

/// A mean as two numbers, the second of which is the rounding error of the first: `x - mean` is
/// `(x - first) - second`, exact even where the numbers differ only in their last bits.
#[inline(always)]
pub fn split<E: Float>(mean: f64) -> [E; 2] {
    let first = E::of(mean);
    let rest = mean - first.as_f64();
    // beyond the range of E the rest is NaN
    [first, if rest.is_finite() { E::of(rest) } else { E::zero() }]
}

vectorized! {
    wide(wide_pays::<E>(true)) fn add [E: Float] [E] (moments: &mut Moments, values: &[E]) {
        moments.add_inline(values);
    }
}

/// A number p near the mean of a block, and the sums of x - p and (x - p)^2.
#[inline(always)]
fn of_block<E: Float>(block: &[E]) -> [f64; 3] {
    let [sum] = lane_sums::<E, 1, { 2 * LANES }>(block, block, |x, _| [x]);
    let pivot = sum / E::of(block.len() as f64);
    let [sum, squares] = lane_sums::<E, 2, LANES>(block, block, |x, _| {
        let difference = x - pivot;
        [difference, difference * difference]
    });
    // of squares above this, what lies below the smallest number is not missed
    let small = E::min_positive_value() * E::of(1e12);
    if size_of::<E>() == 8 || (squares > small && squares.is_finite()) {
        return [pivot.as_f64(), sum.as_f64(), squares.as_f64()];
    }
    // all equal, or squares out of the range of f32
    in_f64(block)
}

/// [`of_block`] for numbers whose sum or squares are too large or too small for their type.
#[cold]
fn in_f64<E: Float>(block: &[E]) -> [f64; 3] {
    let mut sums = [0.0; LANES];
    for block in block.chunks(LANES) {
        for (sum, x) in sums.iter_mut().zip(block) {
            *sum += x.as_f64();
        }
    }
    let pivot = total(sums) / block.len() as f64;
    let (mut sums, mut squares) = ([0.0; LANES], [0.0; LANES]);
    for block in block.chunks(LANES) {
        for ((sum, square), x) in sums.iter_mut().zip(&mut squares).zip(block) {
            let difference = x.as_f64() - pivot;
            *sum += difference;
            *square += difference * difference;
        }
    }
    [pivot, total(sums), total(squares)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::random;
    use crate::numbers::Generator;

    /// Mean and variance with whole f64 sums of differences, in two passes.
    fn expected<E: Float>(values: &[E]) -> (f64, f64) {
        let count = values.len() as f64;
        let first = values[0].as_f64();
        let mean = first + values.iter().map(|x| x.as_f64() - first).sum::<f64>() / count;
        (mean, values.iter().map(|x| (x.as_f64() - mean).powi(2)).sum::<f64>() / count)
    }

    fn check<E: Float>(values: &[E], what: &str) {
        let moments = Moments::of(values);
        let (mean, variance) = expected(values);
        let mean_error = (moments.mean() - mean).abs();
        assert!(mean_error <= 1e-6 * variance.sqrt() + 1e-15 * mean.abs(), "{what}: {} {mean}", moments.mean());
        let error = (moments.variance() - variance).abs();
        let unknown = (4e-16 * mean).powi(2);
        assert!(error <= 1e-6 * variance + unknown, "{what}: {} instead of {variance}", moments.variance());
    }

    #[test]
    fn they_are_those_of_f64_sums_whatever_the_mean_the_spread_and_the_length() {
        let rng = &mut Generator::new(0);
        for length in [1, 2, 3, 31, 33, 100, 1024, 1025, 5000, 200_000] {
            let noise: Vec<f64> = random(length, rng);
            for mean in [0.0, 1e-30, 2024.0, -33_333.332, 1e6, 1e20] {
                for spread in [0.0, 1e-30, 1e-12, 1.0, 1e3, 1e19, 1e30] {
                    let values: Vec<f64> = noise.iter().map(|x| mean + spread * x).collect();
                    let single: Vec<f32> = values.iter().map(|&x| x as f32).collect();
                    let what = format!("{length} numbers of {mean} and {spread}");
                    check(&single, &what);
                    check(&values, &what);
                }
            }
        }
    }

    #[test]
    fn equal_numbers_have_no_variance_and_their_mean_is_one_of_them() {
        for length in [1, 3, 49, 768, 1000, 4096, 100_000] {
            for value in [2024.0_f32, 1000.1, 33_333.332, 123_456.7, 0.1, 1e-40, 3e38, -7.3e-12] {
                let moments = Moments::of(&vec![value; length]);
                assert_eq!(split::<f32>(moments.mean()), [value, 0.0], "{length} of {value}");
                assert_eq!(moments.variance(), 0.0, "{length} of {value}");
                let moments = Moments::of(&vec![f64::from(value) * 1.1; length]);
                assert_eq!((moments.mean(), moments.variance()), (f64::from(value) * 1.1, 0.0), "{length} of {value}");
            }
        }
    }

    #[test]
    fn a_number_far_from_all_others_spoils_nothing() {
        for place in [0, 700, 9_999] {
            let mut values: Vec<f32> = (0..10_000).map(|i| (i % 4) as f32).collect();
            values[place] = 1e6;
            check(&values, "one far out");
        }
    }

    #[test]
    fn nothing_has_no_mean_and_what_is_no_number_spreads() {
        assert!(Moments::of::<f32>(&[]).mean().is_nan() && Moments::of::<f32>(&[]).variance().is_nan());
        for wrong in [f32::NAN, f32::INFINITY] {
            assert!(Moments::of(&[1.0, wrong, 2.0]).variance().is_nan());
        }
    }
}
