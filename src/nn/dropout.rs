//! Dropout layers.

use super::{Init, Module};
use crate::ops::dropout;
use crate::params::Parameters;
use crate::shape::{Const, Dim, Holds, ImageAxes, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// In training, sets each number to 0 with a probability of `PERCENT` percent, and multiplies the others by
/// 100 / (100 - PERCENT); in inference, does nothing.
///
/// The mask is drawn from the training tape's generator: the same seed drops the same numbers, whatever the number of
/// threads. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::<Rank1<1000>>::ones();
/// assert_eq!(Dropout::<50>.forward(x.clone()), x);
/// let tape = Tape::training(&mut StdRng::seed_from_u64(0));
/// let y = Dropout::<50>.forward(tape.trace(x));
/// assert!(y.iter().all(|y| y == 0.0 || y == 2.0));
/// assert!((y.sum().item() - 1000.0).abs() < 150.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Dropout<const PERCENT: usize = 50>;

impl<const PERCENT: usize, S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Dropout<PERCENT>
where
    Const<100>: Percent<PERCENT>,
{
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        dropout(x, PERCENT as f64 / 100.0, 1)
    }
}

/// [`Dropout`] of whole channels of images, (N, C, H, W). Tompson et al., "Efficient Object Localization Using
/// Convolutional Networks", 2015.
///
/// ```
/// use taut::prelude::*;
/// let tape = Tape::training(&mut StdRng::seed_from_u64(0));
/// let y = Dropout2d::<50>.forward(tape.trace(Tensor::<Rank4<1, 8, 2, 2>>::ones()));
/// assert!((0..8).all(|c| y[[0, c, 0, 0]] == y[[0, c, 1, 1]]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Dropout2d<const PERCENT: usize = 50>;

impl<const PERCENT: usize, X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for Dropout2d<PERCENT>
where
    Const<100>: Percent<PERCENT>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let (_, _, height, width) = x.shape().axes();
        dropout(x, PERCENT as f64 / 100.0, height.size() * width.size())
    }
}

/// A probability in percent: at most 100.
#[diagnostic::on_unimplemented(message = "dropout of {PERCENT} percent: at most 100 can be dropped")]
pub trait Percent<const PERCENT: usize> {}
#[diagnostic::do_not_recommend]
impl<const PERCENT: usize, D: Holds<PERCENT, 0>> Percent<PERCENT> for D {}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        // the check's tapes all start from the same seed, so every evaluation drops the same numbers
        let x = Tensor::<Rank4<2, 3, 4, 4>, f64>::randn(&mut StdRng::seed_from_u64(1));
        check_gradients(|x| Dropout::<30>.forward(x), x.clone()).unwrap();
        check_gradients(|x| Dropout2d::<50>.forward(x), x).unwrap();
    }

    #[test]
    fn as_many_are_dropped_as_the_type_says() {
        let tape = Tape::training(&mut StdRng::seed_from_u64(1));
        let x = tape.trace(Tensor::<Rank2<300, 400>>::ones());
        let dropped = Dropout::<20>.forward(x.clone()).iter().filter(|&y| y == 0.0).count();
        // the deviation of 120,000 draws is 139
        assert!(dropped.abs_diff(24_000) < 600, "{dropped}");
        let again = Dropout::<20>.forward(x.clone());
        assert_ne!(again, Dropout::<20>.forward(x.clone()), "every call draws another mask");
        assert!(Dropout::<100>.forward(x.clone()).iter().all(|y| y == 0.0));
        assert_eq!(Dropout::<0>.forward(x.clone()), x);
    }

    #[test]
    fn whole_channels_are_dropped() {
        let tape = Tape::training(&mut StdRng::seed_from_u64(1));
        let y = Dropout2d::<50>.forward(tape.trace(Tensor::<Rank4<8, 16, 3, 3>>::ones()));
        let channels: Vec<f32> = y.as_slice().chunks(9).map(|channel| channel.iter().sum()).collect();
        assert!(channels.iter().all(|&sum| sum == 0.0 || sum == 18.0));
        let dropped = channels.iter().filter(|&&sum| sum == 0.0).count();
        assert!((40..90).contains(&dropped), "{dropped} of 128");
    }

    #[test]
    fn inference_tapes_drop_nothing() {
        let x = Tape::inference().trace(Tensor::<Rank1<100>>::ones());
        assert_eq!(Dropout::<50>.forward(x.clone()), x);
    }
}
