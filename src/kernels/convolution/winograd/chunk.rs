//! A chunk of tiles, from pixels and gradients of outputs to sums: the gradient of the weight.

use super::map::{ENTRIES, RUN, padded, store};
use super::tiles::{MOST_LANES, Piece, gather};
use super::transform::{OutputGradients, WeightGradients, both_axes};
use crate::kernels::convolution::sizes::Map;
use crate::kernels::gemm::register::Register;
use crate::kernels::gemm::tile::{Strip, Target, tile};
use crate::kernels::store::Store;
use crate::memory::Storage;

/// The layout of a chunk. `pixels`, `gradients` and `sums` are the distances between the matrices of two entries.
#[derive(Clone, Copy)]
pub struct Layout {
    /// The distance between the pixels of two tiles.
    pub stride: usize,
    /// The rows that a panel of gradients has room for.
    pub tiles: usize,
    pub pixels: usize,
    pub gradients: usize,
    pub sums: usize,
}

/// Some tiles of a chunk, which starts with tile `first`.
pub struct Part<'a> {
    pub map: &'a Map,
    pub group: usize,
    pub first: usize,
    pub tiles: std::ops::Range<usize>,
    pub layout: Layout,
}

/// `A g A^T` of the gradients of tiles' outputs: each entry is a matrix of panels, two registers of filters wide, with
/// a row for each tile of the chunk.
///
/// # Safety
/// The processor supports `R`'s instructions; g holds the gradients of the map's outputs; and there is room for a chunk
/// at `to`.
#[inline(always)]
pub unsafe fn transform_gradients<R: Register<f32>>(part: Part<'_>, g: &[f32], to: *mut f32) {
    let Part { map, group, first, tiles, layout } = part;
    let plane = map.out[0] * map.out[1];
    let mut band = Storage::<f32>::scratch(4 * 4 * RUN * R::LEN);
    let band = band.make_mut().as_mut_ptr();
    for run in map.runs(tiles.start, tiles.end) {
        let inside = map.outputs(&run);
        let piece = Piece { rows: 4, width: 4 * run.count, ..inside };
        for channel in (0..map.to).step_by(R::LEN) {
            let some = R::LEN.min(map.to - channel);
            let panel = channel / (2 * R::LEN) * (2 * R::LEN);
            // SAFETY: the image has these channels, and the band has room for a run.
            unsafe {
                let planes = g.as_ptr().add(((run.image * map.groups + group) * map.to + channel) * plane);
                gather::<R>(planes, some, map.out, piece, band);
                for tile in 0..run.count {
                    let mut square = [[R::splat(0.0); 4]; 4];
                    for (row, line) in square.iter_mut().enumerate() {
                        for (column, value) in line.iter_mut().enumerate() {
                            *value = R::load(band.add((row * piece.width + 4 * tile + column) * R::LEN));
                        }
                    }
                    let row = tiles.start - first + run.first + tile;
                    let to = to.add(panel * layout.tiles + row * 2 * R::LEN + channel - panel);
                    store(&both_axes::<OutputGradients, R, 4, 6>(square), to, layout.gradients);
                }
            }
        }
    }
}

/// The product of the transformed pixels and gradients of a chunk for one entry: channels x filters.
///
/// # Safety
/// The processor supports `R`'s instructions, the matrices are those of the chunk, and there is room for the result.
#[inline(always)]
pub unsafe fn add_products<R: Register<f32>, const ROWS: usize>(
    part: &Part<'_>,
    pixels: *const f32,
    gradients: *const f32,
    sums: *mut f32,
    store: Store,
) {
    let Part { map, layout, .. } = part;
    let (depth, stride) = (part.tiles.len(), padded(map.to));
    for left in (0..map.to).step_by(2 * R::LEN) {
        for top in (0..map.from).step_by(ROWS) {
            // SAFETY: the caller's promises; the matrices are padded to whole panels.
            unsafe {
                let rows = ROWS.min(map.from - top);
                let strip = Strip { first: pixels.add(top), row_stride: 1, step: layout.stride };
                let panel = gradients.add(left * layout.tiles);
                let first = sums.add(top * stride + left);
                let target = Target { first, stride, rows, columns: 2 * R::LEN, store };
                tile::<f32, R, ROWS>(depth, strip, panel, target);
            }
        }
    }
}

/// Writes `G^T m G` of the sums, for some input channels, to the gradient of the weight.
///
/// # Safety
/// The processor supports `R`'s instructions; the sums are those of the map; nothing else reads or writes the weights
/// of these channels concurrently.
#[inline(always)]
pub unsafe fn store_weights<R: Register<f32>>(
    map: &Map,
    channels: std::ops::Range<usize>,
    sums: *const f32,
    between: usize,
    dw: *mut f32,
    store: Store,
) {
    let stride = padded(map.to);
    let mut lanes = [[0.0; MOST_LANES]; 9];
    for filter in (0..map.to).step_by(R::LEN) {
        let some = R::LEN.min(map.to - filter);
        for channel in channels.clone() {
            // SAFETY: the caller's promises; the sums are padded to whole registers.
            unsafe {
                let from = sums.add(channel * stride + filter);
                let mut square = [[R::splat(0.0); 6]; 6];
                for entry in 0..ENTRIES {
                    square[entry / 6][entry % 6] = R::load(from.add(entry * between));
                }
                let weights = both_axes::<WeightGradients, R, 6, 3>(square);
                for (tap, lanes) in lanes.iter_mut().enumerate() {
                    weights[tap / 3][tap % 3].store(lanes.as_mut_ptr());
                }
                for lane in 0..some {
                    let to = dw.add(((filter + lane) * map.from + channel) * 9);
                    for (tap, lanes) in lanes.iter().enumerate() {
                        *to.add(tap) = if store.adds() { *to.add(tap) + lanes[lane] } else { lanes[lane] };
                    }
                }
            }
        }
    }
}
