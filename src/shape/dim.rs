//! One dimension of a shape: `Const<N>` if the compiler knows it, `usize` if it is known only at run time.

use super::Shape;
use std::fmt;

/// A dimension of size `N`, known to the compiler.
///
/// ```
/// use taut::prelude::*;
/// assert_eq!(Const::<28>.size(), 28);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Const<const N: usize>;

impl<const N: usize> fmt::Debug for Const<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Const<{N}>")
    }
}

/// A dimension: [`Const<N>`](Const), checked by the compiler, or `usize`, checked at run time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dimension",
    note = "a dimension is `Const<N>` (known to the compiler) or `usize` (known when the program runs)"
)]
pub trait Dim: Copy + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// The size, if the compiler knows it.
    const STATIC: Option<usize>;
    /// The size.
    fn size(self) -> usize;
    /// The dimension with this size, or `None` if the type stands for another size.
    fn from_size(size: usize) -> Option<Self>;
}

impl<const N: usize> Dim for Const<N> {
    const STATIC: Option<usize> = Some(N);
    fn size(self) -> usize {
        N
    }
    fn from_size(size: usize) -> Option<Self> {
        (size == N).then_some(Const)
    }
}

impl Dim for usize {
    const STATIC: Option<usize> = None;
    fn size(self) -> usize {
        self
    }
    fn from_size(size: usize) -> Option<Self> {
        Some(size)
    }
}

/// A layer that takes `N` features accepts this dimension.
///
/// A named requirement, rather than simply `Const<N>` in the layer's signature, so that the compiler's error shows both
/// numbers. A `usize` satisfies it for every `N` and is checked when the layer runs.
#[diagnostic::on_unimplemented(message = "expected `{N}`, found `{Self}`: this layer takes {N} features")]
pub trait Features<const N: usize>: Accepted<N> {}
impl<const N: usize, const FOUND: usize> Features<N> for Const<FOUND> where Found<FOUND>: ExpectFeatures<N, FOUND> {}
impl<const N: usize> Features<N> for usize {}

/// A layer that takes `N` channels accepts this dimension. See [`Features`].
#[diagnostic::on_unimplemented(message = "expected `{N}`, found `{Self}`: this layer takes {N} channels")]
pub trait Channels<const N: usize>: Accepted<N> {}
impl<const N: usize, const FOUND: usize> Channels<N> for Const<FOUND> where Found<FOUND>: ExpectChannels<N, FOUND> {}
impl<const N: usize> Channels<N> for usize {}

/// This dimension is `N`, as far as the compiler knows.
///
/// A layer's output shape is projected through [`Then`](Accepted::Then): if the layer does not accept its input, rustc
/// does not know its output shape either, and so does not blame the layers after it.
#[diagnostic::on_unimplemented(message = "expected `{N}`, found `{Self}`")]
pub trait Accepted<const N: usize>: Dim {
    /// `S` itself.
    type Then<S: Shape>: Shape;
    #[doc(hidden)]
    fn then<S: Shape>(shape: S) -> Self::Then<S>;
}
impl<const N: usize, const FOUND: usize> Accepted<N> for Const<FOUND>
where
    Found<FOUND>: Equals<N, FOUND>,
{
    type Then<S: Shape> = <Found<FOUND> as Equals<N, FOUND>>::Then<S>;
    fn then<S: Shape>(shape: S) -> Self::Then<S> {
        Found::<FOUND>::then(shape)
    }
}
impl<const N: usize> Accepted<N> for usize {
    type Then<S: Shape> = S;
    fn then<S: Shape>(shape: S) -> S {
        shape
    }
}

/// A size that the compiler found. Requirements on a `Const` are stated for this type, with both numbers as parameters,
/// so that error messages can show them: a `Const` would be shown with its path, as `taut::Const<800>`.
#[doc(hidden)]
pub struct Found<const N: usize>;

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "expected `{EXPECTED}`, found `Const<{FOUND}>`: this layer takes {EXPECTED} features",
    label = "`Const<{FOUND}>` features arrive here"
)]
pub trait ExpectFeatures<const EXPECTED: usize, const FOUND: usize>: Equals<EXPECTED, FOUND> {}
#[diagnostic::do_not_recommend]
impl<const N: usize> ExpectFeatures<N, N> for Found<N> {}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "expected `{EXPECTED}`, found `Const<{FOUND}>`: this layer takes {EXPECTED} channels",
    label = "`Const<{FOUND}>` channels arrive here"
)]
pub trait ExpectChannels<const EXPECTED: usize, const FOUND: usize>: Equals<EXPECTED, FOUND> {}
#[diagnostic::do_not_recommend]
impl<const N: usize> ExpectChannels<N, N> for Found<N> {}

/// The common supertrait of `ExpectFeatures` and `ExpectChannels`. rustc does not report an unmet requirement that is
/// implied by another unmet one, so it reports the layer's requirement, and not the one on its output.
#[doc(hidden)]
#[diagnostic::on_unimplemented(message = "expected `{EXPECTED}`, found `Const<{FOUND}>`")]
pub trait Equals<const EXPECTED: usize, const FOUND: usize> {
    type Then<S: Shape>: Shape;
    fn then<S: Shape>(shape: S) -> Self::Then<S>;
}
#[diagnostic::do_not_recommend]
impl<const N: usize> Equals<N, N> for Found<N> {
    type Then<S: Shape> = S;
    fn then<S: Shape>(shape: S) -> S {
        shape
    }
}

/// Panics at the caller's line if a run-time dimension does not have the size that a layer takes.
#[track_caller]
#[inline]
pub(crate) fn expect_size(layer: &str, what: &str, expected: usize, found: impl Dim) {
    let found = found.size();
    if expected != found {
        panic!("{layer}: expected {expected} {what}, found {found}");
    }
}
