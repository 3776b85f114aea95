//! Copies blocks of the two matrices into the order in which a tile reads them.
//!
//! What lies beyond the edge of a matrix is never used: it is left unchanged, or is a copy of the last row.

use super::Matrix;
use super::register::Register;
use super::tile::LOW;
use crate::kernels::prefetch::{LINE, prefetch};
use num_traits::Float;
use std::ops::Range;

/// Packs the first `depth` rows and `width` columns of `b` into panels two registers wide, row by row.
///
/// # Safety
/// The processor supports `R`'s instructions, and all entries of `b` lie in its slice.
#[inline(always)]
pub unsafe fn panels<E: Float, R: Register<E>>(b: Matrix<'_, E>, depth: usize, width: usize, out: &mut [E]) {
    let panel_width = 2 * R::LEN;
    for (j, panel) in (0..width).step_by(panel_width).zip(out.chunks_exact_mut(depth * panel_width)) {
        let columns = panel_width.min(width - j);
        let b = b.part(0, j);
        if b.column_stride == 1 {
            for (p, row) in panel.chunks_exact_mut(panel_width).enumerate() {
                let source = &b.values[p * b.row_stride..];
                if columns == panel_width {
                    // SAFETY: the row of the panel is two registers long, and as many columns lie in the slice.
                    unsafe {
                        R::load(source[..panel_width].as_ptr()).store(row.as_mut_ptr());
                        R::load(source[R::LEN..].as_ptr()).store(row[R::LEN..].as_mut_ptr());
                    }
                } else {
                    row[..columns].copy_from_slice(&source[..columns]);
                }
            }
        } else if b.row_stride == 1 {
            // SAFETY: the panel's columns lie in the slice, each `depth` long, and its width is a multiple of the
            // register's length.
            unsafe { interleave::<E, R>(b.column_stride, b, columns, panel_width, depth, panel) };
        } else {
            for (p, row) in panel.chunks_exact_mut(panel_width).enumerate() {
                row.iter_mut().take(columns).enumerate().for_each(|(column, out)| *out = b.at(p, column));
            }
        }
    }
}

/// Packs the first `height` rows and `depth` columns of `a` into strips of at most `ROWS` rows, column by column. `out`
/// has room for one register beyond the last strip.
///
/// # Safety
/// The processor supports `R`'s instructions, and all entries of `a` lie in its slice.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only the kernels for x86-64 pack strips"))]
#[inline(always)]
pub unsafe fn strips<E: Float, R: Register<E>, const ROWS: usize>(
    a: Matrix<'_, E>,
    height: usize,
    depth: usize,
    out: &mut [E],
) {
    let cut = Strips { height, most: ROWS };
    if a.row_stride == 1 {
        return strips_of_columns::<E, ROWS>(a, cut, depth, out);
    }
    for index in 0..cut.count() {
        let rows = cut.rows(index);
        let (a, rows) = (a.part(rows.start, 0), rows.len());
        let strip = &mut out[index * ROWS * depth..];
        if a.column_stride == 1 {
            // SAFETY: the strip's rows are `depth` long, and there is room for a register beyond its end.
            unsafe { interleave::<E, R>(a.row_stride, a, rows, ROWS, depth, strip) };
        } else {
            for (p, column) in strip.chunks_exact_mut(ROWS).take(depth).enumerate() {
                column.iter_mut().take(rows).enumerate().for_each(|(row, out)| *out = a.at(row, p));
            }
        }
    }
}

/// How the rows of a matrix are cut into strips of `most` rows.
#[derive(Clone, Copy)]
pub struct Strips {
    pub height: usize,
    pub most: usize,
}

impl Strips {
    pub fn count(self) -> usize {
        self.height.div_ceil(self.most)
    }

    /// The rows of one strip. The last strip has what is left; if that is so little that the last two fit two low tiles,
    /// they share their rows accordingly.
    pub fn rows(self, index: usize) -> Range<usize> {
        let Strips { height, most } = self;
        let (count, rest) = (self.count(), height % most);
        let low = count > 1 && rest > 0 && most + rest <= 2 * LOW;
        let top = |index: usize| index * most - if low && index + 1 == count { most - LOW } else { 0 };
        top(index)..top(index + 1).min(height)
    }
}

/// [`strips`] of a matrix whose columns are contiguous. Several strips are filled at once from each column, as the next
/// column is far away in memory.
#[inline(always)]
fn strips_of_columns<E: Float, const ROWS: usize>(a: Matrix<'_, E>, cut: Strips, depth: usize, out: &mut [E]) {
    const AT_ONCE: usize = 16;
    /// How many columns ahead of the copy are prefetched.
    const AHEAD: usize = 8;
    for first in (0..cut.count()).step_by(AT_ONCE) {
        let strips = first..cut.count().min(first + AT_ONCE);
        // the columns in which `ROWS` entries of every strip lie in the slice, needed or not: copies of known length. The
        // others have a loop of their own, or the compiler would merge both kinds of copies into one call
        let end = cut.rows(strips.end - 1).start + ROWS;
        let whole = a.values.len().checked_sub(end).map_or(0, |more| depth.min(more / a.column_stride.max(1) + 1));
        let start = cut.rows(first).start;
        for p in 0..depth {
            let column = &a.values[p * a.column_stride..];
            // the processor does not predict accesses this far apart
            for line in (start..end).step_by(LINE / size_of::<E>()) {
                prefetch(column.as_ptr().wrapping_add(AHEAD.wrapping_mul(a.column_stride)).wrapping_add(line));
            }
            if p < whole {
                for strip in strips.clone() {
                    let source = &column[cut.rows(strip).start..][..ROWS];
                    out[(strip * depth + p) * ROWS..][..ROWS].copy_from_slice(source);
                }
            } else {
                for strip in strips.clone() {
                    let rows = cut.rows(strip);
                    out[(strip * depth + p) * ROWS..][..rows.len()].copy_from_slice(&column[rows]);
                }
            }
        }
    }
}

/// Interleaves `count` lines of `depth` numbers, which start `stride` apart: number p of each line goes to the group
/// that starts at `p * group`.
///
/// # Safety
/// The processor supports `R`'s instructions; the lines lie in the slice of `lines`, each `depth` long; and `out` has
/// room for one register beyond the last group, unless the register's length divides `group`.
#[inline(always)]
unsafe fn interleave<E: Float, R: Register<E>>(
    stride: usize,
    lines: Matrix<'_, E>,
    count: usize,
    group: usize,
    depth: usize,
    out: &mut [E],
) {
    let lines = lines.values;
    let squares = depth / R::LEN * R::LEN;
    for p in (0..squares).step_by(R::LEN) {
        // backwards: a register longer than the rest of the group reaches into the next group, whose first numbers are
        // written later
        for first in (0..group).step_by(R::LEN).rev() {
            let from = |i: usize| lines[(first + i).min(count - 1) * stride + p..][..R::LEN].as_ptr();
            let start = out[p * group + first..].as_mut_ptr();
            // SAFETY: the sources were sliced to a register's length; the targets are in `out` or, for the last group,
            // in the room beyond it that the caller promises.
            unsafe { R::transpose(from, |i| start.add(i * group)) };
        }
    }
    for p in squares..depth {
        for line in 0..count.min(group) {
            out[p * group + line] = lines[line * stride + p];
        }
    }
}
