//! The innermost computation of a product: one tile of the result, held in registers.

use super::register::Register;
use crate::kernels::prefetch::{LINE, prefetch};
use crate::kernels::store::Store;
use num_traits::Float;

/// The rows of the lowest tile.
pub const LOW: usize = 4;

/// A strip of the left-hand matrix: row r at inner index p is at `first + r row_stride + p step`.
#[derive(Clone, Copy)]
pub struct Strip<E> {
    pub first: *const E,
    pub row_stride: usize,
    pub step: usize,
}

/// Where a tile goes: `rows` x `columns` entries from `first`, rows `stride` apart.
#[derive(Clone, Copy)]
pub struct Target<E> {
    pub first: *mut E,
    pub stride: usize,
    pub rows: usize,
    pub columns: usize,
    pub store: Store,
}

/// Computes the product of a strip and a panel (`depth` rows of two registers each): a tile of at most `ROWS` rows and
/// two registers of columns.
///
/// # Safety
/// The processor supports `R`'s instructions. All entries of the strip, panel and target are valid; `rows` is at least
/// 1 and at most `ROWS`, and `columns` at most two registers.
#[inline(always)]
pub unsafe fn tile<E: Float, R: Register<E>, const ROWS: usize>(
    depth: usize,
    strip: Strip<E>,
    panel: *const E,
    target: Target<E>,
) {
    // SAFETY: the caller's promises.
    unsafe {
        match target.rows {
            _ if target.columns <= R::LEN => tile_of::<E, R, ROWS, 1>(depth, strip, panel, target),
            1..=LOW => tile_of::<E, R, LOW, 2>(depth, strip, panel, target),
            // the tile of AVX-512 is tall: 32 rows are 12, 12 and 8
            5..=8 if const { ROWS > 8 } => tile_of::<E, R, 8, 2>(depth, strip, panel, target),
            _ => tile_of::<E, R, ROWS, 2>(depth, strip, panel, target),
        }
    }
}

/// A tile for which `ROWS` rows of `WIDTH` registers are always computed, even if fewer are written.
///
/// # Safety
/// As for [`tile`], and `columns` is at most `WIDTH` registers.
#[inline(always)]
unsafe fn tile_of<E: Float, R: Register<E>, const ROWS: usize, const WIDTH: usize>(
    depth: usize,
    strip: Strip<E>,
    panel: *const E,
    target: Target<E>,
) {
    // SAFETY: the caller's promises; rows beyond the last repeat it, and are not written.
    unsafe {
        // prefetch the target, which is far from the previous one, while the sums are computed
        for row in 0..target.rows {
            let out = target.first.add(row * target.stride);
            (0..target.columns).step_by(LINE / size_of::<E>()).for_each(|column| prefetch(out.add(column)));
            prefetch(out.add(target.columns - 1));
        }
        let rows = std::array::from_fn(|row| strip.first.add(row.min(target.rows - 1) * strip.row_stride));
        let sums = sums_of::<E, R, ROWS, WIDTH>(depth, rows, |k| k * strip.step, panel);
        if target.columns == WIDTH * R::LEN {
            for (row, sums) in sums.iter().enumerate() {
                if row < target.rows {
                    let out = target.first.add(row * target.stride);
                    for (half, &sum) in sums.iter().enumerate() {
                        let out = out.add(half * R::LEN);
                        (if target.store.adds() { R::load(out).plus(sum) } else { sum }).store(out);
                    }
                }
            }
        } else {
            edge(sums, target);
        }
    }
}

/// For each row, the sum over k of the number at `row + offset(k)` times row k of the panel.
///
/// # Safety
/// The processor supports `R`'s instructions, all numbers of the rows can be read, and the panel has `depth` rows of
/// two registers.
#[inline(always)]
pub unsafe fn sums<E: Float, R: Register<E>, const ROWS: usize>(
    depth: usize,
    rows: [*const E; ROWS],
    offset: impl Fn(usize) -> usize,
    panel: *const E,
) -> [[R; 2]; ROWS] {
    // SAFETY: the caller's promises.
    unsafe { sums_of(depth, rows, offset, panel) }
}

/// The first `WIDTH` registers of each row of [`sums`].
///
/// # Safety
/// As for [`sums`].
#[inline(always)]
unsafe fn sums_of<E: Float, R: Register<E>, const ROWS: usize, const WIDTH: usize>(
    depth: usize,
    rows: [*const E; ROWS],
    offset: impl Fn(usize) -> usize,
    panel: *const E,
) -> [[R; WIDTH]; ROWS] {
    const { assert!(WIDTH <= 2) };
    // SAFETY: the caller's promises.
    unsafe {
        let mut sums = [[R::splat(E::zero()); WIDTH]; ROWS];
        let mut panel = panel;
        for k in 0..depth {
            let mut numbers = [R::splat(E::zero()); WIDTH];
            for (half, numbers) in numbers.iter_mut().enumerate() {
                *numbers = R::load(panel.add(half * R::LEN));
            }
            let offset = offset(k);
            for (row, sums) in sums.iter_mut().enumerate() {
                let x = R::splat(*rows[row].add(offset));
                for (half, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.plus_product(x, numbers[half]);
                }
            }
            panel = panel.add(2 * R::LEN);
        }
        sums
    }
}

/// Writes a tile that is narrower than its registers.
///
/// # Safety
/// As for [`tile_of`].
#[inline(always)]
unsafe fn edge<E: Float, R: Register<E>, const ROWS: usize, const WIDTH: usize>(
    sums: [[R; WIDTH]; ROWS],
    target: Target<E>,
) {
    const { assert!(2 * R::LEN <= 32) };
    for (row, sums) in sums.iter().enumerate().take(target.rows) {
        let mut line = [E::zero(); 32];
        // SAFETY: the line holds two registers, and the caller promises that the target's entries are valid.
        unsafe {
            for (half, &sum) in sums.iter().enumerate() {
                sum.store(line.as_mut_ptr().add(half * R::LEN));
            }
            let out = std::slice::from_raw_parts_mut(target.first.add(row * target.stride), target.columns);
            for (out, &sum) in out.iter_mut().zip(&line) {
                *out = target.store.result(*out, sum);
            }
        }
    }
}
