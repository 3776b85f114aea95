//! The gradient of the weight: products of pixels and gradients, summed over the positions of the batch.

use super::region::Region;
use super::tiles::{Band, Task, run};
use super::{fitting, width_of};
use crate::kernels::convolution::sizes::{Convolution, Map, PARALLEL_ABOVE};
use crate::kernels::instructions::instructions;
use crate::kernels::parallel::{self, Entries};
use crate::kernels::store::Store;
use crate::memory::Storage;

/// The approximate number of positions processed at once, whose gradients stay in the second-level cache.
const POSITIONS: usize = 1024;
/// The most numbers in a copy of their pixels, unless a single row of positions sees more.
const PIXELS: usize = 1 << 18;
/// Taps of one task.
const TAPS: usize = 48;

/// The gradient of the weight.
pub fn backward_weight(sizes: &Convolution, x: &[f32], g: &[f32], dw: &mut [f32], store: Store) {
    let map = sizes.map();
    map.check(x, g);
    let many = parallel::worthwhile(sizes.operations(), PARALLEL_ABOVE);
    for (group, dw) in dw.chunks_exact_mut(map.to * map.from * map.taps()).enumerate() {
        of_group(&map, group, [x, g], dw, store, many);
    }
}

/// The gradient of the weight of a group.
fn of_group(map: &Map, group: usize, [x, g]: [&[f32]; 2], dw: &mut [f32], store: Store, many: bool) {
    let instructions = instructions();
    let width = width_of(instructions);
    let taps = map.from * map.taps();
    let (whole, panels) = (taps.next_multiple_of(width), map.to.div_ceil(width));
    // for each panel of filters, a row for each tap
    let mut sums = Storage::<f32>::zeros(panels * whole * width);
    let [images, rows] = fitting(map, POSITIONS, PIXELS);
    let bands = [map.batch.div_ceil(images), map.out[0].div_ceil(rows)];
    let most = Region::new(map, 0..images, 0..rows);
    let (mut copies, between) = (Storage::<f32>::scratch(most.copied(map)), most.positions(map) * width);
    let mut gradients = Storage::<f32>::scratch(panels * between);
    for band in 0..bands[0] * bands[1] {
        let (first, top) = (band / bands[1] * images, band % bands[1] * rows);
        let (images, rows) = (first..map.batch.min(first + images), top..map.out[0].min(top + rows));
        let region = Region::new(map, images.clone(), rows.clone());
        let (positions, copied) = (region.positions(map), region.copied(map) / images.len());
        let copy = Entries::of(copies.make_mut());
        let to = Entries::of(gradients.make_mut());
        let of_image = positions / images.len();
        parallel::tasks(images.len(), many, &|i| {
            let region = Region::new(map, first + i..first + i + 1, rows.clone());
            // SAFETY: the parts of different images do not overlap, and there is room for all of them.
            unsafe {
                let copy = std::slice::from_raw_parts_mut(copy.at(i * copied), copied);
                region.copy(map, group, x, copy);
                let band = Band { map, group, region, x };
                run(instructions, Task::Gradients { band, g, panels: to.at(i * of_image * width), between });
            }
        });
        let (places, steps) = (region.places(map), region.steps(map));
        let pixels = region.pixels(map, group, x, copies.as_slice());
        let to = Entries::of(sums.make_mut());
        let parts = taps.div_ceil(TAPS);
        parallel::tasks(panels * parts, many, &|task| {
            let (panel, part) = (task / parts, task % parts);
            let steps = &steps[part * TAPS..taps.min((part + 1) * TAPS)];
            let of_panel = &gradients.as_slice()[panel * between..][..positions * width];
            // SAFETY: all places and steps lie in the pixels, and no two tasks add to the same sums.
            unsafe {
                let to = to.at((panel * whole + part * TAPS) * width);
                run(
                    instructions,
                    Task::Products { pixels, places: &places, steps, panel: of_panel, to, store: Store::Add },
                );
            }
        });
    }
    let mut lines = Storage::<f32>::scratch(whole * width);
    let of_filters = dw.chunks_mut(width * taps);
    for (rows, dw) in sums.as_slice().chunks_exact(whole * width).zip(of_filters) {
        // SAFETY: the instructions are those of the processor.
        unsafe { run(instructions, Task::Transpose { rows, lines: lines.make_mut() }) };
        for (dw, line) in dw.chunks_exact_mut(taps).zip(lines.as_slice().chunks_exact(whole)) {
            dw.iter_mut().zip(line).for_each(|(dw, &sum)| *dw = store.result(*dw, sum));
        }
    }
}
