//! What is transformed: tiles of outputs, in runs of neighbours, and the pixels that they see.

use super::tiles::{MOST_LANES, Piece, gather};
use super::transform::{Pixels, Transform as _, across};
use crate::kernels::convolution::sizes::{Map, PARALLEL_ABOVE};
use crate::kernels::gemm::register::Register;
use crate::kernels::parallel;
use crate::memory::Storage;

/// The entries of a transformed tile.
pub const ENTRIES: usize = 36;
/// The most tiles in a run, which are transformed together: their pixels stay in the first-level cache.
pub const RUN: usize = 14;
/// Channels are rounded up to the widest panel of a product.
pub const PANEL: usize = 2 * MOST_LANES;
/// The gap between the matrices of two entries, so that the same place in all of them does not fall into the same cache
/// set.
pub const APART: usize = 16;

impl Map {
    pub fn tiles(&self) -> [usize; 2] {
        self.out.map(|size| size.div_ceil(4))
    }

    pub fn all_tiles(&self) -> usize {
        self.batch * self.tiles()[0] * self.tiles()[1]
    }

    /// Whether it is worth several threads.
    pub fn is_large(&self) -> bool {
        parallel::worthwhile((self.all_tiles() * ENTRIES).saturating_mul(self.to * self.from), PARALLEL_ABOVE)
    }

    /// The tiles from `first` to `end` in runs.
    #[inline(always)]
    pub fn runs(&self, first: usize, end: usize) -> impl Iterator<Item = Run> {
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
    pub fn pixels(&self, run: &Run) -> Piece {
        let at = |tile: usize, axis: usize| (4 * tile).cast_signed() - self.padding[axis];
        Piece { top: at(run.top, 0), left: at(run.left, 1), rows: 6, width: 4 * run.count + 2 }
    }

    /// The outputs of a run of tiles.
    #[inline(always)]
    pub fn outputs(&self, run: &Run) -> Piece {
        let (top, left) = (4 * run.top, 4 * run.left);
        let (rows, width) = (4.min(self.out[0] - top), (4 * run.count).min(self.out[1] - left));
        Piece { top: top.cast_signed(), left: left.cast_signed(), rows, width }
    }
}

/// Tiles next to each other.
pub struct Run {
    /// The number of the first tile within its block.
    pub first: usize,
    pub image: usize,
    /// Where it starts in the image, in tiles.
    pub top: usize,
    pub left: usize,
    pub count: usize,
}

/// The number of lanes that hold `channels` channels, for any register.
pub fn padded(channels: usize) -> usize {
    channels.next_multiple_of(PANEL)
}

/// The distance between rows of this many channels: whole registers, but not a multiple of 2 KiB, as several rows are
/// read side by side and would compete for the same cache sets.
pub fn row(channels: usize) -> usize {
    let row = channels.next_multiple_of(MOST_LANES);
    if row.is_multiple_of(512) { row + MOST_LANES } else { row }
}

/// `B^T d B` of the pixels under tiles, for all channels of a group: each entry is a matrix with a row for each tile.
///
/// # Safety
/// The processor supports `R`'s instructions; x holds the images of the map; and there is room for [`ENTRIES`] matrices
/// at `to`, `between` apart, with their rows `stride` apart.
#[inline(always)]
pub unsafe fn transform_pixels<R: Register<f32>>(
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
            // SAFETY: the image has these channels, and the band has room for a run.
            unsafe {
                let planes = x.as_ptr().add(((run.image * map.groups + group) * map.from + channel) * plane);
                gather::<R>(planes, some, map.size, piece, band);
                // a tile starts with the last two columns of the one before
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
/// The processor supports `R`'s instructions, and the band is `width` wide.
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
        let down = Pixels::along(down);
        for (row, half) in half.iter_mut().enumerate() {
            half[to] = down[row];
        }
    }
}

/// Stores the entries of a transformed square `between` apart.
///
/// # Safety
/// The processor supports `R`'s instructions, and there is room at `to`.
#[inline(always)]
pub unsafe fn store<R: Register<f32>>(square: &[[R; 6]; 6], to: *mut f32, between: usize) {
    for (row, line) in square.iter().enumerate() {
        for (column, value) in line.iter().enumerate() {
            // SAFETY: the caller's promises.
            unsafe { value.store(to.add((6 * row + column) * between)) };
        }
    }
}
