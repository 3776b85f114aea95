//! A block of tiles, from pixels to outputs: the forward pass, and the gradient of the image.

use super::map::{APART, ENTRIES, RUN, row, store, transform_pixels};
use super::tiles::{MOST_LANES, scatter};
use super::transform::{Outputs, Weights, both_axes};
use crate::kernels::convolution::sizes::{Filters, Map};
use crate::kernels::gemm::register::Register;
use crate::kernels::gemm::tile::{Strip, Target, tile};
use crate::kernels::store::Store;
use crate::memory::Storage;

/// The tiles in one block: a multiple of the rows in a tile of the product.
pub const BLOCK: usize = 48;
/// The most channels that a product runs over at once: a panel then fills the first-level cache.
const DEPTH: usize = 256;

/// `G w G^T` for the given output channels, which start at a multiple of [`PANEL`](super::map::PANEL). Each entry is a
/// matrix of panels, two registers of output channels wide, with a row for each input channel.
///
/// # Safety
/// The processor supports `R`'s instructions, the weights are there, and there is room for [`ENTRIES`] matrices at
/// `to`, `between` apart.
#[inline(always)]
pub unsafe fn transform_filters<R: Register<f32>>(
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
                    for (tap, lanes) in lanes.iter_mut().enumerate() {
                        lanes[lane] = *filters.values.as_ptr().add(filters.place(channel, input, [tap / 3, tap % 3]));
                    }
                }
                let to = to.add(panel * from + input * 2 * R::LEN + channel - panel);
                let mut weights = [[R::splat(0.0); 3]; 3];
                for (tap, lanes) in lanes.iter().enumerate() {
                    weights[tap / 3][tap % 3] = R::load(lanes.as_ptr());
                }
                store(&both_axes::<Weights, R, 3, 6>(weights), to, between);
            }
        }
    }
}

/// A task of [`convolve`](super::convolve).
pub struct Block<'a> {
    pub map: &'a Map,
    pub group: usize,
    pub tiles: std::ops::Range<usize>,
    /// The output channels to compute, which start at a multiple of [`PANEL`](super::map::PANEL).
    pub channels: std::ops::Range<usize>,
    pub x: &'a [f32],
    pub transformed: &'a [f32],
    pub between: usize,
    pub bias: Option<&'a [f32]>,
    pub store: Store,
    pub y: *mut f32,
}

/// The outputs of a block of tiles.
///
/// # Safety
/// The processor supports `R`'s instructions; x, y and the transformed filters have the sizes of the map; nothing else
/// reads or writes the outputs concurrently.
#[inline(always)]
pub unsafe fn convolve_block<R: Register<f32>, const ROWS: usize>(block: Block<'_>) {
    let Block { map, group, tiles, channels, x, transformed, between, bias, store, y } = block;
    let stride = row(map.from);
    let apart = BLOCK * stride + APART;
    let width = channels.len().next_multiple_of(2 * R::LEN);
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
                        let target =
                            Target { first, stride: width, rows, columns: 2 * R::LEN, store: Store::adding(start > 0) };
                        tile::<f32, R, ROWS>(depth, strip, panel, target);
                    }
                }
            }
        }
        store_outputs::<R>(map, group, tiles, channels, (products, apart_products, width), bias, store, y);
    }
}

/// Writes `A^T m A` of the tiles' products, plus the bias, to the images.
///
/// # Safety
/// As for [`convolve_block`]; the products are there.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn store_outputs<R: Register<f32>>(
    map: &Map,
    group: usize,
    tiles: std::ops::Range<usize>,
    channels: std::ops::Range<usize>,
    (products, apart, stride): (*const f32, usize, usize),
    bias: Option<&[f32]>,
    store: Store,
    y: *mut f32,
) {
    let plane = map.out[0] * map.out[1];
    let mut band = Storage::<f32>::scratch(4 * 4 * RUN * R::LEN);
    let band = band.make_mut().as_mut_ptr();
    for run in map.runs(tiles.start, tiles.end) {
        let piece = map.outputs(&run);
        for channel in channels.clone().step_by(R::LEN) {
            let some = R::LEN.min(channels.end - channel);
            let mut lanes = [0.0; MOST_LANES];
            if let Some(bias) = bias {
                lanes[..some].copy_from_slice(&bias[channel..channel + some]);
            }
            // SAFETY: the image has these channels, and the band has room for a run.
            unsafe {
                let bias = R::load(lanes.as_ptr());
                for tile in 0..run.count {
                    let from = products.add((run.first + tile) * stride + channel - channels.start);
                    let mut square = [[R::splat(0.0); 6]; 6];
                    for entry in 0..ENTRIES {
                        square[entry / 6][entry % 6] = R::load(from.add(entry * apart));
                    }
                    let square = both_axes::<Outputs, R, 6, 4>(square);
                    let to = band.add(4 * tile * R::LEN);
                    for (row, line) in square.into_iter().enumerate() {
                        for (column, value) in line.into_iter().enumerate() {
                            if row < piece.rows && 4 * tile + column < piece.width {
                                let to = to.add((row * piece.width + column) * R::LEN);
                                value.plus(bias).store(to);
                            }
                        }
                    }
                }
                let planes = y.add(((run.image * map.groups + group) * map.to + channel) * plane);
                scatter::<R>(band, planes, some, map.out, piece, store);
            }
        }
    }
}
