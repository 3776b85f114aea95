//! The computations on registers, compiled for each instruction set.

use super::chunk::Chunk;
use super::region::MOST_LANES;
use crate::kernels::convolution::PORTABLE;
#[cfg(target_arch = "x86_64")]
use crate::kernels::gemm::register::InRegisters;
use crate::kernels::gemm::register::{Plain, Register, load_each};
use crate::kernels::instructions::Instructions;
use crate::kernels::prefetch::prefetch;
use crate::kernels::store::Store;
use crate::memory::Storage;
use std::ops::Range;

/// The most steps that a tile runs over at once: two or three registers of pixels for each then stay in the first-level
/// cache.
const DEPTH: usize = 256;

/// From this many tiles on that read the same pixels, it pays to copy those next to each other.
const COPIED: usize = 4;

/// The most pixels that are read again for every strip of filters: they fit the first-level cache.
const IN_STRIPS: usize = 1 << 13;
/// The fewest and the most filters of a strip: with two registers of positions, the sums then take 6 to 12 of the 16
/// registers of AVX2.
const FEWEST: usize = 3;
const MOST: usize = 6;

/// The outputs of some filters at some positions.
pub struct Task<'a> {
    pub pixels: &'a [f32],
    /// How many of them are read.
    pub seen: usize,
    pub chunks: &'a [Chunk],
    pub steps: &'a [usize],
    /// A row for each filter, with a number for each step.
    pub weight: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub store: Store,
    /// The distance between the outputs of two filters.
    pub plane: usize,
}

/// Runs a task with the given instructions.
///
/// # Safety
/// The processor supports the instructions. At each place of a chunk plus each step, there is a whole register of
/// pixels; all outputs that the chunks name, counted from y, are valid, and nothing else reads or writes them
/// concurrently.
pub unsafe fn run(instructions: Instructions, task: &Task<'_>, y: *mut f32) {
    // SAFETY: the caller's promises; plain registers need no special instructions.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(task, y),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(task, y),
            _ if PORTABLE => run_with::<Plain<f32>, 4, 3>(task, y),
            _ => unreachable!("im2col is chosen"),
        }
    }
}

/// The sums take 24 of the 32 registers.
///
/// # Safety
/// As for [`run`], and the processor supports AVX-512F, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512(task: &Task<'_>, y: *mut f32) {
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { run_with::<<f32 as InRegisters>::WideRegister, 8, 3>(task, y) }
}

/// The sums take 12 of the 16 registers. As 4 x 3, they and the operands would need all 16, and some were spilled to
/// memory.
///
/// # Safety
/// As for [`run`], and the processor supports AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(task: &Task<'_>, y: *mut f32) {
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { run_with::<<f32 as InRegisters>::Register, 6, 2>(task, y) }
}

/// # Safety
/// As for [`run`], and the processor supports `R`'s instructions.
#[inline(always)]
unsafe fn run_with<R: Register<f32>, const ROWS: usize, const COLUMNS: usize>(task: &Task<'_>, y: *mut f32) {
    let depth = task.steps.len();
    let filters = task.weight.len() / depth;
    if depth <= DEPTH && task.seen <= IN_STRIPS && filters >= FEWEST {
        // SAFETY: the caller's promises.
        return unsafe { strips::<R>(task, filters, y) };
    }
    // a few filters beyond whole tiles are faster one by one, unless the tile that they do not fill is one of many
    let rest = filters % ROWS;
    let alone = rest <= ROWS * 3 / 8 && filters < 16 * (ROWS - rest);
    let together = if alone { filters - rest } else { filters };
    // SAFETY: the caller's promises.
    unsafe {
        tiles::<R, ROWS, COLUMNS>(task, 0..together, y);
        tiles::<R, 1, 8>(task, together..filters, y);
    }
}

/// The outputs in strips: a few filters at all positions, then the next. What a tile needs before it can sum is then the
/// same for a whole strip, which counts where sums are short, and outputs are written in order.
///
/// # Safety
/// As for [`run`], and the processor supports `R`'s instructions; one pass covers all steps, and there are at least
/// [`FEWEST`] filters.
#[inline(always)]
unsafe fn strips<R: Register<f32>>(task: &Task<'_>, filters: usize, y: *mut f32) {
    // about equally high, so that none is lower than 3 filters
    let count = filters.div_ceil(MOST);
    for strip in 0..count {
        let (first, end) = (strip * filters / count, (strip + 1) * filters / count);
        // SAFETY: the caller's promises.
        unsafe {
            match end - first {
                MOST => in_strip::<R, MOST>(task, first, y),
                5 => in_strip::<R, 5>(task, first, y),
                4 => in_strip::<R, 4>(task, first, y),
                _ => in_strip::<R, FEWEST>(task, first, y),
            }
        }
    }
}

/// One strip.
///
/// # Safety
/// As for [`strips`]; there are `ROWS` filters from the first on.
#[inline(always)]
unsafe fn in_strip<R: Register<f32>, const ROWS: usize>(task: &Task<'_>, first: usize, y: *mut f32) {
    let depth = task.steps.len();
    let bias = std::array::from_fn(|row| task.bias.map_or(0.0, |bias| bias[first + row]));
    let (pairs, rest) = task.chunks.as_chunks();
    // SAFETY: the caller's promises.
    unsafe {
        let weights = std::array::from_fn(|row| task.weight.as_ptr().add((first + row) * depth));
        let y = y.add(first * task.plane);
        for chunks in pairs {
            short_tile::<R, ROWS, 2>(task, chunks, weights, bias, y);
        }
        for chunk in rest {
            short_tile::<R, ROWS, 1>(task, std::array::from_ref(chunk), weights, bias, y);
        }
    }
}

/// A tile of a strip.
///
/// # Safety
/// As for [`in_strip`]; `y` is the plane of the first filter.
#[inline(always)]
unsafe fn short_tile<R: Register<f32>, const ROWS: usize, const COLUMNS: usize>(
    task: &Task<'_>,
    chunks: &[Chunk; COLUMNS],
    weights: [*const f32; ROWS],
    bias: [f32; ROWS],
    y: *mut f32,
) {
    // SAFETY: the caller's promises.
    unsafe {
        let pixels = std::array::from_fn(|column| task.pixels.as_ptr().add(chunks[column].place));
        let sums = sums::<R, ROWS, COLUMNS>(task.steps, weights, pixels, bias);
        if let Some(places) = all_whole(chunks.each_ref(), task.store) {
            return put_whole(task, &sums, ROWS, places, y);
        }
        let mut kept = [[[0.0; MOST_LANES]; COLUMNS]; ROWS];
        for (kept, sums) in kept.iter_mut().zip(&sums) {
            for (kept, &sum) in kept.iter_mut().zip(sums) {
                sum.store(kept.as_mut_ptr());
            }
        }
        for (row, kept) in kept.iter().enumerate() {
            for (kept, chunk) in kept.iter().zip(chunks) {
                put::<R>(kept.as_ptr(), chunk, task.store, y.add(row * task.plane));
            }
        }
    }
}

/// The tiles of some filters.
///
/// # Safety
/// As for [`run`], and the processor supports `R`'s instructions.
#[inline(always)]
unsafe fn tiles<R: Register<f32>, const ROWS: usize, const COLUMNS: usize>(
    task: &Task<'_>,
    filters: Range<usize>,
    y: *mut f32,
) {
    let depth = task.steps.len();
    let whole = depth <= DEPTH;
    let copies = filters.len() >= COPIED * ROWS;
    let width = COLUMNS * R::LEN;
    // if one pass covers all steps, sums are stored at once; otherwise those of every tile are kept
    let row = if whole { width } else { task.chunks.len() * R::LEN };
    let of_tile = |first: usize, column: usize| if whole { 0 } else { (first - filters.start) * row + column * R::LEN };
    let mut one_tile = [0.0; MOST_LANES * 24];
    let mut all_tiles = (!whole).then(|| Storage::<f32>::scratch(filters.len() * row));
    let so_far = all_tiles.as_mut().map_or(one_tile.as_mut_ptr(), |all| all.make_mut().as_mut_ptr());
    let mut panel = copies.then(|| Storage::<f32>::scratch(DEPTH.min(depth) * width));
    let rows: Vec<usize> = (0..if copies { DEPTH.min(depth) } else { 0 }).map(|row| row * width).collect();
    for start in (0..task.steps.len()).step_by(DEPTH) {
        let end = task.steps.len().min(start + DEPTH);
        for (i, chunks) in task.chunks.chunks(COLUMNS).enumerate() {
            let at = |first: usize, column: usize| {
                let to = so_far.wrapping_add(of_tile(first, i * COLUMNS + column));
                SoFar { to, row, first: start == 0, last: end == depth }
            };
            // SAFETY: the caller's promises.
            unsafe {
                let Some(chunks) = chunks.first_chunk::<COLUMNS>() else {
                    for (i, chunk) in chunks.iter().enumerate() {
                        let pixels = [task.pixels.as_ptr().add(chunk.place)];
                        let piece = Piece {
                            start,
                            steps: &task.steps[start..end],
                            pixels,
                            chunks: [chunk],
                            wholes: if whole { all_whole([chunk], task.store) } else { None },
                        };
                        for first in filters.clone().step_by(ROWS) {
                            tile::<R, ROWS, 1>(task, &piece, first..filters.end.min(first + ROWS), at(first, i), y);
                        }
                    }
                    continue;
                };
                let chunks = chunks.each_ref();
                let wholes = if whole { all_whole(chunks, task.store) } else { None };
                let pixels = chunks.map(|chunk| task.pixels.as_ptr().add(chunk.place));
                let mut piece = Piece { start, steps: &task.steps[start..end], pixels, chunks, wholes };
                if let Some(panel) = &mut panel {
                    let panel = panel.make_mut().as_mut_ptr();
                    for (&step, &row) in piece.steps.iter().zip(&rows) {
                        for (column, pixels) in piece.pixels.iter().enumerate() {
                            R::load(pixels.add(step)).store(panel.add(row + column * R::LEN));
                        }
                    }
                    piece.pixels = std::array::from_fn(|column| panel.add(column * R::LEN).cast_const());
                    piece.steps = &rows[..end - start];
                }
                for first in filters.clone().step_by(ROWS) {
                    tile::<R, ROWS, COLUMNS>(task, &piece, first..filters.end.min(first + ROWS), at(first, 0), y);
                }
            }
        }
    }
}

/// Some steps at some chunks.
struct Piece<'a, const COLUMNS: usize> {
    /// The number of the first step.
    start: usize,
    steps: &'a [usize],
    /// What the chunks see at a step of 0.
    pixels: [*const f32; COLUMNS],
    chunks: [&'a Chunk; COLUMNS],
    /// Where the outputs go, if all chunks are whole and these are all steps.
    wholes: Option<[usize; COLUMNS]>,
}

/// Where the sums of a tile over the steps so far are kept.
#[derive(Clone, Copy)]
struct SoFar {
    to: *mut f32,
    /// The length of a row.
    row: usize,
    /// Whether these are the first steps, and the last.
    first: bool,
    last: bool,
}

/// A tile of at most `ROWS` filters.
///
/// # Safety
/// As for [`tiles`].
#[inline(always)]
unsafe fn tile<R: Register<f32>, const ROWS: usize, const COLUMNS: usize>(
    task: &Task<'_>,
    piece: &Piece<'_, COLUMNS>,
    filters: Range<usize>,
    so_far: SoFar,
    y: *mut f32,
) {
    let depth = task.steps.len();
    // SAFETY: the caller's promises; rows beyond the last repeat it, and are not written.
    unsafe {
        let row = |row: usize| (filters.start + row).min(filters.end - 1);
        let weights = std::array::from_fn(|i| task.weight.as_ptr().add(row(i) * depth + piece.start));
        let bias = match task.bias {
            Some(bias) if so_far.first => std::array::from_fn(|i| *bias.get_unchecked(row(i))),
            _ => [0.0; ROWS],
        };
        // prefetch the target, which is far from the previous one, while the sums are computed
        for row in 0..filters.len() {
            match piece.wholes {
                Some(wholes) => {
                    let y = y.add((filters.start + row) * task.plane);
                    wholes.iter().for_each(|&whole| prefetch(y.add(whole)));
                }
                None => {
                    let to = so_far.to.add(row * so_far.row);
                    (0..COLUMNS).for_each(|column| prefetch(to.add(column * R::LEN)));
                }
            }
        }
        let sums = sums::<R, ROWS, COLUMNS>(piece.steps, weights, piece.pixels, bias);
        if let Some(wholes) = piece.wholes {
            return put_whole(task, &sums, filters.len(), wholes, y.add(filters.start * task.plane));
        }
        for (row, sums) in sums.iter().enumerate() {
            if row < filters.len() {
                for (column, &sum) in sums.iter().enumerate() {
                    let to = so_far.to.add(row * so_far.row + column * R::LEN);
                    (if so_far.first { sum } else { R::load(to).plus(sum) }).store(to);
                }
            }
        }
        if so_far.last {
            for row in 0..filters.len() {
                let y = y.add((filters.start + row) * task.plane);
                for (column, chunk) in piece.chunks.iter().enumerate() {
                    put::<R>(so_far.to.add(row * so_far.row + column * R::LEN), chunk, task.store, y);
                }
            }
        }
    }
}

/// For each row, its bias plus the sum over the steps of its weight times the pixels there.
///
/// # Safety
/// The processor supports `R`'s instructions; the weights of all steps are there, and whole registers of pixels.
#[inline(always)]
unsafe fn sums<R: Register<f32>, const ROWS: usize, const COLUMNS: usize>(
    steps: &[usize],
    weights: [*const f32; ROWS],
    pixels: [*const f32; COLUMNS],
    bias: [f32; ROWS],
) -> [[R; COLUMNS]; ROWS] {
    // SAFETY: the caller's promises.
    unsafe {
        // a loop, as the closure of an array's `map` is compiled without these instructions unless it is inlined
        let mut sums = [[R::splat(0.0); COLUMNS]; ROWS];
        for (row, sums) in sums.iter_mut().enumerate() {
            *sums = [R::splat(bias[row]); COLUMNS];
        }
        for (k, &step) in steps.iter().enumerate() {
            let numbers = load_each(&pixels, step);
            for (row, sums) in sums.iter_mut().enumerate() {
                let weight = R::splat(*weights[row].add(k));
                for (column, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.plus_product(weight, numbers[column]);
                }
            }
        }
        sums
    }
}

/// Where the outputs of the chunks go, if all of them can be stored as whole registers.
#[inline(always)]
fn all_whole<const COLUMNS: usize>(chunks: [&Chunk; COLUMNS], store: Store) -> Option<[usize; COLUMNS]> {
    let mut places = [0; COLUMNS];
    for (column, place) in places.iter_mut().enumerate() {
        *place = chunks[column].to(store)?;
    }
    Some(places)
}

/// Stores the sums of the first `rows` rows as whole registers, at these places in the plane of each; y is the first.
///
/// # Safety
/// As for [`tiles`].
#[inline(always)]
unsafe fn put_whole<R: Register<f32>, const ROWS: usize, const COLUMNS: usize>(
    task: &Task<'_>,
    sums: &[[R; COLUMNS]; ROWS],
    rows: usize,
    places: [usize; COLUMNS],
    y: *mut f32,
) {
    // short loops, which the compiler unrolls: only then do the sums stay in registers
    for (row, sums) in sums.iter().enumerate() {
        if row < rows {
            for (column, &sum) in sums.iter().enumerate() {
                // SAFETY: the caller's promises.
                unsafe {
                    let y = y.add(row * task.plane + places[column]);
                    (if task.store.adds() { R::load(y).plus(sum) } else { sum }).store(y);
                }
            }
        }
    }
}

/// Stores the sums of a chunk.
///
/// # Safety
/// As for [`tiles`].
#[inline(always)]
unsafe fn put<R: Register<f32>>(sums: *const f32, chunk: &Chunk, store: Store, y: *mut f32) {
    // SAFETY: the caller's promises.
    unsafe {
        if let Some(first) = chunk.to(store) {
            let (y, sums) = (y.add(first), R::load(sums));
            return (if store.adds() { R::load(y).plus(sums) } else { sums }).store(y);
        }
        for &(lane, to) in &chunk.lanes {
            let y = y.add(to);
            *y = store.result(*y, *sums.add(lane));
        }
    }
}
