//! Moving elements: transposing the last two axes, and permuting all.

use super::vectorized;

/// The side of the square transposed at a time: a cache line of f32, so that whole lines are read and written. Rows of
/// a matrix whose width is a power of two compete for the same few lines of the first-level cache, so a square goes
/// through a copy.
const TILE: usize = 16;

/// Writes the transpose of the rows x columns matrix `x`, stored row by row, to `out`.
pub fn transpose<E: Copy>(x: &[E], rows: usize, columns: usize, out: &mut [E]) {
    vectorized! {
        fn tiles [E: Copy] [E] (x: &[E], rows: usize, columns: usize, out: &mut [E]) {
            let mut tile = [[x[0]; TILE]; TILE];
            for left in (0..columns).step_by(TILE) {
                let width = TILE.min(columns - left);
                for top in (0..rows).step_by(TILE) {
                    let height = TILE.min(rows - top);
                    if width == TILE && height == TILE {
                        for (i, line) in tile.iter_mut().enumerate() {
                            line.copy_from_slice(&x[(top + i) * columns + left..][..TILE]);
                        }
                        for j in 0..TILE {
                            let line: [E; TILE] = std::array::from_fn(|i| tile[i][j]);
                            out[(left + j) * rows + top..][..TILE].copy_from_slice(&line);
                        }
                    } else {
                        for j in left..left + width {
                            for i in top..top + height {
                                out[j * rows + i] = x[i * columns + j];
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!((x.len(), out.len()), (rows * columns, rows * columns));
    if out.is_empty() {
        return; // however many empty rows there are
    }
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
    // two adjacent groups of axes that are swapped, and none after them: transposed matrices
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_of_a_transpose_comes_from_the_other_side() {
        for (rows, columns) in
            [(0, 3), (3, 0), (1, 1), (1, 9), (9, 1), (7, 8), (8, 8), (16, 16), (17, 23), (32, 48), (64, 33)]
        {
            let x: Vec<usize> = (0..rows * columns).collect();
            let mut out = vec![usize::MAX; x.len()];
            transpose(&x, rows, columns, &mut out);
            for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                assert_eq!(out[j * rows + i], x[i * columns + j], "{rows} x {columns} at ({i}, {j})");
            }
        }
    }

    /// All permutations of this many axes.
    fn orders(rank: usize) -> Vec<Vec<usize>> {
        if rank == 0 {
            return vec![Vec::new()];
        }
        let shorter = orders(rank - 1);
        let with_last = |place: usize| {
            shorter.iter().map(move |order| {
                let mut order = order.clone();
                order.insert(place, rank - 1);
                order
            })
        };
        (0..rank).flat_map(with_last).collect()
    }

    #[test]
    fn every_order_of_axes_moves_every_element() {
        for sizes in [vec![], vec![5], vec![2, 3], vec![3, 1, 4], vec![2, 3, 4, 5], vec![2, 0, 3]] {
            let rank = sizes.len();
            let x: Vec<usize> = (0..sizes.iter().product()).collect();
            for order in orders(rank) {
                let mut out = vec![usize::MAX; x.len()];
                permute(&x, &sizes, &order, &mut out);
                for (place, &element) in out.iter().enumerate() {
                    // the position in the new sizes, and from it the place in the old ones
                    let (mut rest, mut position) = (place, vec![0; rank]);
                    for axis in (0..rank).rev() {
                        position[order[axis]] = rest % sizes[order[axis]];
                        rest /= sizes[order[axis]];
                    }
                    let old = position.iter().zip(&sizes).fold(0, |place, (p, size)| place * size + p);
                    assert_eq!(element, x[old], "{sizes:?} in the order {order:?}, element {place}");
                }
            }
        }
    }
}
