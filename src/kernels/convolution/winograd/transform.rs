//! The transforms of F(4x4, 3x3) along one axis, on registers: each lane is a channel of its own.
//!
//! With the points 0, 1, -1, 2, -2 and infinity to interpolate at:
//!
//! ```text
//!       4  0 -5  0  1  0          1/4    0    0
//!       0 -4 -4  1  1  0         -1/6 -1/6 -1/6           1  1  1  1  1  0
//! B^T = 0  4 -4 -1  1  0     G = -1/6  1/6 -1/6     A^T = 0  1 -1  2 -2  0
//!       0 -2 -1  2  1  0         1/24 1/12  1/6           0  1  1  4  4  0
//!       0  2 -1 -2  1  0         1/24 -1/12 1/6           0  1 -1  8 -8  1
//!       0  4  0 -5  0  1            0    0    1
//! ```

use crate::kernels::gemm::register::Register;

/// Along both axes of a square: the columns first, and of these only those from `FIRST` on; the others are in `half`
/// already, where all are left.
#[inline(always)]
pub fn both_axes<R: Register<f32>, const FROM: usize, const TO: usize, const FIRST: usize>(
    half: &mut [[R; FROM]; TO],
    along: impl Fn([R; FROM]) -> [R; TO],
    load: impl Fn(usize, usize) -> R,
    store: impl Fn(usize, usize, R),
) {
    columns::<R, FROM, TO>(half, FIRST, FROM, &along, load);
    for (row, half) in half.iter().enumerate() {
        for (column, value) in along(*half).into_iter().enumerate() {
            store(row, column, value);
        }
    }
}

/// Along the columns from `first` to `end`.
#[inline(always)]
pub fn columns<R: Register<f32>, const FROM: usize, const TO: usize>(
    half: &mut [[R; FROM]; TO],
    first: usize,
    end: usize,
    along: impl Fn([R; FROM]) -> [R; TO],
    load: impl Fn(usize, usize) -> R,
) {
    for column in first..end {
        let done = along(std::array::from_fn(|row| load(row, column)));
        for (half, value) in half.iter_mut().zip(done) {
            half[column] = value;
        }
    }
}

/// `value + factor x`.
///
/// # Safety
/// The processor has what `R` needs: so for all functions below.
#[inline(always)]
unsafe fn plus<R: Register<f32>>(value: R, factor: f32, x: R) -> R {
    // SAFETY: the caller's promise.
    unsafe { value.plus_product(R::splat(factor), x) }
}

/// `factor x`.
///
/// # Safety
/// See [`plus`].
#[inline(always)]
unsafe fn times<R: Register<f32>>(factor: f32, x: R) -> R {
    // SAFETY: the caller's promise.
    unsafe { R::splat(0.0).plus_product(R::splat(factor), x) }
}

/// `B^T d`: six pixels.
///
/// # Safety
/// See [`plus`].
#[inline(always)]
pub unsafe fn pixels<R: Register<f32>>(d: [R; 6]) -> [R; 6] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even, odd) = (plus(d[4], -4.0, d[2]), plus(d[3], -4.0, d[1]));
        let (even_2, odd_2) = (d[4].minus(d[2]), d[3].minus(d[1]));
        [
            plus(plus(d[4], -5.0, d[2]), 4.0, d[0]),
            even.plus(odd),
            even.minus(odd),
            plus(even_2, 2.0, odd_2),
            plus(even_2, -2.0, odd_2),
            plus(plus(d[5], -5.0, d[3]), 4.0, d[1]),
        ]
    }
}

/// `A^T m`: four outputs.
///
/// # Safety
/// See [`plus`].
#[inline(always)]
pub unsafe fn outputs<R: Register<f32>>(m: [R; 6]) -> [R; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let (sum, difference) = (m[1].plus(m[2]), m[1].minus(m[2]));
        let (sum_2, difference_2) = (m[3].plus(m[4]), m[3].minus(m[4]));
        [
            m[0].plus(sum).plus(sum_2),
            plus(difference, 2.0, difference_2),
            plus(sum, 4.0, sum_2),
            plus(difference, 8.0, difference_2).plus(m[5]),
        ]
    }
}

/// `A g`: the gradients of four outputs.
///
/// # Safety
/// See [`plus`].
#[inline(always)]
pub unsafe fn gradients<R: Register<f32>>(g: [R; 4]) -> [R; 6] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even, odd) = (g[0].plus(g[2]), g[1].plus(g[3]));
        let (even_2, odd_2) = (plus(g[0], 4.0, g[2]), plus(g[1], 4.0, g[3]));
        [g[0], even.plus(odd), even.minus(odd), plus(even_2, 2.0, odd_2), plus(even_2, -2.0, odd_2), g[3]]
    }
}

/// `G w`: three weights.
///
/// # Safety
/// See [`plus`].
#[inline(always)]
pub unsafe fn weights<R: Register<f32>>(w: [R; 3]) -> [R; 6] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even, even_2) = (w[0].plus(w[2]), plus(w[0], 4.0, w[2]));
        let (odd, odd_2) = (w[1], times(2.0, w[1]));
        [
            times(0.25, w[0]),
            times(-1.0 / 6.0, even.plus(odd)),
            times(-1.0 / 6.0, even.minus(odd)),
            times(1.0 / 24.0, even_2.plus(odd_2)),
            times(1.0 / 24.0, even_2.minus(odd_2)),
            w[2],
        ]
    }
}

/// `G^T m`: the gradients of three weights.
///
/// # Safety
/// See [`plus`].
#[inline(always)]
pub unsafe fn weight_gradients<R: Register<f32>>(m: [R; 6]) -> [R; 3] {
    // SAFETY: the caller's promise.
    unsafe {
        let (sum, difference) = (m[1].plus(m[2]), m[2].minus(m[1]));
        let (sum_2, difference_2) = (m[3].plus(m[4]), m[3].minus(m[4]));
        [
            plus(plus(times(0.25, m[0]), -1.0 / 6.0, sum), 1.0 / 24.0, sum_2),
            plus(times(1.0 / 6.0, difference), 1.0 / 12.0, difference_2),
            plus(times(1.0 / 6.0, sum_2.minus(sum)), 1.0, m[5]),
        ]
    }
}
