//! Normalising to mean 0 and variance 1: each channel over a batch, or each row on its own.
//!
//! Forward, memory is read twice: once for mean and variance ([`Moments`]), once to normalise.

use super::moments::{Moments, split};
use super::reduce::block_sums;
use super::vectorized::wide_pays;
use super::{parallel, vectorized};
use crate::memory::Storage;
use crate::numbers::Float;
use std::sync::Mutex;

/// The normalisation n = ((x - mean) - rest) inverse, to mean 0 and variance 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal<E> {
    /// The mean, rounded.
    mean: E,
    /// The rounding error of the mean. Without it, numbers that differ only in their last bits would not have mean 0
    /// when normalised.
    rest: E,
    /// 1 / sqrt(variance + epsilon)
    pub inverse: E,
}

impl<E: Float> Default for Normal<E> {
    fn default() -> Self {
        Normal { mean: E::zero(), rest: E::zero(), inverse: E::zero() }
    }
}

impl<E: Float> Normal<E> {
    /// From the mean, the variance and epsilon.
    #[inline(always)]
    pub fn new(mean: f64, variance: f64, epsilon: f64) -> Self {
        let [mean, rest] = split(mean);
        let deviation = (variance + epsilon).sqrt();
        // equal numbers become 0, even if epsilon is 0
        Normal { mean, rest, inverse: if deviation == 0.0 { E::zero() } else { E::of(1.0 / deviation) } }
    }

    #[inline(always)]
    fn of(&self, x: E) -> E {
        ((x - self.mean) - self.rest) * self.inverse
    }
}

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

/// The number of channels processed together where positions are few: a cache line or two of neighbouring numbers.
const CHANNEL_BLOCK: usize = 32;
/// Planes shorter than half of this are copied together, until there are about this many numbers of each channel.
const GATHERED: usize = 256;

/// Runs `f(channel, pieces)` with the numbers of every channel in pieces, in order, in parallel over blocks of
/// channels; `out` has one entry per channel.
fn each_channel<E: Float, R: Send, const N: usize>(
    planes: Planes,
    arrays: [&[E]; N],
    out: &mut [R],
    f: &(dyn Fn(usize, &mut R, [&[E]; N]) + Sync),
) {
    let Planes { batch, channels, positions } = planes;
    if batch * positions == 0 {
        return;
    }
    // small blocks, so that a layer of few channels is split too: a channel's result does not depend on its block
    let width = channels.div_ceil(8).clamp(1, CHANNEL_BLOCK);
    let images = (GATHERED / positions).max(1);
    parallel::chunks(out, width, parallel::worthwhile(arrays[0].len(), parallel::CHEAP), |block, out| {
        let first = block * width;
        if images == 1 {
            for image in 0..batch {
                for (i, out) in out.iter_mut().enumerate() {
                    let start = (image * channels + first + i) * positions;
                    f(first + i, out, arrays.map(|array| &array[start..start + positions]));
                }
            }
            return;
        }
        // not a power of two apart, so that channels do not compete for the same cache set
        let apart = images * positions + 16;
        let mut buffer = Storage::scratch(N * out.len() * apart);
        let buffer = buffer.make_mut();
        for start in (0..batch).step_by(images) {
            let images = images.min(batch - start);
            for (array, lines) in arrays.iter().zip(buffer.chunks_exact_mut(out.len() * apart)) {
                for image in 0..images {
                    let from = &array[((start + image) * channels + first) * positions..][..out.len() * positions];
                    for (line, from) in lines.chunks_exact_mut(apart).zip(from.chunks_exact(positions)) {
                        // a loop, as the copies are too short for a call
                        for (to, &from) in line[image * positions..].iter_mut().zip(from) {
                            *to = from;
                        }
                    }
                }
            }
            for (i, out) in out.iter_mut().enumerate() {
                let line = |n: usize| &buffer[(n * width.min(channels - first) + i) * apart..][..images * positions];
                f(first + i, out, std::array::from_fn(line));
            }
        }
    });
}

/// Mean and variance of each channel.
pub fn channel_moments<E: Float>(planes: Planes, x: &[E]) -> Vec<Moments> {
    let mut moments = vec![Moments::default(); planes.channels];
    each_channel(planes, [x], &mut moments, &|_, moments, [x]| moments.add(x));
    moments
}

vectorized! {
    fn scale_shift_planes [E: Float] [E] (
        planes: Planes, x: &[E], normal: &[Normal<E>], affine: Option<[&[E]; 2]>, y: &mut [E], start: usize
    ) {
        let Planes { channels, positions, .. } = planes;
        for (i, (x, y)) in x.chunks_exact(positions).zip(y.chunks_exact_mut(positions)).enumerate() {
            let channel = (start + i) % channels;
            let normal = normal[channel];
            let [scale, shift] = affine.map_or([E::one(), E::zero()], |affine| affine.map(|numbers| numbers[channel]));
            for (y, &x) in y.iter_mut().zip(x) {
                *y = normal.of(x) * scale + shift;
            }
        }
    }
}

/// `y = n scale + shift`, each by channel, with n the normalised x.
pub fn normalize_channels<E: Float>(
    planes: Planes,
    x: &[E],
    normal: &[Normal<E>],
    affine: Option<[&[E]; 2]>,
    y: &mut [E],
) {
    if x.is_empty() {
        return;
    }
    parallel::rows(y, planes.positions, parallel::CHEAP, |first, y| {
        let start = first * planes.positions;
        scale_shift_planes(planes, &x[start..start + y.len()], normal, affine, y, first);
    });
}

vectorized! {
    wide(wide_pays::<E>(true))
    /// Adds the sums of g and of g n, with n the normalised x.
    fn add_gradient_sums [E: Float] [E] (sums: &mut [f64; 2], normal: Normal<E>, g: &[E], x: &[E]) {
        let [of_g, of_gn] = block_sums(g, x, |g, x| [g, g * normal.of(x)]);
        sums[0] += of_g;
        sums[1] += of_gn;
    }
}

/// For each channel, the sums of g and of g n, with n the normalised x.
pub fn gradient_sums<E: Float>(planes: Planes, x: &[E], g: &[E], normal: &[Normal<E>]) -> Vec<[f64; 2]> {
    let mut sums = vec![[0.0; 2]; planes.channels];
    each_channel(planes, [g, x], &mut sums, &|c, sums, [g, x]| add_gradient_sums(sums, normal[c], g, x));
    sums
}

vectorized! {
    fn input_planes [E: Float] [E] (
        planes: Planes, x: &[E], g: &mut [E], normal: &[Normal<E>], factors: &[[E; 3]], start: usize
    ) {
        let Planes { channels, positions, .. } = planes;
        for (i, (x, g)) in x.chunks_exact(positions).zip(g.chunks_exact_mut(positions)).enumerate() {
            let channel = (start + i) % channels;
            let ([of_g, of_n, constant], normal) = (factors[channel], normal[channel]);
            for (g, &x) in g.iter_mut().zip(x) {
                *g = *g * of_g + normal.of(x) * of_n + constant;
            }
        }
    }
}

/// `g = a g + b n + c`, with a, b and c by channel, and n the normalised x: the gradient of x.
pub fn input_gradient<E: Float>(planes: Planes, x: &[E], g: &mut [E], normal: &[Normal<E>], factors: &[[E; 3]]) {
    if x.is_empty() {
        return;
    }
    parallel::rows(g, planes.positions, parallel::CHEAP, |first, g| {
        let start = first * planes.positions;
        input_planes(planes, &x[start..start + g.len()], g, normal, factors, first);
    });
}

/// Rows that are normalised individually: `width` numbers, of which each run of `positions` shares one scale and one
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
    wide(wide_pays::<E>(true)) fn normalize_part [E: Float] [E] (
        rows: Rows, x: &[E], affine: [&[E]; 2], epsilon: f64, y: &mut [E], normals: &mut [Normal<E>], start: usize
    ) {
        for (i, (x, y)) in x.chunks_exact(rows.width).zip(y.chunks_exact_mut(rows.width)).enumerate() {
            let mut moments = Moments::default();
            moments.add_inline(x);
            let normal = Normal::new(moments.mean(), moments.variance(), epsilon);
            normals[i] = normal;
            let first = (start + i) % rows.groups * rows.affine();
            let affine = affine[0][first..].iter().zip(&affine[1][first..]);
            if rows.positions == 1 {
                for ((y, &x), (&scale, &shift)) in y.iter_mut().zip(x).zip(affine) {
                    *y = normal.of(x) * scale + shift;
                }
            } else {
                let runs = y.chunks_exact_mut(rows.positions).zip(x.chunks_exact(rows.positions));
                for ((y, x), (&scale, &shift)) in runs.zip(affine) {
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = normal.of(x) * scale + shift;
                    }
                }
            }
        }
    }
}

/// `y = n scale + shift` for each row, with n the normalised x, and how each row was normalised.
pub fn normalize_rows<E: Float>(
    rows: Rows,
    x: &[E],
    affine: [&[E]; 2],
    epsilon: f64,
    y: &mut [E],
    normals: &mut [Normal<E>],
) {
    if x.is_empty() {
        return;
    }
    // rows that one task takes, fixed by the sizes
    let task = (1_usize << 14).div_ceil(rows.width);
    let many = parallel::worthwhile(x.len(), parallel::CHEAP);
    let width = task * rows.width;
    parallel::chunks_of_two(y, normals, [width, task], many, &|i, y, normals| {
        normalize_part(rows, &x[i * width..][..y.len()], affine, epsilon, y, normals, i * task);
    });
}

vectorized! {
    wide(wide_pays::<E>(true))
    /// Adds g n and g of a row to the sums of each run of `positions`.
    fn add_affine_gradients [E: Float] [E] (
        normal: Normal<E>, positions: usize, g: &[E], x: &[E], d_scale: &mut [E], d_shift: &mut [E]
    ) {
        let sums = d_scale.iter_mut().zip(d_shift);
        if positions == 1 {
            for ((&g, &x), (d_scale, d_shift)) in g.iter().zip(x).zip(sums) {
                *d_scale += g * normal.of(x);
                *d_shift += g;
            }
        } else {
            for ((g, x), (d_scale, d_shift)) in g.chunks_exact(positions).zip(x.chunks_exact(positions)).zip(sums) {
                let [of_g, of_gn] = block_sums(g, x, |g, x| [g, g * normal.of(x)]);
                *d_shift += E::of(of_g);
                *d_scale += E::of(of_gn);
            }
        }
    }
}

vectorized! {
    /// Makes g, a row, the gradient of x.
    fn row_gradient [E: Float] [E] (normal: Normal<E>, scale: &[E], positions: usize, x: &[E], g: &mut [E]) {
        if positions == 1 {
            for (g, &scale) in g.iter_mut().zip(scale) {
                *g *= scale;
            }
        } else {
            for (g, &scale) in g.chunks_exact_mut(positions).zip(scale) {
                for g in g {
                    *g *= scale;
                }
            }
        }
        // dx = inverse (g - mean(g) - n mean(g n)), with n the normalised row
        let mut sums = [0.0; 2];
        add_gradient_sums(&mut sums, normal, g, x);
        let [mean_g, mean_gn] = sums.map(|sum| E::of(sum / x.len() as f64));
        for (g, &x) in g.iter_mut().zip(x) {
            *g = normal.inverse * (*g - mean_g - normal.of(x) * mean_gn);
        }
    }
}

/// How many rows' gradients of scale and shift are added up in their own type; what follows is added in f64.
const FEW_ROWS: usize = 32;

/// The gradients of [`normalize_rows`]: `g` becomes that of x. If `affine`, returns those of scale and shift.
pub fn normalize_rows_backward<E: Float>(
    rows: Rows,
    x: &[E],
    normals: &[Normal<E>],
    scale: &[E],
    g: &mut [E],
    affine: bool,
) -> [Storage<E>; 2] {
    let channels = if affine { scale.len() } else { 0 };
    let mut totals = [vec![0.0; channels], vec![0.0; channels]];
    if !x.is_empty() {
        // whole samples, and many more numbers than the sums of a task
        let task = (16 * channels).max(1 << 14).div_ceil(rows.width).next_multiple_of(rows.groups);
        let width = task * rows.width;
        let partial = Mutex::new(vec![0.0; normals.len().div_ceil(task) * 2 * channels]);
        parallel::chunks(g, width, parallel::worthwhile(x.len(), parallel::CHEAP), |i, g| {
            let mut sums = vec![E::zero(); 2 * channels];
            let mut totals = vec![0.0; 2 * channels];
            let x = &x[i * width..][..g.len()];
            let places = x.chunks_exact(rows.width).zip(g.chunks_exact_mut(rows.width)).zip(&normals[i * task..]);
            for (number, ((x, g), &normal)) in places.enumerate() {
                let first = number % rows.groups * rows.affine();
                if affine {
                    let (d_scale, d_shift) = sums.split_at_mut(channels);
                    let (d_scale, d_shift) = (&mut d_scale[first..], &mut d_shift[first..]);
                    add_affine_gradients(normal, rows.positions, g, x, d_scale, d_shift);
                    if (number + 1) % (FEW_ROWS * rows.groups) == 0 {
                        move_to(&mut sums, &mut totals);
                    }
                }
                row_gradient(normal, &scale[first..first + rows.affine()], rows.positions, x, g);
            }
            move_to(&mut sums, &mut totals);
            let mut partial = partial.lock().expect("no other chunk panicked");
            partial[i * 2 * channels..][..2 * channels].copy_from_slice(&totals);
        });
        let partial = partial.into_inner().expect("no chunk panicked");
        for partial in partial.chunks_exact((2 * channels).max(1)) {
            for (totals, partial) in totals.iter_mut().zip(partial.chunks_exact(channels)) {
                totals.iter_mut().zip(partial).for_each(|(total, partial)| *total += partial);
            }
        }
    }
    totals.map(|totals| Storage::from_fn(channels, |c| E::of(totals[c])))
}

/// Adds the sums to the totals, and makes them 0.
fn move_to<E: Float>(sums: &mut [E], totals: &mut [f64]) {
    for (sum, total) in sums.iter_mut().zip(totals) {
        *total += sum.as_f64();
        *sum = E::zero();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::instructions::tests::{available, with};
    use crate::kernels::testing::{assert_close, random, wide};
    use crate::numbers::Generator;

    const EPSILON: f64 = 1e-3;

    /// (x - mean) / sqrt(variance + epsilon), and 1 / sqrt(variance + epsilon).
    fn normalized(x: &[f64]) -> (Vec<f64>, f64) {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
        let inverse = 1.0 / (variance + EPSILON).sqrt();
        (x.iter().map(|x| (x - mean) * inverse).collect(), inverse)
    }

    /// One plane and many, shorter and longer than what is copied together, and more channels than a block.
    const PLANES: [[usize; 3]; 6] = [[2, 3, 5], [7, 40, 1], [3, 1, 700], [5, 33, 150], [64, 2, 300], [0, 3, 4]];

    fn channels<E: Float>() {
        let rng = &mut Generator::new(1);
        for [batch, channels, positions] in PLANES {
            let planes = Planes { batch, channels, positions };
            let count = batch * channels * positions;
            let (x, g): (Vec<E>, Vec<E>) = (random(count, rng), random(count, rng));
            let (scale, shift): (Vec<E>, Vec<E>) = (random(channels, rng), random(channels, rng));
            let factors: Vec<[E; 3]> = (0..channels).map(|_| [E::of(0.5), E::of(-0.25), E::of(0.125)]).collect();
            let (mut expected, mut expected_dx) = (vec![0.0; count], vec![0.0; count]);
            let mut sums = vec![];
            for channel in 0..channels {
                let place = |i: usize| (i / positions * channels + channel) * positions + i % positions;
                let of_channel: Vec<f64> = (0..planes.samples()).map(|i| x[place(i)].as_f64()).collect();
                let (n, _) = normalized(&of_channel);
                for (i, n) in n.iter().enumerate() {
                    expected[place(i)] = n * scale[channel].as_f64() + shift[channel].as_f64();
                    expected_dx[place(i)] = 0.5 * g[place(i)].as_f64() - 0.25 * n + 0.125;
                }
                let g = |i: usize| g[place(i)].as_f64();
                sums.push(
                    [0, 1].map(|k| n.iter().enumerate().map(|(i, n)| g(i) * if k == 0 { 1.0 } else { *n }).sum()),
                );
            }
            for instructions in available() {
                with(instructions, || {
                    let moments = channel_moments(planes, &x);
                    let normal: Vec<Normal<E>> =
                        moments.iter().map(|m| Normal::new(m.mean(), m.variance(), EPSILON)).collect();
                    let mut y = vec![E::nan(); count];
                    normalize_channels(planes, &x, &normal, Some([&scale, &shift]), &mut y);
                    assert_close(&y, &expected, 32);
                    for (found, expected) in gradient_sums(planes, &x, &g, &normal).iter().zip(&sums) {
                        assert_close(&found.map(E::of), expected, 2 * planes.samples());
                    }
                    let mut dx = g.clone();
                    input_gradient(planes, &x, &mut dx, &normal, &factors);
                    assert_close(&dx, &expected_dx, 32);
                });
            }
        }
    }

    #[test]
    fn channels_are_those_of_naive_loops() {
        channels::<f32>();
        channels::<f64>();
    }

    fn rows<E: Float>() {
        let rng = &mut Generator::new(2);
        for (count, rows) in [
            (3, Rows { width: 7, positions: 1, groups: 1 }),
            (70, Rows { width: 33, positions: 1, groups: 1 }),
            (6, Rows { width: 12, positions: 3, groups: 2 }),
            (300, Rows { width: 200, positions: 50, groups: 3 }),
        ] {
            let channels = rows.affine() * rows.groups;
            let (x, g): (Vec<E>, Vec<E>) = (random(count * rows.width, rng), random(count * rows.width, rng));
            let (scale, shift): (Vec<E>, Vec<E>) = (random(channels, rng), random(channels, rng));
            let (mut expected, mut expected_dx) = (vec![], vec![]);
            let mut expected_affine = [vec![0.0; channels], vec![0.0; channels]];
            for (row, (x, g)) in x.chunks(rows.width).zip(g.chunks(rows.width)).enumerate() {
                let channel = |i: usize| row % rows.groups * rows.affine() + i / rows.positions;
                let (n, inverse) = normalized(&wide(x));
                let scaled: Vec<f64> = (0..rows.width).map(|i| g[i].as_f64() * scale[channel(i)].as_f64()).collect();
                let mean_g = scaled.iter().sum::<f64>() / rows.width as f64;
                let mean_gn = scaled.iter().zip(&n).map(|(g, n)| g * n).sum::<f64>() / rows.width as f64;
                for i in 0..rows.width {
                    expected.push(n[i] * scale[channel(i)].as_f64() + shift[channel(i)].as_f64());
                    expected_dx.push(inverse * (scaled[i] - mean_g - n[i] * mean_gn));
                    expected_affine[0][channel(i)] += g[i].as_f64() * n[i];
                    expected_affine[1][channel(i)] += g[i].as_f64();
                }
            }
            for instructions in available() {
                with(instructions, || {
                    let (mut y, mut normals) = (vec![E::nan(); x.len()], vec![Normal::default(); count]);
                    normalize_rows(rows, &x, [&scale, &shift], EPSILON, &mut y, &mut normals);
                    assert_close(&y, &expected, 32);
                    let mut dx = g.clone();
                    let affine = normalize_rows_backward(rows, &x, &normals, &scale, &mut dx, true);
                    assert_close(&dx, &expected_dx, 64);
                    for (found, expected) in affine.iter().zip(&expected_affine) {
                        assert_close(found.as_slice(), expected, 2 * count * rows.positions);
                    }
                });
            }
        }
    }

    #[test]
    fn rows_are_those_of_naive_loops() {
        rows::<f32>();
        rows::<f64>();
    }
}
