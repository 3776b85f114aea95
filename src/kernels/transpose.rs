//! Moving elements: transposing the last two axes, and permuting all.

use super::vectorized;

/// The side of the square that is transposed at once. Rows of a matrix whose width is a power of two compete for the
/// same eight lines of the first-level cache.
const TILE: usize = 8;

/// Writes the transpose of the rows x columns matrix `x`, stored row by row, to `out`.
pub fn transpose<E: Copy>(x: &[E], rows: usize, columns: usize, out: &mut [E]) {
    vectorized! {
        fn tiles [E: Copy] [E] (x: &[E], rows: usize, columns: usize, out: &mut [E]) {
            for top in (0..rows).step_by(TILE) {
                for left in (0..columns).step_by(TILE) {
                    let bottom = (top + TILE).min(rows);
                    for column in left..(left + TILE).min(columns) {
                        let out = &mut out[column * rows + top..column * rows + bottom];
                        for (row, out) in (top..bottom).zip(out) {
                            *out = x[row * columns + column];
                        }
                    }
                }
            }
        }
    }
    assert_eq!((x.len(), out.len()), (rows * columns, rows * columns));
    tiles(x, rows, columns, out);
}

/// Reorders the axes: axis `order[i]` of the old sizes becomes axis i.
pub fn permute<E: Copy>(x: &[E], sizes: &[usize], order: &[usize], out: &mut [E]) {
    assert_eq!(x.len(), out.len());
    if out.is_empty() {
        return;
    }
    let rank = sizes.len();
    let kept = order.iter().enumerate().take_while(|&(axis, &old)| axis == old).count();
    if kept == rank {
        out.copy_from_slice(x);
        return;
    }
    // two neighbouring groups of axes that change places, and nothing behind them: transposed matrices
    let second = order[kept];
    if order[kept..].iter().copied().eq((second..rank).chain(kept..second)) {
        let (rows, columns) = (sizes[kept..second].iter().product(), sizes[second..].iter().product());
        for (x, out) in x.chunks_exact(rows * columns).zip(out.chunks_exact_mut(rows * columns)) {
            transpose(x, rows, columns, out);
        }
        return;
    }
    let mut strides = vec![1; rank];
    for axis in (1..rank).rev() {
        strides[axis - 1] = strides[axis] * sizes[axis];
    }
    let new_sizes: Vec<usize> = order.iter().map(|&axis| sizes[axis]).collect();
    let new_strides: Vec<usize> = order.iter().map(|&axis| strides[axis]).collect();
    let (last_size, last_stride) = (new_sizes[rank - 1], new_strides[rank - 1]);
    let mut position = vec![0; rank - 1];
    for row in out.chunks_exact_mut(last_size) {
        let start: usize = position.iter().zip(&new_strides).map(|(p, s)| p * s).sum();
        if last_stride == 1 {
            row.copy_from_slice(&x[start..start + last_size]);
        } else {
            row.iter_mut().enumerate().for_each(|(i, out)| *out = x[start + i * last_stride]);
        }
        for axis in (0..rank - 1).rev() {
            position[axis] += 1;
            if position[axis] < new_sizes[axis] {
                break;
            }
            position[axis] = 0;
        }
    }
}
