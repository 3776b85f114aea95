//! The gradient of the weight for few filters and taps: for each pair of them a dot product of planes,
//!
//! dw(f, k) = sum over p of g(f, p) x[place(p) + step(k)]
//!
//! with neighbouring positions in the lanes of registers. The gradients are laid out like the pixels, with zeros at
//! places that belong to no position. A non-finite pixel may therefore make all gradients of its channel NaN, even
//! those of taps that do not see it.

use super::fitting;
use super::region::{MOST_LANES, Region};
use crate::kernels::convolution::PORTABLE;
use crate::kernels::convolution::sizes::{Convolution, Map, PARALLEL_ABOVE};
#[cfg(target_arch = "x86_64")]
use crate::kernels::gemm::register::InRegisters;
use crate::kernels::gemm::register::{Plain, Register, load_each};
use crate::kernels::instructions::{Instructions, instructions};
use crate::kernels::parallel;
use crate::kernels::store::Store;
use crate::kernels::window::copy_line;
use crate::memory::Storage;

/// At most this many partial sums over the batch are kept.
const PARTS: usize = 8;

/// The gradient of the weight.
pub fn backward_weight(sizes: &Convolution, x: &[f32], g: &[f32], dw: &mut [f32], store: Store) {
    let map = sizes.map();
    map.check(x, g);
    let instructions = instructions();
    // independent of the length of registers, as it determines the order of additions
    let [images, rows] = fitting(&map, MOST_LANES);
    let bands = [map.batch.div_ceil(images), map.out[0].div_ceil(rows)];
    let parts =
        if sizes.operations() > PARALLEL_ABOVE { PARTS.div_ceil(map.groups).min(bands[0] * bands[1]) } else { 1 };
    let of_part = (bands[0] * bands[1]).div_ceil(parts);
    let of_group = map.to * map.from * map.taps();
    // the lanes of each dot product
    let mut sums = Storage::<f32>::zeros(parts * dw.len() * MOST_LANES);
    let many = parallel::worthwhile(sizes.operations(), PARALLEL_ABOVE);
    parallel::chunks(sums.make_mut(), of_group * MOST_LANES, many, |i, sums| {
        let (part, group) = (i / map.groups, i % map.groups);
        let most = Region::copied(&map, images, rows);
        let mut pixels = Storage::scratch(most.len());
        let mut gradients = Storage::scratch(map.to * most.places());
        for band in part * of_part..(bands[0] * bands[1]).min((part + 1) * of_part) {
            let (image, row) = (band / bands[1] * images, band % bands[1] * rows);
            let region = Region::copied(&map, images.min(map.batch - image), rows.min(map.out[0] - row));
            region.copy(&map, [image, group, row], x, pixels.make_mut());
            let gradients = &mut gradients.make_mut()[..map.to * region.places()];
            copy_gradients(&map, &region, [image, group, row], g, gradients);
            let task = Task { pixels: pixels.as_slice(), steps: region.steps(), gradients, filters: map.to };
            // SAFETY: the instructions are those of the processor; from each step on, there are pixels for all places.
            unsafe { run(instructions, &task, sums) };
        }
    });
    let lanes_of = |sums: &[f32]| sums.iter().map(|&x| f64::from(x)).sum::<f64>();
    let sums = sums.as_slice();
    for (i, dw) in dw.iter_mut().enumerate() {
        let of_part = sums[i * MOST_LANES..].chunks(of_group * map.groups * MOST_LANES);
        let total: f64 = of_part.map(|part| lanes_of(&part[..MOST_LANES])).sum();
        *dw = store.result(*dw, total as f32);
    }
}

/// Copies the gradients of a band to their places, in a row for each filter.
fn copy_gradients(map: &Map, region: &Region, [image, group, row]: [usize; 3], g: &[f32], to: &mut [f32]) {
    let [height, width] = map.out;
    for (filter, to) in to.chunks_exact_mut(region.places()).enumerate() {
        let mut end = 0;
        for (image_here, row_here, place) in region.lines() {
            let plane = ((image + image_here) * map.groups + group) * map.to + filter;
            let line = &g[plane * height * width + (row + row_here) * width..][..width];
            to[end..place].fill(0.0);
            end = place + width;
            copy_line(line, &mut to[place..end]);
        }
        to[end..].fill(0.0);
    }
}

/// Dot products of the gradients of some filters with the pixels under some taps.
struct Task<'a> {
    pixels: &'a [f32],
    steps: &'a [usize],
    /// A row for each filter, whose length is a multiple of [`MOST_LANES`].
    gradients: &'a [f32],
    filters: usize,
}

/// Adds to the lanes of the sums, which are ordered by filter, and by step within a filter.
///
/// # Safety
/// The processor supports the instructions. From each step on, there are as many pixels as a row has gradients.
unsafe fn run(instructions: Instructions, task: &Task<'_>, sums: &mut [f32]) {
    assert_eq!(sums.len(), task.filters * task.steps.len() * MOST_LANES);
    // SAFETY: the caller's promises; plain registers need no special instructions.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(task, sums),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(task, sums),
            _ if PORTABLE => run_with::<Plain<f32>, 2>(task, sums),
            _ => unreachable!("im2col is chosen"),
        }
    }
}

/// # Safety
/// As for [`run`], and the processor supports AVX-512F, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512(task: &Task<'_>, sums: &mut [f32]) {
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { run_with::<<f32 as InRegisters>::WideRegister, 4>(task, sums) }
}

/// # Safety
/// As for [`run`], and the processor supports AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(task: &Task<'_>, sums: &mut [f32]) {
    // SAFETY: this function enables the registers' instructions, and the caller promises the rest.
    unsafe { run_with::<<f32 as InRegisters>::Register, 2>(task, sums) }
}

/// # Safety
/// As for [`run`], and the processor supports `R`'s instructions.
#[inline(always)]
unsafe fn run_with<R: Register<f32>, const FILTERS: usize>(task: &Task<'_>, sums: &mut [f32]) {
    let filters = if task.filters == 1 { 1 } else { FILTERS };
    for filter in (0..task.filters).step_by(filters) {
        // SAFETY: the caller's promises.
        unsafe {
            if filters == 1 {
                products::<R, 1, 9>(task, filter, sums);
            } else {
                products::<R, FILTERS, 5>(task, filter, sums);
            }
        }
    }
}

/// The dot products of up to `FILTERS` filters, from `first` on.
///
/// # Safety
/// As for [`run_with`].
#[inline(always)]
unsafe fn products<R: Register<f32>, const FILTERS: usize, const STEPS: usize>(
    task: &Task<'_>,
    first: usize,
    sums: &mut [f32],
) {
    let (row, steps) = (task.gradients.len() / task.filters, task.steps.len());
    for step in (0..steps).step_by(STEPS) {
        // which places a lane sums does not depend on the length of registers, so neither does the result
        for lane in (0..MOST_LANES).step_by(R::LEN) {
            // SAFETY: the caller's promises; filters and steps beyond the last repeat it, and are not stored.
            unsafe {
                let gradients = std::array::from_fn(|filter| {
                    task.gradients.as_ptr().add((first + filter).min(task.filters - 1) * row + lane)
                });
                let pixels =
                    std::array::from_fn(|i| task.pixels.as_ptr().add(task.steps[(step + i).min(steps - 1)] + lane));
                let products = dot_products::<R, FILTERS, STEPS>(row, gradients, pixels);
                for (filter, products) in products.iter().enumerate() {
                    for (i, &product) in products.iter().enumerate() {
                        if first + filter < task.filters && step + i < steps {
                            let to = ((first + filter) * steps + step + i) * MOST_LANES + lane;
                            let to = sums.as_mut_ptr().add(to);
                            R::load(to).plus(product).store(to);
                        }
                    }
                }
            }
        }
    }
}

/// For each pair of rows, the sum of the products of the registers at every [`MOST_LANES`]th place.
///
/// # Safety
/// The processor supports `R`'s instructions, and the rows are `row` numbers long.
#[inline(always)]
unsafe fn dot_products<R: Register<f32>, const FILTERS: usize, const STEPS: usize>(
    row: usize,
    gradients: [*const f32; FILTERS],
    pixels: [*const f32; STEPS],
) -> [[R; STEPS]; FILTERS] {
    // SAFETY: the caller's promises.
    unsafe {
        let mut sums = [[R::splat(0.0); STEPS]; FILTERS];
        for place in (0..row).step_by(MOST_LANES) {
            let numbers = load_each(&gradients, place);
            for (step, pixels) in pixels.iter().enumerate() {
                let pixels = R::load(pixels.add(place));
                for (filter, sums) in sums.iter_mut().enumerate() {
                    sums[step] = sums[step].plus_product(numbers[filter], pixels);
                }
            }
        }
        sums
    }
}
