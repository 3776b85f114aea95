//! The computations on registers, compiled for each instruction set.

use super::block::{Block, convolve_block, transform_filters};
use super::chunk::{Part, add_products, store_weights, transform_gradients};
use super::map::transform_pixels;
use crate::kernels::convolution::PORTABLE;
use crate::kernels::convolution::sizes::{Filters, Map};
#[cfg(target_arch = "x86_64")]
use crate::kernels::gemm::register::InRegisters;
use crate::kernels::gemm::register::{Plain, Register};
use crate::kernels::instructions::Instructions;
use crate::kernels::store::Store;

/// A computation on registers: see the function that [`work_with`] calls for it.
pub enum Work<'a> {
    Filters {
        from: usize,
        filters: Filters<'a>,
        channels: std::ops::Range<usize>,
        to: *mut f32,
        between: usize,
    },
    Block(Block<'a>),
    Pixels(Part<'a>, &'a [f32], *mut f32),
    Gradients(Part<'a>, &'a [f32], *mut f32),
    Products {
        part: Part<'a>,
        pixels: &'a [f32],
        gradients: &'a [f32],
        sums: *mut f32,
        store: Store,
    },
    Weights {
        map: &'a Map,
        channels: std::ops::Range<usize>,
        sums: &'a [f32],
        between: usize,
        dw: *mut f32,
        store: Store,
    },
}

/// Runs a computation with the given instructions.
///
/// # Safety
/// The processor supports the instructions, and the safety requirements of the function that it calls are met.
pub unsafe fn work(instructions: Instructions, work: Work<'_>) {
    // SAFETY: the caller's promises; plain registers need no special instructions.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(work),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(work),
            _ if PORTABLE => work_with::<Plain<f32>, 4>(work),
            _ => unreachable!("im2col is chosen"),
        }
    }
}

/// # Safety
/// As for [`work`], and the processor supports AVX-512F, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512(work: Work<'_>) {
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { work_with::<<f32 as InRegisters>::WideRegister, 12>(work) }
}

/// # Safety
/// As for [`work`], and the processor supports AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(work: Work<'_>) {
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { work_with::<<f32 as InRegisters>::Register, 6>(work) }
}

/// # Safety
/// As for [`work`], and the processor supports `R`'s instructions.
#[inline(always)]
unsafe fn work_with<R: Register<f32>, const ROWS: usize>(work: Work<'_>) {
    // SAFETY: the caller's promises.
    unsafe {
        match work {
            Work::Filters { from, filters, channels, to, between } => {
                transform_filters::<R>(from, filters, channels, to, between);
            }
            Work::Block(block) => convolve_block::<R, ROWS>(block),
            Work::Pixels(Part { map, group, first, tiles, layout }, x, to) => {
                let to = to.add((tiles.start - first) * layout.stride);
                transform_pixels::<R>(map, group, tiles, x, to, layout.pixels, layout.stride);
            }
            Work::Gradients(part, g, to) => transform_gradients::<R>(part, g, to),
            Work::Products { part, pixels, gradients, sums, store } => {
                add_products::<R, ROWS>(&part, pixels.as_ptr(), gradients.as_ptr(), sums, store);
            }
            Work::Weights { map, channels, sums, between, dw, store } => {
                store_weights::<R>(map, channels, sums.as_ptr(), between, dw, store);
            }
        }
    }
}
