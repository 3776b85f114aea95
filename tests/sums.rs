//! Long sums, means and variances are as good as from f64 sums, wherever the library adds up numbers.
//!
//! The number that is added again and again is 0.1: a running f32 sum of many of them is wrong in the second digit, and
//! one of 20 million stops at 2^24.

use taut::loss::Sum;
use taut::ops::{Norm, Variance};
use taut::prelude::*;

/// Long enough that a running f32 sum of 0.1 is off by more than [`CLOSE`].
const MANY: usize = 300_000;
/// The relative error that is allowed.
const CLOSE: f64 = 1e-5;

fn tenths<S: Shape>(shape: S) -> Tensor<S> {
    Tensor::full_with(shape, 0.1)
}

fn training() -> Tape<Training> {
    Tape::training(&mut StdRng::seed_from_u64(0))
}

#[track_caller]
fn close(found: f32, expected: f64) {
    let error = (f64::from(found) - expected).abs() / expected.abs();
    assert!(error < CLOSE, "{found} instead of {expected}: {error:e}");
}

/// `count` times 0.1f32.
fn times(count: usize) -> f64 {
    count as f64 * f64::from(0.1_f32)
}

#[test]
fn a_running_sum_would_be_noticed() {
    let running: f32 = (0..MANY).fold(0.0, |sum, _| sum + 0.1);
    assert!((f64::from(running) / times(MANY) - 1.0).abs() > 20.0 * CLOSE);
}

#[test]
fn sums_over_every_axis() {
    for width in [1, 2, 3, 31, 64, 130, 300] {
        let rows = MANY / width.min(10);
        let x = tenths((rows, width));
        x.clone().sum_axis::<0>().iter().for_each(|sum| close(sum, times(rows)));
        x.clone().mean_axis::<0>().iter().for_each(|mean| close(mean, times(1)));
        close(x.clone().sum().item(), times(rows * width));
        if width < 10 {
            let turned = tenths((width, rows));
            turned.sum_axis::<1>().iter().for_each(|sum| close(sum, times(rows)));
            let images = tenths((rows, width, 2));
            images.sum_axes::<(Axis<0>, Axis<2>)>().iter().for_each(|sum| close(sum, times(2 * rows)));
        }
    }
    let ones = Tensor::<(usize, Const<2>)>::ones_with((17_000_000, Const));
    assert_eq!(ones.sum_axis::<0>().to_array(), [1.7e7, 1.7e7]);
}

#[test]
fn norms_softmax_and_cumulative_sums() {
    let x = tenths((MANY,));
    close(x.clone().norm(Norm::L1).item(), times(MANY));
    close(x.clone().norm(Norm::L2).item(), (times(1) * times(MANY)).sqrt());
    close(x.clone().logsumexp().item(), times(1) + (MANY as f64).ln());
    close(x.clone().softmax::<0>()[[7]], 1.0 / MANY as f64);
    close(x.clone().cumulative_sum::<0>()[[MANY - 1]], times(MANY));

    let tape = Tape::inference();
    let x = tape.watch(x);
    let upstream = tenths((MANY,));
    close(x.clone().cumulative_sum::<0>().vector_jacobian(upstream).of_input(&x)[[0]], times(MANY));
    let tape = Tape::inference();
    let x = tape.watch(tenths((MANY,)));
    // the gradient of a softmax is a difference from the sum of g y
    let upstream = Tensor::from_fn_with((MANY,), |[i]| if i == 0 { 1.1 } else { 0.1 });
    let gradient = x.clone().softmax::<0>().vector_jacobian(upstream).of_input(&x);
    assert!((f64::from(gradient[[0]]) * MANY as f64 - 1.0).abs() < 1e-4, "{}", gradient[[0]]);
}

#[test]
fn gradients_of_what_is_repeated() {
    let tape = Tape::inference();
    let bias = tape.watch(tenths((3,)));
    let wide = bias.clone().broadcast_to::<(Axis<0>, Axis<2>), _>((MANY / 4, 3, 4));
    wide.vector_jacobian(tenths((MANY / 4, 3, 4))).of_input(&bias).iter().for_each(|g| close(g, times(MANY)));

    let mut rng = StdRng::seed_from_u64(0);
    let (bias, slopes) = (Bias::<3>::init(&mut rng), ChannelPRelu::<3>::init(&mut rng));
    let gradients = bias
        .forward(training().trace(Tensor::<_>::zeros_with((MANY, Const::<3>))))
        .vector_jacobian(tenths((MANY, Const)));
    gradients.of(&bias.bias).iter().for_each(|g| close(g, times(MANY)));
    let gradients =
        slopes.forward(training().trace(-tenths((MANY, Const::<3>)))).vector_jacobian(Tensor::ones_with((MANY, Const)));
    gradients.of(&slopes.weight).iter().for_each(|g| close(-g, times(MANY)));
}

/// One element broadcast to many positions: its gradient is a long sum.
#[test]
fn gradients_of_what_is_taken_again_and_again() {
    type X = Tensor<(usize, Const<2>), f32, Traced<Inference>>;
    fn gradient<S: Shape>(rows: usize, f: impl Fn(X) -> Tensor<S, f32, Traced<Inference>>) -> Vec<f32> {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::ones_with((rows, Const)));
        let y = f(x.clone());
        let upstream = tenths(y.shape());
        y.vector_jacobian(upstream).of_input(&x).to_vec()
    }
    for rows in [1, 3, 1_000_000] {
        let first = Tensor::<(usize,), usize>::zeros_with((MANY,));
        let cells = Tensor::<(usize, Const<2>), usize>::zeros_with((MANY, Const));
        for g in [
            gradient(rows, |x| x.index_select::<0, _>(&first)),
            gradient(rows, |x| x.gather::<0, _>(&cells)),
            gradient(rows, |x| x.slice_range::<0>(0..1).repeat::<0, MANY>()),
        ] {
            g[..2].iter().for_each(|&g| close(g, times(MANY)));
            assert!(g[2..].iter().all(|&g| g == 0.0));
        }
        let counted = Tensor::<_>::zeros_with((rows,)).scatter_add::<0, _, _>(&first, tenths((MANY,)));
        close(counted[[0]], times(MANY));
    }
}

#[test]
fn gradients_of_weights_over_the_batch() {
    let mut rng = StdRng::seed_from_u64(0);
    let layer = Linear::<2, 3>::init(&mut rng);
    let gradients =
        layer.forward(training().trace(Tensor::<_>::ones_with((MANY, Const)))).vector_jacobian(tenths((MANY, Const)));
    gradients.of(&layer.weight).iter().chain(gradients.of(&layer.bias).iter()).for_each(|g| close(g, times(MANY)));
    let narrow = Linear::<1, 1>::init(&mut rng);
    let gradients =
        narrow.forward(training().trace(Tensor::<_>::ones_with((MANY, Const)))).vector_jacobian(tenths((MANY, Const)));
    gradients.of(&narrow.weight).iter().for_each(|g| close(g, times(MANY)));

    // many small images
    let convolution = Conv2d::<1, 2, 1>::init(&mut rng);
    let images = MANY / 16;
    let y = convolution.forward(training().trace(Tensor::<_>::ones_with((images, Const::<1>, Const::<4>, Const::<4>))));
    let gradients = y.vector_jacobian(tenths((images, Const, Const, Const)));
    gradients.of(&convolution.weight).iter().for_each(|g| close(g, times(MANY)));
    gradients.of(&convolution.bias).iter().for_each(|g| close(g, times(MANY)));

    let table = Embedding::<4, 2>::init(&mut rng);
    let tokens = Tensor::<(usize,), usize>::zeros_with((MANY,));
    let gradients = table.forward(training().trace(tokens)).vector_jacobian(tenths((MANY, Const)));
    gradients.of(&table.weight).iter().take(2).for_each(|g| close(g, times(MANY)));

    let norm = LayerNorm::<2>::init(&mut rng);
    let x = Tensor::<(usize, Const<2>)>::from_fn_with((MANY, Const), |[_, j]| j as f32);
    let gradients = norm.forward(training().trace(x)).vector_jacobian(tenths((MANY, Const)));
    gradients.of(&norm.bias).iter().for_each(|g| close(g, times(MANY)));
    let norm = BatchNorm1d::<2>::init(&mut rng);
    let x = Tensor::<(usize, Const<2>)>::from_fn_with((MANY, Const), |[i, _]| (i % 2) as f32);
    let gradients = norm.forward(training().trace(x)).vector_jacobian(tenths((MANY, Const)));
    gradients.of(&norm.bias).iter().for_each(|g| close(g, times(MANY)));
}

#[test]
fn products_of_long_rows() {
    for (rows, columns) in [(1, 1), (1, 3), (3, 1), (5, 7)] {
        let (a, b) = (tenths((rows, MANY)), Tensor::<_>::ones_with((MANY, columns)));
        a.matmul(b).iter().for_each(|y| close(y, times(MANY)));
        let (a, b) = (tenths((MANY, rows)).transpose(), Tensor::<_>::ones_with((columns, MANY)).transpose());
        a.matmul(b).iter().for_each(|y| close(y, times(MANY)));
    }
}

#[test]
fn means_of_images() {
    let x = tenths((2, Const::<1>, 500, 600));
    GlobalAvgPool2d.forward(x).iter().for_each(|y| close(y, times(1)));
    let pool = AvgPool2d::<200>;
    pool.forward(tenths((1, 1, 400, 401))).iter().for_each(|y| close(y, times(1)));
}

#[test]
fn losses_of_many_samples() {
    let (zeros, ones) = (Tensor::<_>::zeros_with((MANY,)), Tensor::<_>::full_with((MANY,), 0.1_f32.sqrt()));
    let expected = f64::from(0.1_f32.sqrt()).powi(2);
    close(zeros.clone().mean_squared_error(&ones).item(), expected);
    close(zeros.mean_squared_error_with(&ones, Sum).item(), expected * MANY as f64);
    let logits = Tensor::<_>::zeros_with((MANY, Const::<2>));
    let labels = Tensor::<(usize,), usize>::zeros_with((MANY,));
    close(logits.clone().cross_entropy(&labels).item(), std::f64::consts::LN_2);
    // many classes
    let logits = Tensor::<_>::zeros_with((1, MANY));
    let labels = Tensor::<_>::full_with((1, MANY), 1.0 / MANY as f32);
    close(logits.cross_entropy(&labels).item(), (MANY as f64).ln());
}

#[test]
fn variances() {
    for (rows, columns) in [(MANY, 1), (1, MANY), (MANY / 3, 3)] {
        let x = Tensor::<_>::from_fn_with((rows, columns), |[i, j]| 1e4 + ((i + j) % 2) as f32 * 0.5);
        close(x.clone().var(Variance::Biased).item(), 0.0625);
        x.var_axis::<0>(Variance::Biased).iter().filter(|_| rows > 1).for_each(|variance| close(variance, 0.0625));
    }
}

/// The largest difference between `layer` of x, in f32, and the formula in f64 for every group of `group` numbers of x,
/// which `place` finds.
fn worst(y: &[f32], x: &[f32], groups: usize, group: usize, place: impl Fn(usize, usize) -> usize) -> f64 {
    let mut worst: f64 = 0.0;
    for g in 0..groups {
        let values: Vec<f64> = (0..group).map(|i| f64::from(x[place(g, i)])).collect();
        let mean = values[0] + values.iter().map(|x| x - values[0]).sum::<f64>() / group as f64;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / group as f64;
        for (i, x) in values.iter().enumerate() {
            let expected = (x - mean) / (variance + 1e-5).sqrt();
            let found = f64::from(y[place(g, i)]);
            // NaN is not below anything
            worst = if (found - expected).abs() <= worst {
                worst
            } else {
                (found - expected).abs() / expected.abs().max(1.0)
            };
        }
    }
    worst
}

/// Numbers with this mean and spread: all the same, few different ones, or random.
fn values(count: usize, mean: f32, spread: f32, rng: &mut StdRng) -> Vec<f32> {
    let noise = Tensor::<_>::normal_with((count,), 0.0, 1.0, rng);
    noise.iter().map(|noise| mean + spread * noise).collect()
}

const MEANS: [f32; 8] = [0.0, 0.1, 2024.0, 33_333.332, -1000.1, 123_456.7, 1e6, -1e20];
const SPREADS: [f32; 5] = [0.0, 1e-4, 0.7, 100.0, 1e18];

#[test]
fn batch_norm_of_any_mean_and_spread() {
    let mut rng = StdRng::seed_from_u64(0);
    for (batch, positions) in [(2, 1), (4096, 1), (100_000, 1), (7, 3), (64, 49), (4, 4096), (3, 1030)] {
        for (mean, spread) in MEANS.iter().flat_map(|&mean| SPREADS.map(|spread| (mean, spread))) {
            let x = values(batch * 2 * positions, mean, spread, &mut rng);
            let layer = BatchNorm2d::<2>::init(&mut rng);
            let shape = (batch, Const::<2>, positions, Const::<1>);
            let tape = Tape::training(&mut rng);
            let y = layer.forward(tape.watch(Tensor::from_vec(x.clone(), shape).unwrap()));
            let place = |c: usize, i: usize| (i / positions * 2 + c) * positions + i % positions;
            let found = worst(y.as_slice(), &x, 2, batch * positions, place);
            assert!(found < 4e-6, "{batch} x 2 x {positions} of {mean} and {spread}: {found:e}");
            assert!(y.sum().backward().is_finite());
            if batch == 100_000 && spread > 0.0 {
                break;
            }
        }
    }
}

/// The same for rows of 2 x `GROUPS` x 2 x `positions` numbers.
fn rows<const WIDTH: usize>(rng: &mut StdRng) {
    for (mean, spread) in MEANS.iter().flat_map(|&mean| SPREADS.map(|spread| (mean, spread))) {
        let x = values(3 * WIDTH, mean, spread, rng);
        let layer = LayerNorm::<WIDTH>::init(rng);
        let tape = Tape::training(rng);
        let y = layer.forward(tape.watch(Tensor::from_vec(x.clone(), (3, Const::<WIDTH>)).unwrap()));
        let found = worst(y.as_slice(), &x, 3, WIDTH, |row, i| row * WIDTH + i);
        assert!(found < 4e-6, "LayerNorm<{WIDTH}> of {mean} and {spread}: {found:e}");
        assert!(y.sum().backward().is_finite());

        let layer = GroupNorm::<2, 4>::init(rng);
        let x = values(3 * 4 * WIDTH, mean, spread, rng);
        let y = layer.forward(Tensor::from_vec(x.clone(), (3, Const::<4>, WIDTH)).unwrap());
        let found = worst(y.as_slice(), &x, 6, 2 * WIDTH, |row, i| row * 2 * WIDTH + i);
        assert!(found < 4e-6, "GroupNorm over {WIDTH} positions, of {mean} and {spread}: {found:e}");
    }
}

#[test]
fn layer_and_group_norm_of_any_mean_and_spread() {
    let mut rng = StdRng::seed_from_u64(0);
    rows::<2>(&mut rng);
    rows::<7>(&mut rng);
    rows::<100>(&mut rng);
    rows::<768>(&mut rng);
    rows::<3000>(&mut rng);
}

#[test]
fn constant_rows_become_zero_and_inference_subtracts_first() {
    let mut rng = StdRng::seed_from_u64(0);
    for value in [1000.1_f32, 123_456.7, 33_333.332, 2024.0, 1e-30, 3e38] {
        let y = LayerNorm::<768>::init(&mut rng).forward(Tensor::full_with((2, Const::<768>), value));
        assert!(y.iter().all(|y| y == 0.0), "{value}");
        let layer = BatchNorm1d::<1>::init(&mut rng);
        let y = layer.forward(Tape::training(&mut rng).trace(Tensor::full_with((4096, Const::<1>), value)));
        assert!(y.iter().all(|y| y == 0.0), "{value}");
    }
    let mut layer = BatchNorm1d::<1>::init(&mut rng);
    *layer.running_mean.value_mut() = Tensor::from([1e6_f32]);
    let y = layer.forward(Tensor::from([[1e6_f32], [1e6 + 1.0]]));
    assert!(y[[0, 0]] == 0.0 && (y[[1, 0]] - 1.0).abs() < 1e-5, "{y:?}");
}

/// The bits of forward and backward passes large enough for several threads.
fn bits() -> Vec<u32> {
    let mut rng = StdRng::seed_from_u64(0);
    let tape = Tape::training(&mut StdRng::seed_from_u64(1));
    let x = tape.watch(Tensor::<_>::normal_with((70_000, Const::<3>), 5.0, 2.0, &mut rng));
    let images = tape.watch(Tensor::<_>::normal_with((40, Const::<8>, 30, 31), 5.0, 2.0, &mut rng));
    let (batch, layer) = (BatchNorm1d::<3>::init(&mut rng), LayerNorm::<3>::init(&mut rng));
    let (channels, group) = (BatchNorm2d::<8>::init(&mut rng), GroupNorm::<2, 8>::init(&mut rng));
    let losses = [
        x.clone().sum_axis::<0>().square().sum(),
        batch.forward(x.clone()).tanh().sum_axis::<0>().square().sum(),
        layer.forward(x.clone()).tanh().mean(),
        channels.forward(images.clone()).tanh().var(Variance::Unbiased),
        group.forward(images.clone()).tanh().norm(Norm::L2),
        x.clone().transpose().matmul(x.clone()).sum(),
    ];
    let mut bits: Vec<u32> = losses.iter().map(|loss| loss.item().to_bits()).collect();
    let gradients = losses.into_iter().reduce(|a, b| a + b).unwrap().backward();
    let all = [gradients.of_input(&x).to_vec(), gradients.of_input(&images).to_vec()];
    bits.extend(all.iter().flatten().map(|g| g.to_bits()));
    let parameters = [&layer.weight, &layer.bias, &batch.weight, &batch.bias].map(|p| gradients.of(p).to_vec());
    bits.extend(parameters.iter().flatten().map(|g| g.to_bits()));
    bits.extend(gradients.of(&group.weight).iter().map(f32::to_bits));
    bits
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(bits);
    let one = on(1);
    assert!([2, 3, 5].into_iter().all(|threads| on(threads) == one));
}
