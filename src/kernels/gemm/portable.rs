//! Products on processors without a kernel here, by the crate matrixmultiply, which has kernels for NEON, for SSE2 and
//! for any other processor.
//!
//! Each entry is the same sum in the same order wherever it lies in the matrix, as in [`super::loops`].

use super::part::{Part, Right};
use crate::numbers::{Family, Float, PerFloat};

/// The arguments m, k, n, alpha, a, b, beta and c of c = alpha a b + beta c; each matrix is followed by its row and
/// column strides.
type Multiply<E> =
    unsafe fn(usize, usize, usize, E, *const E, isize, isize, *const E, isize, isize, E, *mut E, isize, isize);
struct Multiplications;
impl Family for Multiplications {
    type Of<E: Float> = Multiply<E>;
}
static MULTIPLY: PerFloat<Multiplications> = PerFloat { f32: matrixmultiply::sgemm, f64: matrixmultiply::dgemm };

/// Computes a product.
///
/// # Safety
/// All entries of the matrices lie in their slices, and those of c are valid for reads and writes.
///
/// # Panics
/// If the right-hand matrix is packed.
pub unsafe fn multiply<E: Float>(part: &Part<'_, E>) {
    let &Part { m, k, n, a, b: Right::Matrix(b), c, stride, store } = part else {
        unreachable!("matrices are packed for registers only")
    };
    // a slice holds at most isize::MAX numbers, so a stride beyond that is never used
    let strides = |row: usize, column: usize| (row.cast_signed(), column.cast_signed());
    let ((a_row, a_column), (b_row, b_column)) =
        (strides(a.row_stride, a.column_stride), strides(b.row_stride, b.column_stride));
    let (a, b) = (a.values.as_ptr(), b.values.as_ptr());
    let before = if store.adds() { E::one() } else { E::zero() };
    // SAFETY: the caller's promises.
    unsafe {
        E::pick(&MULTIPLY)(
            m,
            k,
            n,
            E::one(),
            a,
            a_row,
            a_column,
            b,
            b_row,
            b_column,
            before,
            c,
            stride.cast_signed(),
            1,
        );
    }
}
