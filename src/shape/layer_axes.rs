//! Shapes by the meaning of their axes, for layers that require a certain number of them.
//!
//! A layer is implemented for tensors of any shape `X: ImageAxes` rather than of shape `(N, C, H, W)`: for another
//! number of axes, rustc would only say "expected a tuple with 4 elements, found one with 3", whereas these traits say
//! which axes are expected. The same goes for methods of tensors: one defined only for `Tensor<(N, C, H, W)>` would not
//! be found at all.

use super::Shape;
use super::dim::{Channels, Dim, Features};

/// Images: (batch, channels, height, width).
#[diagnostic::on_unimplemented(
    message = "this layer takes images, (batch, channels, height, width), and {Self} comes",
    label = "these are not the four axes of images",
    note = "`unsqueeze::<0>()` makes one image a batch of one; `unsqueeze::<1>()` gives images without channels one"
)]
pub trait ImageAxes: Shape {
    /// The number of images.
    type N: Dim;
    /// The channels of each.
    type C: Dim;
    /// The height of each channel.
    type H: Dim;
    /// The width of each channel.
    type W: Dim;
    /// The shape as a tuple.
    fn axes(self) -> (Self::N, Self::C, Self::H, Self::W);
}
impl<N: Dim, C: Dim, H: Dim, W: Dim> ImageAxes for (N, C, H, W) {
    type N = N;
    type C = C;
    type H = H;
    type W = W;
    fn axes(self) -> Self {
        self
    }
}

/// Signals, such as audio: (batch, channels, length).
#[diagnostic::on_unimplemented(
    message = "this layer takes signals, (batch, channels, length), and {Self} comes",
    label = "these are not the three axes of signals",
    note = "`unsqueeze::<0>()` makes one signal a batch of one; `unsqueeze::<1>()` gives signals without channels one"
)]
pub trait SignalAxes: Shape {
    /// The number of signals.
    type N: Dim;
    /// The channels of each.
    type C: Dim;
    /// The length of each channel.
    type L: Dim;
    /// The shape as a tuple.
    fn axes(self) -> (Self::N, Self::C, Self::L);
}
impl<N: Dim, C: Dim, L: Dim> SignalAxes for (N, C, L) {
    type N = N;
    type C = C;
    type L = L;
    fn axes(self) -> Self {
        self
    }
}

/// Sequences: (batch, steps, features).
#[diagnostic::on_unimplemented(
    message = "this layer takes sequences, (batch, steps, features), and {Self} comes",
    label = "these are not the three axes of sequences",
    note = "`unsqueeze::<0>()` makes one sequence a batch of one; tokens become features in an `Embedding`"
)]
pub trait SequenceAxes: Shape {
    /// The number of sequences.
    type B: Dim;
    /// The steps of each.
    type L: Dim;
    /// The features of each step.
    type F: Dim;
    /// The shape as a tuple.
    fn axes(self) -> (Self::B, Self::L, Self::F);
}
impl<B: Dim, L: Dim, F: Dim> SequenceAxes for (B, L, F) {
    type B = B;
    type L = L;
    type F = F;
    fn axes(self) -> Self {
        self
    }
}

/// Rows of features: (batch, features).
#[diagnostic::on_unimplemented(
    message = "this layer takes rows, (batch, features), and {Self} comes",
    label = "these are not the two axes of rows",
    note = "`unsqueeze::<0>()` makes one row a batch of one; of whole sequences a recurrent cell takes one step at a \
            time"
)]
pub trait RowAxes: Shape {
    /// The number of rows.
    type B: Dim;
    /// The features of each.
    type F: Dim;
    /// The shape as a tuple.
    fn axes(self) -> (Self::B, Self::F);
}
impl<B: Dim, F: Dim> RowAxes for (B, F) {
    type B = B;
    type F = F;
    fn axes(self) -> Self {
        self
    }
}

/// Queries, keys or values of attention: (batch, heads, steps, features).
#[diagnostic::on_unimplemented(
    message = "attention takes (batch, heads, steps, features), and {Self} comes",
    label = "these are not the four axes of heads",
    note = "`unsqueeze::<1>()` gives sequences, (batch, steps, features), one head; `MultiHeadAttention` splits them \
            into heads"
)]
pub trait HeadAxes: Shape {
    /// The number of sequences.
    type B: Dim;
    /// The heads.
    type H: Dim;
    /// The steps of each sequence.
    type L: Dim;
    /// The features of each step and head.
    type F: Dim;
    /// The shape as a tuple.
    fn axes(self) -> (Self::B, Self::H, Self::L, Self::F);
}
impl<B: Dim, H: Dim, L: Dim, F: Dim> HeadAxes for (B, H, L, F) {
    type B = B;
    type H = H;
    type L = L;
    type F = F;
    fn axes(self) -> Self {
        self
    }
}

/// A vector.
#[diagnostic::on_unimplemented(
    message = "a vector, of one axis, is taken here, and {Self} comes",
    label = "this has not one axis",
    note = "matrices, and batches of them, are multiplied by `matmul`"
)]
pub trait VectorAxis: Shape {
    /// The number of elements.
    type Length: Dim;
    /// The number of elements.
    fn axis(self) -> Self::Length;
}
impl<N: Dim> VectorAxis for (N,) {
    type Length = N;
    fn axis(self) -> N {
        self.0
    }
}

/// A scalar.
#[diagnostic::on_unimplemented(
    message = "one number, a scalar, is taken here, and {Self} comes",
    label = "this is not a scalar",
    note = "`sum()` and `mean()` make one number of many; a single element is `x[[i, j]]`"
)]
pub trait ScalarShape: Shape {}
impl ScalarShape for () {}

/// Rows of `C` features or signals of `C` channels: (batch, features) or (batch, channels, length).
#[diagnostic::on_unimplemented(
    message = "this layer takes (batch, features) or (batch, channels, length), and {Self} comes",
    label = "these are neither the axes of rows nor those of signals",
    note = "for images, (batch, channels, height, width), there is `BatchNorm2d`"
)]
pub trait RowsOrSignals<const C: usize>: Shape {
    /// What error messages call the `C` entries.
    const NAME: &'static str;
}
impl<const C: usize, N: Dim, F: Features<C>> RowsOrSignals<C> for (N, F) {
    const NAME: &'static str = "features";
}
impl<const C: usize, N: Dim, D: Channels<C>, L: Dim> RowsOrSignals<C> for (N, D, L) {
    const NAME: &'static str = "channels";
}
