//! Upsampling layers, without parameters.

use super::{Init, Module};
use crate::kernels::resample::Taps;
use crate::ops::{image_size, resample2d, single};
use crate::params::Parameters;
use crate::shape::{AtLeastOne, Const, Dim, ImageAxes, Product};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// The size of an axis times `F`.
pub(super) type Scaled<D, const F: usize> = <(D, Const<F>) as Product>::Out;

/// Enlarges images by a factor of `F`, each pixel to an `F` x `F` block: (N, C, H, W) to (N, C, H F, W F).
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[1.0, 2.0]]]]);
/// assert_eq!(UpsampleNearest2d::<2>.forward(x).to_array(), [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]);
/// ```
#[doc(alias = "interpolate")]
#[doc(alias = "UpsamplingNearest2d")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct UpsampleNearest2d<const F: usize>;

/// Enlarges images by a factor of `F`, interpolating between four neighbouring pixels: (N, C, H, W) to
/// (N, C, H F, W F).
///
/// Pixels are squares, and the outer edges of the images coincide: PyTorch's `align_corners=False`.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[0.0, 4.0]]]]);
/// assert_eq!(UpsampleBilinear2d::<2>.forward(x).to_array(), [[[[0.0, 1.0, 3.0, 4.0], [0.0, 1.0, 3.0, 4.0]]]]);
/// ```
#[doc(alias = "interpolate")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct UpsampleBilinear2d<const F: usize>;

impl<const F: usize, X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for UpsampleNearest2d<F>
where
    Const<F>: AtLeastOne,
    (X::H, Const<F>): Product,
    (X::W, Const<F>): Product,
{
    type Output = Tensor<(X::N, X::C, Scaled<X::H, F>, Scaled<X::W, F>), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape().axes();
        enlarge::<F, _, _, _, _, _, _>(x.in_shape(shape), |place, _| single(place / F))
    }
}

impl<const F: usize, X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for UpsampleBilinear2d<F>
where
    Const<F>: AtLeastOne,
    (X::H, Const<F>): Product,
    (X::W, Const<F>): Product,
{
    type Output = Tensor<(X::N, X::C, Scaled<X::H, F>, Scaled<X::W, F>), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape().axes();
        enlarge::<F, _, _, _, _, _, _>(x.in_shape(shape), |place, size| {
            // the middle of the output pixel in the input's pixels; beyond the outermost middles nothing changes
            let source = ((place as f64 + 0.5) / F as f64 - 0.5).max(0.0);
            let left = source as usize;
            let weight = source - left as f64;
            [(left, E::of(1.0 - weight)), ((left + 1).min(size - 1), E::of(weight))]
        })
    }
}

/// Resamples each axis, `F` times as long, by `taps(place, input size)`.
#[track_caller]
fn enlarge<const F: usize, N: Dim, C: Dim, H: Dim, W: Dim, E: Float, T: Trace>(
    x: Tensor<(N, C, H, W), E, T>,
    taps: impl Fn(usize, usize) -> Taps<E>,
) -> Tensor<(N, C, Scaled<H, F>, Scaled<W, F>), E, T>
where
    (H, Const<F>): Product,
    (W, Const<F>): Product,
{
    let (batch, channels, height, width) = x.shape();
    let shape = (batch, channels, (height, Const::<F>).product(), (width, Const::<F>).product());
    let size = image_size(x.shape());
    resample2d(x, shape, size, image_size(shape), |place, size, _| taps(place, size))
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn infinite_pixels_stay_infinite() {
        let x = Tensor::from([[[[f32::INFINITY, 1.0]]]]);
        let y = UpsampleNearest2d::<2>.forward(x).to_array();
        assert_eq!(y[0][0][1], [f32::INFINITY, f32::INFINITY, 1.0, 1.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let x = Tensor::<Rank4<2, 2, 3, 4>, f64>::randn(&mut StdRng::seed_from_u64(1));
        check_gradients(|x| UpsampleNearest2d::<3>.forward(x), x.clone()).unwrap();
        check_gradients(|x| UpsampleBilinear2d::<2>.forward(x), x.clone()).unwrap();
        check_gradients(|x| UpsampleBilinear2d::<3>.forward(x), x).unwrap();
    }
}
