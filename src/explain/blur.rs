//! Images without their details.

use crate::shape::Dim;
use crate::tensor::Tensor;

/// Each plane of the images smoothed `times` times by (1, 2, 1) / 4, vertically and horizontally: 8 times is a Gaussian
/// blur with a deviation of 2 pixels. Edge pixels are repeated beyond the edge.
///
/// It is a baseline that shows nothing and still looks like an image, where black or gray pixels between others would
/// look like something: for [`IntegratedGradients`](super::IntegratedGradients) and
/// [`deletion_area`](super::checks::deletion_area). Fong and Vedaldi, "Interpretable Explanations of Black Boxes by
/// Meaningful Perturbation", 2017.
///
/// ```
/// use taut::explain::blur;
/// use taut::prelude::*;
/// let images = Tensor::<Rank4<2, 3, 8, 8>>::randn(&mut StdRng::seed_from_u64(0));
/// let baseline: Tensor<Rank4<2, 3, 8, 8>> = blur(images, 8);
/// ```
pub fn blur<B: Dim, C: Dim, H: Dim, W: Dim>(mut images: Tensor<(B, C, H, W)>, times: usize) -> Tensor<(B, C, H, W)> {
    let (_, _, height, width) = images.shape();
    let size = height.size() * width.size();
    for plane in images.as_mut_slice().chunks_exact_mut(size.max(1)) {
        (0..times).for_each(|_| blur_plane(plane, width.size()));
    }
    images
}

/// (1, 2, 1) / 4, vertically and horizontally; edge pixels are repeated beyond the edge.
pub(super) fn blur_plane(plane: &mut [f32], width: usize) {
    let height = plane.len() / width;
    for step in [1, width] {
        let old = plane.to_vec();
        for (place, out) in plane.iter_mut().enumerate() {
            let (along, last) = if step == 1 { (place % width, width - 1) } else { (place / width, height - 1) };
            let before = if along > 0 { old[place - step] } else { old[place] };
            let after = if along < last { old[place + step] } else { old[place] };
            *out = 0.25 * before + 0.5 * old[place] + 0.25 * after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn blurring_keeps_what_is_even() {
        let mut plane = vec![3.0; 12];
        blur_plane(&mut plane, 4);
        assert_eq!(plane, [3.0; 12]);
        let mut point = vec![0.0; 25];
        point[12] = 16.0;
        blur_plane(&mut point, 5);
        assert_eq!(point[6..9], [1.0, 2.0, 1.0]);
        assert_eq!(point[12], 4.0);
    }

    #[test]
    fn planes_are_blurred_apart() {
        let mut images = Tensor::<Rank4<2, 1, 5, 5>>::zeros();
        images.as_mut_slice()[12] = 16.0;
        images.as_mut_slice()[25..].fill(2.0);
        let once = blur(images, 1);
        assert_eq!((once[[0, 0, 2, 2]], once[[0, 0, 1, 2]], once[[1, 0, 0, 0]]), (4.0, 2.0, 2.0));
    }
}
