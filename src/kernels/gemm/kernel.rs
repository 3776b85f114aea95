//! What a product is computed with: the size of a tile, and functions compiled for one instruction set.
//!
//! The loops around them are compiled once. The tile needs a function of its own: when it was inlined into the loops,
//! the compiler sometimes spilled some of its sums to memory, which was a third slower.

use super::Matrix;
use super::register::InRegisters;
use super::tile::{Strip, Target};
use crate::kernels::instructions::{Instructions, instructions};
use crate::numbers::Float;

/// The size of a tile, and the functions of [`super::pack`] and [`super::tile`] for instructions that the processor
/// supports.
#[derive(Clone, Copy)]
pub struct Kernel<E: Float> {
    /// The rows and columns of a tile.
    pub tile: [usize; 2],
    pub panels: unsafe fn(Matrix<'_, E>, usize, usize, &mut [E]),
    pub strips: unsafe fn(Matrix<'_, E>, usize, usize, &mut [E]),
    pub compute: unsafe fn(usize, &Strip<E>, *const E, &Target<E>),
}

impl<E: InRegisters> Kernel<E> {
    /// The kernel for the best instruction set of the processor, if there is one.
    pub fn best() -> Option<Self> {
        match instructions() {
            Instructions::Portable => None,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => Some(avx2::kernel()),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => Some(avx512::kernel()),
            #[cfg(not(target_arch = "x86_64"))]
            Instructions::Avx2 | Instructions::Avx512 => None,
        }
    }
}

/// A tile of 12 x 32 f32 takes 24 of the 32 registers.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{InRegisters, Kernel, Matrix, Strip, Target};
    use crate::kernels::gemm::register::Register;
    use crate::kernels::gemm::{pack, tile};

    const ROWS: usize = 12;

    pub fn kernel<E: InRegisters>() -> Kernel<E> {
        Kernel { tile: [ROWS, 2 * E::WideRegister::LEN], panels, strips, compute }
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    unsafe fn panels<E: InRegisters>(b: Matrix<'_, E>, depth: usize, width: usize, out: &mut [E]) {
        // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
        unsafe { pack::panels::<E, E::WideRegister>(b, depth, width, out) }
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    unsafe fn strips<E: InRegisters>(a: Matrix<'_, E>, height: usize, depth: usize, out: &mut [E]) {
        // SAFETY: as above.
        unsafe { pack::strips::<E, E::WideRegister, ROWS>(a, height, depth, out) }
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    unsafe fn compute<E: InRegisters>(depth: usize, strip: &Strip<E>, panel: *const E, target: &Target<E>) {
        // SAFETY: as above.
        unsafe { tile::tile::<E, E::WideRegister, ROWS>(depth, *strip, panel, *target) }
    }
}

/// A tile of 6 x 16 f32 takes 12 of the 16 registers.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{InRegisters, Kernel, Matrix, Strip, Target};
    use crate::kernels::gemm::register::Register;
    use crate::kernels::gemm::{pack, tile};

    const ROWS: usize = 6;

    pub fn kernel<E: InRegisters>() -> Kernel<E> {
        Kernel { tile: [ROWS, 2 * E::Register::LEN], panels, strips, compute }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn panels<E: InRegisters>(b: Matrix<'_, E>, depth: usize, width: usize, out: &mut [E]) {
        // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
        unsafe { pack::panels::<E, E::Register>(b, depth, width, out) }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn strips<E: InRegisters>(a: Matrix<'_, E>, height: usize, depth: usize, out: &mut [E]) {
        // SAFETY: as above.
        unsafe { pack::strips::<E, E::Register, ROWS>(a, height, depth, out) }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn compute<E: InRegisters>(depth: usize, strip: &Strip<E>, panel: *const E, target: &Target<E>) {
        // SAFETY: as above.
        unsafe { tile::tile::<E, E::Register, ROWS>(depth, *strip, panel, *target) }
    }
}
