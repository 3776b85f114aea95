//! The product of two matrices on one thread, in the five loops of Goto and van de Geijn, "Anatomy of High-Performance
//! Matrix Multiplication", 2008.
//!
//! The innermost computation is one tile of the result, held in registers while it runs over the inner dimension. The
//! loops around it cut the matrices into blocks, so that what is soon read again is still in a cache. Panels of b (as
//! wide as a tile) and strips of a (as high as a tile) are packed.
//!
//! Each entry of the result is computed by the same sequence of operations wherever its tile lies, so the bits do not
//! depend on how a product is split over threads.

use super::kernel::Kernel;
use super::pack::Strips;
use super::part::{PANEL, Part, Right};
use super::register::InRegisters;
use super::tile::{Strip, Target};
use super::{Matrix, portable};
use crate::kernels::caches::{Caches, caches};
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::numbers::Float;

/// The longest piece of the inner dimension that one tile runs over: a panel of b (32 f32 or 16 f64 wide) then fills 32
/// KiB, or half of that with AVX2. It is the same on every processor, as it determines the order of additions.
const DEPTH: usize = 256;
/// What the cache sizes are divided by. If all rows of a fit a third of the second-level cache, they are one block:
/// each panel of b is then packed when it is needed, and used while it is in the first-level cache. Otherwise, a block
/// of a takes a sixteenth of it, but at least [`BLOCK_ROWS`]. A block of b takes a quarter of the third-level cache,
/// which is shared with other cores.
const SHARES: [usize; 3] = [3, 16, 4];
/// The fewest rows of a in a block, if there is more than one block.
const BLOCK_ROWS: usize = 96;
/// The fewest and the most columns of b in one block.
const BLOCK_COLUMNS: [usize; 2] = [512, 4096];
/// Up to this many columns of b, a strip of a is not read often enough for packing it to pay off: the first for
/// contiguous rows, the second for contiguous columns that are [`CLOSE`].
const UNPACKED_COLUMNS: [usize; 2] = [256, 128];
/// The largest distance between columns that counts as close: columns a page apart compete for the same cache sets.
const CLOSE: usize = 512;

/// Packs a whole matrix, k x n, for many products: piece by piece of the inner dimension, and each piece panel by
/// panel. `out` has room for k rows of `columns`, a multiple of [`PANEL`].
///
/// # Safety
/// All entries of the matrix lie in its slice.
///
/// # Panics
/// If there is no kernel for this processor.
pub unsafe fn pack_whole<E: InRegisters>(b: Matrix<'_, E>, k: usize, n: usize, columns: usize, out: &mut [E]) {
    let kernel = Kernel::<E>::best().expect("matrices are packed for kernels only");
    let depth = depth(k);
    for (start, piece) in (0..k).step_by(depth).zip(out.chunks_mut(depth * columns)) {
        // SAFETY: the caller's promise, and the processor supports the kernel's instructions.
        unsafe { (kernel.panels)(b.part(start, 0), depth.min(k - start), n, piece) };
    }
}

/// Computes a product.
///
/// # Safety
/// All entries of the matrices lie in their slices, and those of c are valid for reads and writes.
pub unsafe fn compute<E: InRegisters>(part: &Part<'_, E>) {
    // SAFETY: the caller's promise, and the processor supports the kernel's instructions.
    unsafe {
        match Kernel::best() {
            Some(kernel) => five_loops(kernel, part),
            None => portable::multiply(part),
        }
    }
}

/// The length of the pieces that an inner dimension of k is cut into: equal except for the last.
fn depth(k: usize) -> usize {
    k.div_ceil(k.div_ceil(DEPTH))
}

/// The numbers of rows of a (out of m, cut into strips of `strip` rows) and of columns of b in one block.
fn block_sizes<E>(m: usize, strip: usize) -> [usize; 2] {
    let Caches { second, third } = caches();
    let [few, rows, columns] =
        std::array::from_fn(|i| [second, second, third][i] / SHARES[i] / (DEPTH * size_of::<E>()));
    let rows = if m <= few { m } else { rows.max(BLOCK_ROWS) / strip * strip };
    [rows, columns.clamp(BLOCK_COLUMNS[0], BLOCK_COLUMNS[1]) / PANEL * PANEL]
}

/// # Safety
/// As for [`compute`], and the processor supports the kernel's instructions.
unsafe fn five_loops<E: Float>(kernel: Kernel<E>, part: &Part<'_, E>) {
    let &Part { m, k, n, a, b, c, stride, store } = part;
    let [strip_rows, panel_width] = kernel.tile;
    let depth = depth(k);
    let [block_rows, block_columns] = block_sizes::<E>(m, strip_rows);
    // the panels of one block of b, or a single panel if a is one block, so that no panel is used again
    let again = m > block_rows;
    let panels_len = match b {
        Right::Matrix(_) if again => depth * n.min(block_columns).next_multiple_of(panel_width),
        Right::Matrix(_) => depth * panel_width,
        Right::Panels { .. } => 0,
    };
    let mut own_panels = Storage::<E>::scratch(panels_len);
    let own_panels = own_panels.make_mut();
    let unpacked = match a {
        Matrix { column_stride: 1, .. } => UNPACKED_COLUMNS[0],
        Matrix { row_stride: 1, column_stride: ..=CLOSE, .. } => UNPACKED_COLUMNS[1],
        _ => panel_width,
    };
    let packs_strips = n > unpacked;
    let strips_len = if packs_strips { depth * m.min(block_rows).next_multiple_of(strip_rows) + PANEL } else { 0 };
    let mut strips = Storage::<E>::scratch(strips_len);
    let strips = strips.make_mut();
    // fifth loop: blocks of columns of b and c
    for left in (0..n).step_by(block_columns) {
        let width = block_columns.min(n - left);
        // fourth loop: pieces of the inner dimension, summed in c
        for start in (0..k).step_by(depth) {
            let depth = depth.min(k - start);
            let store = Store::adding(store.adds() || start > 0);
            // third loop: blocks of rows of a and c
            for top in (0..m).step_by(block_rows) {
                let height = block_rows.min(m - top);
                let block = a.part(top, start);
                if packs_strips {
                    // SAFETY: the caller promises the instructions and the entries.
                    unsafe { (kernel.strips)(block, height, depth, strips) };
                }
                // second loop: panels of b
                for j in (0..width).step_by(panel_width) {
                    let columns = panel_width.min(width - j);
                    let panel = match b {
                        Right::Matrix(b) => {
                            let panel = &mut own_panels[if again { j * depth } else { 0 }..][..depth * panel_width];
                            if top == 0 {
                                // SAFETY: as above.
                                unsafe { (kernel.panels)(b.part(start, left + j), depth, columns, panel) };
                            }
                            panel.as_ptr()
                        }
                        Right::Panels { panels, columns, left: before } => {
                            panels[start * columns + (before + left + j) * depth..][..depth * panel_width].as_ptr()
                        }
                    };
                    // first loop: strips of a
                    let cut = Strips { height, most: strip_rows };
                    for index in 0..cut.count() {
                        let rows = cut.rows(index);
                        let strip = if packs_strips {
                            let first = strips[index * strip_rows * depth..].as_ptr();
                            Strip { first, row_stride: 1, step: strip_rows }
                        } else {
                            let first = block.part(rows.start, 0).values.as_ptr();
                            Strip { first, row_stride: a.row_stride, step: a.column_stride }
                        };
                        // SAFETY: strip and panel were packed for this depth, or lie in their slices; the tile lies in
                        // c, which the caller allows to be written.
                        unsafe {
                            let first = c.add((top + rows.start) * stride + left + j);
                            let target = Target { first, stride, rows: rows.len(), columns, store };
                            (kernel.compute)(depth, &strip, panel, &target);
                        }
                    }
                }
            }
        }
    }
}
