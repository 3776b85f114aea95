//! Winograd's minimal filtering F(4x4, 3x3): convolution of stride 1 with 3x3 windows in a quarter of the
//! multiplications.
//!
//! The output is cut into tiles of 4x4, each of which sees 6x6 pixels d. For one channel and one filter w (3x3)
//!
//! - forward: y = A^T ((G w G^T) * (B^T d B)) A
//! - gradient of the image: the same, with the filters rotated by 180 degrees, and channels and filters swapped
//! - gradient of the weight, with g the gradient of the tile's output: dw = G^T ((A g A^T) * (B^T d B)) G
//!
//! where * multiplies entry by entry, and the matrices are in `transform.rs`. Transforms are linear, so the sums over
//! channels (over tiles, for the gradient of the weight) are taken before the last transform: for each of the 36
//! entries, a matrix product. Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray, "Fast Algorithms
//! for Convolutional Neural Networks", 2016.
//!
//! Channels are contiguous in all transformed data, so that any number of tiles and images of any size fill the
//! registers. Tiles are processed in blocks, whose transforms stay in the second-level cache.
//!
//! Sums of large numbers that nearly cancel cost accuracy: errors are about 1e-6 of the largest outputs in f32. A NaN
//! or infinite pixel can make all outputs of the tiles that see it NaN.

mod block;
mod chunk;
mod map;
mod tiles;
mod transform;
mod work;

use super::sizes::{Convolution, Filters, Map, Passes, Start};
use crate::kernels::instructions::instructions;
use crate::kernels::parallel::{self, Entries};
use crate::kernels::store::Store;
use crate::memory::Storage;
use block::{BLOCK, Block};
use chunk::{Layout, Part};
use map::{APART, ENTRIES, PANEL, padded, row};
use tiles::MOST_LANES;
use work::{Work, work};

/// The floats per entry in the transformed pixels and gradients of a chunk of tiles, which decides how many tiles it
/// has.
const CHUNK: usize = 1 << 14;
/// The fewest and the most tiles in a chunk.
const LEAST_TILES: usize = 48;
const MOST_TILES: usize = 256;
/// The tiles that one task transforms.
const PART: usize = 24;
/// The products of this many chunks are summed one after the other, and then those sums, which keeps rounding errors
/// small.
const FEW_CHUNKS: usize = 64;

pub const fn passes() -> Passes<f32> {
    Passes { forward, backward_input, backward_weight }
}

/// `y = weight * x`, added to `start`.
fn forward(sizes: &Convolution, x: &[f32], weight: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    convolve(&sizes.map(), x, &|group| sizes.filters_of(group, weight), start, y);
}

/// The gradient of the input, added to `start`.
fn backward_input(sizes: &Convolution, g: &[f32], weight: &[f32], start: Start<'_, f32>, dx: &mut [f32]) {
    let map = sizes.reverse_map();
    convolve(&map, g, &|group| sizes.turned_filters_of(group, weight, &map), start, dx);
}

/// The outputs of a map, added to `start`, group by group.
fn convolve<'a>(map: &Map, x: &[f32], of_group: &dyn Fn(usize) -> Filters<'a>, start: Start<'_, f32>, y: &mut [f32]) {
    let instructions = instructions();
    map.check(x, y);
    let y = Entries::of(y);
    let between = padded(map.to) * map.from + APART;
    let mut storage = Storage::scratch(ENTRIES * between);
    let blocks = map.all_tiles().div_ceil(BLOCK);
    // if there are few blocks, several tasks transform the same pixels and compute different channels
    let panels = map.to.div_ceil(PANEL);
    let parts = if blocks < 4 { panels.min(4) } else { 1 };
    let panels_of_part = panels.div_ceil(parts);
    let many = map.is_large();
    for group in 0..map.groups {
        let filters = of_group(group);
        filters.check(map);
        let transformed = Entries::of(storage.make_mut());
        parallel::tasks(panels, many, &|panel| {
            let channels = panel * PANEL..map.to.min((panel + 1) * PANEL);
            // SAFETY: `check` found all weights in the slice; the storage has room for `ENTRIES` matrices, of which
            // each task writes columns of its own; `instructions` are those of the processor.
            unsafe {
                work(instructions, Work::Filters { from: map.from, filters, channels, to: transformed.at(0), between });
            }
        });
        let (transformed, bias) = (storage.as_slice(), start.of_group(group, map.to));
        parallel::tasks(blocks * parts, many, &|task| {
            let (block, part) = (task / parts, task % parts);
            let tiles = block * BLOCK..map.all_tiles().min((block + 1) * BLOCK);
            let first = part * panels_of_part * PANEL;
            let channels = first.min(map.to)..map.to.min(first + panels_of_part * PANEL);
            if channels.is_empty() {
                return;
            }
            // SAFETY: x and y have the sizes of the map, and no two tasks write the same channels of a tile.
            unsafe {
                let (y, store) = (y.at(0), start.store());
                let block = Block { map, group, tiles, channels, x, transformed, between, bias, store, y };
                work(instructions, Work::Block(block));
            }
        });
    }
}

/// The gradient of the weight.
fn backward_weight(sizes: &Convolution, x: &[f32], g: &[f32], dw: &mut [f32], store: Store) {
    let instructions = instructions();
    let Convolution { batch, windows, filters, groups } = *sizes;
    let map = sizes.map();
    assert_eq!((x.len(), g.len()), (batch * sizes.input(), batch * sizes.output()));
    assert_eq!(dw.len(), sizes.weight());
    let chunk = (CHUNK / (row(map.from) + padded(map.to))).clamp(LEAST_TILES, MOST_TILES).min(map.all_tiles());
    let layout = Layout {
        stride: row(map.from),
        tiles: chunk,
        pixels: chunk * row(map.from) + APART,
        gradients: chunk * padded(map.to) + APART,
        sums: map.from * padded(map.to) + APART,
    };
    let mut pixels = Storage::scratch(ENTRIES * layout.pixels);
    let mut gradients = Storage::scratch(ENTRIES * layout.gradients);
    let mut sums = Storage::scratch(ENTRIES * layout.sums);
    let many = map.is_large();
    for group in 0..groups {
        let dw = &mut dw[group * filters * windows.taps()..(group + 1) * filters * windows.taps()];
        let dw = Entries::of(dw);
        let mut so_far = 0;
        let mut store = store;
        for first in (0..map.all_tiles()).step_by(chunk) {
            let end = map.all_tiles().min(first + chunk);
            let (to_pixels, to_gradients) = (Entries::of(pixels.make_mut()), Entries::of(gradients.make_mut()));
            parallel::tasks(2 * (end - first).div_ceil(PART), many, &|task| {
                let part = first + task / 2 * PART;
                let part = Part { map: &map, group, first, tiles: part..end.min(part + PART), layout };
                // SAFETY: x and g have the sizes of the map, and each task writes the rows of its own tiles.
                unsafe {
                    if task % 2 == 0 {
                        work(instructions, Work::Pixels(part, x, to_pixels.at(0)));
                    } else {
                        work(instructions, Work::Gradients(part, g, to_gradients.at(0)));
                    }
                }
            });
            let to_sums = Entries::of(sums.make_mut());
            parallel::tasks(ENTRIES, many, &|entry| {
                let part = Part { map: &map, group, first, tiles: first..end, layout };
                let (pixels, gradients) = (pixels.as_slice(), gradients.as_slice());
                // SAFETY: each task writes the matrix of its own entry.
                unsafe {
                    let sums = to_sums.at(entry * layout.sums);
                    let (pixels, gradients) =
                        (&pixels[entry * layout.pixels..], &gradients[entry * layout.gradients..]);
                    work(
                        instructions,
                        Work::Products { part, pixels, gradients, sums, store: Store::adding(so_far > 0) },
                    );
                }
            });
            so_far += 1;
            if so_far == FEW_CHUNKS || end == map.all_tiles() {
                parallel::tasks(map.from.div_ceil(MOST_LANES), many, &|task| {
                    let channels = task * MOST_LANES..map.from.min((task + 1) * MOST_LANES);
                    // SAFETY: the sums are there, and each task writes the weights of its own channels.
                    unsafe {
                        let (sums, dw) = (sums.as_slice(), dw.at(0));
                        work(
                            instructions,
                            Work::Weights { map: &map, channels, sums, between: layout.sums, dw, store },
                        );
                    }
                });
                (so_far, store) = (0, Store::Add);
            }
        }
    }
}
