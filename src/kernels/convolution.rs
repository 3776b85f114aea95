//! Convolution: im2col, image by image, and a product of matrices.
//!
//! For one image, with the weight seen as a (filters, taps) matrix W and the column matrix X of (taps, positions):
//!
//! - forward: Y = W X
//! - gradient of the image: col2im(W^T G)
//! - gradient of the weight: the sum over the images of G X^T
//!
//! The column matrix of the whole batch is never stored: each task holds that of the image it works on. Tasks take
//! fixed runs of images, so that sums over the batch are the same bits on any number of threads.

use super::elementwise;
use super::gemm::{Matrix, gemm};
use super::parallel;
use super::reduce::sum_f64;
use super::window::{Windows, columns_to_image, image_to_columns};
use crate::memory::Storage;
use crate::numbers::Float;

/// The sizes of a convolution. Groups cut the channels and the filters into parts that do not see each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    pub batch: usize,
    /// The windows over the channels of one group.
    pub windows: Windows,
    /// The filters of one group.
    pub filters: usize,
    pub groups: usize,
}

/// At most this many partial sums of a weight gradient are kept.
const PARTS: usize = 8;
/// So many images are added up one after the other, and then added to the others.
const FEW_IMAGES: usize = 32;
/// Below this many multiply-adds in all, one thread is faster.
const PARALLEL_ABOVE: usize = 1 << 18;

impl Convolution {
    /// The elements of one image of the input.
    pub fn input(&self) -> usize {
        self.groups * self.windows.pixels()
    }

    /// The elements of one image of the output.
    pub fn output(&self) -> usize {
        self.groups * self.filters * self.windows.positions()
    }

    /// The elements of the weight.
    pub fn weight(&self) -> usize {
        self.groups * self.filters * self.windows.taps()
    }

    /// The multiply-adds of one forward pass.
    pub fn operations(&self) -> usize {
        self.batch * self.output() * self.windows.taps()
    }

    fn columns(&self) -> usize {
        self.windows.taps().checked_mul(self.windows.positions()).expect("the column matrix fits the memory")
    }
}

/// The column matrix of one group of one image: the image itself for pointwise windows, otherwise copied to `scratch`.
fn columns_of<'a, E: Float>(windows: &Windows, image: &'a [E], scratch: &'a mut [E]) -> &'a [E] {
    if windows.is_pointwise() {
        return image;
    }
    image_to_columns(windows, image, scratch);
    scratch
}

fn scratch<E: Float>(sizes: &Convolution) -> Storage<E> {
    Storage::scratch(if sizes.windows.is_pointwise() { 0 } else { sizes.columns() })
}

/// `y = weight * x + bias`.
pub fn forward<E: Float>(sizes: Convolution, x: &[E], weight: &[E], bias: Option<&[E]>, y: &mut [E]) {
    let Convolution { windows, filters, groups, .. } = sizes;
    let (taps, positions) = (windows.taps(), windows.positions());
    assert_eq!((x.len(), y.len()), (sizes.batch * sizes.input(), sizes.batch * sizes.output()));
    assert_eq!(weight.len(), sizes.weight());
    if y.is_empty() {
        return;
    }
    let image = |x: &[E], y: &mut [E]| {
        let mut columns = scratch(&sizes);
        if let Some(bias) = bias {
            y.chunks_exact_mut(positions).zip(bias).for_each(|(y, &bias)| y.fill(bias));
        }
        for group in 0..groups {
            let x = &x[group * windows.pixels()..(group + 1) * windows.pixels()];
            let columns = columns_of(&windows, x, columns.make_mut());
            let weight = &weight[group * filters * taps..(group + 1) * filters * taps];
            let y = &mut y[group * filters * positions..(group + 1) * filters * positions];
            let (weight, columns) = (Matrix::rows(weight, taps), Matrix::rows(columns, positions));
            gemm(filters, taps, positions, weight, columns, y, bias.is_some());
        }
    };
    let many = parallel::worthwhile(sizes.operations(), PARALLEL_ABOVE);
    parallel::chunks(y, sizes.output(), many, |i, y| image(&x[i * sizes.input()..(i + 1) * sizes.input()], y));
}

/// The gradient of the input: `dx += transposed convolution of g with the weight`.
pub fn backward_input<E: Float>(sizes: Convolution, g: &[E], weight: &[E], dx: &mut [E]) {
    let Convolution { windows, filters, groups, .. } = sizes;
    let (taps, positions) = (windows.taps(), windows.positions());
    assert_eq!((dx.len(), g.len()), (sizes.batch * sizes.input(), sizes.batch * sizes.output()));
    if dx.is_empty() || g.is_empty() {
        return;
    }
    let image = |g: &[E], dx: &mut [E]| {
        let mut columns = scratch(&sizes);
        for group in 0..groups {
            let g = &g[group * filters * positions..(group + 1) * filters * positions];
            let weight = &weight[group * filters * taps..(group + 1) * filters * taps];
            let dx = &mut dx[group * windows.pixels()..(group + 1) * windows.pixels()];
            let (weight, g) = (Matrix::transposed(weight, taps), Matrix::rows(g, positions));
            if windows.is_pointwise() {
                gemm(taps, filters, positions, weight, g, dx, true);
            } else {
                let columns = columns.make_mut();
                gemm(taps, filters, positions, weight, g, columns, false);
                columns_to_image(&windows, columns, dx);
            }
        }
    };
    let many = parallel::worthwhile(sizes.operations(), PARALLEL_ABOVE);
    parallel::chunks(dx, sizes.input(), many, |i, dx| image(&g[i * sizes.output()..(i + 1) * sizes.output()], dx));
}

/// The gradient of the weight: `dw = sum over the images of g X^T`, added to what is there if `add`.
pub fn backward_weight<E: Float>(sizes: Convolution, x: &[E], g: &[E], dw: &mut [E], add: bool) {
    let Convolution { batch, windows, filters, groups, .. } = sizes;
    let (taps, positions) = (windows.taps(), windows.positions());
    assert_eq!((x.len(), g.len()), (batch * sizes.input(), batch * sizes.output()));
    assert_eq!(dw.len(), sizes.weight());
    let few = |first: usize, end: usize, columns: &mut Storage<E>, sum: &mut [E]| {
        for i in first..end {
            for group in 0..groups {
                let x = &x[i * sizes.input() + group * windows.pixels()..][..windows.pixels()];
                let g = &g[i * sizes.output() + group * filters * positions..][..filters * positions];
                let columns = columns_of(&windows, x, columns.make_mut());
                let sum = &mut sum[group * filters * taps..(group + 1) * filters * taps];
                let (g, columns) = (Matrix::rows(g, positions), Matrix::transposed(columns, positions));
                gemm(filters, positions, taps, g, columns, sum, i > first);
            }
        }
    };
    // the sum over a run of images, in their order, some of them at a time
    let run = |first: usize, end: usize, sum: &mut [E]| {
        let mut columns = scratch(&sizes);
        few(first, end.min(first + FEW_IMAGES), &mut columns, sum);
        let mut more = Storage::scratch(if end - first > FEW_IMAGES { sum.len() } else { 0 });
        for first in (first..end).step_by(FEW_IMAGES).skip(1) {
            few(first, end.min(first + FEW_IMAGES), &mut columns, more.make_mut());
            elementwise::add_assign(sum, more.as_slice());
        }
    };
    if batch == 0 || positions == 0 || dw.is_empty() {
        if !add {
            dw.fill(E::zero());
        }
        return;
    }
    let parts = if sizes.operations() > PARALLEL_ABOVE { PARTS.min(batch) } else { 1 };
    if parts == 1 && !add {
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
        if i == 0 && !add {
            dw.copy_from_slice(sum);
        } else {
            elementwise::add_assign(dw, sum);
        }
    }
}

/// Sums over batch and positions of (batch, channels, positions): the gradient of a bias.
pub fn sum_channels<E: Float>(x: &[E], channels: usize, positions: usize, out: &mut [E], add: bool) {
    let mut sums = vec![0.0; channels];
    if channels * positions > 0 {
        for image in x.chunks_exact(channels * positions) {
            sums.iter_mut().zip(image.chunks_exact(positions)).for_each(|(sum, x)| *sum += sum_f64(x));
        }
    }
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = E::of(if add { out.as_f64() + sum } else { sum }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_close, random, wide};
    use crate::numbers::Generator;
    use rand::RngExt as _;

    /// Calls `f` with the places in x, in the weight and in y of every product that a convolution adds up.
    fn each_product(sizes: &Convolution, mut f: impl FnMut(usize, usize, usize)) {
        let Convolution { batch, windows: w, filters, groups } = *sizes;
        let [height, width] = w.size;
        for (n, group, filter) in product3(batch, groups, filters) {
            for (i, j) in product2(w.out[0], w.out[1]) {
                let y = ((n * groups + group) * filters + filter) * w.positions() + i * w.out[1] + j;
                for (c, u, v) in product3(w.channels, w.kernel[0], w.kernel[1]) {
                    let row = (i * w.stride[0] + u * w.dilation[0]).checked_sub(w.padding[0]);
                    let column = (j * w.stride[1] + v * w.dilation[1]).checked_sub(w.padding[1]);
                    let (Some(row), Some(column)) = (row, column) else { continue };
                    if row < height && column < width {
                        let x = (((n * groups + group) * w.channels + c) * height + row) * width + column;
                        let tap = (c * w.kernel[0] + u) * w.kernel[1] + v;
                        f(x, (group * filters + filter) * w.taps() + tap, y);
                    }
                }
            }
        }
    }

    fn product2(a: usize, b: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..a).flat_map(move |i| (0..b).map(move |j| (i, j)))
    }

    fn product3(a: usize, b: usize, c: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        product2(a, b).flat_map(move |(i, j)| (0..c).map(move |k| (i, j, k)))
    }

    fn compare<E: Float>(sizes: Convolution, rng: &mut Generator) {
        let (inputs, outputs) = (sizes.batch * sizes.input(), sizes.batch * sizes.output());
        let x: Vec<E> = random(inputs, rng);
        let g: Vec<E> = random(outputs, rng);
        let weight: Vec<E> = random(sizes.weight(), rng);
        let bias: Vec<E> = random(sizes.groups * sizes.filters, rng);
        let (before_x, before_w): (Vec<E>, Vec<E>) = (random(inputs, rng), random(sizes.weight(), rng));
        let (xs, gs, ws) = (wide(&x), wide(&g), wide(&weight));
        let positions = sizes.windows.positions();
        let mut y: Vec<f64> = (0..outputs).map(|i| bias[i / positions % bias.len()].as_f64()).collect();
        let (mut dx, mut dw) = (wide(&before_x), vec![0.0; weight.len()]);
        each_product(&sizes, |i, w, o| {
            y[o] += xs[i] * ws[w];
            dx[i] += gs[o] * ws[w];
            dw[w] += gs[o] * xs[i];
        });
        let terms = sizes.windows.taps() + sizes.batch * positions;

        let mut found = vec![E::nan(); outputs];
        forward(sizes, &x, &weight, Some(&bias), &mut found);
        assert_close(&found, &y, terms);
        let mut found = before_x.clone();
        backward_input(sizes, &g, &weight, &mut found);
        assert_close(&found, &dx, terms * sizes.filters);
        let mut found = vec![E::nan(); weight.len()];
        backward_weight(sizes, &x, &g, &mut found, false);
        assert_close(&found, &dw, terms);
        let mut found = before_w.clone();
        backward_weight(sizes, &x, &g, &mut found, true);
        let sum: Vec<f64> = dw.iter().zip(&before_w).map(|(dw, before)| dw + before.as_f64()).collect();
        assert_close(&found, &sum, terms);
    }

    #[test]
    fn all_three_passes_are_sums_of_products_over_random_sizes() {
        let mut rng = Generator::new(0);
        let mut tried = 0;
        while tried < 60 {
            let mut below = |end: usize| rng.random_range(0..end);
            let (size, kernel) = ([1 + below(9), 1 + below(9)], [1 + below(4), 1 + below(4)]);
            let (stride, padding) = ([1 + below(3), 1 + below(3)], [below(3), below(3)]);
            let dilation = [1 + below(2), 1 + below(2)];
            let (channels, batch, filters, groups) = (1 + below(4), below(4), 1 + below(5), 1 + below(3));
            let out = [0, 1].map(|axis| {
                let span = dilation[axis] * (kernel[axis] - 1) + 1;
                (size[axis] + 2 * padding[axis]).checked_sub(span).map(|rest| rest / stride[axis] + 1)
            });
            let [Some(height), Some(width)] = out else { continue };
            let windows = Windows { channels, size, kernel, stride, padding, dilation, out: [height, width] };
            let sizes = Convolution { batch, windows, filters, groups };
            compare::<f32>(sizes, &mut rng);
            compare::<f64>(sizes, &mut rng);
            tried += 1;
        }
    }

    #[test]
    fn work_that_is_worth_threads_is_right_too() {
        let windows = Windows {
            channels: 5,
            size: [19, 17],
            kernel: [3, 3],
            stride: [1, 1],
            padding: [1, 1],
            dilation: [1, 1],
            out: [19, 17],
        };
        compare::<f32>(Convolution { batch: 11, windows, filters: 13, groups: 2 }, &mut Generator::new(1));
    }

    #[test]
    fn the_gradient_of_a_bias_is_a_sum_over_images_and_positions() {
        let x: Vec<f64> = random(4 * 3 * 35, &mut Generator::new(2));
        let mut expected = vec![0.0; 3];
        x.iter().enumerate().for_each(|(i, x)| expected[i / 35 % 3] += x);
        let mut found = vec![f64::NAN; 3];
        sum_channels(&x, 3, 35, &mut found, false);
        assert_close(&found, &expected, 140);
        sum_channels(&x, 3, 35, &mut found, true);
        assert_close(&found, &expected.iter().map(|x| 2.0 * x).collect::<Vec<_>>(), 140);
    }
}
