//! One dimension of a shape: `Const<N>` when the compiler knows it, `usize` when only the running program does.

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

/// A dimension: [`Const<N>`](Const), checked by the compiler, or `usize`, checked when the program runs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dimension",
    note = "a dimension is `Const<N>` (known to the compiler) or `usize` (known when the program runs)"
)]
pub trait Dim: Copy + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// The size, where the compiler knows it.
    const STATIC: Option<usize>;
    /// The size.
    fn size(self) -> usize;
    /// The dimension of this size, or `None` if the type stands for another size.
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
/// It is a requirement by name, and not simply a `Const<N>` in the layer's signature, so that the compiler's error
/// carries both numbers. A `usize` satisfies it for every `N` and is checked when the layer runs.
#[diagnostic::on_unimplemented(
    message = "expected `{N}`, found `{Self}`: this layer takes {N} features",
    label = "`{Self}` features arrive here"
)]
pub trait Features<const N: usize>: Dim {}
#[diagnostic::do_not_recommend]
impl<const N: usize> Features<N> for Const<N> {}
impl<const N: usize> Features<N> for usize {}

/// A layer that takes `N` channels accepts this dimension. See [`Features`].
#[diagnostic::on_unimplemented(
    message = "expected `{N}`, found `{Self}`: this layer takes {N} channels",
    label = "`{Self}` channels arrive here"
)]
pub trait Channels<const N: usize>: Dim {}
#[diagnostic::do_not_recommend]
impl<const N: usize> Channels<N> for Const<N> {}
impl<const N: usize> Channels<N> for usize {}

/// Panics at the caller's line when a run-time dimension has another size than a layer takes.
#[track_caller]
#[inline]
pub(crate) fn expect_size(layer: &str, what: &str, expected: usize, found: impl Dim) {
    let found = found.size();
    if expected != found {
        panic!("{layer}: expected {expected} {what}, found {found}");
    }
}
