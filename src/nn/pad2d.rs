//! Padding layers for images.

use super::{Init, Module};
use crate::kernels::resample::Taps;
use crate::ops::{image_size, resample2d, single};
use crate::params::Parameters;
use crate::shape::{Dim, ImageAxes, Mirrored, Padded, show};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// A frame of `P` zeros: (N, C, H, W) to (N, C, H + 2 P, W + 2 P).
///
/// ```
/// use taut::prelude::*;
/// let y: Tensor<Rank4<1, 3, 32, 32>> = ZeroPad2d::<2>.forward(Tensor::<Rank4<1, 3, 28, 28>>::ones());
/// assert_eq!((y[[0, 0, 1, 1]], y[[0, 0, 2, 2]]), (0.0, 1.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct ZeroPad2d<const P: usize>;

/// A frame of `P` pixels that mirrors the image; the outermost pixels are the mirror: a b c becomes c b a b c b a for
/// `P = 2`. Shapes as for [`ZeroPad2d`].
///
/// The image must be larger than the frame: a dimension of at most `P` does not compile.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]);
/// let y = ReflectionPad2d::<1>.forward(x);
/// assert_eq!(y.to_array()[0][0][0], [5.0, 4.0, 5.0, 6.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct ReflectionPad2d<const P: usize>;

/// A frame of `P` pixels that repeats the outermost pixels: a b c becomes a a a b c c c for `P = 2`. Shapes as for
/// [`ZeroPad2d`].
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[1.0, 2.0]]]]);
/// assert_eq!(ReplicationPad2d::<1>.forward(x).to_array()[0][0][0], [1.0, 1.0, 2.0, 2.0]);
/// ```
///
/// # Panics
/// If the image has no pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct ReplicationPad2d<const P: usize>;

/// The size of an axis, `P` longer at both ends.
type Larger<Axis, const P: usize> = <Axis as Padded<P, P>>::Out;

/// Resamples each axis, `P` longer at both ends, by `taps(place - P, input size)`.
#[track_caller]
fn pad<const P: usize, N: Dim, C: Dim, H: Padded<P, P>, W: Padded<P, P>, E: Float, T: Trace>(
    x: Tensor<(N, C, H, W), E, T>,
    taps: impl Fn(isize, usize) -> Taps<E>,
) -> Tensor<(N, C, H::Out, W::Out), E, T> {
    let (batch, channels, height, width) = x.shape();
    let shape = (batch, channels, height.padded(), width.padded());
    let size = image_size(x.shape());
    resample2d(x, shape, size, image_size(shape), |place, size, _| taps(place as isize - P as isize, size))
}

impl<const P: usize, X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for ZeroPad2d<P>
where
    X::H: Padded<P, P>,
    X::W: Padded<P, P>,
{
    type Output = Tensor<(X::N, X::C, Larger<X::H, P>, Larger<X::W, P>), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape().axes();
        pad::<P, _, _, _, _, _, _>(x.in_shape(shape), |place, size| {
            if (0..size as isize).contains(&place) { single(place as usize) } else { [(0, E::zero()); 2] }
        })
    }
}

impl<const P: usize, X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for ReflectionPad2d<P>
where
    X::H: Padded<P, P> + Mirrored<P>,
    X::W: Padded<P, P> + Mirrored<P>,
{
    type Output = Tensor<(X::N, X::C, Larger<X::H, P>, Larger<X::W, P>), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape().axes();
        let (_, _, height, width) = shape;
        height.check_mirrored();
        width.check_mirrored();
        pad::<P, _, _, _, _, _, _>(x.in_shape(shape), |place, size| {
            let last = size as isize - 1;
            single((last - (last - place.abs()).abs()) as usize)
        })
    }
}

impl<const P: usize, X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for ReplicationPad2d<P>
where
    X::H: Padded<P, P>,
    X::W: Padded<P, P>,
{
    type Output = Tensor<(X::N, X::C, Larger<X::H, P>, Larger<X::W, P>), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape().axes();
        let (_, _, height, width) = shape;
        if height.size() == 0 || width.size() == 0 {
            panic!("ReplicationPad2d: images of shape {} have no pixel to repeat", show(x.shape()));
        }
        pad::<P, _, _, _, _, _, _>(x.in_shape(shape), |place, size| single(place.clamp(0, size as isize - 1) as usize))
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn frames_hold_what_they_should() {
        let x = Tensor::from([[[[1.0, 2.0, 3.0]]]]);
        let middle = |y: [[[[f32; 7]; 5]; 1]; 1]| y[0][0][2];
        assert_eq!(middle(ZeroPad2d::<2>.forward(x.clone()).to_array()), [0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
        assert_eq!(middle(ReplicationPad2d::<2>.forward(x).to_array()), [1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0]);
        let x = Tensor::<Rank4<1, 1, 3, 3>>::from_fn(|[_, _, _, column]| column as f32 + 1.0);
        let y = ReflectionPad2d::<2>.forward(x).to_array();
        assert_eq!(y[0][0][0], [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
    }

    #[test]
    fn infinite_pixels_stay_where_they_are() {
        let x = Tensor::from([[[[f32::NEG_INFINITY, 1.0]]]]);
        let middle = |y: [[[[f32; 4]; 3]; 1]; 1]| y[0][0][1];
        assert_eq!(middle(ZeroPad2d::<1>.forward(x.clone()).to_array()), [0.0, f32::NEG_INFINITY, 1.0, 0.0]);
        let y = ReplicationPad2d::<1>.forward(x).to_array();
        assert_eq!(middle(y), [f32::NEG_INFINITY, f32::NEG_INFINITY, 1.0, 1.0]);
    }

    #[test]
    #[should_panic(expected = "a reflection of 2 pixels does not fit dimension 2: it is at least 2 + 1")]
    fn a_frame_as_wide_as_the_image_cannot_be_mirrored() {
        let _ = ReflectionPad2d::<2>.forward(Tensor::<_, f32>::zeros_with((1_usize, 1_usize, 2_usize, 5_usize)));
    }

    #[test]
    #[should_panic(expected = "ReplicationPad2d: images of shape (1, 1, 0, 5) have no pixel to repeat")]
    fn nothing_cannot_be_repeated() {
        let _ = ReplicationPad2d::<2>.forward(Tensor::<_, f32>::zeros_with((1_usize, 1_usize, 0_usize, 5_usize)));
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let x = Tensor::<Rank4<2, 2, 3, 4>, f64>::randn(&mut StdRng::seed_from_u64(1));
        check_gradients(|x| ZeroPad2d::<2>.forward(x), x.clone()).unwrap();
        check_gradients(|x| ReflectionPad2d::<2>.forward(x), x.clone()).unwrap();
        check_gradients(|x| ReplicationPad2d::<3>.forward(x), x).unwrap();
    }
}
