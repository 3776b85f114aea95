//! Normalising to mean 0 and variance 1: each channel over a batch, or each row for itself.

use super::{parallel, vectorized};
use crate::numbers::Float;

/// Numbers as (batch, channels, positions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planes {
    pub batch: usize,
    pub channels: usize,
    pub positions: usize,
}

impl Planes {
    /// How many numbers each channel has.
    pub fn samples(&self) -> usize {
        self.batch * self.positions
    }
}

/// How many sums of one channel are computed next to each other.
const LANES: usize = 32;

/// How many channels are looked at together where positions are few: a cache line or two of neighbouring numbers.
const CHANNEL_BLOCK: usize = 32;

vectorized! {
    /// For each of a block of channels, the sums over batch and positions of the two numbers that `f` makes of each element
    /// of `x` and of how far that of `other` is from the channel's `mean`.
    fn channel_sums [E: Float, F: Fn(E, E) -> [E; 2]] [E, F] (
        planes: Planes, x: &[E], other: &[E], first: usize, mean: &[E], out: &mut [[E; 2]], f: &F
    ) {
        let Planes { batch, channels, positions } = planes;
        out.fill([E::zero(); 2]);
        for image in 0..batch {
            for (block, (out, &mean)) in out.iter_mut().zip(mean).enumerate() {
                let start = (image * channels + first + block) * positions;
                let (chunks, rest) = x[start..start + positions].as_chunks::<LANES>();
                let (others, other_rest) = other[start..start + positions].as_chunks::<LANES>();
                // independent sums: the adders overlap, and long sums stay accurate
                let mut sums = [[E::zero(); LANES]; 2];
                for (values, others) in chunks.iter().zip(others) {
                    for lane in 0..LANES {
                        let [a, b] = f(values[lane], others[lane] - mean);
                        sums[0][lane] += a;
                        sums[1][lane] += b;
                    }
                }
                for (&value, &other) in rest.iter().zip(other_rest) {
                    let [a, b] = f(value, other - mean);
                    sums[0][0] += a;
                    sums[1][0] += b;
                }
                for (out, sums) in out.iter_mut().zip(sums) {
                    *out += sums.into_iter().fold(E::zero(), |sum, lane| sum + lane);
                }
            }
        }
    }
}

/// The sums of [`channel_sums`] for each channel, in parallel over blocks of channels.
fn each_channel<E: Float>(
    planes: Planes,
    [x, other]: [&[E]; 2],
    mean: &[E],
    f: impl Fn(E, E) -> [E; 2] + Sync,
) -> Vec<[E; 2]> {
    let mut sums = vec![[E::zero(); 2]; planes.channels];
    // small blocks, so that a layer of few channels is split too: a channel's sum does not depend on its block
    let width = planes.channels.div_ceil(8).clamp(1, CHANNEL_BLOCK);
    parallel::chunks(&mut sums, width, parallel::worthwhile(x.len(), parallel::CHEAP), |i, out| {
        let first = i * width;
        channel_sums(planes, x, other, first, &mean[first..], out, &f);
    });
    sums
}

/// The mean and the (biased) variance of each channel.
///
/// Two passes: the variance from the differences to the mean, which does not cancel however far from 0 the mean is.
pub fn channel_statistics<E: Float>(planes: Planes, x: &[E], mean: &mut [E], variance: &mut [E]) {
    let factor = E::one() / E::of(planes.samples() as f64);
    mean.fill(E::zero());
    let sums = each_channel(planes, [x; 2], mean, |x, _| [x, E::zero()]);
    for (mean, [sum, _]) in mean.iter_mut().zip(sums) {
        *mean = sum * factor;
    }
    let deviations = each_channel(planes, [x; 2], mean, |_, difference| [difference * difference, difference]);
    for (variance, [squares, rest]) in variance.iter_mut().zip(deviations) {
        // what the differences do not cancel is the rounding error of the mean
        *variance = (squares - rest * rest * factor) * factor;
    }
}

vectorized! {
    fn scale_shift_planes [E: Float] [E] (planes: Planes, x: &[E], scale: &[E], shift: &[E], y: &mut [E], start: usize) {
        let Planes { channels, positions, .. } = planes;
        for (i, (x, y)) in x.chunks_exact(positions).zip(y.chunks_exact_mut(positions)).enumerate() {
            let channel = (start + i) % channels;
            let (scale, shift) = (scale[channel], shift[channel]);
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = x * scale + shift);
        }
    }
}

/// `y = x scale + shift`, both by channel.
pub fn scale_shift<E: Float>(planes: Planes, x: &[E], scale: &[E], shift: &[E], y: &mut [E]) {
    if x.is_empty() {
        return;
    }
    parallel::rows(y, planes.positions, parallel::CHEAP, |first, y| {
        let start = first * planes.positions;
        scale_shift_planes(planes, &x[start..start + y.len()], scale, shift, y, first);
    });
}

/// For each channel, the sums of g and of g (x - mean).
pub fn gradient_sums<E: Float>(planes: Planes, x: &[E], g: &[E], mean: &[E]) -> Vec<[E; 2]> {
    each_channel(planes, [g, x], mean, |g, difference| [g, g * difference])
}

vectorized! {
    fn input_planes [E: Float] [E] (planes: Planes, x: &[E], g: &mut [E], factors: &[[E; 3]], start: usize) {
        let Planes { channels, positions, .. } = planes;
        for (i, (x, g)) in x.chunks_exact(positions).zip(g.chunks_exact_mut(positions)).enumerate() {
            let [of_g, of_x, constant] = factors[(start + i) % channels];
            g.iter_mut().zip(x).for_each(|(g, &x)| *g = *g * of_g + x * of_x + constant);
        }
    }
}

/// `g = a g + b x + c`, with a, b and c by channel: the gradient of a normalised input.
pub fn input_gradient<E: Float>(planes: Planes, x: &[E], g: &mut [E], factors: &[[E; 3]]) {
    if x.is_empty() {
        return;
    }
    parallel::rows(g, planes.positions, parallel::CHEAP, |first, g| {
        let start = first * planes.positions;
        input_planes(planes, &x[start..start + g.len()], g, factors, first);
    });
}

/// Rows that are normalised each for itself: `width` numbers, of which each run of `positions` shares one scale and one
/// shift; row i uses those from `i % groups * width / positions` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    pub width: usize,
    pub positions: usize,
    pub groups: usize,
}

impl Rows {
    /// How many scales one row uses.
    fn affine(&self) -> usize {
        self.width / self.positions.max(1)
    }
}

vectorized! {
    fn normalize_part [E: Float] [E] (
        rows: Rows, x: &[E], affine: Option<(&[E], &[E])>, epsilon: E, y: &mut [E], statistics: &mut [[E; 2]], start: usize
    ) {
        let count = E::one() / E::of(rows.width as f64);
        for (i, (x, y)) in x.chunks_exact(rows.width).zip(y.chunks_exact_mut(rows.width)).enumerate() {
            let mean = lanes(x, |x| x) * count;
            let variance = lanes(x, |x| (x - mean) * (x - mean)) * count;
            let inverse = E::one() / (variance + epsilon).sqrt();
            statistics[i] = [mean, inverse];
            match affine {
                None => y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - mean) * inverse),
                Some((scale, shift)) => {
                    let first = (start + i) % rows.groups * rows.affine();
                    let affine = scale[first..].iter().zip(&shift[first..]);
                    if rows.positions == 1 {
                        for ((y, &x), (&scale, &shift)) in y.iter_mut().zip(x).zip(affine) {
                            *y = (x - mean) * inverse * scale + shift;
                        }
                    } else {
                        let runs = y.chunks_exact_mut(rows.positions).zip(x.chunks_exact(rows.positions));
                        for ((y, x), (&scale, &shift)) in runs.zip(affine) {
                            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - mean) * inverse * scale + shift);
                        }
                    }
                }
            }
        }
    }
}

/// The sum of `f` over a row, in sixteen independent lanes.
#[inline(always)]
fn lanes<E: Float>(x: &[E], f: impl Fn(E) -> E) -> E {
    let mut sums = [E::zero(); 16];
    let chunks = x.chunks_exact(16);
    let rest = chunks.remainder();
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, &x)| *sum += f(x));
    }
    let tail = rest.iter().fold(E::zero(), |sum, &x| sum + f(x));
    sums.into_iter().fold(tail, |sum, lane| sum + lane)
}

/// `y = (x - mean) / sqrt(variance + epsilon) scale + shift` for each row, and its [mean, 1 / sqrt(..)].
pub fn normalize_rows<E: Float>(
    rows: Rows,
    x: &[E],
    affine: Option<(&[E], &[E])>,
    epsilon: E,
    y: &mut [E],
    statistics: &mut [[E; 2]],
) {
    if x.is_empty() {
        return;
    }
    // rows that one task takes, fixed by the sizes
    let task = (1_usize << 14).div_ceil(rows.width).max(1);
    let width = task * rows.width;
    let many = parallel::worthwhile(x.len(), parallel::CHEAP);
    parallel::chunks_of_two(y, statistics, [width, task], many, &|i, y, statistics| {
        normalize_part(rows, &x[i * width..][..y.len()], affine, epsilon, y, statistics, i * task);
    });
}

/// The gradients of [`normalize_rows`]: `g` becomes that of x; those of scale and shift are added to.
pub fn normalize_rows_backward<E: Float>(
    rows: Rows,
    x: &[E],
    statistics: &[[E; 2]],
    scale: Option<&[E]>,
    g: &mut [E],
    mut affine: Option<(&mut [E], &mut [E])>,
) {
    vectorized! {
        fn row [E: Float] [E] (x: &[E], statistics: [E; 2], scale: Option<&[E]>, positions: usize, g: &mut [E]) {
            let [mean, inverse] = statistics;
            if let Some(scale) = scale {
                g.chunks_exact_mut(positions).zip(scale).for_each(|(g, &scale)| g.iter_mut().for_each(|g| *g *= scale));
            }
            // dx = inverse (g - mean(g) - n mean(g n)), with n the normalised row
            let count = E::one() / E::of(x.len() as f64);
            let mean_g = lanes(g, |g| g) * count;
            let mut products = [E::zero(); 16];
            for (g, x) in g.chunks(16).zip(x.chunks(16)) {
                for ((sum, &g), &x) in products.iter_mut().zip(g).zip(x) {
                    *sum += g * (x - mean);
                }
            }
            let mean_gn = products.into_iter().fold(E::zero(), |sum, lane| sum + lane) * inverse * count;
            for (g, &x) in g.iter_mut().zip(x) {
                *g = inverse * (*g - mean_g - (x - mean) * inverse * mean_gn);
            }
        }
    }
    if x.is_empty() {
        return;
    }
    for (i, (x, g)) in x.chunks_exact(rows.width).zip(g.chunks_exact_mut(rows.width)).enumerate() {
        let first = i % rows.groups * rows.affine();
        let [mean, inverse] = statistics[i];
        if let Some((d_scale, d_shift)) = &mut affine {
            let sums = d_scale[first..].iter_mut().zip(&mut d_shift[first..]);
            for ((g, x), (d_scale, d_shift)) in
                g.chunks_exact(rows.positions).zip(x.chunks_exact(rows.positions)).zip(sums)
            {
                for (&g, &x) in g.iter().zip(x) {
                    *d_scale += g * (x - mean) * inverse;
                    *d_shift += g;
                }
            }
        }
        row(x, statistics[i], scale.map(|scale| &scale[first..first + rows.affine()]), rows.positions, g);
    }
}
