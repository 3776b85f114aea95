//! The product of two matrices on one thread, in the five loops of Goto and van de Geijn, "Anatomy of High-Performance
//! Matrix Multiplication", 2008.
//!
//! The innermost computation is a tile of the result, held in registers while it runs over the inner dimension. The
//! loops around it cut the matrices so that what is read again soon is still in a cache. Panels of b (as wide as a
//! tile) and strips of a (as high as a tile) are packed.
//!
//! Each entry of the result is the same sequence of operations wherever its tile lies, so the bits do not depend on how
//! a product is split over threads.

use super::register::{InRegisters, Plain, Register};
use super::tile::{Strip, Target, tile};
use super::{Matrix, pack};
use crate::kernels::instructions::{Instructions, instructions};
use crate::kernels::store::Store;
use crate::kernels::vectorized::wide_pays;
use crate::memory::Storage;
use crate::numbers::Float;

// Tuning numbers, measured on a core with 32 KiB of first-level and 512 KiB of second-level cache.
/// The most of the inner dimension that one tile runs over: a panel of b (16 f32 wide, or 32) then fills half of the
/// first-level cache, or most of one of 48 KiB.
const DEPTH: usize = 256;
/// Rows of a in one block: with [`DEPTH`], a third of the second-level cache.
const BLOCK_ROWS: usize = 144;
/// Columns of b in one block, which stays in the third-level cache.
const BLOCK_COLUMNS: usize = 2048;
/// With no more columns than this a strip of a is not read often enough to pay for packing it, if its rows are
/// contiguous.
const UNPACKED_COLUMNS: usize = 256;

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
    /// What [`pack_whole`] made of it; of the columns, those from `left` on.
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

/// The numbers of columns that [`Right::Panels`] can begin with, and that a row of them is rounded up to, are multiples
/// of this: the widest panel.
pub const PANEL: usize = 32;

/// Packs a whole matrix of k rows for many products: piece by piece of the inner dimension, and in each panel by panel.
/// `out` has room for k rows of `columns`, a multiple of [`PANEL`].
///
/// # Safety
/// All entries of the matrix, k x n, lie in its slice.
pub unsafe fn pack_whole<E: InRegisters>(b: Matrix<'_, E>, k: usize, n: usize, columns: usize, out: &mut [E]) {
    // SAFETY: the caller's promise.
    unsafe { with_registers(Work::Pack { b, k, n, columns, out }) }
}

/// Computes a product.
///
/// # Safety
/// All entries of the matrices lie in their slices, and those of c are valid for writing.
pub unsafe fn compute<E: InRegisters>(part: &Part<'_, E>) {
    // SAFETY: the caller's promise.
    unsafe { with_registers(Work::Multiply(part)) }
}

/// What is done with registers.
pub enum Work<'a, E> {
    /// See [`compute`].
    Multiply(&'a Part<'a, E>),
    /// See [`pack_whole`].
    Pack { b: Matrix<'a, E>, k: usize, n: usize, columns: usize, out: &'a mut [E] },
}

/// Computes with the best instructions that the processor has.
///
/// # Safety
/// As [`compute`] and [`pack_whole`].
unsafe fn with_registers<E: InRegisters>(work: Work<'_, E>) {
    #[cfg(target_arch = "x86_64")]
    {
        // A tile of the long registers would be half empty over few columns. What is packed whole is always packed
        // for them, for it is not known over how many columns a product with it will run.
        let few = 2 * <E::Register as Register<E>>::LEN;
        let narrow = matches!(&work, Work::Multiply(Part { n, b: Right::Matrix(_), .. }) if *n <= few);
        let wide = const { wide_pays::<E>(true) } && !narrow;
        match instructions() {
            // SAFETY: the processor has said what it has.
            Instructions::Avx512 if wide => return unsafe { avx512(work) },
            // SAFETY: as above; who has AVX-512 has these too.
            Instructions::Avx512 | Instructions::Avx2 => return unsafe { avx2(work) },
            Instructions::Portable => {}
        }
    }
    // SAFETY: plain registers need nothing of the processor.
    unsafe { portable(work) }
}

/// With long registers: 12 x 32 f32 in a tile, 24 of the 32 registers.
///
/// # Safety
/// As [`with_registers`], and the processor has AVX-512F, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512<E: InRegisters>(work: Work<'_, E>) {
    // SAFETY: this function has what the registers need, and the caller promises the rest.
    unsafe { work_with::<E, E::WideRegister, 12>(work) }
}

/// 6 x 16 f32 in a tile, 12 of the 16 registers.
///
/// # Safety
/// As [`with_registers`], and the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
pub unsafe fn avx2<E: InRegisters>(work: Work<'_, E>) {
    // SAFETY: this function has what the registers need, and the caller promises the rest.
    unsafe { work_with::<E, E::Register, 6>(work) }
}

/// For every processor.
///
/// # Safety
/// As [`with_registers`].
pub unsafe fn portable<E: InRegisters>(work: Work<'_, E>) {
    // SAFETY: plain registers need nothing of the processor.
    unsafe { work_with::<E, Plain<E>, 4>(work) }
}

/// # Safety
/// As [`with_registers`], and the processor has what `R` needs.
#[inline(always)]
unsafe fn work_with<E: Float, R: Register<E>, const ROWS: usize>(work: Work<'_, E>) {
    match work {
        // SAFETY: the caller's promise.
        Work::Multiply(part) => unsafe { five_loops::<E, R, ROWS>(part) },
        Work::Pack { b, k, n, columns, out } => {
            let depth = depth(k);
            for (start, piece) in (0..k).step_by(depth).zip(out.chunks_mut(depth * columns)) {
                // SAFETY: the caller's promise.
                unsafe { pack::panels::<E, R>(b.part(start, 0), depth.min(k - start), n, piece) };
            }
        }
    }
}

/// How long the pieces of an inner dimension of k are: equal but for the last.
fn depth(k: usize) -> usize {
    k.div_ceil(k.div_ceil(DEPTH))
}

/// # Safety
/// As [`compute`], and the processor has what `R` needs.
#[inline(always)]
unsafe fn five_loops<E: Float, R: Register<E>, const ROWS: usize>(part: &Part<'_, E>) {
    let &Part { m, k, n, a, b, c, stride, store } = part;
    let panel_width = 2 * R::LEN;
    let depth = depth(k);
    let packs_panels = matches!(b, Right::Matrix(_));
    let panels_len = if packs_panels { depth * n.min(BLOCK_COLUMNS).next_multiple_of(panel_width) } else { 0 };
    let mut own_panels = Storage::<E>::scratch(panels_len);
    let own_panels = own_panels.make_mut();
    let packs_strips = n > UNPACKED_COLUMNS || (a.column_stride != 1 && n > panel_width);
    let strips_len = if packs_strips { depth * m.min(BLOCK_ROWS).next_multiple_of(ROWS) + R::LEN } else { 0 };
    let mut strips = Storage::<E>::scratch(strips_len);
    let strips = strips.make_mut();
    // fifth loop: blocks of columns of b and c
    for left in (0..n).step_by(BLOCK_COLUMNS) {
        let width = BLOCK_COLUMNS.min(n - left);
        // fourth loop: pieces of the inner dimension, added up in c
        for start in (0..k).step_by(depth) {
            let depth = depth.min(k - start);
            let store = Store::adding(store.adds() || start > 0);
            let panels = match b {
                Right::Matrix(b) => {
                    // SAFETY: the caller promises the registers and the entries.
                    unsafe { pack::panels::<E, R>(b.part(start, left), depth, width, own_panels) };
                    &*own_panels
                }
                Right::Panels { panels, columns, left: before } => &panels[start * columns + (before + left) * depth..],
            };
            // third loop: blocks of rows of a and c
            for top in (0..m).step_by(BLOCK_ROWS) {
                let height = BLOCK_ROWS.min(m - top);
                let block = a.part(top, start);
                if packs_strips {
                    // SAFETY: as above.
                    unsafe { pack::strips::<E, R, ROWS>(block, height, depth, strips) };
                }
                // second loop: panels of b
                for j in (0..width).step_by(panel_width) {
                    let panel = panels[j * depth..(j + panel_width) * depth].as_ptr();
                    let columns = panel_width.min(width - j);
                    // first loop: strips of a
                    for i in (0..height).step_by(ROWS) {
                        let rows = ROWS.min(height - i);
                        let strip = if packs_strips {
                            Strip { first: strips[i * depth..].as_ptr(), row_stride: 1, step: ROWS }
                        } else {
                            let first = block.part(i, 0).values.as_ptr();
                            Strip { first, row_stride: a.row_stride, step: a.column_stride }
                        };
                        // SAFETY: strip and panel were packed for this depth, or lie in their slices; the tile lies in
                        // c, of which the caller promises that it may be written.
                        unsafe {
                            let first = c.add((top + i) * stride + left + j);
                            let target = Target { first, stride, rows, columns, store };
                            tile::<E, R, ROWS>(depth, strip, panel, target);
                        }
                    }
                }
            }
        }
    }
}
