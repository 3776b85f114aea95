//! Products on processors for which there are no kernels here: those of the crate matrixmultiply, which has some for
//! NEON and SSE2, and for every other processor.
//!
//! Each entry is the same sums in the same order wherever it lies in the matrices, as in [`super::loops`].

use super::part::{Part, Right};
use crate::numbers::{Family, Float, PerFloat};

/// m, k, n, alpha, a and b and beta and c with the strides of their rows and columns: c = alpha a b + beta c.
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
/// All entries of the matrices lie in their slices, and those of c are valid for writing.
///
/// # Panics
/// If the right-hand matrix is packed.
pub unsafe fn multiply<E: Float>(part: &Part<'_, E>) {
    let &Part { m, k, n, a, b: Right::Matrix(b), c, stride, store } = part else {
        unreachable!("matrices are packed for registers only")
    };
    // a slice is no longer than isize::MAX, so only a stride that leads nowhere is longer
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
