//! The product of a row vector and a matrix. It reads the matrix only once, which is what takes the time, so nothing is
//! packed.

use super::Matrix;
use crate::kernels::reduce::total;
use crate::kernels::store::Store;
use crate::kernels::{parallel, vectorized};
use crate::memory::Storage;
use crate::numbers::Float;

/// The fewest entries of the matrix that one task reads.
const TASK: usize = 1 << 16;
/// This many terms of a dot product are summed in their own type, and those sums in f64.
const LONG: usize = 1 << 11;
/// This many rows are summed in their own type, and those sums in f64.
const FEW_ROWS: usize = 256;
/// Independent running sums of one dot product.
const LANES: usize = 16;

/// `out = x b` or `out += x b`, with b k x n; its rows or its columns are contiguous.
pub fn times_matrix<E: Float>(x: &[E], b: Matrix<'_, E>, out: &mut [E], store: Store) {
    let task = (TASK / x.len()).max(1).next_multiple_of(64);
    let part = |start: usize, out: &mut [E]| {
        let b = b.part(0, start);
        if b.row_stride == 1 { dots(x, b.values, b.column_stride, out, store) } else { long_sum(x, b, out, store) }
    };
    if parallel::worthwhile(out.len() * x.len(), 2 * TASK) && out.len() > task {
        parallel::chunks(out, task, true, |i, out| part(i * task, out));
    } else {
        part(0, out);
    }
}

vectorized! {
    /// The dot products of x with rows that start `stride` apart, four at a time.
    fn dots [E: Float] [E] (x: &[E], rows: &[E], stride: usize, out: &mut [E], store: Store) {
        for (group, out) in out.chunks_mut(4).enumerate() {
            // beyond the last row, the last is repeated, and not written
            let row: [&[E]; 4] =
                std::array::from_fn(|i| &rows[(group * 4 + i.min(out.len() - 1)) * stride..][..x.len()]);
            let mut totals = [0.0; 4];
            for start in (0..x.len()).step_by(LONG) {
                let piece = LONG.min(x.len() - start);
                let (x, row) = (&x[start..start + piece], row.map(|row| &row[start..start + piece]));
                let mut sums = [[E::zero(); LANES]; 4];
                let whole = piece / LANES * LANES;
                for start in (0..whole).step_by(LANES) {
                    let x: &[E; LANES] = x[start..].first_chunk().expect("whole chunks only");
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let row: &[E; LANES] = row[i][start..].first_chunk().expect("as long as x");
                        for lane in 0..LANES {
                            sums[lane] += x[lane] * row[lane];
                        }
                    }
                }
                for ((total_so_far, row), sums) in totals.iter_mut().zip(row).zip(sums) {
                    let tail = x[whole..].iter().zip(&row[whole..]).fold(E::zero(), |sum, (&x, &y)| sum + x * y);
                    *total_so_far += (total(sums) + tail).as_f64();
                }
            }
            for (out, total) in out.iter_mut().zip(totals) {
                *out = E::of(if store.adds() { out.as_f64() + total } else { total });
            }
        }
    }
}

/// [`sum_of_rows`] for any number of rows.
fn long_sum<E: Float>(x: &[E], b: Matrix<'_, E>, out: &mut [E], store: Store) {
    if x.len() <= FEW_ROWS {
        return sum_of_rows(x, b, out, store);
    }
    let mut sums = Storage::<E>::scratch(out.len());
    let mut totals = Storage::<f64>::zeros(out.len());
    for (i, x) in x.chunks(FEW_ROWS).enumerate() {
        sum_of_rows(x, b.part(i * FEW_ROWS, 0), sums.make_mut(), Store::Overwrite);
        totals.make_mut().iter_mut().zip(sums.as_slice()).for_each(|(total, sum)| *total += sum.as_f64());
    }
    for (out, &total) in out.iter_mut().zip(totals.as_slice()) {
        *out = E::of(if store.adds() { out.as_f64() + total } else { total });
    }
}

vectorized! {
    /// The sum of the rows of b, each times its entry of x, four rows at a time.
    fn sum_of_rows [E: Float] [E] (x: &[E], b: Matrix<'_, E>, out: &mut [E], store: Store) {
        store.clear(out);
        for (group, x) in x.chunks(4).enumerate() {
            if let &[a, b0, c, d] = x {
                let row: [&[E]; 4] = std::array::from_fn(|i| &b.values[(group * 4 + i) * b.row_stride..][..out.len()]);
                for (j, out) in out.iter_mut().enumerate() {
                    *out = *out + a * row[0][j] + b0 * row[1][j] + c * row[2][j] + d * row[3][j];
                }
            } else {
                for (i, &x) in x.iter().enumerate() {
                    let row = &b.values[(group * 4 + i) * b.row_stride..][..out.len()];
                    out.iter_mut().zip(row).for_each(|(out, &y)| *out += x * y);
                }
            }
        }
    }
}
