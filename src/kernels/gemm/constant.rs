//! Small products whose sizes the compiler knows.

use crate::numbers::Float;

/// Above this many multiply-adds per row, the general product is faster.
pub const SMALL: usize = 1 << 11;
/// Above this many rows, too.
pub const FEW_ROWS: usize = 4;

/// `y = x w^T`: x is rows x `I`, w is `O` x `I`.
///
/// The only kernel that is compiled for each pair of sizes, and short for that reason. With nothing left to decide at
/// run time, it is several times as fast as the general product for networks of a few dozen neurons.
#[inline]
pub fn times_transposed<const I: usize, const O: usize, E: Float>(x: &[E], w: &[E], y: &mut [E]) {
    const LANES: usize = 4;
    for (x, y) in x.chunks_exact(I).zip(y.chunks_exact_mut(O)) {
        for (w, y) in w.chunks_exact(I).zip(y) {
            let (x, w) = (x.chunks_exact(LANES), w.chunks_exact(LANES));
            let tail = x.remainder().iter().zip(w.remainder()).fold(E::zero(), |sum, (&x, &w)| sum + x * w);
            let mut sums = [E::zero(); LANES];
            for (x, w) in x.zip(w) {
                for lane in 0..LANES {
                    sums[lane] += x[lane] * w[lane];
                }
            }
            *y = (sums[0] + sums[2]) + (sums[1] + sums[3]) + tail;
        }
    }
}
