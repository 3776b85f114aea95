//! Direct convolution of single channels: depthwise, or of images that have one.
//!
//! The pixels that some rows of outputs see are copied with their padding around them, as for [`planes`](super::planes).
//! With s the length of a line of the copy, output (i, j) is at p = s i + j of
//!
//! y(p) = bias + sum over k of weight(k) x[p + step(k)]
//!
//! which is computed for all p in order, register by register, also for the few between the last output of one row and
//! the first of the next. The outputs are taken from there. So is the gradient of the image, a forward pass with the
//! filters rotated by 180 degrees; if windows move by more than one pixel, one for each lattice of pixels that the same
//! taps see. Where some pixels are seen by no tap, or windows are strided and dilated, that gradient is left to im2col.

use super::planes;
use super::planes::region::Region;
use super::sizes::{Convolution, Map, PARALLEL_ABOVE, Passes, Start};
use crate::kernels::parallel;
use crate::kernels::prefetch::{LINE, prefetch};
use crate::kernels::vectorized;
use crate::kernels::window::copy_line;
use crate::memory::Storage;

/// The numbers of a copy, at most, if one row of outputs sees no more: it, and as many sums, fit the first-level cache.
const PIXELS: usize = 1 << 12;
/// The multiply-adds of one task at least.
const TASK: usize = 1 << 16;
/// The numbers computed together: a few registers.
const LANES: usize = 32;

pub const fn passes() -> Passes<f32> {
    Passes { forward, backward_input, backward_weight: planes::passes().backward_weight }
}

/// `y = weight * x`, added to `start`.
fn forward(sizes: &Convolution, x: &[f32], weight: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    if sizes.windows.channels > 1 {
        return (planes::passes().forward)(sizes, x, weight, start, y);
    }
    convolve(&[Pass::new(sizes.map(), weight)], x, start, y);
}

/// The gradient of the input, added to `start`.
fn backward_input(sizes: &Convolution, g: &[f32], weight: &[f32], start: Start<'_, f32>, dx: &mut [f32]) {
    let maps = sizes.reverse_maps().filter(|_| sizes.filters == 1);
    let Some(maps) = maps else { return (planes::passes().backward_input)(sizes, g, weight, start, dx) };
    let maps: Vec<_> = maps.map(|map| (map, planes::turned_rows(sizes, &map, weight))).collect();
    let passes: Vec<_> = maps.iter().map(|(map, rows)| Pass::new(*map, rows.as_slice())).collect();
    convolve(&passes, g, start, dx);
}

/// A map from one channel, and how it is computed.
struct Pass<'a> {
    map: Map,
    /// A row for each filter.
    weight: &'a [f32],
    /// The first row of outputs of each part of a plane, and what its outputs see.
    bands: Vec<(usize, Region)>,
}

impl<'a> Pass<'a> {
    fn new(map: Map, weight: &'a [f32]) -> Self {
        assert_eq!((map.from, weight.len()), (1, map.groups * map.to * map.taps()));
        let rows = planes::rows_of_band(&map, map.out[0], |rows| Region::copied(&map, 1, rows).len() <= PIXELS);
        let starts = (0..map.out[0]).step_by(rows);
        let bands = starts.map(|row| (row, Region::copied(&map, 1, rows.min(map.out[0] - row)))).collect();
        Pass { map, weight, bands }
    }

    /// The numbers of a copy of pixels and of the sums, at most.
    fn scratch(&self) -> [usize; 2] {
        let first = &self.bands[0].1;
        [first.len() + LANES, first.places().next_multiple_of(LANES)]
    }

    /// The outputs of one input channel.
    fn run(&self, x: &[f32], index: usize, start: Start<'_, f32>, [copy, sums]: [&mut [f32]; 2], y: &mut [f32]) {
        let map = &self.map;
        let (image, group) = (index / map.groups, index % map.groups);
        let (taps, plane, pixels) = (map.taps(), map.plane[0] * map.plane[1], map.size[0] * map.size[1]);
        let (bias, store) = (start.of_group(group, map.to), start.store());
        for (row, region) in &self.bands {
            region.copy(map, [image, group, *row], x, copy);
            copy[region.len()..].fill(0.0);
            let sums = &mut sums[..region.places().next_multiple_of(LANES)];
            for (filter, y) in y.chunks_exact_mut(plane).enumerate() {
                let weight = &self.weight[(group * map.to + filter) * taps..][..taps];
                sums_of_taps(copy, region.steps(), weight, bias.map_or(0.0, |bias| bias[filter]), sums);
                for (_, line, place) in region.lines() {
                    let first = (map.first[0] + (row + line) * map.step[0]) * map.plane[1] + map.first[1];
                    // the next channel's, which the processor does not predict as the lines are short
                    fetch(y.as_ptr().wrapping_add(first + plane), map.out[1] * map.step[1]);
                    if filter == 0 {
                        let seen = map.stride[0].saturating_mul(map.size[1]).min(pixels);
                        fetch(x.as_ptr().wrapping_add((index + 1) * pixels + (row + line) * seen), seen);
                    }
                    let sums = &sums[place..place + map.out[1]];
                    if map.step[1] > 1 {
                        let y = y[first..].iter_mut().step_by(map.step[1]);
                        y.zip(sums).for_each(|(y, &sum)| *y = store.result(*y, sum));
                    } else if store.adds() {
                        y[first..].iter_mut().zip(sums).for_each(|(y, &sum)| *y += sum);
                    } else {
                        copy_line(sums, &mut y[first..first + sums.len()]);
                    }
                }
            }
        }
    }
}

/// The outputs of some maps, which do not overlap, added to `start`.
fn convolve(passes: &[Pass<'_>], x: &[f32], start: Start<'_, f32>, y: &mut [f32]) {
    let Some(Pass { map, .. }) = passes.first() else { return };
    map.check(x, y);
    let of_channel = map.to * map.plane[0] * map.plane[1];
    let [pixels, sums] = [0, 1].map(|i| passes.iter().map(|pass| pass.scratch()[i]).max().unwrap_or(0));
    let work: usize = passes.iter().map(|pass| map.to * pass.map.positions() * pass.map.taps()).sum();
    let of_task = TASK.div_ceil(work);
    let many = parallel::worthwhile((map.batch * map.groups).saturating_mul(work), PARALLEL_ABOVE);
    parallel::chunks(y, of_task * of_channel, many, |task, y| {
        let mut scratch = Storage::scratch(pixels + sums);
        let (copy, sums) = scratch.make_mut().split_at_mut(pixels);
        for (index, y) in (task * of_task..).zip(y.chunks_exact_mut(of_channel)) {
            passes.iter().for_each(|pass| pass.run(x, index, start, [copy, sums], y));
        }
    });
}

/// Prefetches this many numbers.
fn fetch(from: *const f32, count: usize) {
    (0..count).step_by(LINE / size_of::<f32>()).for_each(|i| prefetch(from.wrapping_add(i)));
}

vectorized! {
    wide(true)
    /// For each place the sum over the steps of the weight times the pixel that far from it.
    fn sums_of_taps [] [] (pixels: &[f32], steps: &[usize], weight: &[f32], bias: f32, sums: &mut [f32]) {
        for (block, out) in sums.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let pixels = &pixels[block * LANES..];
            let mut sums = [bias; LANES];
            for (&step, &weight) in steps.iter().zip(weight) {
                let pixels = &pixels[step..step + LANES];
                for lane in 0..LANES {
                    sums[lane] = M::multiply_add(weight, pixels[lane], sums[lane]);
                }
            }
            *out = sums;
        }
    }
}
