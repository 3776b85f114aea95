//! Activation maximisation: an input to which a class, or a channel of a layer, responds most strongly.
//!
//! x <- x + s g / rms(g), with g the gradient of the score and s the step size, regularised to avoid noise: the image
//! is shifted by a few pixels before each step and back after it (jitter), shrunk a little towards the start (decay),
//! and smoothed every few steps (blur).

use super::blur::blur_plane;
use super::passes::{gradient, sum};
use super::target::OnTape;
use super::{Explainable, Target};
use crate::nn::{Forward, frozen};
use crate::numbers::range::{at_most, expect, finite, part};
use crate::shape::Dim;
use crate::tensor::Tensor;
use crate::trace::Tape;
use rand::{Rng, RngExt};

/// The settings for finding an input to which a class or a channel responds most strongly.
///
/// Erhan, Bengio, Courville and Vincent, "Visualizing Higher-Layer Features of a Deep Network", 2009. Decay and blur:
/// Yosinski et al., "Understanding Neural Networks Through Deep Visualization", 2015; jitter: Mordvintsev, Olah and
/// Tyka, "Inceptionism", 2015.
///
/// ```
/// use taut::explain::{ActivationMaximization, Class};
/// use taut::prelude::*;
/// type Network = ((Conv2d<1, 4, 3>, Relu), MaxPool2d<2>, Flatten, Linear<36, 10>);
/// let mut rng = StdRng::seed_from_u64(0);
/// let network = Network::init(&mut rng);
/// let start = Tensor::<Rank4<1, 1, 8, 8>>::full(0.5);
/// let method = ActivationMaximization { steps: 20, range: Some([0.0, 1.0]), ..Default::default() };
/// let three = method.for_target(&network, &start, Class(3), &mut rng);
/// assert!(network.forward(three)[[0, 3]] > network.forward(start.clone())[[0, 3]]);
/// let second_channel = method.for_channel(&network, |network| &network.0, &start, 1, &mut rng);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct ActivationMaximization {
    /// The number of steps. 100 by default.
    pub steps: usize,
    /// The root mean square change of the pixels in a step. 0.05 by default.
    pub step_size: f32,
    /// The largest shift in pixels. 1 by default.
    pub jitter: usize,
    /// The fraction of each pixel's distance from the starting image that is removed in each step. 0.01 by default.
    pub decay: f32,
    /// The number of steps between smoothings with (1, 2, 1) / 4, vertically and horizontally. 0 for never; 8 by
    /// default.
    pub blur_every: usize,
    /// The range that pixels are clamped to. `None` by default.
    pub range: Option<[f32; 2]>,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for ActivationMaximization {
    fn default() -> Self {
        ActivationMaximization {
            steps: 100,
            step_size: 0.05,
            jitter: 1,
            decay: 0.01,
            blur_every: 8,
            range: None,
            more: (),
        }
    }
}

impl ActivationMaximization {
    /// Images that raise the score of a target, starting from `start`.
    ///
    /// # Panics
    /// If a setting is out of its range: `step_size` is finite, `decay` from 0 to 1, `jitter` at most 2^30.
    #[track_caller]
    pub fn for_target<M, B, C, H, W, G, R>(
        &self,
        model: &M,
        start: &Tensor<(B, C, H, W)>,
        target: G,
        rng: &mut R,
    ) -> Tensor<(B, C, H, W)>
    where
        B: Dim,
        C: Dim,
        H: Dim,
        W: Dim,
        M: Explainable<(B, C, H, W)>,
        G: Target<M::Output, B>,
        R: Rng + ?Sized,
    {
        self.climb(start, rng, |images| gradient(model, images, &target, false))
    }

    /// Images that raise the mean of one channel of a layer that gives images, (N, K, h, w).
    ///
    /// # Panics
    /// If the layer did not run exactly once, gives no images, or has no such channel; and as
    /// [`for_target`](Self::for_target).
    #[track_caller]
    pub fn for_channel<M, L, B, C, H, W, R>(
        &self,
        model: &M,
        layer: impl Fn(&M) -> &L,
        start: &Tensor<(B, C, H, W)>,
        channel: usize,
        rng: &mut R,
    ) -> Tensor<(B, C, H, W)>
    where
        B: Dim,
        C: Dim,
        H: Dim,
        W: Dim,
        L: ?Sized,
        M: Explainable<(B, C, H, W)>,
        R: Rng + ?Sized,
    {
        self.climb(start, rng, |images| {
            let tape = Tape::inference();
            let seen = tape.observe(layer(model));
            let x = tape.watch(images.clone());
            let _ = frozen(model).forward(x.clone());
            let maps: OnTape<(usize, usize, usize, usize)> = seen.value();
            let channels = maps.shape().1;
            assert!(channel < channels, "for_channel: channel {channel} is not one of {channels}");
            sum(maps.slice_at::<1>(channel).flatten()).backward().of_input(&x)
        })
    }

    #[track_caller]
    fn climb<B: Dim, C: Dim, H: Dim, W: Dim, R: Rng + ?Sized>(
        &self,
        start: &Tensor<(B, C, H, W)>,
        rng: &mut R,
        gradient_at: impl Fn(&Tensor<(B, C, H, W)>) -> Tensor<(B, C, H, W)>,
    ) -> Tensor<(B, C, H, W)> {
        let name = "ActivationMaximization";
        expect(finite(name, "step_size", self.step_size.into()).and_then(|()| part(name, "decay", self.decay.into())));
        expect(at_most(name, "jitter", self.jitter, 1 << 30));
        let (batch, _, height, width) = start.shape();
        let (height, width) = (height.size(), width.size());
        let mut images = start.clone();
        let size = images.count() / batch.size().max(1);
        for step in 1..=self.steps {
            let mut shift = || rng.random_range(0..=2 * self.jitter) as isize - self.jitter as isize;
            let by = [shift(), shift()];
            let g = rolled(&gradient_at(&rolled(&images, by)), by.map(|by| -by));
            for ((image, g), start) in images
                .as_mut_slice()
                .chunks_exact_mut(size.max(1))
                .zip(g.as_slice().chunks_exact(size.max(1)))
                .zip(start.as_slice().chunks_exact(size.max(1)))
            {
                let rms = (g.iter().map(|g| g * g).sum::<f32>() / size as f32).sqrt().max(f32::MIN_POSITIVE);
                for ((x, g), start) in image.iter_mut().zip(g).zip(start) {
                    *x = start + (*x - start) * (1.0 - self.decay) + self.step_size * g / rms;
                }
            }
            if self.blur_every > 0 && step % self.blur_every == 0 {
                images
                    .as_mut_slice()
                    .chunks_exact_mut((height * width).max(1))
                    .for_each(|plane| blur_plane(plane, width));
            }
            if let Some([low, high]) = self.range {
                images.as_mut_slice().iter_mut().for_each(|x| *x = x.clamp(low, high));
            }
        }
        images
    }
}

/// Each plane shifted down and to the right, wrapping around at the edges.
fn rolled<B: Dim, C: Dim, H: Dim, W: Dim>(images: &Tensor<(B, C, H, W)>, by: [isize; 2]) -> Tensor<(B, C, H, W)> {
    let (_, _, height, width) = images.shape();
    let from = |place: usize, by: isize, size: usize| (place as isize - by).rem_euclid(size as isize) as usize;
    Tensor::from_fn_with(images.shape(), |[sample, channel, row, column]| {
        images[[sample, channel, from(row, by[0], height.size()), from(column, by[1], width.size())]]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn rolling_back_gives_the_image() {
        let x = Tensor::<Rank4<2, 1, 4, 5>>::randn(&mut StdRng::seed_from_u64(0));
        assert_eq!(rolled(&rolled(&x, [1, -2]), [-1, 2]), x);
        assert_eq!(rolled(&x, [1, 0])[[0, 0, 1, 3]], x[[0, 0, 0, 3]]);
    }

    #[test]
    fn a_channel_is_found_by_its_layer() {
        let mut rng = StdRng::seed_from_u64(0);
        let model = <((Conv2d<1, 4, 3>, Tanh), Flatten, Linear<144, 2>)>::init(&mut rng);
        let start = Tensor::<Rank4<1, 1, 8, 8>>::zeros();
        let found = ActivationMaximization::default().for_channel(&model, |model| &model.0, &start, 2, &mut rng);
        let mean = |x: Tensor<Rank4<1, 1, 8, 8>>| model.0.forward(x).slice_at::<1>(2).mean().item();
        assert!(mean(found) > mean(start) + 0.3);
    }
}
