//! Copies blocks of the two matrices into the order in which a tile reads them.
//!
//! What lies beyond the edge of a matrix is never used: it is left unchanged, or is a copy of the last row.

use super::Matrix;
use super::register::Register;
use num_traits::Float;

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

/// Packs the first `height` rows and `depth` columns of `a` into strips of `ROWS` rows, column by column. `out` has
/// room for one register beyond the last strip.
///
/// # Safety
/// The processor supports `R`'s instructions, and all entries of `a` lie in its slice.
#[inline(always)]
pub unsafe fn strips<E: Float, R: Register<E>, const ROWS: usize>(
    a: Matrix<'_, E>,
    height: usize,
    depth: usize,
    out: &mut [E],
) {
    if a.row_stride == 1 {
        return strips_of_columns::<E, ROWS>(a, height, depth, out);
    }
    for i in (0..height).step_by(ROWS) {
        let rows = ROWS.min(height - i);
        let a = a.part(i, 0);
        let strip = &mut out[i * depth..];
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

/// [`strips`] of a matrix whose columns are contiguous. Several strips are filled at once from each column, as the next
/// column is far away in memory.
#[inline(always)]
fn strips_of_columns<E: Float, const ROWS: usize>(a: Matrix<'_, E>, height: usize, depth: usize, out: &mut [E]) {
    const AT_ONCE: usize = 8;
    for top in (0..height).step_by(AT_ONCE * ROWS) {
        let bottom = height.min(top + AT_ONCE * ROWS);
        for p in 0..depth {
            for i in (top..bottom).step_by(ROWS) {
                let source = &a.values[p * a.column_stride + i..];
                let target = &mut out[i * depth + p * ROWS..][..ROWS];
                match source.first_chunk::<ROWS>() {
                    // a copy of known length, even if not all of it is needed
                    Some(source) => target.copy_from_slice(source),
                    None => target[..bottom - i].copy_from_slice(&source[..bottom - i]),
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
