//! Named requirements that operations put on shapes, so that error messages say what does not fit.

use super::axes::HasAxis;
use super::dim::{Const, Dim};
use super::{Product, Shape};

/// This shape equals `Other` except for the size of axis `A`, as joining and gathering along that axis require.
#[diagnostic::on_unimplemented(
    message = "shape {Self} does not fit shape {Other} along axis {A}",
    note = "both must have the axis, and the same dimensions on all other axes"
)]
pub trait SameExcept<const A: usize, Other: HasAxis<A>>: HasAxis<A, Removed = Other::Removed> {}
#[diagnostic::do_not_recommend]
impl<const A: usize, S: HasAxis<A, Removed = Other::Removed>, Other: HasAxis<A>> SameExcept<A, Other> for S {}

/// A dimension of 1, or one that may be 1 at run time.
#[diagnostic::on_unimplemented(
    message = "an axis of {Self} cannot be squeezed",
    note = "only an axis of size 1 can be left out: `reshape` or `slice_axis` change others"
)]
pub trait One: Dim {}
#[diagnostic::do_not_recommend]
impl One for Const<1> {}
impl One for usize {}

/// The axes from `FROM` on can be merged into one, whose size is their product.
#[diagnostic::on_unimplemented(
    message = "the axes of shape {Self} from {FROM} on cannot be made one",
    note = "the shape must have an axis {FROM}; at most five axes become one",
    note = "in generic code, write `where S: taut::shape::FlattenFrom<{FROM}>`, for a shape `S`"
)]
pub trait FlattenFrom<const FROM: usize>: Shape {
    /// The shape with these axes merged.
    type Flattened: Shape;
    /// The shape with these axes merged.
    #[track_caller]
    fn flattened(self) -> Self::Flattened;
}

/// Axes `A` and `A` + 1 can be merged into one, whose size is their product.
#[diagnostic::on_unimplemented(
    message = "axis {A} of shape {Self} cannot be made one with the next",
    note = "the shape must have an axis {A} and one after it",
    note = "in generic code, write `where S: taut::shape::MergeAxes<{A}>`, for a shape `S`"
)]
pub trait MergeAxes<const A: usize>: Shape {
    /// The shape with the two axes merged.
    type Merged: Shape;
    /// The shape with the two axes merged.
    fn merged(self) -> Self::Merged;
}

/// A number equal to `Other`, as far as the compiler knows.
#[diagnostic::on_unimplemented(
    message = "expected `{Other}` elements, found `{Self}`: another shape has as many elements",
    label = "`{Self}` elements arrive here",
    note = "`reshape` keeps the number of elements of a tensor, the layer `Reshape` that of each sample"
)]
pub trait AsMany<Other: Dim>: Dim {}
#[diagnostic::do_not_recommend]
impl<const N: usize> AsMany<Const<N>> for Const<N> {}
#[diagnostic::do_not_recommend]
impl<const N: usize> AsMany<usize> for Const<N> {}
#[diagnostic::do_not_recommend]
impl<D: Dim> AsMany<D> for usize {}

/// A shape with as many elements as `Other`, as far as the compiler knows.
#[diagnostic::on_unimplemented(
    message = "shape {Self} cannot become shape {Other}",
    note = "the compiler multiplies sizes up to 2048 each: `reshape_with(shape)` takes shapes of any sizes, and is \
            checked when the program is built or run",
    note = "in generic code, write `where S: taut::shape::ReshapesTo<..>`"
)]
pub trait ReshapesTo<Other: Shape>: Shape {}
impl<S: Shape + Product, Other: Shape + Product> ReshapesTo<Other> for S where S::Out: AsMany<Other::Out> {}

/// A shape of at most five dimensions, so that one more can be appended.
#[diagnostic::on_unimplemented(
    message = "no axis can be added to shape {Self}",
    note = "a shape has at most six dimensions",
    note = "in generic code, write `where S: taut::shape::Append`, for a shape `S`"
)]
pub trait Append: Shape {
    /// The shape with one more dimension.
    type Appended<D: Dim>: Shape;
    /// The shape with one more dimension.
    fn appended<D: Dim>(self, dim: D) -> Self::Appended<D>;
}

macro_rules! flatten_from {
    ($($from:literal: ($($kept:ident)*) ($($dim:ident)+);)*) => { $(
        #[allow(non_snake_case)]
        impl<$($kept: Dim,)* $($dim: Dim),+> FlattenFrom<$from> for ($($kept,)* $($dim,)+)
        where
            ($($dim,)+): Product,
        {
            type Flattened = ($($kept,)* <($($dim,)+) as Product>::Out,);
            fn flattened(self) -> Self::Flattened {
                let ($($kept,)* $($dim,)+) = self;
                ($($kept,)* ($($dim,)+).product(),)
            }
        }
    )* };
}
flatten_from! {
    0: () (A); 0: () (A B); 0: () (A B C); 0: () (A B C D); 0: () (A B C D E);
    1: (A) (B); 1: (A) (B C); 1: (A) (B C D); 1: (A) (B C D E); 1: (A) (B C D E F);
    2: (A B) (C); 2: (A B) (C D); 2: (A B) (C D E); 2: (A B) (C D E F);
    3: (A B C) (D); 3: (A B C) (D E); 3: (A B C) (D E F);
    4: (A B C D) (E); 4: (A B C D) (E F);
    5: (A B C D E) (F);
}

macro_rules! merge_axes {
    ($($axis:literal: ($($before:ident)*) ($($after:ident)*);)*) => { $(
        #[allow(non_snake_case)]
        impl<$($before: Dim,)* L: Dim, R: Dim, $($after: Dim),*> MergeAxes<$axis> for ($($before,)* L, R, $($after,)*)
        where
            (L, R): Product,
        {
            type Merged = ($($before,)* <(L, R) as Product>::Out, $($after,)*);
            fn merged(self) -> Self::Merged {
                let ($($before,)* left, right, $($after,)*) = self;
                ($($before,)* (left, right).product(), $($after,)*)
            }
        }
    )* };
}
merge_axes! {
    0: () ();
    0: () (A); 1: (A) ();
    0: () (A B); 1: (A) (B); 2: (A B) ();
    0: () (A B C); 1: (A) (B C); 2: (A B) (C); 3: (A B C) ();
    0: () (A B C D); 1: (A) (B C D); 2: (A B) (C D); 3: (A B C) (D); 4: (A B C D) ();
}

macro_rules! append {
    ($(($($dim:ident)*))*) => { $(
        #[allow(non_snake_case)]
        impl<$($dim: Dim),*> Append for ($($dim,)*) {
            type Appended<N: Dim> = ($($dim,)* N,);
            fn appended<N: Dim>(self, dim: N) -> Self::Appended<N> {
                let ($($dim,)*) = self;
                ($($dim,)* dim,)
            }
        }
    )* };
}
append! { () (A) (A B) (A B C) (A B C D) (A B C D E) }
