//! Winograd's minimal filtering F(4x4, 3x3): convolution of stride 1 with windows of 3x3 in a quarter of the
//! multiplications.
//!
//! The output is cut into tiles of 4x4, each of which sees 6x6 pixels d. For one channel and one filter w (3x3)
//!
//! - forward: y = A^T ((G w G^T) * (B^T d B)) A
//! - gradient of the image: the same, with the filters turned by half a turn, and channels and filters exchanged
//! - gradient of the weight, with g the gradient of the tile's output: dw = G^T ((A g A^T) * (B^T d B)) G
//!
//! where * multiplies entry by entry, and the matrices are in `transform.rs`. Transforms are linear, so the sums over
//! channels (over tiles, for the gradient of the weight) are taken before the last one: for each of the 36 entries, a
//! product of matrices. Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray, "Fast Algorithms for
//! Convolutional Neural Networks", 2016.
//!
//! Channels stand next to each other in all that is transformed, so that tiles of any number and images of any size fill the
//! registers. A block of tiles is worked on at a time, whose transforms stay in the second-level cache.
//!
//! Sums of large numbers that nearly cancel cost accuracy: errors are about 1e-6 of the largest outputs in f32. A NaN or an
//! infinity in a pixel makes all outputs NaN of the tiles that see it.

mod convolve;
mod tiles;
mod transform;
mod weight;

use super::{Convolution, Passes, Start};
use crate::kernels::gemm::register::{InRegisters, Plain, Register};
use crate::kernels::instructions::Instructions;
use crate::kernels::parallel;
use crate::memory::Storage;
use convolve::{Block, convolve, convolve_block, transform_filters};
use tiles::{MOST_LANES, Piece, gather};
use transform::{Pixels, Transform as _, across};
use weight::{Part, add_products, backward_weight, store_weights, transform_gradients};

/// Entries of a transformed tile.
const ENTRIES: usize = 36;
/// Tiles in a run at most, which are transformed together: their pixels stay in the first-level cache.
const RUN: usize = 14;
/// Channels are rounded up to the widest panel of a product.
const PANEL: usize = 2 * MOST_LANES;
/// Below this many multiply-adds in all, one thread is faster.
const PARALLEL_ABOVE: usize = 1 << 18;
/// What is between the matrices of two entries, beyond their size, so that the same place in all of them is not in the
/// same set of the caches.
const APART: usize = 16;

/// From images to images: the forward pass, or the gradient of the image.
#[derive(Clone, Copy)]
struct Map {
    batch: usize,
    groups: usize,
    /// The channels of one group that are read, and those that are written.
    from: usize,
    to: usize,
    size: [usize; 2],
    out: [usize; 2],
    /// How far the first window lies outside; inside if negative.
    padding: [isize; 2],
}

impl Map {
    fn tiles(&self) -> [usize; 2] {
        self.out.map(|size| size.div_ceil(4))
    }

    fn all_tiles(&self) -> usize {
        self.batch * self.tiles()[0] * self.tiles()[1]
    }

    /// Whether it is worth threads.
    fn is_large(&self) -> bool {
        parallel::worthwhile((self.all_tiles() * ENTRIES).saturating_mul(self.to * self.from), PARALLEL_ABOVE)
    }

    /// The tiles from `first` to `end` in runs.
    #[inline(always)]
    fn runs(&self, first: usize, end: usize) -> impl Iterator<Item = Run> {
        let [down, across] = self.tiles();
        let mut tile = first;
        std::iter::from_fn(move || {
            let (row, left) = (tile / across, tile % across);
            let run = Run {
                first: tile - first,
                image: row / down,
                top: row % down,
                left,
                count: RUN.min(across - left).min(end - tile),
            };
            tile += run.count;
            (run.count > 0).then_some(run)
        })
    }

    /// The pixels under a run of tiles.
    #[inline(always)]
    fn pixels(&self, run: &Run) -> Piece {
        let at = |tile: usize, axis: usize| (4 * tile).cast_signed() - self.padding[axis];
        Piece { top: at(run.top, 0), left: at(run.left, 1), rows: 6, width: 4 * run.count + 2 }
    }

    /// The outputs of a run of tiles.
    #[inline(always)]
    fn outputs(&self, run: &Run) -> Piece {
        let (top, left) = (4 * run.top, 4 * run.left);
        let (rows, width) = (4.min(self.out[0] - top), (4 * run.count).min(self.out[1] - left));
        Piece { top: top.cast_signed(), left: left.cast_signed(), rows, width }
    }
}

/// Tiles next to each other.
struct Run {
    /// The number of the first one in its block.
    first: usize,
    image: usize,
    /// In tiles.
    top: usize,
    left: usize,
    count: usize,
}

/// The weight of a group: the number for an output channel, an input channel and a tap.
#[derive(Clone, Copy)]
struct Filters<'a> {
    values: &'a [f32],
    to_stride: usize,
    from_stride: usize,
    /// From the last tap to the first.
    turned: bool,
}

/// The numbers of lanes that hold `channels`, for any register.
fn padded(channels: usize) -> usize {
    channels.next_multiple_of(PANEL)
}

/// How far apart rows of so many channels stand: as [`padded`], and not a multiple of the pages of the first-level cache,
/// for several are read side by side.
fn row(channels: usize) -> usize {
    let row = channels.next_multiple_of(MOST_LANES);
    if row.is_multiple_of(512) { row + MOST_LANES } else { row }
}

pub const fn passes() -> Passes<f32> {
    Passes { forward, backward_input, backward_weight }
}

/// `y = weight * x`, added to `start`.
fn forward(sizes: &Convolution, x: &[f32], weight: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    let Convolution { batch, windows, filters, groups } = *sizes;
    let padding = windows.padding.map(usize::cast_signed);
    let (size, out) = (windows.size, windows.out);
    let map = Map { batch, groups, from: windows.channels, to: filters, size, out, padding };
    let of_group = |group: usize| Filters {
        values: &weight[group * filters * windows.taps()..],
        to_stride: windows.taps(),
        from_stride: 9,
        turned: false,
    };
    convolve(&map, x, &of_group, start, y);
}

/// The gradient of the input, added to `start`: the convolution of g with the filters turned.
fn backward_input(sizes: &Convolution, g: &[f32], weight: &[f32], start: Start<'_, f32>, dx: &mut [f32]) {
    let Convolution { batch, windows, filters, groups } = *sizes;
    let padding = windows.padding.map(|padding| 2 - padding.cast_signed());
    let (size, out) = (windows.out, windows.size);
    let map = Map { batch, groups, from: filters, to: windows.channels, size, out, padding };
    let of_group = |group: usize| Filters {
        values: &weight[group * filters * windows.taps()..],
        to_stride: 9,
        from_stride: windows.taps(),
        turned: true,
    };
    convolve(&map, g, &of_group, start, dx);
}

/// What is done with registers: see the functions of the same names.
enum Work<'a> {
    Filters { from: usize, filters: Filters<'a>, channels: std::ops::Range<usize>, to: *mut f32, between: usize },
    Block(Block<'a>),
    Pixels(Part<'a>, &'a [f32], *mut f32),
    Gradients(Part<'a>, &'a [f32], *mut f32),
    Products { part: Part<'a>, pixels: &'a [f32], gradients: &'a [f32], sums: *mut f32, add: bool },
    Weights { map: &'a Map, channels: std::ops::Range<usize>, sums: &'a [f32], between: usize, dw: *mut f32, add: bool },
}

/// Works with the instructions given.
///
/// # Safety
/// The processor has the instructions, and the work's promises hold.
unsafe fn work(instructions: Instructions, work: Work<'_>) {
    // SAFETY: the caller's promises; plain registers need nothing of the processor.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(work),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(work),
            _ => work_with::<Plain<f32>, 4>(work),
        }
    }
}

/// # Safety
/// As [`work`], and the processor has AVX-512F, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512(work: Work<'_>) {
    // SAFETY: this function has what the registers need, and the caller promises the rest.
    unsafe { work_with::<<f32 as InRegisters>::WideRegister, 12>(work) }
}

/// # Safety
/// As [`work`], and the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(work: Work<'_>) {
    // SAFETY: this function has what the registers need, and the caller promises the rest.
    unsafe { work_with::<<f32 as InRegisters>::Register, 6>(work) }
}

/// # Safety
/// As [`work`], and the processor has what `R` needs.
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
            Work::Products { part, pixels, gradients, sums, add } => {
                add_products::<R, ROWS>(&part, pixels.as_ptr(), gradients.as_ptr(), sums, add);
            }
            Work::Weights { map, channels, sums, between, dw, add } => {
                store_weights::<R>(map, channels, sums.as_ptr(), between, dw, add);
            }
        }
    }
}

/// `B^T d B` of the pixels under tiles, for all channels of a group: each entry is a matrix of a row for each tile.
///
/// # Safety
/// The processor has what `R` needs; x holds the images of the map; and at `to` there is room for [`ENTRIES`] matrices,
/// `between` apart, with their rows `stride` apart.
#[inline(always)]
unsafe fn transform_pixels<R: Register<f32>>(
    map: &Map,
    group: usize,
    tiles: std::ops::Range<usize>,
    x: &[f32],
    to: *mut f32,
    between: usize,
    stride: usize,
) {
    let plane = map.size[0] * map.size[1];
    let mut band = Storage::<f32>::scratch(6 * (4 * RUN + 2) * R::LEN);
    let band = band.make_mut().as_mut_ptr();
    for run in map.runs(tiles.start, tiles.end) {
        let piece = map.pixels(&run);
        for channel in (0..map.from).step_by(R::LEN) {
            let some = R::LEN.min(map.from - channel);
            // SAFETY: the image has these channels, and the band room for a run.
            unsafe {
                let planes = x.as_ptr().add(((run.image * map.groups + group) * map.from + channel) * plane);
                gather::<R>(planes, some, map.size, piece, band);
                // a tile begins with the last two columns of the one before
                let mut half = [[R::splat(0.0); 6]; 6];
                for column in 0..2 {
                    column_of::<R>(band, piece.width, column, &mut half, column);
                }
                for tile in 0..run.count {
                    for column in 2..6 {
                        column_of::<R>(band, piece.width, 4 * tile + column, &mut half, column);
                    }
                    let to = to.add((run.first + tile) * stride + channel);
                    store(&across::<Pixels, R, 6, 6>(&half), to, between);
                    for half in &mut half {
                        (half[0], half[1]) = (half[4], half[5]);
                    }
                }
            }
        }
    }
}

/// Transforms one column of a band of six rows.
///
/// # Safety
/// The processor has what `R` needs, and the band is `width` wide.
#[inline(always)]
unsafe fn column_of<R: Register<f32>>(
    band: *const f32,
    width: usize,
    column: usize,
    half: &mut [[R; 6]; 6],
    to: usize,
) {
    // SAFETY: the caller's promises.
    unsafe {
        let mut down = [R::splat(0.0); 6];
        for (row, down) in down.iter_mut().enumerate() {
            *down = R::load(band.add((row * width + column) * R::LEN));
        }
        for (half, value) in half.iter_mut().zip(Pixels::along(down)) {
            half[to] = value;
        }
    }
}

/// Stores the entries of a transformed square `between` apart.
///
/// # Safety
/// The processor has what `R` needs, and there is room at `to`.
#[inline(always)]
unsafe fn store<R: Register<f32>>(square: &[[R; 6]; 6], to: *mut f32, between: usize) {
    for (row, line) in square.iter().enumerate() {
        for (column, value) in line.iter().enumerate() {
            // SAFETY: the caller's promises.
            unsafe { value.store(to.add((6 * row + column) * between)) };
        }
    }
}
