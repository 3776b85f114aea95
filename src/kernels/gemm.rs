//! Products of matrices.

use super::parallel;
use crate::tensor::Float;
use rayon::prelude::*;

/// A matrix in a slice: how far apart its rows and its columns are.
#[derive(Clone, Copy)]
pub struct Matrix<'a, E> {
    pub values: &'a [E],
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a, E> Matrix<'a, E> {
    /// A matrix stored row by row.
    pub fn rows(values: &'a [E], columns: usize) -> Self {
        Matrix { values, row_stride: columns, column_stride: 1 }
    }

    /// The transpose of a matrix stored row by row.
    pub fn transposed(values: &'a [E], columns: usize) -> Self {
        Matrix { values, row_stride: 1, column_stride: columns }
    }

    /// Panics if an entry of an m x n matrix would lie outside the slice.
    fn check(&self, m: usize, n: usize) {
        if m > 0 && n > 0 {
            assert!((m - 1) * self.row_stride + (n - 1) * self.column_stride < self.values.len());
        }
    }
}

/// Below this many multiply-adds, threads cost more than they save.
const PARALLEL_ABOVE: usize = 1 << 19;

/// `c = a b`, or `c += a b` if `add`; a is m x k, b is k x n, c is m x n row by row.
///
/// Large products are split over threads by rows of c or by columns, into parts fixed by the sizes: each entry is
/// computed in the same way whatever the number of threads.
pub fn gemm<E: Float>(m: usize, k: usize, n: usize, a: Matrix<'_, E>, b: Matrix<'_, E>, c: &mut [E], add: bool) {
    assert_eq!(c.len(), m * n);
    a.check(m, k);
    b.check(k, n);
    let beta = if add { E::one() } else { E::zero() };
    if k == 0 {
        if !add {
            c.fill(E::zero());
        }
        return;
    }
    if m == 0 || n == 0 {
        return;
    }
    let part_rows = m.div_ceil(8).next_multiple_of(8);
    if parallel::worthwhile(m * n * k, PARALLEL_ABOVE) && part_rows < m {
        c.par_chunks_mut(part_rows * n).enumerate().for_each(|(i, c)| {
            let a = Matrix { values: &a.values[i * part_rows * a.row_stride..], ..a };
            single(c.len() / n, k, n, a, b, beta, c);
        });
    } else {
        single(m, k, n, a, b, beta, c);
    }
}

/// On this thread. The slices were checked by the caller.
fn single<E: Float>(m: usize, k: usize, n: usize, a: Matrix<'_, E>, b: Matrix<'_, E>, beta: E, c: &mut [E]) {
    // SAFETY: `gemm` checked that all entries that these sizes and strides reach lie in the slices, and c is m x n.
    #[allow(unsafe_code)]
    unsafe {
        E::raw_gemm(
            m,
            k,
            n,
            (a.values.as_ptr(), a.row_stride as isize, a.column_stride as isize),
            (b.values.as_ptr(), b.row_stride as isize, b.column_stride as isize),
            beta,
            (c.as_mut_ptr(), n as isize, 1),
        );
    }
}

/// [`gemm`] for each of a batch: `a(i)` and `b(i)` are the matrices of number i, c holds the results one after the
/// other.
pub fn batched<'a, E: Float>(
    (m, k, n): (usize, usize, usize),
    a: impl Fn(usize) -> Matrix<'a, E> + Sync,
    b: impl Fn(usize) -> Matrix<'a, E> + Sync,
    c: &mut [E],
    add: bool,
) {
    if m == 0 || n == 0 || c.is_empty() {
        return;
    }
    let batch = c.len() / (m * n);
    if batch > 1 && parallel::worthwhile(batch * m * n * k, PARALLEL_ABOVE) {
        c.par_chunks_mut(m * n).enumerate().for_each(|(i, c)| gemm(m, k, n, a(i), b(i), c, add));
    } else {
        c.chunks_mut(m * n).enumerate().for_each(|(i, c)| gemm(m, k, n, a(i), b(i), c, add));
    }
}
