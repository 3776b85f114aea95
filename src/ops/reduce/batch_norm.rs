//! Batch normalisation.
//!
//! With m and v the mean and the (biased) variance of a channel over batch and positions:
//!
//! n = (x - m) / sqrt(v + epsilon), y = gamma n + beta
//!
//! Shapes: x and y (N, C, ..), gamma, beta, m and v (C). With g the gradient of y, M = the numbers in a channel, and
//! i = 1 / sqrt(v + epsilon):
//!
//! - gradient of gamma: sum g n
//! - gradient of beta: sum g
//! - gradient of x: gamma i (g - (sum g) / M - n (sum g n) / M)
//!
//! In inference m and v are constants, and the gradient of x is gamma i g.
//!
//! Saved: x, and m and i of each channel. Ioffe and Szegedy, "Batch Normalization", 2015.

use crate::kernels::normalize::{self, Planes};
use crate::memory::Storage;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{Node, Parents, Trace, record};

/// The mean and the biased variance of each channel over a batch.
pub(crate) struct Statistics<E> {
    pub mean: Storage<E>,
    pub variance: Storage<E>,
}

/// The statistics of the channels of `x`.
pub(crate) fn channel_statistics<S: Shape, E: Float, T: Trace>(x: &Tensor<S, E, T>, planes: Planes) -> Statistics<E> {
    let mut mean = Storage::scratch(planes.channels);
    let mut variance = Storage::scratch(planes.channels);
    normalize::channel_statistics(planes, x.as_slice(), mean.make_mut(), variance.make_mut());
    Statistics { mean, variance }
}

/// Normalises each channel with these statistics. `of_batch` says that they are those of `x` itself, so that the
/// gradient passes through them; otherwise they are constants. `affine` are gamma and beta.
#[track_caller]
pub(crate) fn batch_norm<S: Shape, C: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    affine: Option<[Tensor<C, E, T>; 2]>,
    statistics: &Statistics<E>,
    epsilon: f64,
    planes: Planes,
    of_batch: bool,
) -> Tensor<S, E, T> {
    let mean = statistics.mean.clone();
    let variance = statistics.variance.as_slice();
    let inverse = Storage::from_fn(planes.channels, |c| E::one() / (variance[c] + E::of(epsilon)).sqrt());
    let parts = affine.map(|affine| affine.map(Tensor::into_parts));
    let gamma = parts.as_ref().map(|[(_, gamma, _), _]| gamma.clone());
    let gamma_of = |gamma: &Option<Storage<E>>, c: usize| gamma.as_ref().map_or(E::one(), |gamma| gamma.as_slice()[c]);

    let scale = Storage::from_fn(planes.channels, |c| gamma_of(&gamma, c) * inverse.as_slice()[c]);
    let shift = Storage::from_fn(planes.channels, |c| {
        let beta = parts.as_ref().map_or(E::zero(), |[_, (_, beta, _)]| beta.as_slice()[c]);
        beta - mean.as_slice()[c] * scale.as_slice()[c]
    });
    let (shape, x, trace) = x.into_parts();
    let mut y = Storage::scratch(x.len());
    normalize::scale_shift(planes, x.as_slice(), scale.as_slice(), shift.as_slice(), y.make_mut());

    let node_of = |i: usize| parts.as_ref().and_then(|parts| parts[i].2.node());
    let nodes: [Option<&Node>; 3] = [trace.node(), node_of(0), node_of(1)];
    let node = record(nodes, |_| {
        move |mut g: Storage<E>, parents: &mut Parents<'_, 3>| {
            let (mean, inverse) = (mean.as_slice(), inverse.as_slice());
            let sums = normalize::gradient_sums(planes, x.as_slice(), g.as_slice(), mean);
            parents.add(1, Storage::from_fn(planes.channels, |c| sums[c][1] * inverse[c]));
            parents.add(2, Storage::from_fn(planes.channels, |c| sums[c][0]));
            if parents.needs(0) {
                let count = E::of(planes.samples() as f64);
                let factors: Vec<[E; 3]> = (0..planes.channels)
                    .map(|c| {
                        let of_g = gamma_of(&gamma, c) * inverse[c];
                        if !of_batch {
                            return [of_g, E::zero(), E::zero()];
                        }
                        // - n (sum g n) / M = - (x - m) i^2 (sum g (x - m)) / M
                        let of_x = -of_g * inverse[c] * inverse[c] * sums[c][1] / count;
                        [of_g, of_x, -of_g * sums[c][0] / count - of_x * mean[c]]
                    })
                    .collect();
                normalize::input_gradient(planes, x.as_slice(), g.make_mut(), &factors);
                parents.add(0, g);
            }
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}
