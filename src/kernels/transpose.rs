//! Moving elements: transposing the last two axes, and permuting all.

use super::gemm::register::{F32, F64, Register};
use super::parallel;
use super::prefetch::prefetch;
use crate::memory::Pooled;

/// The side of the square transposed at a time: a cache line of f32, so that whole lines are read and written. Rows of
/// a matrix whose width is a power of two compete for the same few lines of the first-level cache, so a square goes
/// through a copy.
const TILE: usize = 16;
/// So many rows before its turn a line is asked for: the next one lies a whole row further, which no processor guesses.
const AHEAD: usize = 4 * TILE;
/// About how many elements one task writes: several tiles wide, for neighbouring lines are fetched together.
const TASK: usize = 1 << 16;

/// Writes the transpose of the rows x columns matrix `x`, stored row by row, to `out`, or that of each of several.
pub fn transpose<E: Pooled>(x: &[E], rows: usize, columns: usize, out: &mut [E]) {
    assert_eq!(x.len(), out.len());
    if out.is_empty() {
        return; // however many empty rows there are
    }
    assert!(x.len().is_multiple_of(rows * columns));
    let task = TASK.div_ceil(rows).next_multiple_of(TILE);
    let many = parallel::worthwhile(out.len(), parallel::CHEAP);
    parallel::chunks(out, task * rows, many, |i, mut out| {
        // the columns of all matrices, one after another
        let mut column = i * task;
        while !out.is_empty() {
            let (matrix, first) = (column / columns, column % columns);
            let count = (columns - first).min(out.len() / rows);
            let (lines, rest) = out.split_at_mut(count * rows);
            tiles(&x[matrix * rows * columns..][..rows * columns], columns, first, rows, lines);
            (column, out) = (column + count, rest);
        }
    });
}

/// Writes the columns from `first` on, as many as there are lines of `rows` elements in `out`.
fn tiles<E: Pooled>(x: &[E], columns: usize, first: usize, rows: usize, out: &mut [E]) {
    #[inline(always)]
    fn body<E: Pooled, const REGISTERS: bool>(x: &[E], columns: usize, first: usize, rows: usize, out: &mut [E]) {
        let mut tile = [[x[0]; TILE]; TILE];
        let count = out.len() / rows;
        for left in (0..count).step_by(TILE) {
            let width = TILE.min(count - left);
            for top in (0..rows).step_by(TILE) {
                let height = TILE.min(rows - top);
                if width == TILE && height == TILE {
                    let start = top * columns + first + left;
                    if top + AHEAD < rows {
                        for i in AHEAD..AHEAD + TILE {
                            prefetch(x.as_ptr().wrapping_add(start + i * columns).cast::<[E; TILE]>());
                        }
                    }
                    for (i, line) in tile.iter_mut().enumerate() {
                        line.copy_from_slice(&x[start + i * columns..][..TILE]);
                    }
                    square::<E, REGISTERS>(&tile, &mut out[left * rows + top..], rows);
                } else {
                    for j in left..left + width {
                        for i in top..top + height {
                            out[j * rows + i] = x[i * columns + first + j];
                        }
                    }
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    {
        use super::instructions::{Instructions, instructions};
        #[target_feature(enable = "avx2,fma")]
        fn avx2<E: Pooled>(x: &[E], columns: usize, first: usize, rows: usize, out: &mut [E]) {
            body::<E, true>(x, columns, first, rows, out);
        }
        if instructions() != Instructions::Portable {
            // SAFETY: the processor has said that it has these instructions.
            #[allow(unsafe_code)]
            return unsafe { avx2(x, columns, first, rows, out) };
        }
    }
    body::<E, false>(x, columns, first, rows, out);
}

/// Writes the transpose of a tile to lines of `out` that begin `rows` elements apart; in `REGISTERS`, if the processor
/// has those of [`F32`].
#[inline(always)]
fn square<E: Pooled, const REGISTERS: bool>(tile: &[[E; TILE]; TILE], out: &mut [E], rows: usize) {
    assert!(out.len() >= (TILE - 1) * rows + TILE);
    let (from, to) = (tile.as_ptr(), out.as_mut_ptr());
    // elements of any type are moved as numbers of their size, whose bits stay as they are
    match size_of::<E>() {
        // SAFETY: the tile is whole, and so are the lines of `out`, by the assertion.
        #[allow(unsafe_code)]
        4 if REGISTERS => unsafe { square_by::<f32, F32>(from.cast(), to.cast(), rows) },
        // SAFETY: as above.
        #[allow(unsafe_code)]
        8 if REGISTERS => unsafe { square_by::<f64, F64>(from.cast(), to.cast(), rows) },
        _ => {
            for j in 0..TILE {
                for (out, line) in out[j * rows..][..TILE].iter_mut().zip(tile) {
                    *out = line[j];
                }
            }
        }
    }
}

/// # Safety
/// The processor must have the registers, and there must be a tile at `from`, and lines of its width at `to`.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn square_by<N, R: Register<N>>(from: *const N, to: *mut N, rows: usize) {
    for j in (0..TILE).step_by(R::LEN) {
        for i in (0..TILE).step_by(R::LEN) {
            // SAFETY: guaranteed by the caller.
            unsafe { R::transpose(|k| from.add((i + k) * TILE + j), |k| to.add((j + k) * rows + i)) };
        }
    }
}

/// Reorders the axes: axis `order[i]` of the old sizes becomes axis i.
pub fn permute<E: Pooled>(x: &[E], sizes: &[usize], order: &[usize], out: &mut [E]) {
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
        return transpose(x, sizes[kept..second].iter().product(), sizes[second..].iter().product(), out);
    }
    let mut strides = vec![1; rank];
    for axis in (1..rank).rev() {
        strides[axis - 1] = strides[axis] * sizes[axis];
    }
    let new_sizes: Vec<usize> = order.iter().map(|&axis| sizes[axis]).collect();
    let new_strides: Vec<usize> = order.iter().map(|&axis| strides[axis]).collect();
    let (last_size, last_stride) = (new_sizes[rank - 1], new_strides[rank - 1]);
    parallel::rows(out, last_size, parallel::CHEAP, |mut first, out| {
        let mut position = vec![0; rank - 1];
        for (position, size) in position.iter_mut().zip(&new_sizes).rev() {
            (*position, first) = (first % size, first / size);
        }
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
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::instructions::tests::{available, with};

    /// Several matrices, each element its number.
    fn check<E: Pooled + PartialEq + std::fmt::Debug>(
        matrices: usize,
        rows: usize,
        columns: usize,
        of: fn(usize) -> E,
    ) {
        let x: Vec<E> = (0..matrices * rows * columns).map(of).collect();
        for instructions in available() {
            let mut out = vec![of(usize::MAX); x.len()];
            with(instructions, || transpose(&x, rows, columns, &mut out));
            for (place, element) in out.into_iter().enumerate() {
                let (i, j, matrix) = (place % rows, place / rows % columns, place / rows / columns);
                let expected = x[(matrix * rows + i) * columns + j];
                assert_eq!(element, expected, "{matrices} of {rows} x {columns} at ({i}, {j}), {instructions:?}");
            }
        }
    }

    #[test]
    fn every_element_of_a_transpose_comes_from_the_other_side() {
        let long = parallel::CHEAP;
        for (matrices, rows, columns) in [
            (1, 0, 3),
            (2, 3, 0),
            (1, 1, 1),
            (3, 1, 9),
            (2, 9, 1),
            (1, 7, 8),
            (1, 16, 16),
            (4, 17, 23),
            (3, 32, 48),
            (1, 64, 33),
            // in several tasks, which end within a matrix or not
            (long / 900, 33, 32),
            (3, 200, 301),
            (1, 2, long),
            (1, long, 2),
            (2, 512, 256),
        ] {
            check(matrices, rows, columns, |i| i);
            check(matrices, rows, columns, |i| i as f32);
            check(matrices, rows, columns, |i| i % 3 == 0);
        }
    }

    #[test]
    fn the_bits_of_all_numbers_stay() {
        check(1, 48, 32, |i| i as f64);
        // signalling NaNs and denormals among them
        let x: Vec<f32> = (0..32 * 32).map(|i| f32::from_bits(i * 0x003f_ff01)).collect();
        let mut out = vec![0.0; x.len()];
        transpose(&x, 32, 32, &mut out);
        for (place, y) in out.into_iter().enumerate() {
            assert_eq!(y.to_bits(), x[place % 32 * 32 + place / 32].to_bits());
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
        for sizes in [vec![], vec![5], vec![2, 3], vec![3, 1, 4], vec![2, 3, 4, 5], vec![2, 0, 3], vec![40, 50, 6, 12]]
        {
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
