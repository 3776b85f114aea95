//! Axes by number: removing, inserting, replacing and permuting them.

use super::Shape;
use super::dim::Dim;

/// Axis number `N`, counted from 0, as a type: `sum_axes::<(Axis<0>, Axis<2>)>()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis<const N: usize>;

/// This shape has an axis `A`.
#[diagnostic::on_unimplemented(
    message = "there is no axis {A} in shape {Self}",
    note = "axes are counted from 0: a matrix has the axes 0 (down its rows) and 1 (across its columns)",
    note = "in generic code, write `where S: taut::shape::HasAxis<{A}>`, for a shape `S`"
)]
pub trait HasAxis<const A: usize>: Shape {
    /// The dimension of the axis.
    type Length: Dim;
    /// The shape without the axis.
    type Removed: Shape;
    /// The shape with another dimension in place of the axis.
    type With<D: Dim>: Shape;
    /// The dimension of the axis.
    fn length(self) -> Self::Length;
    /// The shape without the axis.
    fn removed(self) -> Self::Removed;
    /// The shape with another dimension in place of the axis.
    fn with<D: Dim>(self, dim: D) -> Self::With<D>;
}

/// An axis can be inserted into this shape as axis number `A`.
#[diagnostic::on_unimplemented(
    message = "no axis {A} can be inserted into shape {Self}",
    note = "a shape has at most six dimensions, and axes are counted from 0 without gaps",
    note = "in generic code, write `where S: taut::shape::InsertAxis<{A}>`, for a shape `S`"
)]
pub trait InsertAxis<const A: usize>: Shape {
    /// The shape with the axis.
    type Inserted<D: Dim>: Shape;
    /// The shape with the axis.
    fn inserted<D: Dim>(self, dim: D) -> Self::Inserted<D>;
}

macro_rules! axes {
    ($($axis:literal: ($($before:ident)*) ($($after:ident)*);)*) => { $(
        #[allow(non_snake_case, unused_variables)]
        impl<$($before: Dim,)* L: Dim, $($after: Dim),*> HasAxis<$axis> for ($($before,)* L, $($after,)*) {
            type Length = L;
            type Removed = ($($before,)* $($after,)*);
            type With<N: Dim> = ($($before,)* N, $($after,)*);
            fn length(self) -> L {
                let ($($before,)* length, $($after,)*) = self;
                length
            }
            #[allow(clippy::unused_unit)]
            fn removed(self) -> Self::Removed {
                let ($($before,)* length, $($after,)*) = self;
                ($($before,)* $($after,)*)
            }
            fn with<N: Dim>(self, dim: N) -> Self::With<N> {
                let ($($before,)* length, $($after,)*) = self;
                ($($before,)* dim, $($after,)*)
            }
        }
        #[allow(non_snake_case)]
        impl<$($before: Dim,)* $($after: Dim),*> InsertAxis<$axis> for ($($before,)* $($after,)*) {
            type Inserted<N: Dim> = ($($before,)* N, $($after,)*);
            fn inserted<N: Dim>(self, dim: N) -> Self::Inserted<N> {
                let ($($before,)* $($after,)*) = self;
                ($($before,)* dim, $($after,)*)
            }
        }
    )* };
}
axes! {
    0: () ();
    0: () (A); 1: (A) ();
    0: () (A B); 1: (A) (B); 2: (A B) ();
    0: () (A B C); 1: (A) (B C); 2: (A B) (C); 3: (A B C) ();
    0: () (A B C D); 1: (A) (B C D); 2: (A B) (C D); 3: (A B C) (D); 4: (A B C D) ();
    0: () (A B C D E); 1: (A) (B C D E); 2: (A B) (C D E); 3: (A B C) (D E); 4: (A B C D) (E); 5: (A B C D E) ();
}

/// A shape of at least one dimension, seen as rows along its last axis, as `Linear` and `LayerNorm` do.
#[diagnostic::on_unimplemented(
    message = "shape {Self} has no last axis",
    note = "a scalar has no axes: give it one with `unsqueeze::<0>()`",
    note = "in generic code, write `where S: taut::shape::LastAxis`, for a shape `S`"
)]
pub trait LastAxis: Shape {
    /// The last dimension.
    type Last: Dim;
    /// The dimensions before it.
    type Rows: Shape;
    /// The shape with another last dimension.
    type WithLast<D: Dim>: Shape;
    /// The last dimension.
    fn last(self) -> Self::Last;
    /// The dimensions before it.
    fn rows(self) -> Self::Rows;
    /// The shape with another last dimension.
    fn with_last<D: Dim>(self, dim: D) -> Self::WithLast<D>;
}

/// A shape of at least two dimensions, so that its last two can be swapped.
#[diagnostic::on_unimplemented(
    message = "shape {Self} has no two axes to exchange",
    note = "in generic code, write `where S: taut::shape::Transpose`, for a shape `S`"
)]
pub trait Transpose: Shape {
    /// The shape with its last two dimensions swapped.
    type Transposed: Shape;
    /// The shape with its last two dimensions swapped.
    fn transposed(self) -> Self::Transposed;
}

macro_rules! last_axis {
    ($($($row:ident)*;)*) => { $(
        #[allow(non_snake_case, unused_variables)]
        impl<$($row: Dim,)* L: Dim> LastAxis for ($($row,)* L,) {
            type Last = L;
            type Rows = ($($row,)*);
            type WithLast<N: Dim> = ($($row,)* N,);
            #[inline]
            fn last(self) -> L {
                let ($($row,)* last,) = self;
                last
            }
            #[allow(clippy::unused_unit)]
            fn rows(self) -> Self::Rows {
                let ($($row,)* last,) = self;
                ($($row,)*)
            }
            #[inline]
            fn with_last<N: Dim>(self, dim: N) -> Self::WithLast<N> {
                let ($($row,)* last,) = self;
                ($($row,)* dim,)
            }
        }
        #[allow(non_snake_case)]
        impl<$($row: Dim,)* M: Dim, L: Dim> Transpose for ($($row,)* M, L,) {
            type Transposed = ($($row,)* L, M,);
            fn transposed(self) -> Self::Transposed {
                let ($($row,)* m, last,) = self;
                ($($row,)* last, m,)
            }
        }
    )* };
}
last_axis! { ; A; A B; A B C; A B C D; }

impl<A: Dim, B: Dim, C: Dim, D: Dim, E: Dim, L: Dim> LastAxis for (A, B, C, D, E, L) {
    type Last = L;
    type Rows = (A, B, C, D, E);
    type WithLast<N: Dim> = (A, B, C, D, E, N);
    fn last(self) -> L {
        self.5
    }
    fn rows(self) -> Self::Rows {
        (self.0, self.1, self.2, self.3, self.4)
    }
    fn with_last<N: Dim>(self, dim: N) -> Self::WithLast<N> {
        (self.0, self.1, self.2, self.3, self.4, dim)
    }
}

/// Axis `Self` comes before axis `Other`: a list of axes is strictly increasing.
#[diagnostic::on_unimplemented(
    message = "{Self} does not come before {Other}",
    note = "list the axes in increasing order, each once: `(Axis<0>, Axis<2>)`"
)]
pub trait Before<Other> {}
/// Two different axes: a permutation names each once.
#[diagnostic::on_unimplemented(message = "{Self} is named twice", note = "a permutation names each axis once")]
pub trait Different<Other> {}
macro_rules! ordered {
    ($($low:literal < $($high:literal)*;)*) => { $($(
        impl Before<Axis<$high>> for Axis<$low> {}
        impl Different<Axis<$high>> for Axis<$low> {}
        impl Different<Axis<$low>> for Axis<$high> {}
    )*)* };
}
ordered! { 0 < 1 2 3 4 5; 1 < 2 3 4 5; 2 < 3 4 5; 3 < 4 5; 4 < 5; }

/// One axis, or a tuple of axes in increasing order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of axes",
    note = "write one axis as `Axis<1>` and several, in increasing order, as `(Axis<0>, Axis<2>)`"
)]
pub trait Axes {
    /// The numbers of the axes, in increasing order.
    const AXES: &'static [usize];
}

/// This shape has all the axes `A` ([one, or several in order](Axes)), and they can be removed.
#[diagnostic::on_unimplemented(
    message = "the axes {A} are not axes of shape {Self} in increasing order",
    note = "axes are counted from 0 and listed in increasing order, each once: `(Axis<0>, Axis<2>)`"
)]
pub trait Reduce<A: Axes>: Shape {
    /// The shape without the axes.
    type Reduced: Shape;
    /// The shape without the axes.
    fn reduced(self) -> Self::Reduced;
}

impl<const A: usize> Axes for Axis<A> {
    const AXES: &'static [usize] = &[A];
}
#[diagnostic::do_not_recommend]
impl<const A: usize, S: HasAxis<A>> Reduce<Axis<A>> for S {
    type Reduced = S::Removed;
    fn reduced(self) -> S::Removed {
        self.removed()
    }
}

impl<const A: usize, const B: usize> Axes for (Axis<A>, Axis<B>)
where
    Axis<A>: Before<Axis<B>>,
{
    const AXES: &'static [usize] = &[A, B];
}
#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize, S, T> Reduce<(Axis<A>, Axis<B>)> for S
where
    Axis<A>: Before<Axis<B>>,
    S: HasAxis<B, Removed = T>,
    T: HasAxis<A>,
{
    type Reduced = T::Removed;
    fn reduced(self) -> T::Removed {
        self.removed().removed()
    }
}

impl<const A: usize, const B: usize, const C: usize> Axes for (Axis<A>, Axis<B>, Axis<C>)
where
    Axis<A>: Before<Axis<B>>,
    Axis<B>: Before<Axis<C>>,
{
    const AXES: &'static [usize] = &[A, B, C];
}
#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize, const C: usize, S, T, U> Reduce<(Axis<A>, Axis<B>, Axis<C>)> for S
where
    Axis<A>: Before<Axis<B>>,
    Axis<B>: Before<Axis<C>>,
    S: HasAxis<C, Removed = T>,
    T: HasAxis<B, Removed = U>,
    U: HasAxis<A>,
{
    type Reduced = U::Removed;
    fn reduced(self) -> U::Removed {
        self.removed().removed().removed()
    }
}

impl<const A: usize, const B: usize, const C: usize, const D: usize> Axes for (Axis<A>, Axis<B>, Axis<C>, Axis<D>)
where
    Axis<A>: Before<Axis<B>>,
    Axis<B>: Before<Axis<C>>,
    Axis<C>: Before<Axis<D>>,
{
    const AXES: &'static [usize] = &[A, B, C, D];
}
#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize, const C: usize, const D: usize, S, T, U, V>
    Reduce<(Axis<A>, Axis<B>, Axis<C>, Axis<D>)> for S
where
    Axis<A>: Before<Axis<B>>,
    Axis<B>: Before<Axis<C>>,
    Axis<C>: Before<Axis<D>>,
    S: HasAxis<D, Removed = T>,
    T: HasAxis<C, Removed = U>,
    U: HasAxis<B, Removed = V>,
    V: HasAxis<A>,
{
    type Reduced = V::Removed;
    fn reduced(self) -> V::Removed {
        self.removed().removed().removed().removed()
    }
}

/// Repeating this shape along the axes `A` gives the shape `Target`.
#[diagnostic::on_unimplemented(
    message = "shape {Self} cannot be broadcast to {Target} along {A}",
    note = "taking the named axes out of the target must leave exactly the shape that is broadcast"
)]
pub trait BroadcastTo<Target, A: Axes>: Shape {}
#[diagnostic::do_not_recommend]
impl<S: Shape, Target: Reduce<A, Reduced = S>, A: Axes> BroadcastTo<Target, A> for S {}

/// A tuple that names each axis of the shape `S` once, in a new order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not permute the axes of shape {S}",
    note = "name every axis of the shape once, in the new order: `permute::<(Axis<1>, Axis<0>)>()`"
)]
pub trait Permutation<S: Shape> {
    /// The shape in the new order.
    type Permuted: Shape;
    /// For each axis of the result, the axis of `S` that it comes from.
    const ORDER: &'static [usize];
    /// The shape in the new order.
    fn permuted(shape: S) -> Self::Permuted;
}

macro_rules! permutations {
    ($($shape:tt ($($dim:ident)*) ($($axis:ident)*) [$($left:ident != $($right:ident)*;)*];)*) => { $(
        impl<$($dim: Dim,)* $(const $axis: usize),*> Permutation<$shape> for ($(Axis<$axis>,)*)
        where
            $($shape: HasAxis<$axis>,)*
            $($(Axis<$left>: Different<Axis<$right>>,)*)*
        {
            type Permuted = ($(<$shape as HasAxis<$axis>>::Length,)*);
            const ORDER: &'static [usize] = &[$($axis),*];
            fn permuted(shape: $shape) -> Self::Permuted {
                ($(HasAxis::<$axis>::length(shape),)*)
            }
        }
    )* };
}
permutations! {
    (A, B) (A B) (P Q) [P != Q;];
    (A, B, C) (A B C) (P Q R) [P != Q R; Q != R;];
    (A, B, C, D) (A B C D) (P Q R S) [P != Q R S; Q != R S; R != S;];
    (A, B, C, D, E) (A B C D E) (P Q R S T) [P != Q R S T; Q != R S T; R != S T; S != T;];
    (A, B, C, D, E, F) (A B C D E F) (P Q R S T U) [P != Q R S T U; Q != R S T U; R != S T U; S != T U; T != U;];
}
