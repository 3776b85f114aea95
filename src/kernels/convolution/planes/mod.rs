//! Direct convolution, with registers that hold neighbouring outputs of a plane.
//!
//! The pixels that the windows see are copied with their padding and, for stride s, split into s x s planes of every
//! s-th pixel, so that the pixels under one tap of neighbouring windows are neighbours. If neither is needed, they are
//! read in place. With `place(p)` the first pixel that position p sees, and `step(k)` the distance from there to the
//! pixel under tap k,
//!
//! y(f, p) = sum over k of weight(f, k) x[place(p) + step(k)]
//!
//! for a tile of a few filters and a few registers of positions at a time. The outputs and the weight are accessed in
//! order, so neither is copied. The gradient of the image, for stride 1, is a forward pass with the filters rotated by
//! 180 degrees, and channels and filters swapped.
//!
//! Zhang, Franchetti and Low, "High Performance Zero-Memory Overhead Direct Convolutions", 2018.

mod chunk;
mod dots;
pub mod region;
mod tiles;
mod weight;

use super::sizes::{Convolution, Filters, Map, PARALLEL_ABOVE, Passes, Start};
use super::{columns, lanes};
use crate::kernels::instructions::instructions;
use crate::kernels::parallel::{self, Entries};
use crate::kernels::store::Store;
use crate::kernels::transpose::transpose;
use crate::memory::Storage;
use chunk::Chunk;
use region::Region;
use tiles::Task;

/// The approximate number of positions in a task.
const POSITIONS: usize = 512;
/// The most numbers in a copy of the pixels of one task, unless a single row of outputs sees more.
const PIXELS: usize = 1 << 16;

/// The fewest multiply-adds in a task, if there are enough groups.
const TASK: usize = 1 << 18;

pub const fn passes() -> Passes<f32> {
    Passes { forward, backward_input, backward_weight }
}

/// `y = weight * x`, added to `start`.
fn forward(sizes: &Convolution, x: &[f32], weight: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    convolve(&sizes.map(), x, weight, start, y);
}

/// The gradient of the input, added to `start`.
fn backward_input(sizes: &Convolution, g: &[f32], weight: &[f32], start: Start<'_, f32>, dx: &mut [f32]) {
    if sizes.windows.stride != [1; 2] {
        return (columns::passes().backward_input)(sizes, g, weight, start, dx);
    }
    let map = sizes.reverse_map();
    let rows = turned_rows(sizes, &map, weight);
    convolve(&map, g, rows.as_slice(), start, dx);
}

/// The gradient of the weight.
fn backward_weight(sizes: &Convolution, x: &[f32], g: &[f32], dw: &mut [f32], store: Store) {
    if sizes.windows.is_pointwise() {
        weight::backward_weight(sizes, x, g, dw, store);
    } else {
        dots::backward_weight(sizes, x, g, dw, store);
    }
}

/// The filters of all groups for a map back to the image: a row for each channel that it makes.
fn turned_rows(sizes: &Convolution, map: &Map, weight: &[f32]) -> Storage<f32> {
    let of_group = map.to * map.from * map.taps();
    let mut rows = Storage::scratch(map.groups * of_group);
    for (group, rows) in rows.make_mut().chunks_exact_mut(of_group).enumerate() {
        put_rows(map, sizes.turned_filters_of(group, weight, map), rows);
    }
    rows
}

/// Writes the filters of a group as rows, with a number for each channel and tap that they read.
fn put_rows(map: &Map, filters: Filters<'_>, rows: &mut [f32]) {
    filters.check(map);
    let (taps, of_filter) = (map.taps(), map.from * map.taps());
    if taps == 1 && (filters.to_stride, filters.from_stride) == (1, map.to) {
        return transpose(&filters.values[filters.first..], map.from, map.to, rows);
    }
    let places: Vec<isize> = (0..map.kernel[0])
        .flat_map(|down| (0..map.kernel[1]).map(move |right| [down, right]))
        .map(|tap| filters.place(0, 0, tap).cast_signed() - filters.first.cast_signed())
        .collect();
    // several filters at a time, as their numbers share cache lines
    let some = (1..=16).rev().find(|&some| map.to.is_multiple_of(some)).unwrap_or(1);
    let many = parallel::worthwhile(rows.len(), parallel::CHEAP);
    parallel::chunks(rows, some * of_filter, many, |i, rows| {
        for from in 0..map.from {
            for (to, row) in rows.chunks_exact_mut(of_filter).enumerate() {
                let first = filters.place(i * some + to, from, [0, 0]);
                let row = &mut row[from * taps..(from + 1) * taps];
                row.iter_mut()
                    .zip(&places)
                    .for_each(|(to, &place)| *to = filters.values[first.wrapping_add_signed(place)]);
            }
        }
    });
}

/// The outputs of a map, which fill their plane, added to `start`; the weight has a row for each filter.
fn convolve(map: &Map, x: &[f32], weight: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    let instructions = instructions();
    let lanes = lanes(instructions);
    map.check(x, y);
    assert_eq!(map.plane, map.out);
    assert_eq!(weight.len(), map.groups * map.to * map.from * map.taps());
    let (y, store) = (Entries::of(y), start.store());
    let work = (map.batch * map.groups * map.positions() * map.to).saturating_mul(map.from * map.taps());
    let many = parallel::worthwhile(work, PARALLEL_ABOVE);
    let [images, rows] = fitting(map, lanes);
    let images = map.images_of_task(images, map.out[0].div_ceil(rows) * map.groups, many);
    let bands = [map.batch.div_ceil(images), map.out[0].div_ceil(rows)];
    // all bands of an axis but the last look alike
    let kinds = bands.map(|bands| bands.min(2));
    let layouts: Vec<(Region, Vec<Chunk>)> = (0..kinds[0] * kinds[1])
        .map(|kind| {
            let [image, row] = [kind / kinds[1] * (bands[0] - 1), kind % kinds[1] * (bands[1] - 1)];
            let (images, rows) = (images.min(map.batch - image * images), rows.min(map.out[0] - row * rows));
            let region = Region::new(map, images, rows, lanes);
            let chunks = chunk::all(map, &region, lanes);
            (region, chunks)
        })
        .collect();
    let bands_of_group = bands[0] * bands[1];
    // if there are few bands, several tasks see the same pixels and compute different channels
    let parts = if bands_of_group * map.groups < 4 { map.to.div_ceil(8).min(4) } else { 1 };
    let of_part = map.to.div_ceil(parts).next_multiple_of(8);
    let of_task = (TASK / (work / (map.groups * bands_of_group)).max(1)).clamp(1, map.groups);
    let tasks = bands_of_group * map.groups.div_ceil(of_task) * parts;
    parallel::tasks(tasks, many, &|task| {
        let (run, band, part) = (task / parts / bands_of_group, task / parts % bands_of_group, task % parts);
        let groups = run * of_task..map.groups.min((run + 1) * of_task);
        let band = [band / bands[1], band % bands[1]];
        let kind = [0, 1].map(|axis| if band[axis] + 1 == bands[axis] { kinds[axis] - 1 } else { 0 });
        let (region, chunks) = &layouts[kind[0] * kinds[1] + kind[1]];
        let (image, row) = (band[0] * images, band[1] * rows);
        let channels = (part * of_part).min(map.to)..map.to.min((part + 1) * of_part);
        if channels.is_empty() {
            return;
        }
        let mut copy = Storage::scratch(region.len());
        for group in groups {
            region.copy(map, [image, group, row], x, copy.make_mut());
            let pixels = region.pixels(map, [image, group, row], x, copy.as_slice());
            let depth = map.from * map.taps();
            let first = (group * map.to + channels.start) * depth;
            let weight = &weight[first..first + channels.len() * depth];
            let bias = start.of_group(group, map.to).map(|bias| &bias[channels.clone()]);
            let plane = map.positions();
            let first = ((image * map.groups + group) * map.to + channels.start) * plane + row * map.out[1];
            let task = Task { pixels, seen: region.seen(), chunks, steps: region.steps(), weight, bias, store, plane };
            // SAFETY: x and y have the sizes of the map, the instructions are those of the processor, the chunks have
            // as many lanes as these need, and no two tasks write the same channels of a position.
            unsafe { tiles::run(instructions, &task, y.at(first)) };
        }
    });
}

/// The number of output rows of one band of an image: at most `most`, and few enough to fit, unless even one row does
/// not.
fn rows_of_band(map: &Map, most: usize, fit: impl Fn(usize) -> bool) -> usize {
    // the bands are about equally high
    let even = |rows: usize| map.out[0].div_ceil(map.out[0].div_ceil(rows));
    std::iter::successors(Some(even(most)), |rows| Some(even(rows.div_ceil(2))))
        .find(|&rows| rows == 1 || fit(rows))
        .expect("one row is the last")
}

/// The numbers of images, and of output rows of each, of one task.
fn fitting(map: &Map, lanes: usize) -> [usize; 2] {
    let copied = |images, rows| Region::new(map, images, rows, lanes).len();
    let rows = rows_of_band(map, POSITIONS.div_ceil(map.out[1]), |rows| copied(1, rows) <= PIXELS);
    if rows < map.out[0] {
        return [1, rows];
    }
    let fit = PIXELS.checked_div(copied(1, rows)).unwrap_or(usize::MAX);
    [POSITIONS.div_ceil(map.positions()).min(fit).clamp(1, map.batch), rows]
}
