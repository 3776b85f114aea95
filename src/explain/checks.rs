//! Checks of whether maps can be trusted: a map that does not depend on the model, or on the class, explains neither.
//!
//! Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim, "Sanity Checks for Saliency Maps", 2018: a map should change as
//! the layers of the model are randomised one after the other from the top ([`rank_correlation`]). Petsiuk, Das and
//! Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", 2018: the score should fall fast when
//! the pixels that matter most according to a map are deleted ([`deletion_area`]). Zhang et al., "Top-Down Neural
//! Attention by Excitation Backprop", 2016: for an image that shows two things, the map of one should peak in its part
//! ([`peak`]).

use super::passes::scores;
use super::{Explainable, Target};
use crate::numbers::range::{at_least_one, expect};
use crate::shape::{Dim, HasAxis};
use crate::tensor::Tensor;
use crate::text::spearman;

/// Spearman's rank correlation of two batches of maps, averaged over the samples: 1 if the elements of each pair of
/// maps have the same order. A constant map has no order, and counts as 0.
///
/// # Panics
/// If run-time dimensions of the two disagree.
///
/// ```
/// use taut::explain::checks::rank_correlation;
/// use taut::prelude::*;
/// let one = Tensor::from([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]);
/// let other = Tensor::from([[0.0, 0.1, 9.0], [3.0, 2.0, 1.0]]);
/// assert_eq!(rank_correlation(&one, &other), 0.0); // 1 and -1
/// ```
#[track_caller]
pub fn rank_correlation<S: HasAxis<0>>(one: &Tensor<S>, other: &Tensor<S>) -> f64 {
    assert!(one.shape() == other.shape(), "rank_correlation: maps of different shapes");
    let samples = one.shape().length().size();
    if one.count() == 0 {
        return 0.0;
    }
    let size = one.count() / samples;
    let row = |maps: &Tensor<S>, sample: usize| -> Vec<f64> {
        maps.as_slice()[sample * size..][..size].iter().map(|&x| f64::from(x)).collect()
    };
    let of = |sample: usize| spearman(&row(one, sample), &row(other, sample));
    (0..samples).map(of).map(|correlation| if correlation.is_nan() { 0.0 } else { correlation }).sum::<f64>()
        / samples as f64
}

/// The area under the curve of the score as pixels are deleted in `steps` equal portions, those with the largest values
/// in the map first, by the trapezoid rule; averaged over the samples. The smaller it is, the better the map knows what
/// the score depends on. Use a score between 0 and 1, such as [`Probability`](super::Probability).
///
/// A pixel is deleted when it is that of `baseline`: black for white digits on black; for photographs the same images
/// without their details ([`blur`](super::blur)), for a few black pixels in a photograph look like something,
/// too, and any network is at a loss.
///
/// # Panics
/// If there are no steps, or run-time dimensions of images, baseline and maps disagree.
///
/// ```
/// use taut::explain::checks::{center_map, deletion_area};
/// use taut::explain::{Probability, heatmap, saliency};
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = <(Flatten, Linear<64, 10>)>::init(&mut rng);
/// let images = Tensor::<Rank4<5, 1, 8, 8>>::uniform(0.0, 1.0, &mut rng);
/// let maps = heatmap(&saliency(&model, &images, Probability(3)));
/// let black = Tensor::zeros();
/// let area = deletion_area(&model, &images, &maps, &black, Probability(3), 16);
/// let of_center = deletion_area(&model, &images, &center_map(maps.shape()), &black, Probability(3), 16);
/// ```
#[track_caller]
pub fn deletion_area<M, B, C, H, W, G>(
    model: &M,
    images: &Tensor<(B, C, H, W)>,
    maps: &Tensor<(B, H, W)>,
    baseline: &Tensor<(B, C, H, W)>,
    target: G,
    steps: usize,
) -> f64
where
    B: Dim,
    C: Dim,
    H: Dim,
    W: Dim,
    M: Explainable<(B, C, H, W)>,
    G: Target<M::Output, B>,
{
    expect(at_least_one("deletion_area", "steps", steps));
    let (batch, channels, height, width) = images.shape();
    assert!(maps.shape() == (batch, height, width), "deletion_area: maps of another shape than the images");
    assert!(baseline.shape() == images.shape(), "deletion_area: a baseline of another shape than the images");
    let pixels = height.size() * width.size();
    let orders: Vec<Vec<usize>> = maps
        .as_slice()
        .chunks_exact(pixels.max(1))
        .map(|map| {
            let mut order: Vec<usize> = (0..pixels).collect();
            order.sort_by(|&a, &b| map[b].total_cmp(&map[a]));
            order
        })
        .collect();
    let mut deleted = images.clone();
    let mut area = 0.0;
    for step in 0..=steps {
        let from = step.saturating_sub(1) * pixels / steps;
        for (sample, order) in orders.iter().enumerate() {
            let of_image = sample * channels.size() * pixels..(sample + 1) * channels.size() * pixels;
            let planes = deleted.as_mut_slice()[of_image.clone()].chunks_exact_mut(pixels);
            for (plane, baseline) in planes.zip(baseline.as_slice()[of_image].chunks_exact(pixels)) {
                order[from..step * pixels / steps].iter().for_each(|&pixel| plane[pixel] = baseline[pixel]);
            }
        }
        let weight = if step == 0 || step == steps { 0.5 } else { 1.0 };
        let scores = scores(model, &deleted, &target);
        area += weight * scores.iter().map(f64::from).sum::<f64>() / batch.size().max(1) as f64;
    }
    area / steps as f64
}

/// Maps that ignore the image: the values grow towards the centre. A baseline for [`deletion_area`], since the subject
/// of an image is usually at the centre.
pub fn center_map<B: Dim, H: Dim, W: Dim>(shape: (B, H, W)) -> Tensor<(B, H, W)> {
    let away = |place: usize, size: usize| (place as f32 + 0.5 - size as f32 / 2.0).powi(2);
    Tensor::from_fn_with(shape, |[_, row, column]| -away(row, shape.1.size()) - away(column, shape.2.size()))
}

/// The row and column of the maximum of each map.
///
/// ```
/// use taut::explain::checks::peak;
/// use taut::prelude::*;
/// assert_eq!(peak(&Tensor::from([[[0.0, 3.0], [1.0, 2.0]]])), [[0, 1]]);
/// ```
pub fn peak<B: Dim, H: Dim, W: Dim>(maps: &Tensor<(B, H, W)>) -> Vec<[usize; 2]> {
    let (_, height, width) = maps.shape();
    let width = width.size();
    let largest = |map: &[f32]| {
        let best = (0..map.len()).rev().max_by(|&a, &b| map[a].total_cmp(&map[b])).unwrap_or(0);
        [best / width, best % width]
    };
    maps.as_slice().chunks_exact((height.size() * width).max(1)).map(largest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{heatmap, saliency};
    use crate::prelude::*;

    #[test]
    fn what_matters_is_deleted_first() {
        let mut rng = StdRng::seed_from_u64(0);
        let model = <(Flatten, Linear<16, 2>)>::init(&mut rng);
        let images = Tensor::<Rank4<6, 1, 4, 4>>::ones();
        // for a linear score, the area is smallest if the largest weights are deleted first
        let score = |y: Tensor<Rank2<6, 2>, f32, Traced<Inference>>| y.slice_at::<1>(1);
        let order = |sign: f32| {
            let weight = model.1.weight.value();
            Tensor::<Rank3<6, 4, 4>>::from_fn(|[_, i, j]| sign * weight[[1, 4 * i + j]])
        };
        let area = |maps| deletion_area(&model, &images, &maps, &Tensor::zeros(), score, 16);
        let (best, worst, center) =
            (area(order(1.0)), area(order(-1.0)), area(center_map(<Rank3<6, 4, 4>>::default())));
        assert!(best < center && center < worst, "{best} {center} {worst}");
        assert_eq!(heatmap(&saliency(&model, &images, score)).shape(), <Rank3<6, 4, 4>>::default());
    }
}
