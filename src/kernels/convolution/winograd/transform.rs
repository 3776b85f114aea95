//! The transforms of F(4x4, 3x3) along one axis, on registers: each lane is a channel of its own.
//!
//! They are Toom-Cook transforms with the interpolation points 0, a, -a, b, -b and infinity. With n = a^2 b^2, s = a^2
//! + b^2, p = 2 a^2 (a^2 - b^2), q = 2 b^2 (b^2 - a^2):
//!
//! ```text
//!       n    0     -s   0  1  0          1/n   0     0
//!       0  -a b^2 -b^2  a  1  0          1/p  a/p  a^2/p           1   1    1    1    1   0
//! B^T = 0   a b^2 -b^2 -a  1  0     G =  1/p -a/p  a^2/p     A^T = 0   a   -a    b   -b   0
//!       0  -b a^2 -a^2  b  1  0          1/q  b/q  b^2/q           0  a^2  a^2  b^2  b^2  0
//!       0   b a^2 -a^2 -b  1  0          1/q -b/q  b^2/q           0  a^3 -a^3  b^3 -b^3  1
//!       0    n     0   -s  0  1           0    0     1
//! ```
//!
//! The usual choice is a = 1 and b = 2. With 5/8 and 3/2, for which B and A are exact too, intermediate numbers stay
//! smaller, and errors are a quarter as large. Points are chosen this way in Barabasz, Anderson, Soodhalter and Gregg,
//! "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", 2020.

use crate::kernels::gemm::register::Register;

const A: f32 = 0.625;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;
const N: f32 = A2 * B2;
const S: f32 = A2 + B2;
const P: f32 = 2.0 * A2 * (A2 - B2);
const Q: f32 = 2.0 * B2 * (B2 - A2);

/// One of the transforms. (A trait, as closures are not compiled for the instructions of the function that they are
/// in.)
pub trait Transform<const FROM: usize, const TO: usize> {
    /// # Safety
    /// The processor supports `R`'s instructions.
    unsafe fn along<R: Register<f32>>(x: [R; FROM]) -> [R; TO];
}

/// A transform along both axes of a square.
///
/// # Safety
/// The processor supports `R`'s instructions.
#[inline(always)]
pub unsafe fn both_axes<T: Transform<FROM, TO>, R: Register<f32>, const FROM: usize, const TO: usize>(
    x: [[R; FROM]; FROM],
) -> [[R; TO]; TO] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut half = [[R::splat(0.0); FROM]; TO];
        for column in 0..FROM {
            let mut down = [R::splat(0.0); FROM];
            for row in 0..FROM {
                down[row] = x[row][column];
            }
            let down = T::along(down);
            for row in 0..TO {
                half[row][column] = down[row];
            }
        }
        across::<T, R, FROM, TO>(&half)
    }
}

/// The second half of [`both_axes`]: along the rows.
///
/// # Safety
/// The processor supports `R`'s instructions.
#[inline(always)]
pub unsafe fn across<T: Transform<FROM, TO>, R: Register<f32>, const FROM: usize, const TO: usize>(
    half: &[[R; FROM]; TO],
) -> [[R; TO]; TO] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut whole = [[R::splat(0.0); TO]; TO];
        for row in 0..TO {
            whole[row] = T::along(half[row]);
        }
        whole
    }
}

/// `value + factor x`.
///
/// # Safety
/// The processor supports `R`'s instructions, as for all functions below.
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
pub struct Pixels;
impl Transform<6, 6> for Pixels {
    #[inline(always)]
    unsafe fn along<R: Register<f32>>(d: [R; 6]) -> [R; 6] {
        // SAFETY: the caller's promise.
        unsafe {
            let (even, odd) = (plus(d[4], -B2, d[2]), plus(d[3], -B2, d[1]));
            let (even_b, odd_b) = (plus(d[4], -A2, d[2]), plus(d[3], -A2, d[1]));
            [
                plus(plus(d[4], -S, d[2]), N, d[0]),
                plus(even, A, odd),
                plus(even, -A, odd),
                plus(even_b, B, odd_b),
                plus(even_b, -B, odd_b),
                plus(plus(d[5], -S, d[3]), N, d[1]),
            ]
        }
    }
}

/// `A^T m`: four outputs.
pub struct Outputs;
impl Transform<6, 4> for Outputs {
    #[inline(always)]
    unsafe fn along<R: Register<f32>>(m: [R; 6]) -> [R; 4] {
        // SAFETY: the caller's promise.
        unsafe {
            let (sum, difference) = (m[1].plus(m[2]), m[1].minus(m[2]));
            let (sum_b, difference_b) = (m[3].plus(m[4]), m[3].minus(m[4]));
            [
                m[0].plus(sum).plus(sum_b),
                plus(times(A, difference), B, difference_b),
                plus(times(A2, sum), B2, sum_b),
                plus(plus(m[5], A * A2, difference), B * B2, difference_b),
            ]
        }
    }
}

/// `A g`: the gradients of four outputs.
pub struct OutputGradients;
impl Transform<4, 6> for OutputGradients {
    #[inline(always)]
    unsafe fn along<R: Register<f32>>(g: [R; 4]) -> [R; 6] {
        // SAFETY: the caller's promise.
        unsafe {
            let (even, odd) = (plus(g[0], A2, g[2]), plus(g[1], A2, g[3]));
            let (even_b, odd_b) = (plus(g[0], B2, g[2]), plus(g[1], B2, g[3]));
            [g[0], plus(even, A, odd), plus(even, -A, odd), plus(even_b, B, odd_b), plus(even_b, -B, odd_b), g[3]]
        }
    }
}

/// `G w`: three weights.
pub struct Weights;
impl Transform<3, 6> for Weights {
    #[inline(always)]
    unsafe fn along<R: Register<f32>>(w: [R; 3]) -> [R; 6] {
        // SAFETY: the caller's promise.
        unsafe {
            let (even, odd) = (plus(w[0], A2, w[2]), times(A, w[1]));
            let (even_b, odd_b) = (plus(w[0], B2, w[2]), times(B, w[1]));
            [
                times(1.0 / N, w[0]),
                times(1.0 / P, even.plus(odd)),
                times(1.0 / P, even.minus(odd)),
                times(1.0 / Q, even_b.plus(odd_b)),
                times(1.0 / Q, even_b.minus(odd_b)),
                w[2],
            ]
        }
    }
}

/// `G^T m`: the gradients of three weights.
pub struct WeightGradients;
impl Transform<6, 3> for WeightGradients {
    #[inline(always)]
    unsafe fn along<R: Register<f32>>(m: [R; 6]) -> [R; 3] {
        // SAFETY: the caller's promise.
        unsafe {
            let (sum, difference) = (m[1].plus(m[2]), m[1].minus(m[2]));
            let (sum_b, difference_b) = (m[3].plus(m[4]), m[3].minus(m[4]));
            [
                plus(plus(times(1.0 / N, m[0]), 1.0 / P, sum), 1.0 / Q, sum_b),
                plus(times(A / P, difference), B / Q, difference_b),
                plus(plus(m[5], A2 / P, sum), B2 / Q, sum_b),
            ]
        }
    }
}
