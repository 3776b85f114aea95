//! Copies blocks of the two matrices so that a tile reads them from one end to the other.
//!
//! Anything beyond the edge of a matrix is never used, so it is left unchanged, or is a copy of the last row.

use super::Matrix;
use super::register::Register;
use num_traits::Float;

/// The first `depth` rows and `width` columns of `b` as panels: two registers of columns each, one row after the other.
///
/// # Safety
/// The processor has what `R` needs, and all entries of `b` lie in its slice.
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
                    // SAFETY: the row of the panel is two registers, and this many columns lie in the slice.
                    unsafe {
                        R::load(source[..panel_width].as_ptr()).store(row.as_mut_ptr());
                        R::load(source[R::LEN..].as_ptr()).store(row[R::LEN..].as_mut_ptr());
                    }
                } else {
                    row[..columns].copy_from_slice(&source[..columns]);
                }
            }
        } else if b.row_stride == 1 {
            // SAFETY: the two registers' columns are those of the panel, each `depth` long.
            unsafe { interleave::<E, R>(b.column_stride, b, columns, panel_width, depth, panel) };
        } else {
            for (p, row) in panel.chunks_exact_mut(panel_width).enumerate() {
                row.iter_mut().take(columns).enumerate().for_each(|(column, out)| *out = b.at(p, column));
            }
        }
    }
}

/// The first `height` rows and `depth` columns of `a` as strips: `ROWS` rows each, one column after the other. `out`
/// has room for one register beyond the last strip.
///
/// # Safety
/// The processor has what `R` needs, and all entries of `a` lie in its slice.
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
            // SAFETY: the strip's rows are `depth` long, and a register beyond its end is there.
            unsafe { interleave::<E, R>(a.row_stride, a, rows, ROWS, depth, strip) };
        } else {
            for (p, column) in strip.chunks_exact_mut(ROWS).take(depth).enumerate() {
                column.iter_mut().take(rows).enumerate().for_each(|(row, out)| *out = a.at(row, p));
            }
        }
    }
}

/// [`strips`] of a matrix whose columns are contiguous. Some strips of each column are taken at once, as the numbers
/// between them and in the next column are far away.
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
                    // a copy of known length, even if only some of it is wanted
                    Some(source) => target.copy_from_slice(source),
                    None => target[..bottom - i].copy_from_slice(&source[..bottom - i]),
                }
            }
        }
    }
}

/// Takes one number of each of `count` lines in turn, `depth` times, and puts each group `group` numbers after the one
/// before. The lines start `stride` apart.
///
/// # Safety
/// The processor has what `R` needs; the lines lie in the slice of `lines`, each `depth` long; and `out` has room for
/// one register beyond the last group, unless the register's length divides `group`.
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
        // backwards: a register that is longer than what is left of the group reaches into the next group, whose first
        // numbers are written later
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
