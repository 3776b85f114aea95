//! Requirements that layers put on a dimension, one trait per meaning, so that an error says which of a layer's
//! parameters does not fit.

use super::arithmetic::{AtLeastOne, DivisibleBy, Holds, Plus};
use super::dim::{Const, Dim};

/// An odd kernel size: with the same padding before and after, the window can keep the size of an image.
#[diagnostic::on_unimplemented(message = "a window of kernel {Self} has no middle: an odd kernel keeps the size")]
pub trait Odd: Dim {}
// K + 1 is even
#[diagnostic::do_not_recommend]
impl<K: Plus<Const<1>>> Odd for K where K::Out: DivisibleBy<2> {}

/// A pooling window of this size allows `PADDING`: at most half its size, so that every window contains a pixel.
#[diagnostic::on_unimplemented(message = "padding {PADDING} is more than half of a pooling window of {Self}")]
pub trait PoolPadding<const PADDING: usize>: Dim {}
#[diagnostic::do_not_recommend]
impl<const P: usize, K: Holds<P, P>> PoolPadding<P> for K {}

/// A transposed convolution with this stride allows `OUTPUT_PADDING`, which must be smaller than the stride.
#[diagnostic::on_unimplemented(message = "output padding {OUTPUT_PADDING} is not smaller than the stride {Self}")]
pub trait OutputPadding<const OUTPUT_PADDING: usize>: Dim {}
#[diagnostic::do_not_recommend]
impl<const P: usize, S: Holds<P, 1>> OutputPadding<P> for S {}

/// `GROUPS` divides this number of channels: [`DivisibleBy`] with an error message of its own.
#[diagnostic::on_unimplemented(message = "{GROUPS} groups do not divide {Self} channels")]
pub trait InGroups<const GROUPS: usize>: Dim {
    /// The channels of one group.
    type Channels: Dim;
    /// The channels of one group.
    fn of_group(self) -> Self::Channels;
}
#[diagnostic::do_not_recommend]
impl<const GROUPS: usize, C: DivisibleBy<GROUPS>> InGroups<GROUPS> for C {
    type Channels = C::Quotient;
    fn of_group(self) -> Self::Channels {
        self.quotient()
    }
}

/// An axis of this size can be padded with a reflection of `PIXELS` pixels: it must be longer than that, as the
/// outermost pixel is not repeated.
#[diagnostic::on_unimplemented(
    message = "a reflection of {PIXELS} pixels does not fit dimension {Self}",
    note = "the mirror is the outermost pixel: the dimension is at least {PIXELS} + 1; a size over 2048 is given as \
            `usize`"
)]
pub trait Mirrored<const PIXELS: usize>: Dim {
    /// Panics at the caller's line if a `usize` dimension is too short.
    #[track_caller]
    fn check_mirrored(self);
}
#[diagnostic::do_not_recommend]
impl<const D: usize, const P: usize> Mirrored<P> for Const<D>
where
    Const<D>: Holds<P, 1>,
{
    fn check_mirrored(self) {}
}
impl<const P: usize> Mirrored<P> for usize {
    fn check_mirrored(self) {
        if self <= P {
            panic!("a reflection of {P} pixels does not fit dimension {self}: it is at least {P} + 1");
        }
    }
}

/// These channels can be rearranged into whole blocks of `R` x `R` pixels.
#[diagnostic::on_unimplemented(
    message = "{Self} channels do not make whole blocks of {R} x {R} pixels",
    note = "a pixel shuffle by {R} takes a multiple of {R} times {R} channels, at most 2048 if the compiler knows them"
)]
pub trait PixelBlocks<const R: usize>: Dim {
    /// The remaining channels.
    type Out: Dim;
    /// The remaining channels.
    ///
    /// # Panics
    /// If `R` x `R` does not divide a `usize` number of channels.
    #[track_caller]
    fn pixel_blocks(self) -> Self::Out;
}
#[diagnostic::do_not_recommend]
impl<const C: usize, const R: usize, Row, Out: Dim> PixelBlocks<R> for Const<C>
where
    Const<C>: DivisibleBy<R, Quotient = Row>,
    Row: DivisibleBy<R, Quotient = Out>,
{
    type Out = Out;
    fn pixel_blocks(self) -> Out {
        self.quotient().quotient()
    }
}
impl<const R: usize> PixelBlocks<R> for usize
where
    Const<R>: AtLeastOne,
{
    type Out = usize;
    fn pixel_blocks(self) -> usize {
        if !self.is_multiple_of(R * R) {
            panic!("{self} channels do not make whole blocks of {R} x {R} pixels");
        }
        self / (R * R)
    }
}
