//! Sums over axes, and other reductions.

use super::vectorized::wide_pays;
use super::{parallel, vectorized};
use crate::kernels::store::Store;
use crate::numbers::Float;

/// The number of numbers in one partial sum. Sums are split by this number, never by the number of threads.
const BLOCK: usize = 1 << 14;
/// How often a running sum is added to before it is added to another.
const PART: usize = 32;
/// Independent running sums: enough to keep the adders of a core busy, and the reason that large f32 sums are accurate.
const LANES: usize = 64;
/// How many of them what is left at the end of a line takes at once.
const FEW: usize = 8;
/// How many places of a block are read by turns.
const STREAMS: usize = 4;

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

/// The sums over two arrays of one length of the `N` numbers that `f` makes of each pair, in independent running sums.
#[inline(always)]
pub fn lane_sums<E: Float, const N: usize, const LANES: usize>(a: &[E], b: &[E], f: impl Fn(E, E) -> [E; N]) -> [E; N] {
    let (chunks, rest) = a.as_chunks::<LANES>();
    let (others, other_rest) = b.as_chunks::<LANES>();
    let mut sums = [[E::zero(); LANES]; N];
    for (a, b) in chunks.iter().zip(others) {
        for lane in 0..LANES {
            let terms = f(a[lane], b[lane]);
            for n in 0..N {
                sums[n][lane] += terms[n];
            }
        }
    }
    let (few, tail) = rest.as_chunks::<FEW>();
    let (other_few, other_tail) = other_rest.as_chunks::<FEW>();
    for (i, (a, b)) in few.iter().zip(other_few).enumerate() {
        for lane in 0..FEW {
            let terms = f(a[lane], b[lane]);
            for n in 0..N {
                sums[n][FEW * i + lane] += terms[n];
            }
        }
    }
    let mut last = [E::zero(); N];
    for (&a, &b) in tail.iter().zip(other_tail) {
        let terms = f(a, b);
        for n in 0..N {
            last[n] += terms[n];
        }
    }
    std::array::from_fn(|n| total(sums[n]) + last[n])
}

vectorized! {
    wide(wide_pays::<E>(true)) fn block_sum [E: Float] [E] (values: &[E]) -> f64 {
        let (chunks, rest) = values.as_chunks::<LANES>();
        let mut sums = [E::zero(); LANES];
        // a quarter each: from memory, four streams come faster than one, if they are longer than a page or so
        let quarter = if chunks.len() < STREAMS * PART { 0 } else { chunks.len() / STREAMS };
        let [a, b, c, d]: [_; STREAMS] = std::array::from_fn(|stream| &chunks[stream * quarter..][..quarter]);
        for start in (0..quarter).step_by(PART) {
            let mut lanes = [E::zero(); LANES];
            for i in start..quarter.min(start + PART) {
                for lane in 0..LANES {
                    lanes[lane] += (a[i][lane] + b[i][lane]) + (c[i][lane] + d[i][lane]);
                }
            }
            for lane in 0..LANES {
                sums[lane] += lanes[lane];
            }
        }
        for part in chunks[STREAMS * quarter..].chunks(PART) {
            let mut lanes = [E::zero(); LANES];
            for chunk in part {
                for lane in 0..LANES {
                    lanes[lane] += chunk[lane];
                }
            }
            for lane in 0..LANES {
                sums[lane] += lanes[lane];
            }
        }
        let (few, tail) = rest.as_chunks::<FEW>();
        for (i, few) in few.iter().enumerate() {
            for lane in 0..FEW {
                sums[FEW * i + lane] += few[lane];
            }
        }
        let mut last = E::zero();
        for &x in tail {
            last += x;
        }
        (total(sums) + last).as_f64()
    }
}

/// The sums over two arrays of one length of the `N` numbers that `f` makes of each pair: short sums in their own type,
/// their total in f64.
#[inline(always)]
pub fn block_sums<E: Float, const N: usize>(a: &[E], b: &[E], f: impl Fn(E, E) -> [E; N]) -> [f64; N] {
    let mut totals = [0.0; N];
    for (a, b) in a.chunks(PART * 32).zip(b.chunks(PART * 32)) {
        let sums = lane_sums::<E, N, 32>(a, b, &f);
        for n in 0..N {
            totals[n] += sums[n].as_f64();
        }
    }
    totals
}

/// The sum of rows that are found one by one, each as long as `out`; 0 of none.
pub fn sum_of_rows<'a, E: Float>(rows: impl Iterator<Item = &'a [E]>, out: &mut [E]) {
    let mut totals: Vec<f64> = Vec::new();
    let mut taken = 0;
    out.fill(E::zero());
    for row in rows {
        if taken == FEW_ROWS / 4 {
            totals.resize(out.len(), 0.0);
            for (total, sum) in totals.iter_mut().zip(&mut *out) {
                *total += sum.as_f64();
                *sum = E::zero();
            }
            taken = 0;
        }
        taken += 1;
        out.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
    }
    out.iter_mut().zip(totals).for_each(|(sum, total)| *sum = E::of(total + sum.as_f64()));
}

/// The sum of all values: short sums in the type of the values, their total in f64.
pub fn sum_f64<E: Float>(values: &[E]) -> f64 {
    if values.len() <= BLOCK {
        return block_sum(values);
    }
    let many = parallel::worthwhile(values.len(), parallel::CHEAP);
    sum_f64(&parallel::each(values.len().div_ceil(BLOCK), many, |i| {
        block_sum(&values[i * BLOCK..values.len().min((i + 1) * BLOCK)])
    }))
}

/// [`sum_f64`], rounded.
pub fn sum<E: Float>(values: &[E]) -> E {
    E::of(sum_f64(values))
}

/// Below this many numbers, calling a function for one row takes as long as its sum.
const SHORT: usize = 256;

vectorized! {
    wide(wide_pays::<E>(true))
    /// The sums of rows of few numbers.
    fn short_row_sums [E: Float] [E] (rows: &[E], width: usize, out: &mut [E], store: Store) {
        const LANES: usize = 16;
        let quarter = out.len() / STREAMS;
        for step in 0..out.len() {
            // by turns of each quarter, as above
            let i = if step < STREAMS * quarter { step % STREAMS * quarter + step / STREAMS } else { step };
            let (chunks, rest) = rows[i * width..(i + 1) * width].as_chunks::<LANES>();
            let mut sums = [E::zero(); LANES];
            for chunk in chunks {
                for lane in 0..LANES {
                    sums[lane] += chunk[lane];
                }
            }
            let (few, tail) = rest.as_chunks::<FEW>();
            for few in few {
                for lane in 0..FEW {
                    sums[lane] += few[lane];
                }
            }
            let mut last = E::zero();
            for &x in tail {
                last += x;
            }
            out[i] = store.result(out[i], total(sums) + last);
        }
    }
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
pub fn sum_axis<E: Float>(x: &[E], (outer, middle, inner): (usize, usize, usize), out: &mut [E], store: Store) {
    assert_eq!((x.len(), out.len()), (outer * middle * inner, outer * inner));
    if out.is_empty() {
        return;
    }
    if inner == 1 {
        let group = BLOCK.div_ceil(middle.max(1));
        parallel::chunks(out, group, parallel::worthwhile(x.len(), parallel::CHEAP), |i, out| {
            let rows = &x[i * group * middle..][..out.len() * middle];
            if middle == 1 {
                out.iter_mut().zip(rows).for_each(|(out, &x)| *out = store.result(*out, x));
            } else if middle < SHORT {
                short_row_sums(rows, middle, out, store);
            } else {
                for (out, row) in out.iter_mut().zip(rows.chunks_exact(middle)) {
                    *out = store.result(*out, sum(row));
                }
            }
        });
        return;
    }
    if middle == 0 {
        store.clear(out);
        return;
    }
    for (out, rows) in out.chunks_exact_mut(inner).zip(x.chunks_exact(middle * inner)) {
        sum_rows(rows, out, store);
    }
}

/// About how many numbers are added up before threads exchange sums. Sums are split by this number.
const SLAB: usize = 1 << 16;

/// The sum of all rows, each as long as `out`.
fn sum_rows<E: Float>(rows: &[E], out: &mut [E], store: Store) {
    let width = out.len();
    let many = parallel::worthwhile(rows.len(), parallel::CHEAP);
    let slab = width * SLAB.div_ceil(width).next_multiple_of(FEW_ROWS);
    if rows.len() > slab && width <= SLAB / 256 {
        // few columns: the rows are split
        let slabs = rows.len().div_ceil(slab);
        let mut sums = vec![0.0; slabs * width];
        parallel::chunks(&mut sums, width, many, |i, sums| {
            slab_sums(&rows[i * slab..rows.len().min((i + 1) * slab)], sums);
        });
        let mut totals = vec![0.0; width];
        sum_rows(&sums, &mut totals, Store::Overwrite);
        out.iter_mut().zip(totals).for_each(|(out, total)| *out = store.result(*out, E::of(total)));
    } else if width < LANES {
        let mut totals = [0.0; LANES];
        slab_sums(rows, &mut totals[..width]);
        out.iter_mut().zip(totals).for_each(|(out, total)| *out = store.result(*out, E::of(total)));
    } else {
        // over columns, so that a long row is split and each thread adds up its own columns
        let part = if many && width >= 128 { width.div_ceil(8).next_multiple_of(16) } else { width };
        parallel::chunks(out, part, many, |i, out| columns(out, rows, i * part, width, store));
    }
}

/// The sum of all rows, each as long as `sums`, in f64. Short rows are combined.
fn slab_sums<E: Float>(rows: &[E], sums: &mut [f64]) {
    let width = sums.len();
    if width >= LANES {
        return columns(sums, rows, 0, width, Store::Overwrite);
    }
    let mut wide = [0.0; 2 * LANES];
    let wide = &mut wide[..width * LANES.div_ceil(width)];
    let (body, rest) = rows.split_at(rows.len() / wide.len() * wide.len());
    if !body.is_empty() {
        columns(wide, body, 0, wide.len(), Store::Overwrite);
    }
    sums.fill(0.0);
    for part in wide.chunks_exact(width) {
        sums.iter_mut().zip(part).for_each(|(sum, &part)| *sum += part);
    }
    for row in rest.chunks_exact(width) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.as_f64());
    }
}

/// How many rows are added up in their own type; what follows is added in f64.
const FEW_ROWS: usize = 128;
/// How many columns are added up at once: their sums stay in the first-level cache.
const COLUMNS: usize = 256;

vectorized! {
    wide(wide_pays::<E>(true))
    /// The sums of the columns from `start` on of rows of `width` numbers.
    fn columns [E: Float, O: Float] [E, O] (out: &mut [O], rows: &[E], start: usize, width: usize, store: Store) {
        for (i, out) in out.chunks_mut(COLUMNS).enumerate() {
            let start = start + i * COLUMNS;
            let (mut sums, mut totals) = ([E::zero(); COLUMNS], [0.0; COLUMNS]);
            let (sums, totals) = (&mut sums[..out.len()], &mut totals[..out.len()]);
            let mut blocks = rows.chunks(FEW_ROWS * width);
            let last = blocks.next_back().unwrap_or(&[]);
            let several = blocks.len() > 0;
            for block in blocks {
                add_columns(sums, block, start, width);
                for (total, sum) in totals.iter_mut().zip(&mut *sums) {
                    *total += sum.as_f64();
                }
            }
            add_columns(sums, last, start, width);
            if several {
                for ((out, &total), &sum) in out.iter_mut().zip(&*totals).zip(&*sums) {
                    *out = store.result(*out, O::of(total + sum.as_f64()));
                }
            } else {
                for (out, &sum) in out.iter_mut().zip(&*sums) {
                    *out = store.result(*out, O::of(sum.as_f64()));
                }
            }
        }
    }
}

/// Makes `sums` the sums of the columns from `start` on of few rows.
#[inline(always)]
fn add_columns<E: Float>(sums: &mut [E], rows: &[E], start: usize, width: usize) {
    sums.fill(E::zero());
    // four at a time: the sums are read and written less often
    let groups = rows.chunks_exact(4 * width);
    let rest = groups.remainder();
    for group in groups {
        let row = |i: usize| &group[i * width + start..][..sums.len()];
        let rows = row(0).iter().zip(row(1)).zip(row(2)).zip(row(3));
        for (sum, (((&a, &b), &c), &d)) in sums.iter_mut().zip(rows) {
            *sum += (a + b) + (c + d);
        }
    }
    for row in rest.chunks_exact(width) {
        for (sum, &x) in sums.iter_mut().zip(&row[start..]) {
            *sum += x;
        }
    }
}

/// Repeats (outer, inner) over the middle of (outer, middle, inner): the transpose of [`sum_axis`].
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::instructions::tests::{available, with};
    use crate::kernels::testing::{assert_close, random};
    use crate::numbers::Generator;

    fn rows<E: Float>(width: usize, rng: &mut Generator) {
        let count = if width == 56 { 3 * parallel::CHEAP / 56 } else { 7 };
        let (x, before): (Vec<E>, Vec<E>) = (random(count * width, rng), random(count, rng));
        for store in [Store::Overwrite, Store::Add] {
            let expected: Vec<f64> = (0..count)
                .map(|i| {
                    let sum: f64 = x[i * width..(i + 1) * width].iter().map(|x| x.as_f64()).sum();
                    sum + if store.adds() { before[i].as_f64() } else { 0.0 }
                })
                .collect();
            let results: Vec<Vec<E>> = available()
                .map(|instructions| {
                    let mut out = before.clone();
                    with(instructions, || sum_axis(&x, (count, width, 1), &mut out, store));
                    assert_close(&out, &expected, width);
                    out
                })
                .collect();
            assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{width}: the same bits");
        }
    }

    #[test]
    fn sums_of_rows_short_and_long() {
        let mut rng = Generator::new(0);
        for width in (0..40).chain([56, 63, 64, 65, SHORT - 1, SHORT, SHORT + 1, 5_000]) {
            rows::<f32>(width, &mut rng);
            rows::<f64>(width, &mut rng);
        }
        let mut out = [0.0_f32; 4];
        let infinity = f32::INFINITY;
        let x = [1.0, f32::NAN, infinity, 1.0, infinity, -infinity, 1e-45, -3e-45];
        sum_axis(&x, (4, 2, 1), &mut out, Store::Overwrite);
        assert!(out[0].is_nan() && out[1] == infinity && out[2].is_nan() && out[3] == -1e-45, "{out:?}");
        sum_axis(&[], (0, 5, 1), &mut [0.0_f32; 0], Store::Overwrite);
    }
}
