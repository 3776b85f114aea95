//! Channels into space.

use super::upsample::Scaled;
use super::{Init, Module};
use crate::params::Parameters;
use crate::shape::{Axis, Const, ImageAxes, PixelBlocks, Product};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Enlarges images by a factor of `R` using `R R` times as many channels: (N, C R R, H, W) to (N, C, H R, W R).
///
/// Each `R` x `R` block of the output is the `R R` channels of one pixel. Shi et al., "Real-Time Single Image and Video
/// Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", 2016.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]]);
/// assert_eq!(PixelShuffle::<2>.forward(x).to_array(), [[[[1.0, 2.0], [3.0, 4.0]]]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct PixelShuffle<const R: usize>;

impl<const R: usize, X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for PixelShuffle<R>
where
    X::C: PixelBlocks<R>,
    (X::H, Const<R>): Product,
    (X::W, Const<R>): Product,
{
    type Output = Tensor<(X::N, <X::C as PixelBlocks<R>>::Out, Scaled<X::H, R>, Scaled<X::W, R>), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let (batch, channels, height, width) = x.shape().axes();
        let channels = channels.pixel_blocks();
        let factor = Const::<R>;
        let shape = (batch, channels, (height, factor).product(), (width, factor).product());
        x.reshape_with((batch, channels, factor, factor, height, width))
            .permute::<(Axis<0>, Axis<1>, Axis<4>, Axis<2>, Axis<5>, Axis<3>)>()
            .reshape_with(shape)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        let x = Tensor::<Rank4<2, 8, 2, 3>, f64>::randn(&mut StdRng::seed_from_u64(1));
        check_gradients(|x| PixelShuffle::<2>.forward(x), x).unwrap();
    }

    #[test]
    #[should_panic(expected = "6 channels do not make whole blocks of 2 x 2 pixels")]
    fn channels_that_are_no_blocks_are_refused() {
        let _ = PixelShuffle::<2>.forward(Tensor::<_, f32>::zeros_with((1_usize, 6_usize, 2_usize, 3_usize)));
    }
}
