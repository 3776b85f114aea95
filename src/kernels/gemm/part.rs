//! The part of a product that one thread computes.

use super::Matrix;
use crate::kernels::store::Store;
use crate::numbers::Float;

/// A product, or a part of one, on one thread: c is m x n with its rows `stride` apart.
pub struct Part<'a, E> {
    pub m: usize,
    pub k: usize,
    pub n: usize,
    pub a: Matrix<'a, E>,
    pub b: Right<'a, E>,
    pub c: *mut E,
    pub stride: usize,
    pub store: Store,
}

/// The right-hand matrix of a product.
#[derive(Clone, Copy)]
pub enum Right<'a, E> {
    /// To be packed block by block.
    Matrix(Matrix<'a, E>),
    /// The result of [`super::loops::pack_whole`], with the columns from `left` on.
    Panels { panels: &'a [E], columns: usize, left: usize },
}

impl<'a, E: Float> Right<'a, E> {
    /// Panics if an entry of a k x n matrix would lie outside the slice.
    pub fn check(&self, k: usize, n: usize) {
        match self {
            Right::Matrix(b) => b.check(k, n),
            Right::Panels { panels, columns, left } => {
                let fits = left.is_multiple_of(PANEL) && left.checked_add(n).is_some_and(|right| right <= *columns);
                assert!(
                    fits && k.checked_mul(*columns) == Some(panels.len()),
                    "the panels are those of a k x n matrix"
                );
            }
        }
    }

    /// Without the first `left` columns.
    pub fn right_of(self, left: usize) -> Self {
        match self {
            Right::Matrix(b) => Right::Matrix(b.part(0, left)),
            Right::Panels { panels, columns, left: more } => Right::Panels { panels, columns, left: more + left },
        }
    }
}

/// The width of the widest panel: the first column of [`Right::Panels`] and the length of a row are multiples of it.
pub const PANEL: usize = 32;
