//! Products with a matrix whose entries are mostly 0, such as one-hot vectors: rows are gathered, not multiplied.

use super::elementwise;
use super::transpose::transpose;
use super::vectorized;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::numbers::Float;

/// At most one in this many entries is nonzero. At this density, gathering beats the general product, which computes
/// more numbers at a time and on several threads.
const SPARSE: usize = 16;

/// This many numbers are added up in their own type; more of them in f64.
const FEW: usize = 1024;

vectorized! {
    /// Whether the functions below are faster.
    pub fn is_sparse [E: Float] [E] (x: &[E]) -> bool {
        let mut count = 0;
        for x in x {
            count += usize::from(*x != E::zero());
        }
        count * SPARSE <= x.len()
    }
}

/// `y = x w^T`: x is rows x k and sparse, w is n x k, y is rows x n.
pub fn times_transposed<E: Float>(x: &[E], w: &[E], (k, n): (usize, usize), y: &mut [E]) {
    let mut columns = Storage::scratch(w.len());
    transpose(w, n, k, columns.make_mut());
    gather(x, columns.as_slice(), k, n, y);
}

/// `out = g^T x`, overwritten or added: g is rows x n, x is rows x k and sparse, out is n x k.
pub fn transposed_times<E: Float>(g: &[E], x: &[E], (k, n): (usize, usize), out: &mut [E], store: Store) {
    let mut sums = Storage::zeros(out.len());
    if x.len() / k.max(1) <= FEW {
        scatter(g, x, k, n, sums.make_mut());
    } else {
        let mut wide = Storage::<f64>::zeros(out.len());
        scatter(g, x, k, n, wide.make_mut());
        sums.make_mut().iter_mut().zip(wide.as_slice()).for_each(|(sum, &wide)| *sum = E::of(wide));
    }
    if store.adds() {
        let mut transposed = Storage::scratch(out.len());
        transpose(sums.as_slice(), k, n, transposed.make_mut());
        elementwise::add_assign(out, transposed.as_slice());
    } else {
        transpose(sums.as_slice(), k, n, out);
    }
}

vectorized! {
    fn gather [E: Float] [E] (x: &[E], columns: &[E], k: usize, n: usize, y: &mut [E]) {
        y.fill(E::zero());
        let mut totals = vec![0.0; n];
        for (x, y) in x.chunks_exact(k.max(1)).zip(y.chunks_exact_mut(n.max(1))) {
            let mut terms = 0;
            for (j, &x) in x.iter().enumerate() {
                if x != E::zero() {
                    for (y, &w) in y.iter_mut().zip(&columns[j * n..][..n]) {
                        *y += x * w;
                    }
                    terms += 1;
                    if terms % FEW == 0 {
                        for (total, y) in totals.iter_mut().zip(&mut *y) {
                            *total += y.as_f64();
                            *y = E::zero();
                        }
                    }
                }
            }
            if terms >= FEW {
                for (total, y) in totals.iter_mut().zip(y) {
                    *y = E::of(*total + y.as_f64());
                    *total = 0.0;
                }
            }
        }
    }
}

vectorized! {
    fn scatter [E: Float, S: Float] [E, S] (g: &[E], x: &[E], k: usize, n: usize, sums: &mut [S]) {
        for (x, g) in x.chunks_exact(k.max(1)).zip(g.chunks_exact(n.max(1))) {
            for (j, &x) in x.iter().enumerate() {
                if x != E::zero() {
                    for (sum, &g) in sums[j * n..][..n].iter_mut().zip(g) {
                        *sum += S::of((x * g).as_f64());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::gemm::{Matrix, gemm};
    use crate::kernels::testing;
    use crate::numbers::Generator;

    #[test]
    fn they_are_the_products_of_the_matrices() {
        let mut rng = Generator::new(0);
        let (rows, k, n) = (7, 33, 19);
        let mut random = |len| testing::random::<f64>(len, &mut rng);
        let (w, g, before) = (random(n * k), random(rows * n), random(n * k));
        let mut x = vec![0.0; rows * k];
        (0..rows * k).step_by(17).for_each(|i| x[i] = i as f64 - 50.0);
        assert!(is_sparse(&x) && !is_sparse(&w));

        let (mut y, mut expected) = (vec![f64::NAN; rows * n], vec![0.0; rows * n]);
        times_transposed(&x, &w, (k, n), &mut y);
        gemm(rows, k, n, Matrix::rows(&x, k), Matrix::transposed(&w, k), &mut expected, Store::Overwrite);
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(&y, &expected));

        for store in [Store::Overwrite, Store::Add] {
            let (mut out, mut expected) = (before.clone(), before.clone());
            transposed_times(&g, &x, (k, n), &mut out, store);
            gemm(n, rows, k, Matrix::transposed(&g, n), Matrix::rows(&x, k), &mut expected, store);
            assert!(close(&out, &expected), "{store:?}");
        }
    }

    #[test]
    fn long_sums_are_as_good_as_in_f64() {
        let many = 300_000;
        let expected = f64::from(0.1_f32) * many as f64;
        let close = |y: &[f32]| y.iter().all(|&y| (f64::from(y) / expected - 1.0).abs() < 2e-5);
        // one full row of very many columns, of which the last row has none
        let (mut x, w) = (vec![0.0_f32; 2 * many], vec![0.1; 2 * many]);
        x[..many].fill(1.0);
        let mut y = [f32::NAN; 4];
        times_transposed(&x, &w, (many, 2), &mut y);
        assert!(close(&y[..2]) && y[2..] == [0.0; 2], "{y:?}");
        // the same column in very many rows
        let mut x = vec![0.0_f32; many * 2];
        x.iter_mut().step_by(2).for_each(|x| *x = 1.0);
        let mut out = [0.0; 6];
        transposed_times(&vec![0.1; many * 3], &x, (2, 3), &mut out, Store::Add);
        assert!([0, 2, 4].iter().all(|&i| close(&out[i..=i])) && out[1] == 0.0, "{out:?}");
    }

    #[test]
    fn matrices_without_rows_or_columns() {
        for (rows, k, n) in [(0, 3, 2), (2, 0, 3), (2, 3, 0), (0, 0, 0)] {
            let (x, w, g) = (vec![0.0; rows * k], vec![1.0; n * k], vec![1.0; rows * n]);
            assert!(is_sparse(&x));
            let (mut y, mut out) = (vec![f64::NAN; rows * n], vec![f64::NAN; n * k]);
            times_transposed(&x, &w, (k, n), &mut y);
            transposed_times(&g, &x, (k, n), &mut out, Store::Overwrite);
            assert!(y.iter().chain(&out).all(|&x| x == 0.0), "{rows} x {k} x {n}");
        }
    }
}
