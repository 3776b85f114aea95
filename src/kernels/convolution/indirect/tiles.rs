//! The computations on registers, compiled for each instruction set.

use super::region::Region;
use crate::kernels::convolution::PORTABLE;
use crate::kernels::convolution::sizes::Map;
use crate::kernels::gemm::Matrix;
use crate::kernels::gemm::pack::panels;
#[cfg(target_arch = "x86_64")]
use crate::kernels::gemm::register::InRegisters;
use crate::kernels::gemm::register::{Plain, Register};
use crate::kernels::gemm::tile::sums;
use crate::kernels::instructions::Instructions;
use crate::kernels::store::Store;
use crate::memory::Storage;
use std::ops::Range;

/// The most steps that a tile runs over at once: with two registers for each, a panel then at most fills the
/// first-level cache.
const DEPTH: usize = 256;

/// Some positions of a group, and the pixels that their windows see.
pub struct Band<'a> {
    pub map: &'a Map,
    pub group: usize,
    pub region: Region,
    pub x: &'a [f32],
}

/// A computation on registers.
pub enum Task<'a> {
    /// The outputs of a band, in the channels of some panels of the weight, added to a bias.
    Outputs {
        band: Band<'a>,
        panels: Range<usize>,
        weight: &'a [f32],
        bias: Option<&'a [f32]>,
        store: Store,
        y: *mut f32,
    },
    /// The gradients of the outputs of a band, in panels: a row of two registers for each position. `panels` points to
    /// this band's rows of the first panel, and each following panel is `between` numbers further on.
    Gradients { band: Band<'a>, g: &'a [f32], panels: *mut f32, between: usize },
    /// Products of pixels and a panel of gradients, summed over all positions, for the taps of some `steps`.
    Products {
        pixels: &'a [f32],
        places: &'a [usize],
        steps: &'a [usize],
        panel: &'a [f32],
        to: *mut f32,
        store: Store,
    },
    /// The columns of a matrix, at most two registers of them, as a panel. What lies beyond the last is never used.
    Panel { matrix: Matrix<'a, f32>, columns: usize, panel: &'a mut [f32] },
    /// The transpose of rows of two registers.
    Transpose { rows: &'a [f32], lines: &'a mut [f32] },
}

/// Runs a task with the given instructions.
///
/// # Safety
/// The processor supports the instructions, the pointers point to what the task says, and nothing else reads or writes
/// that concurrently.
pub unsafe fn run(instructions: Instructions, task: Task<'_>) {
    // SAFETY: the caller's promises; plain registers need no special instructions.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(task),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(task),
            _ if PORTABLE => run_with::<Plain<f32>, 4>(task),
            _ => unreachable!("im2col is chosen"),
        }
    }
}

/// # Safety
/// As for [`run`], and the processor supports AVX-512F, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512(task: Task<'_>) {
    // as many rows as leave general registers for the pointers to them and to what they are multiplied by: with more,
    // sums are spilled to memory
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { run_with::<<f32 as InRegisters>::WideRegister, 10>(task) }
}

/// # Safety
/// As for [`run`], and the processor supports AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(task: Task<'_>) {
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { run_with::<<f32 as InRegisters>::Register, 6>(task) }
}

/// # Safety
/// As for [`run`], and the processor supports `R`'s instructions.
#[inline(always)]
unsafe fn run_with<R: Register<f32>, const ROWS: usize>(task: Task<'_>) {
    // SAFETY: the caller's promises.
    unsafe {
        match task {
            Task::Outputs { band, panels, weight, bias, store, y } => {
                outputs::<R, ROWS>(&band, panels, weight, (bias, store), y);
            }
            Task::Gradients { band, g, panels, between } => gradients::<R>(&band, g, panels, between),
            Task::Products { pixels, places, steps, panel, to, store } => {
                products::<R, ROWS>(pixels, [steps, places], panel, to, store);
            }
            Task::Panel { matrix, columns, panel } => {
                panels::<f32, R>(matrix, panel.len() / (2 * R::LEN), columns, panel);
            }
            Task::Transpose { rows, lines } => transpose::<R>(rows, lines),
        }
    }
}

/// Computes, for each row, the sum over the steps of the number at `row + step` times the panel's row of that step. The
/// results are rows of two registers.
///
/// # Safety
/// The processor supports `R`'s instructions. All `row + step` lie in `x`, the panel has a row of two registers for
/// each step, and so has `to` for each row.
#[inline(always)]
unsafe fn products<R: Register<f32>, const ROWS: usize>(
    x: &[f32],
    [rows, steps]: [&[usize]; 2],
    panel: &[f32],
    to: *mut f32,
    store: Store,
) {
    let width = 2 * R::LEN;
    assert_eq!(panel.len(), steps.len() * width);
    for (piece, steps) in steps.chunks(DEPTH).enumerate() {
        let panel = &panel[piece * DEPTH * width..];
        let store = Store::adding(store.adds() || piece > 0);
        for (strip, rows) in rows.chunks(ROWS).enumerate() {
            // SAFETY: the caller's promises.
            unsafe {
                let to = to.add(strip * ROWS * width);
                if rows.len() > ROWS.min(4) {
                    tile::<R, ROWS>(x, rows, steps, panel, to, store);
                } else {
                    tile::<R, 4>(x, rows, steps, panel, to, store);
                }
            }
        }
    }
}

/// A tile of [`products`]. Rows beyond the last are not written.
///
/// # Safety
/// As for [`products`]; there are 1 to `ROWS` rows.
#[inline(always)]
unsafe fn tile<R: Register<f32>, const ROWS: usize>(
    x: &[f32],
    rows: &[usize],
    steps: &[usize],
    panel: &[f32],
    to: *mut f32,
    store: Store,
) {
    // SAFETY: the caller's promises.
    unsafe {
        let pointers: [*const f32; ROWS] = std::array::from_fn(|row| x.as_ptr().add(rows[row.min(rows.len() - 1)]));
        let sums = sums::<f32, R, ROWS>(steps.len(), pointers, |k| *steps.get_unchecked(k), panel.as_ptr());
        for (row, sums) in sums.iter().enumerate() {
            if row < rows.len() {
                for (half, &sum) in sums.iter().enumerate() {
                    let to = to.add((2 * row + half) * R::LEN);
                    (if store.adds() { R::load(to).plus(sum) } else { sum }).store(to);
                }
            }
        }
    }
}

/// See [`Task::Transpose`]; the number of rows is a multiple of a register's length.
#[inline(always)]
unsafe fn transpose<R: Register<f32>>(rows: &[f32], lines: &mut [f32]) {
    let (width, count) = (2 * R::LEN, rows.len() / (2 * R::LEN));
    assert!(rows.len() == lines.len() && rows.len() == count * width && count.is_multiple_of(R::LEN));
    let (from, to) = (rows.as_ptr(), lines.as_mut_ptr());
    for row in (0..count).step_by(R::LEN) {
        for lane in [0, R::LEN] {
            // SAFETY: squares of whole registers in slices of that length; the caller promises the registers.
            unsafe {
                R::transpose(|i| from.add((row + i) * width + lane), |i| to.add((lane + i) * count + row));
            }
        }
    }
}

/// See [`Task::Outputs`].
///
/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn outputs<R: Register<f32>, const ROWS: usize>(
    band: &Band<'_>,
    panels: Range<usize>,
    weight: &[f32],
    (bias, store): (Option<&[f32]>, Store),
    y: *mut f32,
) {
    let Band { map, group, region, x } = band;
    let mut copy = Storage::scratch(region.copied(map));
    region.copy(map, *group, x, copy.make_mut());
    let pixels = region.pixels(map, *group, x, copy.as_slice());
    let (places, steps) = (region.places(map), region.steps(map));
    let (width, whole) = (2 * R::LEN, places.len().next_multiple_of(R::LEN));
    // rows beyond the last position may hold anything: they are transposed, but not stored
    let mut rows = Storage::<f32>::scratch(whole * width);
    let mut lines = Storage::<f32>::scratch(whole * width);
    let [height, across] = map.plane;
    for panel in panels {
        let of_panel = &weight[panel * steps.len() * width..(panel + 1) * steps.len() * width];
        // SAFETY: all places and steps lie in the pixels, and y is as the caller promises.
        unsafe {
            products::<R, ROWS>(pixels, [&places, &steps], of_panel, rows.make_mut().as_mut_ptr(), Store::Overwrite);
            transpose::<R>(rows.as_slice(), lines.make_mut());
        }
        let channels = panel * width..map.to.min((panel + 1) * width);
        for (channel, line) in channels.zip(lines.as_slice().chunks_exact(whole)) {
            let bias = bias.map_or(0.0, |bias| bias[channel]);
            for (i, image) in region.images.clone().enumerate() {
                let plane = ((image * map.groups + group) * map.to + channel) * height * across;
                let line = &line[i * region.rows.len() * map.out[1]..][..region.rows.len() * map.out[1]];
                if map.step == [1, 1] {
                    // SAFETY: the rows of a plane, one after the other.
                    unsafe { write(line, y.add(plane + region.rows.start * across), 1, bias, store) };
                    continue;
                }
                for (row, line) in region.rows.clone().zip(line.chunks_exact(map.out[1])) {
                    let first = plane + (map.first[0] + row * map.step[0]) * across + map.first[1];
                    // SAFETY: places in a row of the plane.
                    unsafe { write(line, y.add(first), map.step[1], bias, store) };
                }
            }
        }
    }
}

/// Stores outputs, `stride` apart.
///
/// # Safety
/// The places are valid, and nothing else reads or writes them or those between them concurrently.
#[inline(always)]
unsafe fn write(line: &[f32], y: *mut f32, stride: usize, bias: f32, store: Store) {
    if line.is_empty() {
        return;
    }
    // SAFETY: the caller's promise.
    let y = unsafe { std::slice::from_raw_parts_mut(y, (line.len() - 1) * stride + 1) };
    if stride == 1 {
        y.iter_mut().zip(line).for_each(|(y, &value)| *y = store.result(*y, value + bias));
    } else {
        y.iter_mut().step_by(stride).zip(line).for_each(|(y, &value)| *y = store.result(*y, value + bias));
    }
}

/// See [`Task::Gradients`].
///
/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn gradients<R: Register<f32>>(band: &Band<'_>, g: &[f32], panels: *mut f32, between: usize) {
    let Band { map, group, region, .. } = band;
    let (width, plane) = (2 * R::LEN, map.positions());
    let run = region.rows.len() * map.out[1];
    for (i, image) in region.images.clone().enumerate() {
        let g = &g[(image * map.groups + group) * map.to * plane..][..map.to * plane];
        for lowest in (0..map.to).step_by(R::LEN) {
            let channels = R::LEN.min(map.to - lowest);
            let line = |channel: usize| &g[(lowest + channel) * plane + region.rows.start * map.out[1]..][..run];
            // SAFETY: there is room for a register for each position.
            let to = |position: usize| unsafe {
                panels.add(lowest / width * between + (i * run + position) * width + lowest % width)
            };
            if channels == R::LEN && run >= R::LEN {
                for position in (0..run).step_by(R::LEN) {
                    // the last square may overlap the one before
                    let position = position.min(run - R::LEN);
                    // SAFETY: a square of whole registers.
                    unsafe { R::transpose(|channel| line(channel)[position..].as_ptr(), |i| to(position + i)) };
                }
            } else {
                for position in 0..run {
                    // SAFETY: as above.
                    let to = unsafe { std::slice::from_raw_parts_mut(to(position), R::LEN) };
                    to[..channels].iter_mut().enumerate().for_each(|(channel, to)| *to = line(channel)[position]);
                    to[channels..].fill(0.0);
                }
            }
        }
        // a last panel of which only the first register has filters
        if (map.to.div_ceil(R::LEN)) % 2 == 1 {
            let last = map.to / width * between + i * run * width + R::LEN;
            for position in 0..run {
                // SAFETY: as above.
                unsafe { R::splat(0.0).store(panels.add(last + position * width)) };
            }
        }
    }
}
