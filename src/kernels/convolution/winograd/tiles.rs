//! From the rows of images to squares of pixels with contiguous channels, and back.
//!
//! A *band* is a piece of a few rows of an image, for as many channels as a register has lanes: row by row, pixel by
//! pixel, a register for each.

use crate::kernels::gemm::register::Register;
use crate::kernels::store::Store;

/// The lanes of the longest register.
pub const MOST_LANES: usize = 16;

/// A piece of an image: where it starts, in pixels from the top and the left of the image, and its size. It may reach
/// beyond the image.
#[derive(Clone, Copy)]
pub struct Piece {
    pub top: isize,
    pub left: isize,
    pub rows: usize,
    pub width: usize,
}

impl Piece {
    /// The rows and columns of the piece that lie in an image of this size.
    #[inline(always)]
    fn inside(&self, [height, width]: [usize; 2]) -> [std::ops::Range<usize>; 2] {
        let along = |start: isize, len: usize, size: usize| {
            let first = start.saturating_neg().max(0).unsigned_abs().min(len);
            let end = size.saturating_add_signed(start.saturating_neg()).min(len);
            first..end.max(first)
        };
        [along(self.top, self.rows, height), along(self.left, self.width, width)]
    }
}

/// Pixels of a piece that are contiguous in the image. They start at the first column of the piece that is inside, and
/// after the last one continue at the first one of the next row.
struct Run {
    /// The first pixel, in the image.
    pixel: usize,
    /// Its row in the piece.
    row: usize,
    count: usize,
}

/// The runs of all pixels inside the image.
#[inline(always)]
fn runs(size: [usize; 2], piece: Piece) -> impl Iterator<Item = Run> {
    let [rows, columns] = piece.inside(size);
    // whole rows are contiguous
    let together = if columns.len() == size[1] { rows.len() } else { 1 };
    let rows = if columns.is_empty() { 0..0 } else { rows };
    rows.step_by(together.max(1)).map(move |row| {
        let down = piece.top.wrapping_add_unsigned(row).unsigned_abs();
        let across = piece.left.wrapping_add_unsigned(columns.start).unsigned_abs();
        Run { pixel: down * size[1] + across, row, count: together * columns.len() }
    })
}

/// Copies a piece of `channels` planes, at most as many as a register has lanes, into a band, with zeros for what is
/// outside the image. The lanes beyond the channels hold copies of the last.
///
/// # Safety
/// The processor supports `R`'s instructions. At `planes`, there are `channels` planes of this size, at least one, one
/// after the other; the band has room for the piece.
#[inline(always)]
pub unsafe fn gather<R: Register<f32>>(
    planes: *const f32,
    channels: usize,
    size: [usize; 2],
    piece: Piece,
    band: *mut f32,
) {
    let [rows, columns] = piece.inside(size);
    let plane = size[0] * size[1];
    // SAFETY: rows and columns lie in the piece, and runs of pixels in the image.
    unsafe {
        for row in 0..piece.rows {
            let inside = if rows.contains(&row) { columns.clone() } else { 0..0 };
            for column in (0..inside.start).chain(inside.end..piece.width) {
                R::splat(0.0).store(band.add((row * piece.width + column) * R::LEN));
            }
        }
        for Run { pixel, row, count } in runs(size, piece) {
            // where pixel i of the run is in the piece
            let place = |i: usize| (row + i / columns.len(), columns.start + i % columns.len());
            if count < R::LEN {
                for i in 0..count {
                    let (row, column) = place(i);
                    let to = band.add((row * piece.width + column) * R::LEN);
                    for lane in 0..R::LEN {
                        *to.add(lane) = *planes.add(lane.min(channels - 1) * plane + pixel + i);
                    }
                }
                continue;
            }
            let mut start = 0;
            loop {
                let (mut row, mut column) = place(start);
                let mut to = [band; MOST_LANES];
                for to in to.iter_mut().take(R::LEN) {
                    *to = band.add((row * piece.width + column) * R::LEN);
                    column += 1;
                    if column == columns.end {
                        (row, column) = (row + 1, columns.start);
                    }
                }
                let from = planes.add(pixel + start);
                R::transpose(|lane| from.add(lane.min(channels - 1) * plane), |i| to[i]);
                if start + R::LEN == count {
                    break;
                }
                // the last square may overlap the one before
                start = (start + R::LEN).min(count - R::LEN);
            }
        }
    }
}

/// Copies a band into `channels` planes, or adds it to what is there. The piece lies in the image.
///
/// # Safety
/// As for [`gather`], but the planes are written, and nothing else reads or writes the pixels of the piece
/// concurrently.
#[inline(always)]
pub unsafe fn scatter<R: Register<f32>>(
    band: *const f32,
    planes: *mut f32,
    channels: usize,
    size: [usize; 2],
    piece: Piece,
    store: Store,
) {
    let plane = size[0] * size[1];
    let mut square = [0.0; MOST_LANES * MOST_LANES];
    let square = square.as_mut_ptr();
    // SAFETY: runs of pixels lie in the image and in the band; the square has room for any register's.
    unsafe {
        for Run { pixel, row, count } in runs(size, piece) {
            let from = band.add(row * piece.width * R::LEN);
            for start in (0..count).step_by(R::LEN) {
                let from = from.add(start * R::LEN);
                let to = planes.add(pixel + start);
                let some = R::LEN.min(count - start);
                let direct = !store.adds() && some == R::LEN;
                // whole squares are written in place, and lanes without a channel are dropped
                let target = |lane: usize| {
                    if direct && lane < channels { to.add(lane * plane) } else { square.add(lane * R::LEN) }
                };
                R::transpose(|i| from.add(i.min(some - 1) * R::LEN), target);
                if direct {
                    continue;
                }
                for lane in 0..channels {
                    let (from, to) = (square.add(lane * R::LEN), to.add(lane * plane));
                    for i in 0..some {
                        *to.add(i) = if store.adds() { *to.add(i) + *from.add(i) } else { *from.add(i) };
                    }
                }
            }
        }
    }
}
