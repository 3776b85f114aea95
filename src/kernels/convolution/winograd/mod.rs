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
//! The numbers in between are up to a hundred times as large as the result, which costs a digit: errors are about 1e-6 of
//! the largest outputs in f32. A NaN or an infinity in a pixel reaches all outputs of the tiles that see it (and as NaN).

mod tiles;
mod transform;

use super::{Convolution, Passes, Start};
use crate::kernels::gemm::register::{InRegisters, Plain, Register};
use crate::kernels::gemm::tile::{Strip, Target, tile};
use crate::kernels::instructions::{Instructions, instructions};
use crate::kernels::parallel::{self, Entries};
use crate::memory::Storage;
use tiles::{MOST_LANES, Piece, gather, scatter};

/// Entries of a transformed tile.
const ENTRIES: usize = 36;
/// Tiles in one block: rows of a tile of the product divide it.
const BLOCK: usize = 48;
/// Tiles in a run at most, which are transformed together: their pixels stay in the first-level cache.
const RUN: usize = 14;
/// The most channels that a product runs over in one go: a panel then fills the first-level cache.
const DEPTH: usize = 256;
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

    /// Calls `f(number of the first in the block, image, top, left, count)` for runs of tiles next to each other, of the
    /// tiles from `first` to `end`; top and left in tiles.
    #[inline(always)]
    fn each_run(&self, first: usize, end: usize, mut f: impl FnMut(usize, usize, usize, usize, usize)) {
        let [down, across] = self.tiles();
        let mut tile = first;
        while tile < end {
            let (row, left) = (tile / across, tile % across);
            let count = RUN.min(across - left).min(end - tile);
            f(tile - first, row / down, row % down, left, count);
            tile += count;
        }
    }

    /// The pixels under a run of tiles.
    #[inline(always)]
    fn pixels(&self, top: usize, left: usize, count: usize) -> Piece {
        let at = |tile: usize, axis: usize| (4 * tile).cast_signed() - self.padding[axis];
        Piece { top: at(top, 0), left: at(left, 1), rows: 6, width: 4 * count + 2 }
    }
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

fn backward_weight(sizes: &Convolution, x: &[f32], g: &[f32], dw: &mut [f32], add: bool) {
    (super::columns::passes().backward_weight)(sizes, x, g, dw, add);
}

/// Both of the above, group by group.
fn convolve<'a>(
    map: &Map,
    x: &[f32],
    of_group: &dyn Fn(usize) -> Filters<'a>,
    start: Start<'_, f32>,
    y: &mut [f32],
) {
    let instructions = instructions();
    let pixels = |size: [usize; 2]| size[0] * size[1];
    assert_eq!(x.len(), map.batch * map.groups * map.from * pixels(map.size));
    assert_eq!(y.len(), map.batch * map.groups * map.to * pixels(map.out));
    let y = Entries::of(y);
    let between = padded(map.to) * map.from + APART;
    let mut storage = Storage::scratch(ENTRIES * between);
    let blocks = map.all_tiles().div_ceil(BLOCK);
    // few blocks: several tasks for each, that transform the same pixels and make different channels
    let panels = map.to.div_ceil(PANEL);
    let parts = if blocks < 4 { panels.min(4) } else { 1 };
    let panels_of_part = panels.div_ceil(parts);
    let many = parallel::worthwhile(map.all_tiles() * map.to * map.from * ENTRIES, PARALLEL_ABOVE);
    for group in 0..map.groups {
        let filters = of_group(group);
        let last = (map.to - 1) * filters.to_stride + (map.from - 1) * filters.from_stride + 9;
        assert!(filters.values.len() >= last);
        let transformed = Entries::of(storage.make_mut());
        let tasks = |count, f: &(dyn Fn(usize) + Sync)| if many { parallel::tasks(count, f) } else { (0..count).for_each(f) };
        tasks(panels, &|panel| {
            let channels = panel * PANEL..map.to.min((panel + 1) * PANEL);
            // SAFETY: the last weight was looked for, the storage has room for `ENTRIES` matrices, of which each task
            // writes columns of its own, and `instructions` are those of the processor.
                        unsafe {
                work(instructions, Work::Filters { from: map.from, filters, channels, to: transformed.at(0), between });
            }
        });
        let (transformed, bias) = (storage.as_slice(), start.of_group(group, map.to));
        tasks(blocks * parts, &|task| {
            let (block, part) = (task / parts, task % parts);
            let tiles = block * BLOCK..map.all_tiles().min((block + 1) * BLOCK);
            let first = part * panels_of_part * PANEL;
            let channels = first.min(map.to)..map.to.min(first + panels_of_part * PANEL);
            if channels.is_empty() {
                return;
            }
            // SAFETY: x and y have the sizes of the map, and no two tasks write the same channels of a tile.
                        unsafe {
                let (y, add) = (y.at(0), start.adds());
                let block = Block { map, group, tiles, channels, x, transformed, between, bias, add, y };
                work(instructions, Work::Block(block));
            }
        });
    }
}

/// What is done with registers: see the functions of the same names.
enum Work<'a> {
    Filters { from: usize, filters: Filters<'a>, channels: std::ops::Range<usize>, to: *mut f32, between: usize },
    Block(Block<'a>),
}

/// A task of [`convolve`].
struct Block<'a> {
    map: &'a Map,
    group: usize,
    tiles: std::ops::Range<usize>,
    /// Those that are made: from a multiple of [`PANEL`] on.
    channels: std::ops::Range<usize>,
    x: &'a [f32],
    transformed: &'a [f32],
    between: usize,
    bias: Option<&'a [f32]>,
    add: bool,
    y: *mut f32,
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
        }
    }
}

/// `G w G^T` for the output channels given, which begin at a multiple of [`PANEL`]. Each entry is a matrix of panels, two
/// registers of output channels wide, with a row for each input channel.
///
/// # Safety
/// The processor has what `R` needs, the weights are there, and at `to` there is room for [`ENTRIES`] matrices,
/// `between` apart.
#[inline(always)]
unsafe fn transform_filters<R: Register<f32>>(
    from: usize,
    filters: Filters<'_>,
    channels: std::ops::Range<usize>,
    to: *mut f32,
    between: usize,
) {
    let mut lanes = [[0.0; MOST_LANES]; 9];
    for channel in channels.clone().step_by(R::LEN) {
        let panel = channel / (2 * R::LEN) * (2 * R::LEN);
        for input in 0..from {
            // SAFETY: the caller's promises; lanes beyond the last channel hold copies of it.
            unsafe {
                for lane in 0..R::LEN {
                    let channel = (channel + lane).min(channels.end - 1);
                    let weight = filters.values.as_ptr().add(channel * filters.to_stride + input * filters.from_stride);
                    for (tap, lanes) in lanes.iter_mut().enumerate() {
                        lanes[lane] = *weight.add(if filters.turned { 8 - tap } else { tap });
                    }
                }
                let to = to.add(panel * from + input * 2 * R::LEN + channel - panel);
                transform::both_axes::<R, 3, 6, 0>(
                    &mut [[R::splat(0.0); 3]; 6],
                    |w| transform::weights(w),
                    |row, column| R::load(lanes[3 * row + column].as_ptr()),
                    |row, column, value| value.store(to.add((6 * row + column) * between)),
                );
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
    map.each_run(tiles.start, tiles.end, |first, image, top, left, count| {
        let piece = map.pixels(top, left, count);
        for channel in (0..map.from).step_by(R::LEN) {
            let some = R::LEN.min(map.from - channel);
            // SAFETY: the image has these channels, and the band room for a run.
            unsafe {
                let planes = x.as_ptr().add(((image * map.groups + group) * map.from + channel) * plane);
                gather::<R>(planes, some, map.size, piece, band);
                let mut half = [[R::splat(0.0); 6]; 6];
                let along = |d| transform::pixels(d);
                transform::columns(&mut half, 0, 2, along, |row, column| {
                    R::load(band.add((row * piece.width + column) * R::LEN))
                });
                for tile in 0..count {
                    let from = band.add(4 * tile * R::LEN);
                    let to = to.add((first + tile) * stride + channel);
                    transform::both_axes::<R, 6, 6, 2>(
                        &mut half,
                        along,
                        |row, column| R::load(from.add((row * piece.width + column) * R::LEN)),
                        |row, column, value| value.store(to.add((6 * row + column) * between)),
                    );
                    // the next tile begins with the last two columns of this one
                    for half in &mut half {
                        (half[0], half[1]) = (half[4], half[5]);
                    }
                }
            }
        }
    });
}

/// The outputs of a block of tiles.
///
/// # Safety
/// The processor has what `R` needs; x, y and the transformed filters have the sizes of the map; nobody else reads or
/// writes the outputs meanwhile.
#[inline(always)]
unsafe fn convolve_block<R: Register<f32>, const ROWS: usize>(block: Block<'_>) {
    let Block { map, group, tiles, channels, x, transformed, between, bias, add, y } = block;
    let stride = row(map.from);
    let apart = BLOCK * stride + APART;
    let width = (channels.len()).next_multiple_of(2 * R::LEN);
    let apart_products = BLOCK * width + APART;
    let mut pixels = Storage::<f32>::scratch(ENTRIES * apart);
    let mut products = Storage::<f32>::scratch(ENTRIES * apart_products);
    let (pixels, products) = (pixels.make_mut().as_mut_ptr(), products.make_mut().as_mut_ptr());
    // SAFETY: the caller's promises, and the sizes of the storage.
    unsafe {
        transform_pixels::<R>(map, group, tiles.clone(), x, pixels, apart, stride);
        for entry in 0..ENTRIES {
            let (pixels, products) = (pixels.add(entry * apart), products.add(entry * apart_products));
            let filters = transformed.as_ptr().add(entry * between);
            for left in (0..width).step_by(2 * R::LEN) {
                for start in (0..map.from).step_by(DEPTH) {
                    let depth = DEPTH.min(map.from - start);
                    let panel = filters.add((channels.start + left) * map.from + start * 2 * R::LEN);
                    for top in (0..tiles.len()).step_by(ROWS) {
                        let rows = ROWS.min(tiles.len() - top);
                        let strip = Strip { first: pixels.add(top * stride + start), row_stride: stride, step: 1 };
                        let first = products.add(top * width + left);
                        let target = Target { first, stride: width, rows, columns: 2 * R::LEN, add: start > 0 };
                        match rows {
                            1..=4 => tile::<f32, R, 4>(depth, strip, panel, target),
                            _ => tile::<f32, R, ROWS>(depth, strip, panel, target),
                        }
                    }
                }
            }
        }
        store_outputs::<R>(map, group, tiles, channels, (products, apart_products, width), bias, add, y);
    }
}

/// `A^T m A` of the products of tiles, plus the bias, goes to the images.
///
/// # Safety
/// As [`convolve_block`]; the products are there.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn store_outputs<R: Register<f32>>(
    map: &Map,
    group: usize,
    tiles: std::ops::Range<usize>,
    channels: std::ops::Range<usize>,
    (products, apart, stride): (*const f32, usize, usize),
    bias: Option<&[f32]>,
    add: bool,
    y: *mut f32,
) {
    let plane = map.out[0] * map.out[1];
    let mut band = Storage::<f32>::scratch(4 * 4 * RUN * R::LEN);
    let band = band.make_mut().as_mut_ptr();
    map.each_run(tiles.start, tiles.end, |first_tile, image, top, left, count| {
        let (rows, width) = (4.min(map.out[0] - 4 * top), (4 * count).min(map.out[1] - 4 * left));
        let piece = Piece { top: (4 * top).cast_signed(), left: (4 * left).cast_signed(), rows, width };
        for channel in channels.clone().step_by(R::LEN) {
            let some = R::LEN.min(channels.end - channel);
            let mut lanes = [0.0; MOST_LANES];
            if let Some(bias) = bias {
                lanes[..some].copy_from_slice(&bias[channel..channel + some]);
            }
            // SAFETY: the image has these channels, and the band room for a run.
            unsafe {
                let bias = R::load(lanes.as_ptr());
                for tile in 0..count {
                    let from = products.add((first_tile + tile) * stride + channel - channels.start);
                    let to = band.add(4 * tile * R::LEN);
                    let columns = width - 4 * tile;
                    transform::both_axes::<R, 6, 4, 0>(
                        &mut [[R::splat(0.0); 6]; 4],
                        |m| transform::outputs(m),
                        |row, column| R::load(from.add((6 * row + column) * apart)),
                        |row, column, value| {
                            if column < columns && row < rows {
                                value.plus(bias).store(to.add((row * width + column) * R::LEN));
                            }
                        },
                    );
                }
                let planes = y.add(((image * map.groups + group) * map.to + channel) * plane);
                scatter::<R>(band, planes, some, map.out, piece, add);
            }
        }
    });
}
