//! Dimensions, shapes, axes, and size arithmetic: the only place with type-level programming.
//!
//! A shape is a tuple of zero to six dimensions, each a [`Const<N>`](Const), checked by the compiler, or a `usize`,
//! checked at run time. [`Rank0`] to [`Rank6`] are aliases for the shapes without a `usize`.
//!
//! ```
//! use taut::prelude::*;
//! let fixed: Rank2<64, 784> = Default::default();
//! let mixed = (64_usize, Const::<784>);
//! assert_eq!(fixed.count(), mixed.count());
//! ```

mod arithmetic;
mod axes;

mod dim;
mod fit;
mod layer;
mod layer_axes;
mod matmul;
mod table;

pub use arithmetic::{AtLeastOne, DivisibleBy, Heads, Holds, Padded, Plus, Product, TransposedWindow, Window};
pub use axes::{
    Axes, Axis, Before, BroadcastTo, Different, HasAxis, InsertAxis, LastAxis, Permutation, Reduce, Transpose,
};
pub(crate) use dim::expect_size;
pub use dim::{Accepted, Channels, Const, Dim, Features, Found};
pub use fit::{Append, AsMany, FlattenFrom, MergeAxes, One, ReshapesTo, SameExcept};
pub use layer::{InGroups, Mirrored, Odd, OutputPadding, PixelBlocks, PoolPadding};
pub use layer_axes::{HeadAxes, ImageAxes, RowAxes, RowsOrSignals, ScalarShape, SequenceAxes, SignalAxes, VectorAxis};
pub use matmul::MatMul;
pub(crate) use matmul::ProductSizes;

use std::fmt::Debug;

/// A tuple of zero to six [dimensions](Dim).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape",
    note = "a shape is a tuple of dimensions, `(Const<3>, usize)` for example: one dimension is written `(Const<3>,)`"
)]
pub trait Shape: Copy + PartialEq + Debug + Send + Sync + 'static {
    /// The number of dimensions.
    const RANK: usize;
    /// An array of `RANK` sizes.
    type Sizes: AsRef<[usize]> + AsMut<[usize]> + Copy + Debug + PartialEq;
    /// The size of each dimension, if the compiler knows it.
    const DIMENSIONS: &'static [Option<usize>];
    /// The number of elements, if the compiler knows it.
    const STATIC: Option<usize>;
    /// The size of each dimension.
    fn sizes(self) -> Self::Sizes;
    /// The shape with these sizes, or `None` if they do not match the type.
    fn from_sizes(sizes: &[usize]) -> Option<Self>;
    /// The number of elements.
    ///
    /// # Panics
    /// If there are more than can be addressed. See [`checked_count`](Shape::checked_count).
    #[track_caller]
    #[inline]
    fn count(self) -> usize {
        match self.checked_count() {
            Some(count) => count,
            None => too_large(self.sizes().as_ref()),
        }
    }
    /// The number of elements, or `None` if there are more than `isize::MAX`, the most that can be addressed.
    ///
    /// An axis of size 0 does not lift this limit: the product of all other sizes must be within it too, so that the
    /// product of any of a tensor's axes is.
    #[inline]
    fn checked_count(self) -> Option<usize> {
        let sizes = self.sizes();
        let filled = sizes.as_ref().iter().try_fold(1_usize, |count, &size| count.checked_mul(size.max(1)))?;
        let count = if sizes.as_ref().contains(&0) { 0 } else { filled };
        (filled <= isize::MAX as usize).then_some(count)
    }
}

/// A shape whose dimensions are all known to the compiler, so that the type alone is enough to make a tensor.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape that the compiler knows",
    note = "a shape with a run-time dimension (`usize`) is given as a value: `zeros_with(shape)`, `from_vec(values, \
            shape)`, ...",
    note = "one dimension is a tuple, too: `(Const<3>,)` or `Rank1<3>`"
)]
pub trait StaticShape: Shape + Default {}

/// The shape of a scalar.
pub type Rank0 = ();
/// The shape of a vector.
pub type Rank1<const A: usize> = (Const<A>,);
/// The shape of a matrix: rows, columns.
pub type Rank2<const A: usize, const B: usize> = (Const<A>, Const<B>);
/// Three dimensions known to the compiler.
pub type Rank3<const A: usize, const B: usize, const C: usize> = (Const<A>, Const<B>, Const<C>);
/// Four dimensions known to the compiler: (batch, channels, height, width) for images.
pub type Rank4<const A: usize, const B: usize, const C: usize, const D: usize> =
    (Const<A>, Const<B>, Const<C>, Const<D>);
/// Five dimensions known to the compiler.
pub type Rank5<const A: usize, const B: usize, const C: usize, const D: usize, const E: usize> =
    (Const<A>, Const<B>, Const<C>, Const<D>, Const<E>);
/// Six dimensions known to the compiler.
pub type Rank6<const A: usize, const B: usize, const C: usize, const D: usize, const E: usize, const F: usize> =
    (Const<A>, Const<B>, Const<C>, Const<D>, Const<E>, Const<F>);

impl<const N: usize> StaticDim for Const<N> {}
/// A dimension whose type determines its value.
#[doc(hidden)]
#[diagnostic::on_unimplemented(message = "`{Self}` is a dimension that only the running program knows")]
pub trait StaticDim: Dim + Default {}

const fn static_count(sizes: &[Option<usize>]) -> Option<usize> {
    let mut count = 1;
    let mut axis = 0;
    while axis < sizes.len() {
        match sizes[axis] {
            Some(size) => match usize::checked_mul(count, size) {
                Some(product) => count = product,
                None => panic!("a shape has more elements than can be addressed"),
            },
            None => return None,
        }
        axis += 1;
    }
    Some(count)
}

macro_rules! shapes {
    ($($rank:literal: $($dim:ident)*;)*) => { $(
        impl<$($dim: Dim),*> Shape for ($($dim,)*) {
            const RANK: usize = $rank;
            const DIMENSIONS: &'static [Option<usize>] = &[$($dim::STATIC),*];
            const STATIC: Option<usize> = static_count(Self::DIMENSIONS);
            type Sizes = [usize; $rank];
            #[allow(non_snake_case)]
            #[inline]
            fn sizes(self) -> [usize; $rank] {
                let ($($dim,)*) = self;
                [$($dim.size()),*]
            }
            #[allow(non_snake_case)]
            fn from_sizes(sizes: &[usize]) -> Option<Self> {
                let &[$($dim),*] = sizes else { return None };
                Some(($($dim::from_size($dim)?,)*))
            }
        }
        #[diagnostic::do_not_recommend]
        impl<$($dim: StaticDim),*> StaticShape for ($($dim,)*) {}
    )* };
}
shapes! {
    0:;
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
}

/// A shape as shown to users: `(3, 4)`.
pub(crate) fn show(shape: impl Shape) -> String {
    show_sizes(shape.sizes().as_ref())
}

/// Panics with a message about sizes whose product is too large.
#[track_caller]
#[cold]
pub(crate) fn too_large(sizes: &[usize]) -> ! {
    panic!("a tensor of shape {} has more elements than can be addressed", show_sizes(sizes))
}

/// Sizes as shown to users: `(3, 4)`, `(3,)`, `()`.
pub(crate) fn show_sizes(sizes: &[usize]) -> String {
    // through a pointer: rustc searches what each generic function calls for recursion, and would search all of this
    let show: fn(&[usize]) -> String = |sizes| match sizes {
        [one] => format!("({one},)"),
        many => format!("({})", many.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    };
    show(sizes)
}

/// Panics at the caller's line because run-time dimensions disagree.
#[track_caller]
#[cold]
pub(crate) fn shapes_differ(operation: &str, left: impl Shape, right: impl Shape) -> ! {
    panic!("{operation}: the shapes {} and {} do not fit", show(left), show(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same<T>(_: T, _: T) {}

    #[test]
    fn windows_compute_their_output_size() {
        fn out<D: Window<K, S, P, L>, const K: usize, const S: usize, const P: usize, const L: usize>(
            dim: D,
        ) -> D::Out {
            dim.windows()
        }
        same(out::<_, 5, 1, 2, 1>(Const::<28>), Const::<28>);
        same(out::<_, 5, 1, 0, 1>(Const::<14>), Const::<10>);
        same(out::<_, 3, 2, 1, 1>(Const::<224>), Const::<112>);
        same(out::<_, 7, 2, 3, 1>(Const::<224>), Const::<112>);
        same(out::<_, 3, 1, 2, 2>(Const::<7>), Const::<7>);
        for size in 1..40_usize {
            if size + 2 >= 3 {
                assert_eq!(out::<_, 3, 2, 1, 1>(size), (size + 2 - 3) / 2 + 1);
            }
        }
    }

    #[test]
    fn the_run_time_sizes_agree_with_the_compiled_ones() {
        fn both<const N: usize>() -> (usize, usize)
        where
            Const<N>: Window<3, 2, 1> + TransposedWindow<4, 2, 1, 1> + DivisibleBy<2> + Padded<3, 4>,
        {
            fn all<D: Window<3, 2, 1> + TransposedWindow<4, 2, 1, 1> + DivisibleBy<2> + Padded<3, 4>>(d: D) -> usize {
                let window = Window::<3, 2, 1>::windows(d).size();
                window
                    + 100 * d.transposed_windows().size()
                    + 100_000 * d.quotient().size()
                    + 10_000_000 * d.padded().size()
            }
            (all(Const::<N>), all(N))
        }
        for (compiled, run) in [both::<2>(), both::<4>(), both::<10>(), both::<64>()] {
            assert_eq!(compiled, run);
        }
    }

    #[test]
    fn products_reach_the_large_images() {
        let vgg: Const<25_088> = (Const::<512>, Const::<7>, Const::<7>).product();
        let colour: Const<150_528> = (Const::<3>, Const::<224>, Const::<224>).product();
        assert_eq!((vgg.size(), colour.size()), (25_088, 150_528));
        assert_eq!((Const::<2>, 3_usize, Const::<4>).product(), 24);
        assert_eq!((2_usize, 3_usize, Const::<4>, 5_usize, Const::<1>).product(), 120);
        let five: Const<120> = (Const::<1>, Const::<2>, Const::<3>, Const::<4>, Const::<5>).product();
        assert_eq!(five.size(), 120);
    }

    #[test]
    fn shapes_come_back_from_their_sizes() {
        let shape = (Const::<3>, 5_usize);
        assert_eq!(<(Const<3>, usize)>::from_sizes(shape.sizes().as_ref()), Some(shape));
        assert_eq!(<(Const<3>, usize)>::from_sizes(&[4, 5]), None);
        assert_eq!(<(Const<3>, usize)>::from_sizes(&[3]), None);
        assert_eq!(Rank0::from_sizes(&[]), Some(()));
        assert_eq!(show(shape), "(3, 5)");
        assert_eq!(show((Const::<3>,)), "(3,)");
    }

    #[test]
    fn sizes_are_multiplied_without_wrapping() {
        let most = isize::MAX as usize;
        assert_eq!((most,).checked_count(), Some(most));
        assert_eq!((most + 1,).checked_count(), None);
        let half = 1_usize << (usize::BITS / 2);
        assert_eq!((half, half).checked_count(), None, "the product would wrap to 0");
        assert_eq!((half, half / 2).checked_count(), None, "one more than `isize::MAX`");
        assert_eq!((half, half / 4).checked_count(), Some(1 << (usize::BITS - 2)));
        assert_eq!((usize::MAX / 3 + 1, Const::<3>).checked_count(), None, "the product would wrap to 2");
        assert_eq!((0, usize::MAX, 2).checked_count(), None, "the other axes count, whatever their order");
        assert_eq!((usize::MAX, 2, 0).checked_count(), None);
        assert_eq!((most, 0).checked_count(), Some(0));
    }

    #[test]
    #[should_panic(expected = "a tensor of shape (18446744073709551615, 2) has more elements than can be addressed")]
    #[cfg(target_pointer_width = "64")]
    fn a_count_out_of_range_panics_in_words() {
        (usize::MAX, Const::<2>).count();
    }

    #[test]
    #[should_panic(expected = "kernel 3, stride 1, padding 0 (dilation 1) does not fit dimension 2")]
    fn a_window_too_large_for_a_run_time_size_panics() {
        Window::<3, 1, 0>::windows(2_usize);
    }
}
