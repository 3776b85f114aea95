//! Matrix products.

pub mod constant;
#[allow(unsafe_code)]
mod kernel;
#[allow(unsafe_code)]
mod loops;
mod matrix;
#[allow(unsafe_code)]
pub mod pack;
mod part;
#[allow(unsafe_code)]
mod portable;
#[allow(unsafe_code)]
pub mod register;
#[cfg(test)]
mod tests;
#[allow(unsafe_code)]
pub mod tile;
mod vector;

use super::parallel::{self, Entries};
use crate::kernels::instructions::{Instructions, instructions};
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::numbers::{Family, Float, PerFloat};
use loops::{compute, pack_whole};
pub use matrix::Matrix;
use part::{PANEL, Part, Right};
use register::InRegisters;

/// Below this many multiply-adds, threads cost more than they save.
const PARALLEL_ABOVE: usize = 1 << 19;
/// The fewest multiply-adds in one task.
const TASK: usize = 1 << 18;
/// The most tasks per thread that a product is split into. Unlike other splits, this one may depend on the number of
/// threads, as it does not affect the result.
const TASKS_OF_THREAD: usize = 2;

/// `c = a b` or `c += a b`, with a m x k, b k x n, and c m x n in row-major order.
///
/// Large products are split over threads by rows or columns of c; each entry is computed the same way with any number
/// of threads.
pub fn gemm<E: Float>(m: usize, k: usize, n: usize, a: Matrix<'_, E>, b: Matrix<'_, E>, c: &mut [E], store: Store) {
    E::pick(&PRODUCT)((m, k, n), a, Right::Matrix(b), c, store, true);
}

/// (m, k, n), a, b, c, how the result is stored, and whether several threads may be used.
type Product<E> = fn((usize, usize, usize), Matrix<'_, E>, Right<'_, E>, &mut [E], Store, bool);
struct Products;
impl Family for Products {
    type Of<E: Float> = Product<E>;
}
// through pointers, so that products are compiled once, in this crate, and not again for each model
static PRODUCT: PerFloat<Products> = PerFloat { f32: product, f64: product };

/// b, (k, n), its number of columns rounded up, and where the panels go.
type Pack<E> = fn(Matrix<'_, E>, (usize, usize), usize, &mut [E]);
struct Packs;
impl Family for Packs {
    type Of<E: Float> = Pack<E>;
}
static PACK: PerFloat<Packs> = PerFloat { f32: pack_panels, f64: pack_panels };

/// See [`gemm`].
fn product<E: InRegisters>(
    (m, k, n): (usize, usize, usize),
    a: Matrix<'_, E>,
    b: Right<'_, E>,
    c: &mut [E],
    store: Store,
    spread: bool,
) {
    assert_eq!(m.checked_mul(n), Some(c.len()), "the result is m x n");
    a.check(m, k);
    b.check(k, n);
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        store.clear(c);
        return;
    }
    if let Right::Matrix(b) = b {
        // vector times matrix, or matrix times vector, which is the same with everything transposed
        let contiguous = |matrix: Matrix<'_, E>| matrix.row_stride == 1 || matrix.column_stride == 1;
        if m == 1 && a.column_stride == 1 && contiguous(b) {
            return vector::times_matrix(&a.values[..k], b, c, store);
        }
        if n == 1 && b.row_stride == 1 && contiguous(a) {
            return vector::times_matrix(&b.values[..k], a.transpose(), c, store);
        }
        if k > LONG {
            return long((m, k, n), a, b, c, store);
        }
    }
    split((m, k, n), a, b, c, store, spread);
}

/// The longest inner dimension that is summed in the type of the entries: a multiple of the pieces that tiles run over.
const LONG: usize = 1 << 12;

/// A product with a long inner dimension: the products of its pieces, summed in f64.
fn long<E: InRegisters>(
    (m, k, n): (usize, usize, usize),
    a: Matrix<'_, E>,
    b: Matrix<'_, E>,
    c: &mut [E],
    store: Store,
) {
    let mut sums = Storage::<E>::scratch(m * n);
    let mut totals = Storage::<f64>::zeros(m * n);
    for start in (0..k).step_by(LONG) {
        let (sums, b) = (sums.make_mut(), Right::Matrix(b.part(start, 0)));
        split((m, LONG.min(k - start), n), a.part(0, start), b, sums, Store::Overwrite, true);
        totals.make_mut().iter_mut().zip(sums).for_each(|(total, sum)| *total += sum.as_f64());
    }
    c.iter_mut()
        .zip(totals.as_slice())
        .for_each(|(c, &total)| *c = E::of(if store.adds() { c.as_f64() + total } else { total }));
}

/// The right-hand matrix of many products, packed once.
pub struct Packed<'a, E: Float> {
    k: usize,
    n: usize,
    matrix: Matrix<'a, E>,
    panels: Storage<E>,
}

impl<'a, E: Float> Packed<'a, E> {
    /// A matrix b, k x n, for products with matrices of m rows.
    pub fn new(m: usize, k: usize, n: usize, matrix: Matrix<'a, E>) -> Self {
        matrix.check(k, n);
        // a single row is multiplied without packing, and so is everything if there is no kernel to pack for
        let packs = m > 1 && instructions() > Instructions::Portable;
        let columns = if packs { columns_of_panels(n) } else { 0 };
        let mut panels = Storage::scratch(k.checked_mul(columns).expect("the panels of a matrix fit the memory"));
        if panels.len() > 0 {
            E::pick(&PACK)(matrix, (k, n), columns, panels.make_mut());
        }
        Packed { k, n, matrix, panels }
    }

    /// [`gemm`] with this matrix on the right, on several threads only if `spread` allows it.
    pub fn times(&self, m: usize, a: Matrix<'_, E>, c: &mut [E], store: Store, spread: bool) {
        let (k, n) = (self.k, self.n);
        let b = if self.panels.len() == 0 {
            Right::Matrix(self.matrix)
        } else {
            Right::Panels { panels: self.panels.as_slice(), columns: columns_of_panels(n), left: 0 }
        };
        E::pick(&PRODUCT)((m, k, n), a, b, c, store, spread);
    }
}

/// The number of columns that n columns take when packed.
fn columns_of_panels(n: usize) -> usize {
    n.checked_next_multiple_of(PANEL).expect("the panels of a matrix fit the memory")
}

/// Packs the right-hand matrix of many products, k x n, into rows of `columns`. See [`Packed`].
fn pack_panels<E: InRegisters>(b: Matrix<'_, E>, (k, n): (usize, usize), columns: usize, out: &mut [E]) {
    b.check(k, n);
    assert!(columns >= n && columns.is_multiple_of(PANEL) && k.checked_mul(columns) == Some(out.len()));
    // SAFETY: all entries lie in the slice, and there is room for the panels.
    #[allow(unsafe_code)]
    unsafe {
        pack_whole(b, k, n, columns, out);
    }
}

/// Splits a product over threads if it is large. All entries that the sizes and strides reach lie in the slices, and no
/// size is 0.
fn split<E: InRegisters>(
    (m, k, n): (usize, usize, usize),
    a: Matrix<'_, E>,
    b: Right<'_, E>,
    c: &mut [E],
    store: Store,
    spread: bool,
) {
    let c = Entries::of(c);
    let part = |(top, rows): (usize, usize), (left, columns): (usize, usize)| {
        // SAFETY: all entries that the sizes and strides reach lie in the slices, c is m x n, and no two parts that run
        // at the same time overlap.
        #[allow(unsafe_code)]
        unsafe {
            let c = c.at(top * n + left);
            compute(&Part { m: rows, k, n: columns, a: a.part(top, 0), b: b.right_of(left), c, stride: n, store });
        }
    };
    // m n does not overflow, as it is the length of c
    let work = (m * n).saturating_mul(k);
    // each task packs what it reads, so there are only as many as keep every thread busy while another is held up
    let tasks = (work / TASK).min(TASKS_OF_THREAD * rayon::current_num_threads());
    if !spread || !parallel::worthwhile(work, PARALLEL_ABOVE) {
        part((0, m), (0, n));
    } else if m >= n {
        let rows = m.div_ceil(tasks).next_multiple_of(12);
        parallel::tasks(m.div_ceil(rows), true, &|i| part((i * rows, rows.min(m - i * rows)), (0, n)));
    } else {
        let columns = n.div_ceil(tasks).next_multiple_of(PANEL);
        parallel::tasks(n.div_ceil(columns), true, &|i| part((0, m), (i * columns, columns.min(n - i * columns))));
    }
}

/// [`gemm`] for each item of a batch: `a(i)` and `b(i)` are the matrices of item i; c holds the results one after the
/// other.
pub fn batched<'a, E: Float>(
    (m, k, n): (usize, usize, usize),
    a: impl Fn(usize) -> Matrix<'a, E> + Sync,
    b: impl Fn(usize) -> Matrix<'a, E> + Sync,
    c: &mut [E],
    store: Store,
) {
    if m == 0 || n == 0 || c.is_empty() {
        return;
    }
    let size = m.checked_mul(n).expect("the result of each product is m x n");
    let many = c.len() > size && parallel::worthwhile(c.len().saturating_mul(k), PARALLEL_ABOVE);
    parallel::chunks(c, size, many, |i, c| gemm(m, k, n, a(i), b(i), c, store));
}
