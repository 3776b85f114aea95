use super::sizes::{Pass, Passes};
use super::*;
use crate::kernels::instructions::Instructions;
use crate::kernels::instructions::tests::{available, with};
use crate::kernels::store::Store;
use crate::kernels::testing::{assert_close, random, wide};
use crate::kernels::window::Windows;
use crate::numbers::Generator;
use rand::RngExt as _;

/// Calls `f` with the places in x, in the weight and in y of every product that a convolution sums.
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

/// The inputs of all passes, and their results by definition, in f64.
struct Case<E> {
    sizes: Convolution,
    x: Vec<E>,
    g: Vec<E>,
    weight: Vec<E>,
    bias: [Vec<E>; 2],
    y: Vec<f64>,
    dx: Vec<f64>,
    dw: Vec<f64>,
    /// The most products in any sum.
    terms: usize,
}

impl<E: Float> Case<E> {
    fn new(sizes: Convolution, rng: &mut Generator) -> Self {
        let (inputs, outputs) = (sizes.batch * sizes.input(), sizes.batch * sizes.output());
        let (x, g): (Vec<E>, Vec<E>) = (random(inputs, rng), random(outputs, rng));
        let weight: Vec<E> = random(sizes.weight(), rng);
        let bias = [sizes.filters, sizes.windows.channels].map(|channels| random(sizes.groups * channels, rng));
        let (xs, gs, ws) = (wide(&x), wide(&g), wide(&weight));
        let (mut y, mut dx, mut dw) = (vec![0.0; outputs], vec![0.0; inputs], vec![0.0; weight.len()]);
        each_product(&sizes, |i, w, o| {
            y[o] += xs[i] * ws[w];
            dx[i] += gs[o] * ws[w];
            dw[w] += gs[o] * xs[i];
        });
        let taps = sizes.windows.taps();
        let terms =
            taps.max(taps / sizes.windows.channels * sizes.filters).max(sizes.batch * sizes.windows.positions());
        Case { sizes, x, g, weight, bias, y, dx, dw, terms }
    }

    /// Checks a method, allowing `roundings` rounding errors for each product in a sum.
    fn check(&self, passes: &Passes<E>, roundings: usize) {
        let Case { sizes, x, g, weight, .. } = self;
        let there = |i: usize| E::of((i as f64 * 0.7).sin());
        let close = |found: &[E], exact: &[f64], start: &dyn Fn(usize) -> E| {
            let expected: Vec<f64> = exact.iter().enumerate().map(|(i, x)| x + start(i).as_f64()).collect();
            assert_close(found, &expected, roundings * self.terms);
        };
        let pass = |pass: Pass<E>, from: &[E], bias: &[E], pixels: usize, exact: &[f64]| {
            let mut found = vec![E::nan(); exact.len()];
            pass(sizes, from, weight, Start::Zero, &mut found);
            close(&found, exact, &|_| E::zero());
            found.fill(E::nan());
            pass(sizes, from, weight, Start::Bias(bias), &mut found);
            close(&found, exact, &|i| bias[i / pixels % bias.len()]);
            found = (0..exact.len()).map(there).collect();
            pass(sizes, from, weight, Start::There, &mut found);
            close(&found, exact, &there);
        };
        pass(passes.forward, x, &self.bias[0], sizes.windows.positions(), &self.y);
        pass(passes.backward_input, g, &self.bias[1], sizes.windows.size[0] * sizes.windows.size[1], &self.dx);
        let mut found = vec![E::nan(); weight.len()];
        (passes.backward_weight)(sizes, x, g, &mut found, Store::Overwrite);
        close(&found, &self.dw, &|_| E::zero());
        found = (0..weight.len()).map(there).collect();
        (passes.backward_weight)(sizes, x, g, &mut found, Store::Add);
        close(&found, &self.dw, &there);
    }
}

/// Checks im2col, and the indirect and the planar method with each instruction set.
fn compare(sizes: Convolution, rng: &mut Generator) {
    if sizes.operations() > 0 {
        Case::<f64>::new(sizes, rng).check(&f64::pick(&METHODS).columns, 1);
        let case = Case::<f32>::new(sizes, rng);
        case.check(&f32::pick(&METHODS).columns, 1);
        for instructions in available() {
            with(instructions, || case.check(f32::pick(&METHODS).indirect.as_ref().unwrap(), 1));
            with(instructions, || case.check(f32::pick(&METHODS).planes.as_ref().unwrap(), 1));
        }
    }
}

/// A convolution of stride 1 with windows of 3x3.
fn of_3x3(batch: usize, [channels, filters, groups]: [usize; 3], size: [usize; 2], padding: [usize; 2]) -> Convolution {
    let out = [0, 1].map(|axis| size[axis] + 2 * padding[axis] - 2);
    let windows = Windows { channels, size, kernel: [3; 2], stride: [1; 2], padding, dilation: [1; 2], out };
    Convolution { batch, windows, filters, groups }
}

/// A convolution with pointwise windows.
fn pointwise(batch: usize, [channels, filters, groups]: [usize; 3], size: [usize; 2]) -> Convolution {
    let convolution = of_3x3(batch, [channels, filters, groups], size, [1, 1]);
    let windows = Windows { kernel: [1; 2], padding: [0; 2], ..convolution.windows };
    Convolution { windows, ..convolution }
}

/// Checks one method with each instruction set.
fn each_set(
    sizes: Convolution,
    method: fn(&Methods<f32>) -> &Option<Passes<f32>>,
    roundings: usize,
    rng: &mut Generator,
) {
    let case = Case::new(sizes, rng);
    for instructions in available() {
        with(instructions, || case.check(method(f32::pick(&METHODS)).as_ref().unwrap(), roundings));
    }
}

fn depthwise(sizes: Convolution, rng: &mut Generator) {
    each_set(sizes, |methods| &methods.depthwise, 1, rng);
}

/// Random sizes: paddings and strides larger than the window are among them.
fn any_windows(channels: usize, rng: &mut Generator) -> Windows {
    let mut pair = |range: std::ops::Range<usize>| [rng.random_range(range.clone()), rng.random_range(range)];
    let (kernel, stride, dilation, padding, more) = (pair(1..6), pair(1..4), pair(1..3), pair(0..4), pair(0..20));
    let reach = [0, 1].map(|axis| dilation[axis] * (kernel[axis] - 1) + 1);
    let size = [0, 1].map(|axis| reach[axis].saturating_sub(2 * padding[axis]).max(1) + more[axis]);
    let out = [0, 1].map(|axis| (size[axis] + 2 * padding[axis] - reach[axis]) / stride[axis] + 1);
    Windows { channels, size, kernel, stride, padding, dilation, out }
}

#[test]
fn depthwise_agrees_over_sizes_strides_dilations_and_groups() {
    let mut rng = Generator::new(11);
    for case in 0..90 {
        let (filters, groups) = (if case % 3 == 0 { 3 } else { 1 }, [1, 2, 5, 12, 19, 32][case % 6]);
        let windows = any_windows(1 + case % 5 / 3, &mut rng);
        depthwise(Convolution { batch: 1 + case % 4, windows, filters, groups }, &mut rng);
    }
    // a stride far beyond the image
    let windows =
        Windows { stride: [usize::MAX / 2, 1 << 40], out: [1; 2], ..of_3x3(1, [1; 3], [9; 2], [1; 2]).windows };
    depthwise(Convolution { batch: 2, windows, filters: 1, groups: 5 }, &mut rng);
    // windows that see nothing but padding
    let windows = Windows { kernel: [1; 2], stride: [3; 2], padding: [1; 2], ..pointwise(1, [1; 3], [1; 2]).windows };
    depthwise(Convolution { batch: 3, windows, filters: 1, groups: 3 }, &mut rng);
    // more rows than are copied at once, and lines longer than that
    for (size, stride) in [([150, 70], [1, 1]), ([3, 5_000], [1, 1]), ([91, 75], [2, 3]), ([60, 61], [3, 2])] {
        let out = [0, 1].map(|axis: usize| (size[axis] - 1) / stride[axis] + 1);
        let windows = Windows { stride, out, ..of_3x3(1, [1; 3], size, [1, 1]).windows };
        depthwise(Convolution { batch: 1, windows, filters: 1, groups: 2 }, &mut rng);
    }
}

#[test]
fn the_bits_of_depthwise_depend_neither_on_threads_nor_on_the_length_of_registers() {
    let mut rng = Generator::new(12);
    let passes = f32::pick(&METHODS).depthwise.as_ref().unwrap();
    for (batch, groups, size, stride) in
        [(9, 7, [30, 31], [1; 2]), (40, 3, [9, 10], [2, 1]), (3, 48, [70, 20], [2; 2]), (70, 1, [12, 13], [1; 2])]
    {
        let out = [0, 1].map(|axis: usize| (size[axis] - 1) / stride[axis] + 1);
        let windows = Windows { stride, out, ..of_3x3(1, [1; 3], size, [1, 1]).windows };
        let case = Case::<f32>::new(Convolution { batch, windows, filters: 2, groups }, &mut rng);
        let one = bits(&case, passes);
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| bits(&case, passes)), one, "{threads} threads: {:?}", case.sizes);
        }
        // portable instructions round products on their own
        let fused: Vec<_> = available()
            .filter(|&instructions| instructions >= Instructions::Avx2)
            .map(|instructions| with(instructions, || bits(&case, passes)))
            .collect();
        assert!(fused.windows(2).all(|bits| bits[0] == bits[1]), "{:?}", case.sizes);
    }
}

/// An infinite pixel or gradient, or NaN, reaches the sums that it is a term of, and no others.
#[test]
fn depthwise_is_not_finite_where_the_formula_is_not() {
    let mut rng = Generator::new(13);
    let passes = f32::pick(&METHODS).depthwise.as_ref().unwrap();
    for case in 0..40 {
        let windows = any_windows(1, &mut rng);
        let sizes = Convolution { batch: 1 + case % 3, windows, filters: 1 + case % 2, groups: 1 + case % 10 };
        let case = Case::<f32>::new(sizes, &mut rng);
        let (outputs, weights) = (case.y.len(), case.weight.len());
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (mut x, mut g) = (case.x.clone(), case.g.clone());
            let (pixel, output) = (rng.random_range(0..x.len()), rng.random_range(0..outputs));
            (x[pixel], g[output]) = (bad, bad);
            let (mut in_y, mut in_dx, mut in_dw) = (vec![false; outputs], vec![false; x.len()], vec![false; weights]);
            each_product(&sizes, |i, w, o| {
                in_y[o] |= i == pixel;
                in_dx[i] |= o == output;
                in_dw[w] |= i == pixel;
            });
            let (mut y, mut dx, mut dw) = (vec![0.0; outputs], vec![0.0; x.len()], vec![0.0; weights]);
            (passes.forward)(&sizes, &x, &case.weight, Start::Zero, &mut y);
            (passes.backward_input)(&sizes, &g, &case.weight, Start::Zero, &mut dx);
            (passes.backward_weight)(&sizes, &x, &case.g, &mut dw, Store::Overwrite);
            for (found, bad) in [(y, in_y), (dx, in_dx), (dw, in_dw)] {
                assert!(found.iter().zip(bad).all(|(found, bad)| found.is_finite() != bad), "{sizes:?}: {found:?}");
            }
        }
    }
}

fn winograd(sizes: Convolution, rng: &mut Generator) {
    each_set(sizes, |methods| &methods.winograd, 12, rng);
}

#[test]
fn winograd_agrees_over_sizes_of_images_and_paddings() {
    let mut rng = Generator::new(3);
    for (height, width) in product2(14, 14).filter(|(height, width)| height % 3 == width % 3) {
        let (size, padding) = ([height + 1, width + 1], [rng.random_range(0..5), rng.random_range(0..5)]);
        if size.iter().zip(padding).all(|(size, padding)| size + 2 * padding > 2) {
            winograd(of_3x3(1 + height % 3, [1 + width, 1 + height, 1], size, padding), &mut rng);
        }
    }
    winograd(of_3x3(1, [2, 3, 1], [3, 130], [1, 1]), &mut rng);
    winograd(of_3x3(1, [2, 3, 1], [67, 61], [0, 3]), &mut rng);
}

#[test]
fn winograd_agrees_over_numbers_of_channels_and_groups() {
    let mut rng = Generator::new(4);
    for (batch, channels, size) in [
        (2, [17, 31, 1], [5, 6]),
        (1, [33, 16, 2], [4, 4]),
        (3, [8, 65, 3], [3, 7]),
        (13, [3, 130, 1], [4, 5]),
        (1, [270, 7, 1], [4, 3]),
        (1, [5, 520, 1], [2, 2]),
        (50, [16, 16, 1], [2, 2]),
    ] {
        winograd(of_3x3(batch, channels, size, [1, 1]), &mut rng);
    }
}

/// The results of all three passes in f32, as bits.
fn bits(case: &Case<f32>, passes: &Passes<f32>) -> Vec<u32> {
    let Case { sizes, x, g, weight, bias, .. } = case;
    let (mut y, mut dx, mut dw) = (vec![0.0; case.y.len()], vec![0.0; x.len()], vec![0.0; weight.len()]);
    (passes.forward)(sizes, x, weight, Start::Bias(&bias[0]), &mut y);
    (passes.backward_input)(sizes, g, weight, Start::Zero, &mut dx);
    (passes.backward_weight)(sizes, x, g, &mut dw, Store::Overwrite);
    [y, dx, dw].concat().into_iter().map(f32::to_bits).collect()
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let mut rng = Generator::new(5);
    for (batch, channels, size) in [(1, [40, 70, 1], [9, 13]), (7, [9, 33, 2], [11, 10]), (3, [64, 20, 1], [16, 30])] {
        let case = Case::new(of_3x3(batch, channels, size, [1, 1]), &mut rng);
        let Methods { columns, indirect, planes, winograd, .. } = f32::pick(&METHODS);
        let of_pixels = Case::new(pointwise(batch, channels, size), &mut rng);
        let [columns, indirect, planes, winograd] =
            [columns, indirect.as_ref().unwrap(), planes.as_ref().unwrap(), winograd.as_ref().unwrap()];
        let cases = [(&case, columns), (&case, indirect), (&case, planes), (&case, winograd), (&of_pixels, planes)];
        for (case, passes) in cases {
            let of_threads = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| bits(case, passes))
            };
            let one = of_threads(1);
            assert!([2, 3, 8].into_iter().all(|threads| of_threads(threads) == one), "{batch} {channels:?} {size:?}");
        }
    }
}

/// The length of registers does not decide how many images are summed together.
#[test]
fn avx2_and_avx512_add_up_gradients_of_few_weights_in_the_same_order() {
    let windows = Windows { kernel: [2; 2], out: [3; 2], ..pointwise(1, [256, 1, 1], [4, 4]).windows };
    let case = Case::new(Convolution { batch: 70, windows, filters: 1, groups: 1 }, &mut Generator::new(10));
    let found: Vec<_> = available()
        .filter(|&instructions| instructions >= Instructions::Avx2)
        .map(|instructions| with(instructions, || bits(&case, f32::pick(&METHODS).planes.as_ref().unwrap())))
        .collect();
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn avx2_and_avx512_give_the_same_bits() {
    let mut rng = Generator::new(6);
    for (batch, channels, size) in [(2, [19, 37, 1], [9, 13]), (1, [300, 5, 1], [6, 7])] {
        let case = Case::new(of_3x3(batch, channels, size, [1, 1]), &mut rng);
        let Methods { indirect, planes, winograd, .. } = f32::pick(&METHODS);
        let of_pixels = Case::new(pointwise(batch, channels, size), &mut rng);
        for (case, passes) in [(&case, indirect), (&case, planes), (&case, winograd), (&of_pixels, planes)] {
            let found: Vec<_> = available()
                .filter(|&instructions| instructions >= Instructions::Avx2)
                .map(|instructions| with(instructions, || bits(case, passes.as_ref().unwrap())))
                .collect();
            assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{batch} {channels:?} {size:?}");
        }
    }
}

/// As documented: a non-finite pixel makes the outputs that see it non-finite, possibly all outputs of their tiles, and
/// no others.
#[test]
fn a_number_that_is_not_finite_stays_in_the_tiles_that_see_it() {
    let mut rng = Generator::new(7);
    let (height, width) = (13, 18);
    let case = Case::<f32>::new(of_3x3(2, [17, 18, 1], [height, width], [1, 1]), &mut rng);
    let winograd = f32::pick(&METHODS).winograd.as_ref().unwrap();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for (row, column) in [(0, 0), (4, 7), (7, 16), (12, 17)] {
            let mut x = case.x.clone();
            x[(17 + 3) * height * width + row * width + column] = bad;
            let mut y = vec![0.0; case.y.len()];
            (winograd.forward)(&case.sizes, &x, &case.weight, Start::Zero, &mut y);
            for (i, y) in y.iter().enumerate() {
                let (image, at) = (i / (18 * height * width), [i / width % height, i % width]);
                let sees = |from: [usize; 2], size: usize| {
                    let seen = |axis: usize, place: usize| (from[axis]..from[axis] + size + 2).contains(&(place + 1));
                    image == 1 && seen(0, row) && seen(1, column)
                };
                let (direct, tile) = (sees(at, 1), sees(at.map(|at| at / 4 * 4), 4));
                assert!(!direct || !y.is_finite(), "{bad} at {row}, {column}: {y} at {at:?} of image {image}");
                assert!(tile || y.is_finite(), "{bad} at {row}, {column}: {y} at {at:?} of image {image}");
            }
        }
    }
}

/// As documented for the dot products: a non-finite pixel makes the gradients of the taps that see it non-finite,
/// possibly those of all taps of its channel, and no others.
#[test]
fn a_pixel_that_is_not_finite_stays_in_its_channel() {
    let mut rng = Generator::new(11);
    let planes = f32::pick(&METHODS).planes.as_ref().unwrap();
    for (size, kernel, stride, padding) in
        [([4, 9], [2, 3], [1, 1], [0, 0]), ([5, 6], [3, 2], [1, 1], [1, 1]), ([7, 8], [3, 3], [2, 2], [1, 0])]
    {
        let out = [0, 1].map(|axis: usize| (size[axis] + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1);
        let windows = Windows { channels: 3, size, kernel, stride, padding, dilation: [1; 2], out };
        let sizes = Convolution { batch: 2, windows, filters: 2, groups: 2 };
        let case = Case::<f32>::new(sizes, &mut rng);
        for place in 0..case.x.len() {
            let mut x = case.x.clone();
            x[place] = [f32::NAN, f32::INFINITY][place % 2];
            let mut seen = vec![false; case.weight.len()];
            each_product(&sizes, |i, w, _| seen[w] |= i == place);
            let mut dw = vec![0.0; seen.len()];
            (planes.backward_weight)(&sizes, &x, &case.g, &mut dw, Store::Overwrite);
            let channel = place / (size[0] * size[1]) % 6;
            for (i, (dw, seen)) in dw.iter().zip(seen).enumerate() {
                let taps = kernel[0] * kernel[1];
                let of_channel = i / (2 * 3 * taps) * 3 + i / taps % 3 == channel;
                assert!(!seen || !dw.is_finite(), "{size:?}: pixel {place} is not seen in weight {i}");
                assert!(of_channel || dw.is_finite(), "{size:?}: pixel {place} reaches weight {i}");
            }
        }
    }
}

/// Sizes whose padding is far larger than the image: only what the windows see takes memory.
#[test]
fn windows_that_reach_far_beyond_the_image_see_little() {
    const FAR: usize = 1 << 20;
    let windows = Windows {
        channels: 1,
        size: [1; 2],
        kernel: [3; 2],
        stride: [1; 2],
        padding: [FAR; 2],
        dilation: [FAR; 2],
        out: [1; 2],
    };
    let sizes = Convolution { batch: 2, windows, filters: 1, groups: 1 };
    let weight: Vec<f32> = (0..9_u8).map(f32::from).collect();
    let mut y = [f32::NAN; 2];
    forward(sizes, &[2.0, 3.0], &weight, Start::Bias(&[0.5]), &mut y);
    assert_eq!(y, [8.5, 12.5]);
    let mut dx = [f32::NAN; 2];
    backward_input(sizes, &[2.0, 3.0], &weight, Start::Zero, &mut dx);
    assert_eq!(dx, [8.0, 12.0]);
    let mut dw = [f32::NAN; 9];
    backward_weight(sizes, &[2.0, 3.0], &[1.0, 10.0], &mut dw, Store::Overwrite);
    assert_eq!(dw, [0.0, 0.0, 0.0, 0.0, 32.0, 0.0, 0.0, 0.0, 0.0]);
}

/// The largest error of sums over many channels and pixels, relative to the largest result.
#[test]
fn winograd_errs_by_a_few_millionths() {
    let mut rng = Generator::new(8);
    let case = Case::<f32>::new(of_3x3(2, [64, 32, 1], [12, 12], [1, 1]), &mut rng);
    let found = bits(&case, f32::pick(&METHODS).winograd.as_ref().unwrap());
    let mut start = 0;
    for exact in [&case.y, &case.dx, &case.dw] {
        let channels = case.bias[0].len();
        let most = exact.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let error = found[start..start + exact.len()].iter().zip(exact).enumerate().map(|(i, (found, exact))| {
            // the forward pass started from the bias
            let bias = if start == 0 { case.bias[0][i / 144 % channels] } else { 0.0 };
            (f64::from(f32::from_bits(*found)) - exact - f64::from(bias)).abs()
        });
        let error = error.fold(0.0, f64::max);
        assert!(error < 3e-6 * most, "{error} of {most}");
        start += exact.len();
    }
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
        compare(sizes, &mut rng);
        tried += 1;
    }
}

#[test]
fn sizes_beyond_one_block_are_right() {
    let mut rng = Generator::new(9);
    // (batch, channels, filters), size, kernel, stride, padding
    for ((batch, channels, filters), size, kernel, stride, padding) in [
        ((2, 300, 40), [5, 9], [1, 1], [1, 1], [0, 0]),
        ((1, 31, 70), [23, 22], [3, 3], [2, 2], [1, 1]),
        ((7, 3, 13), [21, 27], [7, 7], [2, 2], [3, 3]),
        ((40, 5, 9), [4, 4], [4, 4], [1, 1], [0, 0]),
        ((3, 1, 32), [28, 28], [5, 5], [1, 1], [2, 2]),
        ((2, 4, 3), [1, 700], [1, 9], [1, 3], [0, 4]),
        ((1, 2, 5), [90, 3], [3, 3], [1, 1], [4, 5]),
        ((37, 20, 11), [9, 7], [1, 1], [1, 1], [0, 0]),
        ((2, 260, 9), [6, 19], [3, 3], [1, 2], [1, 1]),
        ((2, 3, 50), [40, 40], [4, 4], [2, 2], [1, 1]),
    ] {
        let out = [0, 1].map(|axis: usize| (size[axis] + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1);
        let windows = Windows { channels, size, kernel, stride, padding, dilation: [1, 1], out };
        compare(Convolution { batch, windows, filters, groups: 1 }, &mut rng);
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
    compare(Convolution { batch: 11, windows, filters: 13, groups: 2 }, &mut Generator::new(1));
}

#[test]
fn the_gradient_of_a_bias_is_a_sum_over_images_and_positions() {
    let x: Vec<f64> = random(4 * 3 * 35, &mut Generator::new(2));
    let mut expected = vec![0.0; 3];
    x.iter().enumerate().for_each(|(i, x)| expected[i / 35 % 3] += x);
    let mut found = vec![f64::NAN; 3];
    sum_channels(&x, 3, 35, &mut found, Store::Overwrite);
    assert_close(&found, &expected, 140);
    sum_channels(&x, 3, 35, &mut found, Store::Add);
    assert_close(&found, &expected.iter().map(|x| 2.0 * x).collect::<Vec<_>>(), 140);
}
