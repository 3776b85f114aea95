//! Convolution by im2col, image by image, and a matrix product.
//!
//! For one image, with the weight seen as a (filters, taps) matrix W and the column matrix X of (taps, positions):
//!
//! - forward: Y = W X
//! - gradient of the image: col2im(W^T G)
//! - gradient of the weight: the sum over the images of G X^T
//!
//! The column matrix of the whole batch is never stored: each task holds that of the image it works on. Tasks take
//! fixed runs of images, so that sums over the batch have the same bits on any number of threads.

use super::sizes::{Convolution, PARALLEL_ABOVE, Passes, Start};
use crate::kernels::gemm::{Matrix, gemm};
use crate::kernels::store::Store;
use crate::kernels::window::{Windows, columns_to_image, image_to_columns};
use crate::kernels::{elementwise, parallel};
use crate::memory::Storage;
use crate::numbers::Float;

/// At most this many partial sums of a weight gradient are kept.
const PARTS: usize = 8;
/// This many images are summed one after the other, and then those sums, which keeps rounding errors small.
const FEW_IMAGES: usize = 32;

/// The column matrix of one group of one image: the image itself for pointwise windows, otherwise copied to `scratch`.
fn columns_of<'a, E: Float>(windows: &Windows, image: &'a [E], scratch: &'a mut [E]) -> &'a [E] {
    if windows.is_pointwise() {
        return image;
    }
    image_to_columns(windows, image, scratch);
    scratch
}

fn scratch<E: Float>(sizes: &Convolution) -> Storage<E> {
    let columns = || sizes.windows.taps().checked_mul(sizes.windows.positions());
    Storage::scratch(if sizes.windows.is_pointwise() {
        0
    } else {
        columns().expect("the column matrix fits the memory")
    })
}

pub const fn passes<E: Float>() -> Passes<E> {
    Passes { forward, backward_input, backward_weight }
}

/// `y = weight * x`, added to `start`.
fn forward<E: Float>(sizes: &Convolution, x: &[E], weight: &[E], start: Start<'_, E>, y: &mut [E]) {
    let Convolution { windows, filters, groups, .. } = *sizes;
    let (taps, positions) = (windows.taps(), windows.positions());
    let image = |x: &[E], y: &mut [E]| {
        let mut columns = scratch(sizes);
        start.write(y, positions);
        for group in 0..groups {
            let x = &x[group * windows.pixels()..(group + 1) * windows.pixels()];
            let columns = columns_of(&windows, x, columns.make_mut());
            let weight = &weight[group * filters * taps..(group + 1) * filters * taps];
            let y = &mut y[group * filters * positions..(group + 1) * filters * positions];
            let (weight, columns) = (Matrix::rows(weight, taps), Matrix::rows(columns, positions));
            gemm(filters, taps, positions, weight, columns, y, Store::Add);
        }
    };
    let many = parallel::worthwhile(sizes.operations(), PARALLEL_ABOVE);
    parallel::chunks(y, sizes.output(), many, |i, y| image(&x[i * sizes.input()..(i + 1) * sizes.input()], y));
}

/// The gradient of the input: the transposed convolution of g with the weight, added to `start`.
fn backward_input<E: Float>(sizes: &Convolution, g: &[E], weight: &[E], start: Start<'_, E>, dx: &mut [E]) {
    let Convolution { windows, filters, groups, .. } = *sizes;
    let (taps, positions) = (windows.taps(), windows.positions());
    let plane = windows.size[0] * windows.size[1];
    let image = |g: &[E], dx: &mut [E]| {
        start.write(dx, plane);
        let mut columns = scratch(sizes);
        for group in 0..groups {
            let g = &g[group * filters * positions..(group + 1) * filters * positions];
            let weight = &weight[group * filters * taps..(group + 1) * filters * taps];
            let dx = &mut dx[group * windows.pixels()..(group + 1) * windows.pixels()];
            let (weight, g) = (Matrix::transposed(weight, taps), Matrix::rows(g, positions));
            if windows.is_pointwise() {
                gemm(taps, filters, positions, weight, g, dx, Store::Add);
            } else {
                let columns = columns.make_mut();
                gemm(taps, filters, positions, weight, g, columns, Store::Overwrite);
                columns_to_image(&windows, columns, dx);
            }
        }
    };
    let many = parallel::worthwhile(sizes.operations(), PARALLEL_ABOVE);
    parallel::chunks(dx, sizes.input(), many, |i, dx| image(&g[i * sizes.output()..(i + 1) * sizes.output()], dx));
}

/// The gradient of the weight: `dw = sum over the images of g X^T`.
fn backward_weight<E: Float>(sizes: &Convolution, x: &[E], g: &[E], dw: &mut [E], store: Store) {
    let Convolution { batch, windows, filters, groups, .. } = *sizes;
    let (taps, positions) = (windows.taps(), windows.positions());
    let few = |first: usize, end: usize, columns: &mut Storage<E>, sum: &mut [E]| {
        for i in first..end {
            for group in 0..groups {
                let x = &x[i * sizes.input() + group * windows.pixels()..][..windows.pixels()];
                let g = &g[i * sizes.output() + group * filters * positions..][..filters * positions];
                let columns = columns_of(&windows, x, columns.make_mut());
                let sum = &mut sum[group * filters * taps..(group + 1) * filters * taps];
                let (g, columns) = (Matrix::rows(g, positions), Matrix::transposed(columns, positions));
                gemm(filters, positions, taps, g, columns, sum, Store::adding(i > first));
            }
        }
    };
    // the sum over a run of images, in order, a few at a time
    let run = |first: usize, end: usize, sum: &mut [E]| {
        let mut columns = scratch(sizes);
        few(first, end.min(first + FEW_IMAGES), &mut columns, sum);
        let mut more = Storage::scratch(if end - first > FEW_IMAGES { sum.len() } else { 0 });
        for first in (first..end).step_by(FEW_IMAGES).skip(1) {
            few(first, end.min(first + FEW_IMAGES), &mut columns, more.make_mut());
            elementwise::add_assign(sum, more.as_slice());
        }
    };
    let parts = if sizes.operations() > PARALLEL_ABOVE { PARTS.min(batch) } else { 1 };
    if parts == 1 && !store.adds() {
        return run(0, batch, dw);
    }
    let images = batch.div_ceil(parts);
    let mut sums = Storage::scratch(parts * dw.len());
    let many = parallel::worthwhile(sizes.operations(), PARALLEL_ABOVE);
    parallel::chunks(sums.make_mut(), dw.len(), many, |i, sum| {
        let first = (i * images).min(batch);
        let end = (first + images).min(batch);
        run(first, end, sum);
        if first == end {
            sum.fill(E::zero());
        }
    });
    for (i, sum) in sums.as_slice().chunks_exact(dw.len()).enumerate() {
        if i == 0 && !store.adds() {
            dw.copy_from_slice(sum);
        } else {
            elementwise::add_assign(dw, sum);
        }
    }
}
