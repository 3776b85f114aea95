//! Sums over axes, and what else makes one number of many.

use super::vectorized::wide_pays;
use super::{parallel, vectorized};
use crate::numbers::Float;

/// How many numbers one partial sum takes. Sums are split by this number, never by the number of threads.
const BLOCK: usize = 1 << 14;
/// Independent running sums: enough for the adders of a core to overlap, and what makes large f32 sums accurate.
const LANES: usize = 64;
/// How many of them what is left at the end of a line takes at once.
const FEW: usize = 8;

/// The sum of independent running sums, halves added to halves, which the compiler does in registers.
#[inline(always)]
pub fn total<E: Float, const N: usize>(mut sums: [E; N]) -> E {
    const { assert!(N.is_power_of_two()) };
    let mut half = N / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

vectorized! {
    wide(wide_pays::<E>(true)) fn block_sum [E: Float] [E] (values: &[E]) -> E {
        let mut lanes = [E::zero(); LANES];
        let chunks = values.chunks_exact(LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (lane, &value) in lanes.iter_mut().zip(chunk) {
                *lane += value;
            }
        }
        for (i, few) in rest.chunks_exact(FEW).enumerate() {
            for (lane, &value) in lanes[FEW * i..].iter_mut().zip(few) {
                *lane += value;
            }
        }
        let tail = rest.chunks_exact(FEW).remainder().iter().fold(E::zero(), |sum, &value| sum + value);
        total(lanes) + tail
    }
}

/// The sum of all values, computed in blocks, so that the rounding error grows with the number of blocks only.
pub fn sum<E: Float>(values: &[E]) -> E {
    if values.len() <= BLOCK {
        return block_sum(values);
    }
    let many = parallel::worthwhile(values.len(), parallel::CHEAP);
    sum(&parallel::each(values.len().div_ceil(BLOCK), many, |i| {
        block_sum(&values[i * BLOCK..values.len().min((i + 1) * BLOCK)])
    }))
}

vectorized! {
    wide(wide_pays::<E>(true)) fn block_squares [E: Float] [E] (values: &[E]) -> f64 {
        let mut lanes = [0.0_f64; LANES];
        let chunks = values.chunks_exact(LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (lane, &value) in lanes.iter_mut().zip(chunk) {
                let value = value.as_f64();
                *lane += value * value;
            }
        }
        let tail: f64 = rest.iter().map(|value| value.as_f64() * value.as_f64()).sum();
        total(lanes) + tail
    }
}

/// The sum of the squares, in f64.
pub fn sum_of_squares<E: Float>(values: &[E]) -> f64 {
    values.chunks(BLOCK).map(block_squares).sum()
}

/// Sums over the middle of (outer, middle, inner): `out` is (outer, inner).
pub fn sum_axis<E: Float>(x: &[E], (outer, middle, inner): (usize, usize, usize), out: &mut [E], add: bool) {
    assert_eq!((x.len(), out.len()), (outer * middle * inner, outer * inner));
    if out.is_empty() {
        return;
    }
    if inner == 1 {
        let rows = |first: usize, out: &mut [E]| {
            for (row, out) in out.iter_mut().enumerate() {
                let total = sum(&x[(first + row) * middle..][..middle]);
                *out = if add { *out + total } else { total };
            }
        };
        let group = BLOCK.div_ceil(middle.max(1));
        parallel::chunks(out, group, parallel::worthwhile(x.len(), parallel::CHEAP), |i, out| rows(i * group, out));
        return;
    }
    if !add {
        out.fill(E::zero());
    }
    if middle == 0 {
        return;
    }
    for (out, block) in out.chunks_exact_mut(inner).zip(x.chunks_exact(middle * inner)) {
        // over columns, so that a long row is split and each thread adds up its own columns
        parallel_columns(out, block);
    }
}

fn parallel_columns<E: Float>(out: &mut [E], block: &[E]) {
    vectorized! {
        fn columns [E: Float] [E] (out: &mut [E], block: &[E], start: usize, width: usize) {
            for row in block.chunks_exact(width) {
                let row = &row[start..start + out.len()];
                out.iter_mut().zip(row).for_each(|(out, &x)| *out += x);
            }
        }
    }
    let width = out.len();
    if parallel::worthwhile(block.len(), parallel::CHEAP) && width >= 128 {
        let part = width.div_ceil(8).next_multiple_of(16);
        parallel::chunks(out, part, true, |i, out| columns(out, block, i * part, width));
    } else {
        columns(out, block, 0, width);
    }
}

/// Repeats (outer, inner) over the middle of (outer, middle, inner): the reverse of [`sum_axis`].
pub fn repeat_axis<E: Copy>(x: &[E], (outer, middle, inner): (usize, usize, usize), out: &mut [E]) {
    assert_eq!((x.len(), out.len()), (outer * inner, outer * middle * inner));
    if out.is_empty() {
        return;
    }
    if inner == 1 {
        out.chunks_exact_mut(middle).zip(x).for_each(|(out, &x)| out.fill(x));
    } else {
        for (out, x) in out.chunks_exact_mut(middle * inner).zip(x.chunks_exact(inner)) {
            out.chunks_exact_mut(inner).for_each(|out| out.copy_from_slice(x));
        }
    }
}
