//! SIMD registers, used to compute the tiles of a product.
//!
//! Written with intrinsics, as the compiler does not reliably keep a tile of arrays in registers: the same loop was
//! three times slower when it was inlined elsewhere.

use crate::numbers::Float;

/// A register of [`Register::LEN`] numbers.
///
/// # Safety
/// The functions may only be called if the processor supports the type's instructions. Pointers passed to them must be
/// valid for a whole register; they need not be aligned.
#[allow(clippy::missing_safety_doc)]
pub trait Register<E>: Copy {
    const LEN: usize;
    unsafe fn load(from: *const E) -> Self;
    unsafe fn store(self, to: *mut E);
    unsafe fn splat(x: E) -> Self;
    unsafe fn plus(self, other: Self) -> Self;
    unsafe fn minus(self, other: Self) -> Self;
    /// `self + x y`, fused if the processor can.
    unsafe fn plus_product(self, x: Self, y: Self) -> Self;
    /// Writes the transpose of the square with the rows `from(0)`, `from(1)`, ... to the rows `to(0)`, `to(1)`, ...
    /// Where these overlap, the later row wins.
    unsafe fn transpose(from: impl Fn(usize) -> *const E, to: impl Fn(usize) -> *mut E);
}

/// Loads a register `offset` numbers beyond each of these places.
///
/// # Safety
/// As for [`Register::load`], at each place.
#[inline(always)]
pub unsafe fn load_each<E: Float, R: Register<E>, const N: usize>(places: &[*const E; N], offset: usize) -> [R; N] {
    // SAFETY: the caller's promises.
    unsafe {
        // a loop, as the closure of an array's `map` is compiled without these instructions unless it is inlined
        let mut registers = [R::splat(E::zero()); N];
        for (i, register) in registers.iter_mut().enumerate() {
            *register = R::load(places[i].add(offset));
        }
        registers
    }
}

/// Number types that there are registers for.
pub trait InRegisters: Float {
    /// The register that products are computed with.
    type Register: Register<Self>;
    /// The same on a processor with AVX-512.
    type WideRegister: Register<Self>;
}
impl InRegisters for f32 {
    type Register = F32;
    type WideRegister = wide::F32;
}
impl InRegisters for f64 {
    type Register = F64;
    type WideRegister = wide::F64;
}

#[cfg(target_arch = "x86_64")]
pub use std::arch::x86_64::{__m256 as F32, __m256d as F64};

/// The registers of AVX-512.
pub mod wide {
    #[cfg(not(target_arch = "x86_64"))]
    pub use super::{F32, F64};
    #[cfg(target_arch = "x86_64")]
    pub use std::arch::x86_64::{__m512 as F32, __m512d as F64};
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{F32, F64, Register};
    use std::arch::x86_64::*;

    // SAFETY of all blocks: the caller promises AVX2 and FMA, and pointers valid for a whole register.
    impl Register<f32> for F32 {
        const LEN: usize = 8;
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: see above.
            unsafe { _mm256_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn plus(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_add_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn minus(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_sub_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn plus_product(self, x: Self, y: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_fmadd_ps(x, y, self) }
        }
        #[inline(always)]
        unsafe fn transpose(from: impl Fn(usize) -> *const f32, to: impl Fn(usize) -> *mut f32) {
            // SAFETY: see above.
            unsafe {
                // loops, as the closure of `array::from_fn` is compiled without these instructions unless it is inlined
                let (mut row, mut two, mut four) =
                    ([Self::splat(0.0); 8], [Self::splat(0.0); 8], [Self::splat(0.0); 8]);
                for (i, row) in row.iter_mut().enumerate() {
                    *row = Self::load(from(i));
                }
                // transposes squares of 2 x 2, then of 4 x 4, then swaps halves of the registers
                for (i, two) in two.iter_mut().enumerate() {
                    let pair = i / 2 * 2;
                    let (a, b) = (row[pair], row[pair + 1]);
                    *two = if i % 2 == 0 { _mm256_unpacklo_ps(a, b) } else { _mm256_unpackhi_ps(a, b) };
                }
                for (i, four) in four.iter_mut().enumerate() {
                    let (a, b) = (two[i / 4 * 4 + i % 4 / 2], two[i / 4 * 4 + i % 4 / 2 + 2]);
                    *four = if i % 2 == 0 { _mm256_shuffle_ps(a, b, 0x44) } else { _mm256_shuffle_ps(a, b, 0xee) };
                }
                for i in 0..4 {
                    Self::store(_mm256_permute2f128_ps(four[i], four[i + 4], 0x20), to(i));
                }
                for i in 0..4 {
                    Self::store(_mm256_permute2f128_ps(four[i], four[i + 4], 0x31), to(i + 4));
                }
            }
        }
    }

    impl Register<f64> for F64 {
        const LEN: usize = 4;
        #[inline(always)]
        unsafe fn load(from: *const f64) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_loadu_pd(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f64) {
            // SAFETY: see above.
            unsafe { _mm256_storeu_pd(to, self) }
        }
        #[inline(always)]
        unsafe fn splat(x: f64) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_set1_pd(x) }
        }
        #[inline(always)]
        unsafe fn plus(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_add_pd(self, other) }
        }
        #[inline(always)]
        unsafe fn minus(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_sub_pd(self, other) }
        }
        #[inline(always)]
        unsafe fn plus_product(self, x: Self, y: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm256_fmadd_pd(x, y, self) }
        }
        #[inline(always)]
        unsafe fn transpose(from: impl Fn(usize) -> *const f64, to: impl Fn(usize) -> *mut f64) {
            // SAFETY: see above.
            unsafe {
                let [a, b, c, d] = [Self::load(from(0)), Self::load(from(1)), Self::load(from(2)), Self::load(from(3))];
                let (ab, cd) = (_mm256_unpacklo_pd(a, b), _mm256_unpacklo_pd(c, d));
                let (ab_high, cd_high) = (_mm256_unpackhi_pd(a, b), _mm256_unpackhi_pd(c, d));
                Self::store(_mm256_permute2f128_pd(ab, cd, 0x20), to(0));
                Self::store(_mm256_permute2f128_pd(ab_high, cd_high, 0x20), to(1));
                Self::store(_mm256_permute2f128_pd(ab, cd, 0x31), to(2));
                Self::store(_mm256_permute2f128_pd(ab_high, cd_high, 0x31), to(3));
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{F32, F64, Register, wide};
    use std::arch::x86_64::*;

    // SAFETY of all blocks: the caller promises AVX-512 F, and with it AVX2 and FMA, and pointers valid for a whole
    // register.
    impl Register<f32> for wide::F32 {
        const LEN: usize = 16;
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: see above.
            unsafe { _mm512_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn plus(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_add_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn minus(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_sub_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn plus_product(self, x: Self, y: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_fmadd_ps(x, y, self) }
        }
        #[inline(always)]
        unsafe fn transpose(from: impl Fn(usize) -> *const f32, to: impl Fn(usize) -> *mut f32) {
            // SAFETY: see above.
            unsafe { in_quarters::<f32, F32>(from, to) }
        }
    }

    impl Register<f64> for wide::F64 {
        const LEN: usize = 8;
        #[inline(always)]
        unsafe fn load(from: *const f64) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_loadu_pd(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f64) {
            // SAFETY: see above.
            unsafe { _mm512_storeu_pd(to, self) }
        }
        #[inline(always)]
        unsafe fn splat(x: f64) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_set1_pd(x) }
        }
        #[inline(always)]
        unsafe fn plus(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_add_pd(self, other) }
        }
        #[inline(always)]
        unsafe fn minus(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_sub_pd(self, other) }
        }
        #[inline(always)]
        unsafe fn plus_product(self, x: Self, y: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_fmadd_pd(x, y, self) }
        }
        #[inline(always)]
        unsafe fn transpose(from: impl Fn(usize) -> *const f64, to: impl Fn(usize) -> *mut f64) {
            // SAFETY: see above.
            unsafe { in_quarters::<f64, F64>(from, to) }
        }
    }

    /// Transposes a square twice as wide as a register `R`, one quarter after the other. The right half of all rows is
    /// written before the left half, as a row's right half may reach into the next row.
    ///
    /// # Safety
    /// As for [`Register::transpose`] of the long registers.
    #[inline(always)]
    unsafe fn in_quarters<E, R: Register<E>>(from: impl Fn(usize) -> *const E, to: impl Fn(usize) -> *mut E) {
        let half = R::LEN;
        // SAFETY: the caller's promises; the quarters lie in the square.
        unsafe {
            R::transpose(|i| from(half + i), |i| to(i).add(half));
            R::transpose(|i| from(half + i).add(half), |i| to(half + i).add(half));
            R::transpose(&from, &to);
            R::transpose(|i| from(i).add(half), |i| to(half + i));
        }
    }
}

/// Four numbers without special instructions, for any processor.
#[derive(Clone, Copy)]
pub struct Plain<E>([E; 4]);

#[cfg(not(target_arch = "x86_64"))]
pub type F32 = Plain<f32>;
#[cfg(not(target_arch = "x86_64"))]
pub type F64 = Plain<f64>;

impl<E: num_traits::Float> Register<E> for Plain<E> {
    const LEN: usize = 4;
    #[inline(always)]
    unsafe fn load(from: *const E) -> Self {
        // SAFETY: the caller promises four numbers there.
        Plain(unsafe { from.cast::<[E; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut E) {
        // SAFETY: as in `load`.
        unsafe { to.cast::<[E; 4]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn splat(x: E) -> Self {
        Plain([x; 4])
    }
    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
    #[inline(always)]
    unsafe fn minus(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i] - other.0[i]))
    }
    #[inline(always)]
    unsafe fn plus_product(self, x: Self, y: Self) -> Self {
        // a fused multiply-add is one instruction on ARM, but a slow call on x86 without FMA
        const FUSED: bool = cfg!(target_arch = "aarch64");
        Plain(std::array::from_fn(
            |i| {
                if FUSED { x.0[i].mul_add(y.0[i], self.0[i]) } else { self.0[i] + x.0[i] * y.0[i] }
            },
        ))
    }
    #[inline(always)]
    unsafe fn transpose(from: impl Fn(usize) -> *const E, to: impl Fn(usize) -> *mut E) {
        // SAFETY: as in `load` and `store`.
        unsafe {
            let rows: [Self; 4] = std::array::from_fn(|i| Self::load(from(i)));
            for i in 0..4 {
                Plain(std::array::from_fn(|j| rows[j].0[i])).store(to(i));
            }
        }
    }
}
