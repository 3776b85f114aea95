//! The computations on registers, compiled for each instruction set.

use crate::kernels::convolution::PORTABLE;
use crate::kernels::convolution::planes::region::MOST_LANES;
#[cfg(target_arch = "x86_64")]
use crate::kernels::gemm::register::InRegisters;
use crate::kernels::gemm::register::{Plain, Register};
use crate::kernels::instructions::Instructions;
use crate::kernels::store::Store;

/// The positions of a tile: with a weight, they take 9 of the 16 registers of AVX2.
const TILE: usize = 8;
/// The taps whose gradients are summed together.
const TAPS: usize = 9;

/// One computation. Places count numbers; at each there is a number of every lane.
pub enum Task<'a> {
    /// Copies the numbers from `first` on of each lane to the places.
    Gather { from: &'a [f32], first: [usize; MOST_LANES], places: &'a [usize], to: &'a mut [f32] },
    /// Sums the products of weights and pixels at some positions: (place of the first pixel, place of the sum).
    Sums {
        pixels: &'a [f32],
        steps: &'a [usize],
        weights: &'a [f32],
        bias: &'a [f32; MOST_LANES],
        positions: &'a [(usize, usize)],
        to: &'a mut [f32],
    },
    /// Adds to `sums`, for each step, the products of gradients and pixels.
    Products {
        pixels: &'a [f32],
        steps: &'a [usize],
        gradients: &'a [f32],
        positions: &'a [(usize, usize)],
        sums: &'a mut [f32],
    },
    /// Stores as many numbers of each of the first `lanes` lanes, `distance` apart.
    Scatter { from: &'a [f32], count: usize, to: *mut f32, distance: usize, lanes: usize, store: Store },
}

/// Runs a task with the given instructions.
///
/// # Safety
/// The processor supports the instructions. From every place on, and for sums of pixels from each step beyond it, there
/// are as many numbers as a register has. The places that are written to are valid, and nothing else reads or writes
/// them concurrently.
pub unsafe fn run(instructions: Instructions, task: Task<'_>) {
    // SAFETY: the caller's promises; plain registers need no special instructions.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(task),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(task),
            _ if PORTABLE => run_with::<Plain<f32>>(task),
            _ => unreachable!("im2col is chosen"),
        }
    }
}

/// # Safety
/// As for [`run`], and the processor supports AVX-512F, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512(task: Task<'_>) {
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { run_with::<<f32 as InRegisters>::WideRegister>(task) }
}

/// # Safety
/// As for [`run`], and the processor supports AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(task: Task<'_>) {
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { run_with::<<f32 as InRegisters>::Register>(task) }
}

/// # Safety
/// As for [`run`], and the processor supports `R`'s instructions.
#[inline(always)]
unsafe fn run_with<R: Register<f32>>(task: Task<'_>) {
    // SAFETY: the caller's promises.
    unsafe {
        match task {
            Task::Gather { from, first, places, to } => {
                assert!(first[..R::LEN].iter().all(|first| first + places.len() <= from.len()));
                gather::<R>(&first.map(|first| from.as_ptr().wrapping_add(first)), places, to.as_mut_ptr());
            }
            Task::Sums { pixels, steps, weights, bias, positions, to } => {
                assert!(weights.len() >= steps.len() * R::LEN);
                let (pixels, weights, to) = (pixels.as_ptr(), weights.as_ptr(), to.as_mut_ptr());
                let mut rest = positions;
                while let Some(tile) = rest.first_chunk::<TILE>() {
                    sums::<R, TILE>(pixels, steps, weights, bias, tile, to);
                    // the last tile overlaps the one before
                    let next = rest.len() - TILE;
                    rest = if (1..TILE).contains(&next) { &positions[positions.len() - TILE..] } else { &rest[TILE..] };
                }
                for position in rest {
                    sums::<R, 1>(pixels, steps, weights, bias, std::array::from_ref(position), to);
                }
            }
            Task::Products { pixels, steps, gradients, positions, sums } => {
                assert!(sums.len() >= steps.len() * R::LEN);
                for (steps, sums) in steps.chunks(TAPS).zip(sums.chunks_mut(TAPS * R::LEN)) {
                    products::<R>(pixels.as_ptr(), steps, gradients.as_ptr(), positions, sums.as_mut_ptr());
                }
            }
            Task::Scatter { from, count, to, distance, lanes, store } => {
                assert!(from.len() >= count * R::LEN);
                scatter::<R>(from.as_ptr(), count, to, distance, lanes, store);
            }
        }
    }
}

/// # Safety
/// As for [`run_with`].
#[inline(always)]
unsafe fn gather<R: Register<f32>>(from: &[*const f32; MOST_LANES], places: &[usize], to: *mut f32) {
    // SAFETY: the caller's promises.
    unsafe {
        if places.len() < R::LEN {
            for (i, &place) in places.iter().enumerate() {
                for (lane, from) in from[..R::LEN].iter().enumerate() {
                    *to.add(place + lane) = *from.add(i);
                }
            }
            return;
        }
        for start in (0..places.len()).step_by(R::LEN) {
            let start = start.min(places.len() - R::LEN);
            let places = places.as_ptr().add(start);
            R::transpose(|lane| from[lane].add(start), |i| to.add(*places.add(i)));
        }
    }
}

/// # Safety
/// As for [`run_with`].
#[inline(always)]
unsafe fn sums<R: Register<f32>, const N: usize>(
    pixels: *const f32,
    steps: &[usize],
    weights: *const f32,
    bias: &[f32; MOST_LANES],
    positions: &[(usize, usize); N],
    to: *mut f32,
) {
    // SAFETY: the caller's promises.
    unsafe {
        let mut seen = [pixels; N];
        for (i, seen) in seen.iter_mut().enumerate() {
            *seen = pixels.add(positions[i].0);
        }
        let mut sums = [R::load(bias.as_ptr()); N];
        for (k, &step) in steps.iter().enumerate() {
            let weight = R::load(weights.add(k * R::LEN));
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = sum.plus_product(weight, R::load(seen[i].add(step)));
            }
        }
        for (i, &sum) in sums.iter().enumerate() {
            sum.store(to.add(positions[i].1));
        }
    }
}

/// The products of up to [`TAPS`] steps.
///
/// # Safety
/// As for [`run_with`].
#[inline(always)]
unsafe fn products<R: Register<f32>>(
    pixels: *const f32,
    steps: &[usize],
    gradients: *const f32,
    positions: &[(usize, usize)],
    to: *mut f32,
) {
    // SAFETY: the caller's promises; steps beyond the last repeat it, and are not stored.
    unsafe {
        let mut seen = [pixels; TAPS];
        for (i, seen) in seen.iter_mut().enumerate() {
            *seen = pixels.add(steps[i.min(steps.len() - 1)]);
        }
        let mut sums = [R::splat(0.0); TAPS];
        for &(place, output) in positions {
            let gradient = R::load(gradients.add(output));
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = sum.plus_product(gradient, R::load(seen[i].add(place)));
            }
        }
        for (i, &sum) in sums.iter().enumerate() {
            if i < steps.len() {
                let to = to.add(i * R::LEN);
                R::load(to).plus(sum).store(to);
            }
        }
    }
}

/// # Safety
/// As for [`run_with`].
#[inline(always)]
unsafe fn scatter<R: Register<f32>>(
    from: *const f32,
    count: usize,
    to: *mut f32,
    distance: usize,
    lanes: usize,
    store: Store,
) {
    let mut square = [0.0; MOST_LANES * MOST_LANES];
    // SAFETY: the caller's promises.
    unsafe {
        for start in (0..count).step_by(R::LEN) {
            let new = R::LEN.min(count - start);
            if lanes == R::LEN && count >= R::LEN && !store.adds() {
                let start = start.min(count - R::LEN);
                R::transpose(|i| from.add((start + i) * R::LEN), |lane| to.add(lane * distance + start));
                continue;
            }
            let square = square.as_mut_ptr();
            R::transpose(|i| from.add((start + i.min(new - 1)) * R::LEN), |lane| square.add(lane * R::LEN));
            for lane in 0..lanes {
                for i in 0..new {
                    let to = to.add(lane * distance + start + i);
                    *to = store.result(*to, *square.add(lane * R::LEN + i));
                }
            }
        }
    }
}
