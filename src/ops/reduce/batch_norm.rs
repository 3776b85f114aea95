//! Batch normalisation.
//!
//! With m and v the mean and the (biased) variance of a channel over batch and positions:
//!
//! n = (x - m) / sqrt(v + epsilon), y = gamma n + beta
//!
//! Shapes: x and y (N, C, ..), gamma, beta, m and v (C). With g the gradient of y, M the number of elements of a
//! channel, and i = 1 / sqrt(v + epsilon):
//!
//! - gradient of gamma: sum g n
//! - gradient of beta: sum g
//! - gradient of x: gamma i (g - (sum g) / M - n (sum g n) / M)
//!
//! If the batch is split into parts that [run at the same
//! time](crate::distributed::GlobalBatch::backward_synchronized), m, v, M, and the sums in the gradient of x are those
//! over all parts, which exchange theirs in both passes.
//!
//! In inference mode, m and v are constants, and the gradient of x is gamma i g.
//!
//! Saved: x, and m and i of each channel. Ioffe and Szegedy, "Batch Normalization", 2015.

use crate::kernels::moments::Moments;
use crate::kernels::normalize::{self, Normal, Planes};
use crate::memory::Storage;
use crate::shape::Shape;
use crate::tape::{Meeting, Node, record};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};
use std::rc::Rc;

/// The mean and the biased variance of each channel, in f64, as a rounded mean would make the result inaccurate.
pub(crate) struct Statistics {
    pub mean: Vec<f64>,
    pub variance: Vec<f64>,
}

/// What the statistics were computed from.
pub(crate) enum Source {
    /// Other batches: they are constants.
    Constant,
    /// This batch, so that the gradient passes through them.
    Batch {
        /// The number of elements of each channel, in all parts of the batch.
        samples: usize,
        /// Where the parts exchange their sums.
        meeting: Option<Rc<Meeting>>,
    },
}

impl Source {
    /// Whether this tape is the one that records what all parts have in common.
    pub fn is_first(&self) -> bool {
        !matches!(self, Source::Batch { meeting: Some(meeting), .. } if !meeting.is_first)
    }
}

/// The statistics of the channels of `x` over a batch, in all its parts.
pub(crate) fn channel_statistics<S: Shape, E: Float, T: Trace>(
    x: &Tensor<S, E, T>,
    planes: Planes,
) -> (Statistics, Source) {
    let mut moments = normalize::channel_moments(planes, x.as_slice());
    let mut samples = planes.samples();
    let meeting = x.trace().node().and_then(|node| node.tape.meeting.clone());
    if let Some(meeting) = &meeting {
        let own = moments.iter().flat_map(|moments| moments.to_numbers());
        let brought = meeting.gather(own.chain([samples as f64]).collect());
        (moments, samples) = (vec![Moments::default(); planes.channels], 0);
        for part in brought.iter() {
            let (of_channels, of_part) = part.as_chunks();
            moments.iter_mut().zip(of_channels).for_each(|(sum, &part)| sum.join(Moments::of_numbers(part)));
            samples += of_part.iter().sum::<f64>() as usize;
        }
    }
    let (mean, variance) = moments.iter().map(|moments| (moments.mean(), moments.variance())).unzip();
    (Statistics { mean, variance }, Source::Batch { samples, meeting })
}

/// The sums over all parts of a batch, added in order.
fn over_parts(meeting: Option<&Meeting>, sums: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let Some(meeting) = meeting else { return sums };
    let mut whole = vec![[0.0; 2]; sums.len()];
    for part in meeting.gather(sums.into_iter().flatten().collect()).iter() {
        for (sum, part) in whole.iter_mut().flatten().zip(part) {
            *sum += part;
        }
    }
    whole
}

/// Normalises each channel with these statistics. `affine` holds gamma and beta.
#[track_caller]
pub(crate) fn batch_norm<S: Shape, C: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    affine: Option<[Tensor<C, E, T>; 2]>,
    statistics: &Statistics,
    epsilon: f64,
    planes: Planes,
    source: Source,
) -> Tensor<S, E, T> {
    let Statistics { mean, variance } = statistics;
    let normal: Vec<Normal<E>> =
        mean.iter().zip(variance).map(|(&mean, &variance)| Normal::new(mean, variance, epsilon)).collect();
    let parts = affine.map(|affine| affine.map(Tensor::into_parts));
    let gamma = parts.as_ref().map(|[(_, gamma, _), _]| gamma.clone());

    let (shape, x, trace) = x.into_parts();
    let mut y = Storage::scratch(x.len());
    let affine = parts.as_ref().map(|parts| parts.each_ref().map(|(_, values, _)| values.as_slice()));
    normalize::normalize_channels(planes, x.as_slice(), &normal, affine, y.make_mut());

    let node_of = |i: usize| parts.as_ref().and_then(|parts| parts[i].2.node());
    let nodes: [Option<&Node>; 3] = [trace.node(), node_of(0), node_of(1)];
    let node = record(nodes, |_| {
        move |mut g: Storage<E>, parents: &mut Parents<'_, 3>| {
            let sums = normalize::gradient_sums(planes, x.as_slice(), g.as_slice(), &normal);
            parents.add(1, Storage::from_fn(planes.channels, |c| E::of(sums[c][1])));
            parents.add(2, Storage::from_fn(planes.channels, |c| E::of(sums[c][0])));
            if parents.needs(0) {
                let whole = match &source {
                    Source::Constant => None,
                    Source::Batch { samples, meeting } => Some((*samples as f64, over_parts(meeting.as_deref(), sums))),
                };
                let gamma = gamma.as_ref().map(Storage::as_slice);
                let factors: Vec<[E; 3]> = (0..planes.channels)
                    .map(|c| {
                        let of_g = gamma.map_or(E::one(), |gamma| gamma[c]) * normal[c].inverse;
                        let Some((count, sums)) = &whole else { return [of_g, E::zero(), E::zero()] };
                        let [of_g_alone, of_gn] = sums[c].map(|sum| E::of(of_g.as_f64() * sum / count));
                        [of_g, -of_gn, -of_g_alone]
                    })
                    .collect();
                normalize::input_gradient(planes, x.as_slice(), g.make_mut(), &normal, &factors);
                parents.add(0, g);
            }
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}
