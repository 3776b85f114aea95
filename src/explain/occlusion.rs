//! Occlusion: how much the score falls when a patch of the image is covered.

use super::passes::scores;
use super::{Explainable, Target};
use crate::numbers::range::{expect, finite};
use crate::shape::Dim;
use crate::tensor::Tensor;

/// Slides a patch over the image and compares the score with that of the whole image. Each pixel gets the mean drop
/// over the patches that cover it.
///
/// No gradient is used, so the map says what the model does when something is missing, not how steep it is. Patches at
/// the lower and right edges may be cut off so that all pixels are covered. Zeiler and Fergus, "Visualizing and
/// Understanding Convolutional Networks", 2014.
///
/// ```
/// use taut::explain::{Class, Occlusion};
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = <(Conv2d<1, 4, 3>, Relu, Flatten, Linear<144, 10>)>::init(&mut rng);
/// let images = Tensor::<Rank4<2, 1, 8, 8>>::randn(&mut rng);
/// let method = Occlusion { patch: [3, 3], stride: [1, 1], fill: 0.0 };
/// let map: Tensor<Rank3<2, 8, 8>> = method.explain(&model, &images, Class(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct Occlusion {
    /// The height and width of the patch.
    pub patch: [usize; 2],
    /// The vertical and horizontal stride.
    pub stride: [usize; 2],
    /// The value of covered pixels, in all channels.
    pub fill: f32,
}

impl Occlusion {
    /// The map of each image: (B, C, H, W) to (B, H, W). Positive where covering lowers the score.
    ///
    /// # Panics
    /// If the patch is larger than the image, a size is 0, or pixels are left out because the stride is larger than the
    /// patch.
    #[track_caller]
    pub fn explain<M, B, C, H, W, G>(&self, model: &M, images: &Tensor<(B, C, H, W)>, target: G) -> Tensor<(B, H, W)>
    where
        B: Dim,
        C: Dim,
        H: Dim,
        W: Dim,
        M: Explainable<(B, C, H, W)>,
        G: Target<M::Output, B>,
    {
        expect(finite("Occlusion", "fill", self.fill.into()));
        let (batch, _, height, width) = images.shape();
        let size = [height.size(), width.size()];
        for axis in 0..2 {
            let (patch, stride, size) = (self.patch[axis], self.stride[axis], size[axis]);
            assert!(
                0 < patch && patch <= size && 0 < stride && stride <= patch,
                "Occlusion: a patch of {patch} moved by {stride} does not cover an axis of {size}"
            );
        }
        let starts = |axis: usize| {
            let steps = (size[axis] - self.patch[axis]).div_ceil(self.stride[axis]);
            (0..=steps).map(move |step| step * self.stride[axis])
        };
        let whole = scores(model, images, &target);
        let mut sums = Tensor::<(B, H, W)>::zeros_with((batch, height, width));
        let mut covered = vec![0.0_f32; size[0] * size[1]];
        for top in starts(0) {
            for left in starts(1) {
                let rows = top..(top + self.patch[0]).min(size[0]);
                let columns = left..(left + self.patch[1]).min(size[1]);
                let patch: Vec<usize> =
                    rows.flat_map(|row| columns.clone().map(move |column| row * size[1] + column)).collect();
                let mut hidden = images.clone();
                for plane in hidden.as_mut_slice().chunks_exact_mut(size[0] * size[1]) {
                    patch.iter().for_each(|&pixel| plane[pixel] = self.fill);
                }
                let left_over = scores(model, &hidden, &target);
                let falls = whole.iter().zip(left_over.iter()).map(|(whole, hidden)| whole - hidden);
                for (map, fall) in sums.as_mut_slice().chunks_exact_mut(size[0] * size[1]).zip(falls) {
                    patch.iter().for_each(|&pixel| map[pixel] += fall);
                }
                patch.iter().for_each(|&pixel| covered[pixel] += 1.0);
            }
        }
        for map in sums.as_mut_slice().chunks_exact_mut(size[0] * size[1]) {
            map.iter_mut().zip(&covered).for_each(|(sum, count)| *sum /= count);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn a_sum_of_pixels_falls_by_the_pixels_that_are_covered() {
        let model = <(Flatten, LinearNoBias<20, 1>)>::init(&mut StdRng::seed_from_u64(0));
        let images = Tensor::<Rank4<3, 1, 4, 5>>::randn(&mut StdRng::seed_from_u64(1));
        let one = Occlusion { patch: [1, 1], stride: [1, 1], fill: 0.0 };
        let map = one.explain(&model, &images, crate::explain::Class(0));
        for (place, fall) in map.iter().enumerate() {
            let expected = images.as_slice()[place] * model.1.weight.value()[[0, place % 20]];
            assert!((fall - expected).abs() < 1e-5);
        }
    }

    #[test]
    #[should_panic(expected = "a patch of 2 moved by 3 does not cover an axis of 4")]
    fn pixels_that_are_left_out() {
        let model = <(Flatten, Linear<20, 1>)>::init(&mut StdRng::seed_from_u64(0));
        let method = Occlusion { patch: [2, 2], stride: [3, 1], fill: 0.0 };
        let _ = method.explain(&model, &Tensor::<Rank4<3, 1, 4, 5>>::ones(), crate::explain::Class(0));
    }
}
