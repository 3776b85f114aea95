//! Convolution as a matrix product whose left-hand matrix is read directly from the pixels: what lies under each window
//! is not copied.
//!
//! In an image stored with its padding, the pixel under tap k of the window at position p is at `place(p) + step(k)`.
//! So a tile of the result, a few positions times two registers of filters, is
//!
//! - forward: y(p, f) = sum over k of x[place(p) + step(k)] weight(k, f),
//! - gradient of the weight: dw(k, f) = sum over p of x[place(p) + step(k)] g(p, f),
//!
//! with the same innermost loop for both: places and steps swap roles. The gradient of the image is a forward pass with
//! the filters rotated by 180 degrees, and channels and filters swapped. For stride s, it is one such pass for each of
//! the s x s lattices of pixels that are seen by the same taps, [`Convolution::reverse_maps`].
//!
//! Dukhan, "The Indirect Convolution Algorithm", 2019.

mod region;
mod tiles;
mod weight;

use super::sizes::{Convolution, Filters, Map, PARALLEL_ABOVE, Passes, Start};
use super::{columns, lanes};
use crate::kernels::instructions::{Instructions, instructions};
use crate::kernels::parallel::{self, Entries};
use crate::memory::Storage;
use region::Region;
use tiles::{Band, Task, run};

/// The approximate number of positions in a task, whose sums stay in the second-level cache.
const POSITIONS: usize = 384;
/// The most numbers in a copy of the pixels of one task, unless a single row of outputs sees more.
const PIXELS: usize = 1 << 16;

pub const fn passes() -> Passes<f32> {
    Passes { forward, backward_input, backward_weight: weight::backward_weight }
}

/// `y = weight * x`, added to `start`.
fn forward(sizes: &Convolution, x: &[f32], weight: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    convolve(&sizes.map(), x, &|group| sizes.filters_of(group, weight), start, y);
}

/// The gradient of the input, added to `start`.
fn backward_input(sizes: &Convolution, g: &[f32], weight: &[f32], start: Start<'_, f32>, dx: &mut [f32]) {
    match sizes.reverse_maps() {
        Some(maps) => {
            for map in maps {
                convolve(&map, g, &|group| sizes.turned_filters_of(group, weight, &map), start, dx);
            }
        }
        None => (columns::passes().backward_input)(sizes, g, weight, start, dx),
    }
}

/// The number of columns in two registers.
fn width_of(instructions: Instructions) -> usize {
    2 * lanes(instructions)
}

/// The outputs of a map, added to `start`, group by group.
fn convolve<'a>(map: &Map, x: &[f32], of_group: &dyn Fn(usize) -> Filters<'a>, start: Start<'_, f32>, y: &mut [f32]) {
    let instructions = instructions();
    map.check(x, y);
    let y = Entries::of(y);
    let work = (map.batch * map.positions() * map.to).saturating_mul(map.from * map.taps());
    let many = parallel::worthwhile(work, PARALLEL_ABOVE);
    let [images, rows] = fitting(map, POSITIONS, PIXELS);
    let images = map.images_of_task(images, map.out[0].div_ceil(rows), many);
    let bands = [map.batch.div_ceil(images), map.out[0].div_ceil(rows)];
    let width = width_of(instructions);
    let panels = map.to.div_ceil(width);
    // if there are few bands, several tasks see the same pixels and compute different channels
    let parts = if bands[0] * bands[1] < 4 { panels.min(4) } else { 1 };
    let of_part = panels.div_ceil(parts);
    for group in 0..map.groups {
        let weight = pack(map, of_group(group), instructions, many);
        let bias = start.of_group(group, map.to);
        parallel::tasks(bands[0] * bands[1] * parts, many, &|task| {
            let (band, part) = (task / parts, task % parts);
            let (first, top) = (band / bands[1] * images, band % bands[1] * rows);
            let region = Region::new(map, first..map.batch.min(first + images), top..map.out[0].min(top + rows));
            let panels = (part * of_part).min(panels)..panels.min((part + 1) * of_part);
            let band = Band { map, group, region, x };
            // SAFETY: x and y have the sizes of the map, the instructions are those of the processor, the panels are as
            // wide as these need, and no two tasks write the same channels of a position.
            unsafe {
                let (y, store) = (y.at(0), start.store());
                run(instructions, Task::Outputs { band, panels, weight: weight.as_slice(), bias, store, y });
            }
        });
    }
}

/// The numbers of images, and of output rows of each, that make about `positions` positions, with at most `pixels`
/// numbers to copy, unless a single row needs more.
fn fitting(map: &Map, positions: usize, pixels: usize) -> [usize; 2] {
    let copied = |rows| Region::new(map, 0..1, 0..rows).copied(map);
    let most = positions.div_ceil(map.out[1]).min(map.out[0]);
    let rows = std::iter::successors(Some(most), |rows| Some(rows.div_ceil(2)))
        .find(|&rows| rows == 1 || copied(rows) <= pixels)
        .expect("one row is the last");
    let images = if rows < map.out[0] {
        1
    } else {
        let fit = pixels.checked_div(copied(rows)).unwrap_or(usize::MAX);
        positions.div_ceil(map.positions()).min(fit).clamp(1, map.batch)
    };
    [images, rows]
}

/// Packs the filters into panels two registers wide, tap by tap. What lies beyond the last filter is never used.
fn pack(map: &Map, filters: Filters<'_>, instructions: Instructions, many: bool) -> Storage<f32> {
    let (width, depth) = (width_of(instructions), map.from * map.taps());
    let mut panels = Storage::scratch(map.to.next_multiple_of(width) * depth);
    parallel::chunks(panels.make_mut(), width * depth, many, |i, panel| {
        let to = i * width..map.to.min((i + 1) * width);
        if let Some(matrix) = filters.matrix(map) {
            matrix.check(depth, map.to);
            let (matrix, columns) = (matrix.part(0, to.start), to.len());
            // SAFETY: the instructions are those of the processor, and all entries of the matrix lie in its slice.
            return unsafe { run(instructions, Task::Panel { matrix, columns, panel }) };
        }
        let mut rows = panel.chunks_exact_mut(width);
        for from in 0..map.from {
            for (down, right) in (0..map.kernel[0]).flat_map(|down| (0..map.kernel[1]).map(move |right| (down, right)))
            {
                let row = rows.next().expect("a row for each tap");
                let first = filters.place(to.start, from, [down, right]);
                let values = filters.values[first..].iter().step_by(filters.to_stride);
                row[..to.len()].iter_mut().zip(values).for_each(|(row, &value)| *row = value);
            }
        }
    });
    panels
}
