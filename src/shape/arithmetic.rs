//! Sizes computed by the compiler: window positions, products, sums, exact quotients.
//!
//! One trait per *meaning*. Each has one impl for `Const`, which goes through typenum (see `build.rs`), and one for
//! `usize`, which computes and checks at run time. The bounds of the `Const` impls read backwards, so the formula is in
//! a comment above each.

use super::Shape;
use super::dim::{Const, Dim};
use super::table::{Lookup, Size, ToNumber};
use std::ops::{Add, Div, Mul, Rem, Sub};
use typenum::{B1, Diff, NonZero, Prod, Quot, Sub1, Sum, UTerm};

// No impl here binds an intermediate result to a type parameter (`Output = Rest`, `Rest: Div<..>`): where a bound on it
// fails, rustc would leave the parameter unresolved and print typenum's binary digits. Instead, each result is a single
// projection built from the aliases below. The lookup at the end never fails (it may give `OutsideTheTable`), so no
// bound that shows digits can be the unmet one.
type Number<const N: usize> = <Const<N> as ToNumber>::Number;
type ConstOf<Number> = <Number as Lookup>::Dim;

/// A size of at least 1, as kernels, strides, groups and outputs must have.
#[diagnostic::on_unimplemented(
    message = "a size of {Self} leaves nothing: it is at least 1",
    note = "kernels, strides, groups, parts, layers and outputs are from 1 to 2048, as far as the compiler computes",
    note = "in generic code, write `where Const<N>: taut::shape::AtLeastOne`, for a size `N`"
)]
pub trait AtLeastOne: Dim {}
#[diagnostic::do_not_recommend]
impl<const N: usize> AtLeastOne for Const<N>
where
    Const<N>: ToNumber,
    Number<N>: NonZero,
{
}

/// A dimension over which a window of `KERNEL` cells, `DILATION` apart, slides in steps of `STRIDE`, with `PADDING`
/// cells added at both ends.
///
/// `Out = floor((size + 2 PADDING - DILATION (KERNEL - 1) - 1) / STRIDE) + 1`
///
/// ```
/// use taut::shape::Window;
/// use taut::prelude::*;
/// fn out<D: Window<5, 1, 2>>(size: D) -> D::Out { size.windows() }
/// let same: Const<28> = out(Const::<28>);
/// assert_eq!(out(28_usize), 28);
/// ```
#[diagnostic::on_unimplemented(
    message = "a window of kernel {KERNEL}, stride {STRIDE}, padding {PADDING} does not fit dimension {Self}",
    note = "the padded dimension is smaller than the window, or kernel or stride is 0, or the size is over 2048: a \
            larger size is given as `usize` and checked when the program runs",
    note = "in generic code, write `where H: taut::shape::Window<{KERNEL}, {STRIDE}, {PADDING}>`, for a dimension `H`"
)]
pub trait Window<const KERNEL: usize, const STRIDE: usize, const PADDING: usize, const DILATION: usize = 1>:
    Dim
{
    /// The number of window positions.
    type Out: Dim;
    /// The number of window positions.
    ///
    /// # Panics
    /// If the window does not fit a `usize` dimension.
    #[track_caller]
    fn windows(self) -> Self::Out;
}

/// The cells that a window spans: (K - 1) * L + 1
type Span<const K: usize, const L: usize> = Sum<Prod<Sub1<Number<K>>, Number<L>>, B1>;
/// D + (P + P)
type PaddedBothEnds<const D: usize, const P: usize> = Sum<Number<D>, Sum<Number<P>, Number<P>>>;
/// How far the window can move: D + (P + P) - ((K - 1) * L + 1), ordered so that no intermediate result is negative
type Room<const D: usize, const K: usize, const P: usize, const L: usize> = Diff<PaddedBothEnds<D, P>, Span<K, L>>;
/// room / S + 1
type Positions<const D: usize, const K: usize, const S: usize, const P: usize, const L: usize> =
    Sum<Quot<Room<D, K, P, L>, Number<S>>, B1>;

#[diagnostic::do_not_recommend]
impl<const D: usize, const K: usize, const S: usize, const P: usize, const L: usize> Window<K, S, P, L> for Const<D>
where
    Const<D>: ToNumber,
    Const<K>: ToNumber,
    Const<S>: ToNumber,
    Const<P>: ToNumber,
    Const<L>: ToNumber,
    Number<S>: NonZero,
    Number<L>: NonZero,
    Number<P>: Add<Number<P>>,
    Number<D>: Add<Sum<Number<P>, Number<P>>>,
    Number<K>: Sub<B1>,
    Sub1<Number<K>>: Mul<Number<L>>,
    Prod<Sub1<Number<K>>, Number<L>>: Add<B1>,
    PaddedBothEnds<D, P>: Sub<Span<K, L>>,
    Room<D, K, P, L>: Div<Number<S>>,
    Quot<Room<D, K, P, L>, Number<S>>: Add<B1>,
    Positions<D, K, S, P, L>: Lookup<Dim: Size>,
{
    type Out = ConstOf<Positions<D, K, S, P, L>>;
    fn windows(self) -> Self::Out {
        Self::Out::default()
    }
}

impl<const K: usize, const S: usize, const P: usize, const L: usize> Window<K, S, P, L> for usize
where
    Const<K>: AtLeastOne,
    Const<S>: AtLeastOne,
    Const<L>: AtLeastOne,
{
    type Out = usize;
    fn windows(self) -> usize {
        let (span, size) = (L.saturating_mul(K - 1).saturating_add(1), self.saturating_add(P.saturating_mul(2)));
        if size < span {
            panic!("a window of kernel {K}, stride {S}, padding {P} (dilation {L}) does not fit dimension {self}");
        }
        (size - span) / S + 1
    }
}

/// The inverse of [`Window`]: the output size of a transposed convolution.
///
/// `Out = (size - 1) STRIDE + KERNEL + OUTPUT_PADDING - 2 PADDING`
#[diagnostic::on_unimplemented(
    message = "a transposed window of kernel {KERNEL}, stride {STRIDE}, padding {PADDING} does not fit dimension \
            {Self}",
    note = "nothing would be left of the output, or the result is outside the table of sizes: a `usize` dimension \
            works for any size",
    note = "in generic code, write `where H: taut::shape::TransposedWindow<{KERNEL}, {STRIDE}, {PADDING}>`, for a \
            dimension `H`"
)]
pub trait TransposedWindow<
    const KERNEL: usize,
    const STRIDE: usize,
    const PADDING: usize,
    const OUTPUT_PADDING: usize = 0,
>: Dim
{
    /// The size of the output.
    type Out: Dim;
    /// The size of the output.
    ///
    /// # Panics
    /// If nothing would be left of a `usize` dimension.
    #[track_caller]
    fn transposed_windows(self) -> Self::Out;
}

/// (D - 1) * S + (K + O)
type Grown<const D: usize, const K: usize, const S: usize, const O: usize> =
    Sum<Prod<Sub1<Number<D>>, Number<S>>, Sum<Number<K>, Number<O>>>;
/// grown - (P + P), at least 1
type Transposed<const D: usize, const K: usize, const S: usize, const P: usize, const O: usize> =
    Diff<Grown<D, K, S, O>, Sum<Number<P>, Number<P>>>;

#[diagnostic::do_not_recommend]
impl<const D: usize, const K: usize, const S: usize, const P: usize, const O: usize> TransposedWindow<K, S, P, O>
    for Const<D>
where
    Const<D>: ToNumber,
    Const<K>: ToNumber,
    Const<S>: ToNumber,
    Const<P>: ToNumber,
    Const<O>: ToNumber,
    Number<K>: NonZero + Add<Number<O>>,
    Number<S>: NonZero,
    Number<D>: Sub<B1>,
    Sub1<Number<D>>: Mul<Number<S>>,
    Prod<Sub1<Number<D>>, Number<S>>: Add<Sum<Number<K>, Number<O>>>,
    Number<P>: Add<Number<P>>,
    Grown<D, K, S, O>: Sub<Sum<Number<P>, Number<P>>>,
    Transposed<D, K, S, P, O>: NonZero + Lookup<Dim: Size>,
{
    type Out = ConstOf<Transposed<D, K, S, P, O>>;
    fn transposed_windows(self) -> Self::Out {
        Self::Out::default()
    }
}

impl<const K: usize, const S: usize, const P: usize, const O: usize> TransposedWindow<K, S, P, O> for usize
where
    Const<K>: AtLeastOne,
    Const<S>: AtLeastOne,
{
    type Out = usize;
    fn transposed_windows(self) -> usize {
        // a size that saturates is rejected later, with the shape it becomes part of
        let grown = self.saturating_sub(1).saturating_mul(S).saturating_add(K).saturating_add(O);
        let cut = P.saturating_mul(2);
        if self == 0 || grown <= cut {
            panic!("a transposed window of kernel {K}, stride {S}, padding {P} does not fit dimension {self}");
        }
        grown - cut
    }
}

/// The sum of two dimensions: the size of a concatenated axis.
#[diagnostic::on_unimplemented(
    message = "the sum {Self} + {Other} is outside the table of sizes",
    note = "the compiler adds sizes up to 2048 each: a `usize` dimension works for any size",
    note = "in generic code, write `where Const<I>: taut::shape::Plus<Const<J>>`, for sizes `I` and `J`"
)]
pub trait Plus<Other>: Dim {
    /// The sum.
    type Out: Dim;
    /// The sum.
    fn plus(self, other: Other) -> Self::Out;
}
#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize> Plus<Const<B>> for Const<A>
where
    Const<A>: ToNumber,
    Const<B>: ToNumber,
    Number<A>: Add<Number<B>>,
    Sum<Number<A>, Number<B>>: Lookup<Dim: Size>,
{
    type Out = ConstOf<Sum<Number<A>, Number<B>>>;
    fn plus(self, _: Const<B>) -> Self::Out {
        Self::Out::default()
    }
}
impl<const A: usize> Plus<usize> for Const<A> {
    type Out = usize;
    fn plus(self, other: usize) -> usize {
        A.saturating_add(other)
    }
}
impl<D: Dim> Plus<D> for usize {
    type Out = usize;
    fn plus(self, other: D) -> usize {
        self.saturating_add(other.size())
    }
}

/// This dimension with `BEFORE` cells added at its start and `AFTER` at its end.
#[diagnostic::on_unimplemented(
    message = "dimension {Self} padded by {BEFORE} and {AFTER} is outside the table of sizes",
    note = "the compiler adds sizes up to 2048 each: a `usize` dimension works for any size",
    note = "in generic code, write `where H: taut::shape::Padded<{BEFORE}, {AFTER}>`, for a dimension `H`"
)]
pub trait Padded<const BEFORE: usize, const AFTER: usize>: Dim {
    /// The padded size.
    type Out: Dim;
    /// The padded size.
    fn padded(self) -> Self::Out;
}
#[diagnostic::do_not_recommend]
impl<const D: usize, const B: usize, const A: usize> Padded<B, A> for Const<D>
where
    Const<D>: ToNumber,
    Const<B>: ToNumber,
    Const<A>: ToNumber,
    Number<D>: Add<Number<B>>,
    Sum<Number<D>, Number<B>>: Add<Number<A>>,
    Sum<Sum<Number<D>, Number<B>>, Number<A>>: Lookup<Dim: Size>,
{
    type Out = ConstOf<Sum<Sum<Number<D>, Number<B>>, Number<A>>>;
    fn padded(self) -> Self::Out {
        Self::Out::default()
    }
}
impl<const B: usize, const A: usize> Padded<B, A> for usize {
    type Out = usize;
    fn padded(self) -> usize {
        self.saturating_add(B).saturating_add(A)
    }
}

/// This dimension contains the `LENGTH` cells starting at `START`.
#[diagnostic::on_unimplemented(
    message = "a slice of {LENGTH} from {START} on does not fit dimension {Self}",
    note = "it ends beyond the dimension, or the size is over 2048: a larger size is given as `usize` and checked when \
            the program runs",
    note = "in generic code, write `where D: taut::shape::Holds<{START}, {LENGTH}>`, for a dimension `D`"
)]
pub trait Holds<const START: usize, const LENGTH: usize>: Dim {
    /// Panics at the caller's line if a `usize` dimension is too short.
    #[track_caller]
    fn check_slice(self);
}
#[diagnostic::do_not_recommend]
impl<const D: usize, const S: usize, const L: usize> Holds<S, L> for Const<D>
where
    Const<D>: ToNumber,
    Const<S>: ToNumber,
    Const<L>: ToNumber,
    Number<D>: Sub<Number<S>>,
    Diff<Number<D>, Number<S>>: Sub<Number<L>>,
{
    fn check_slice(self) {}
}
impl<const S: usize, const L: usize> Holds<S, L> for usize {
    fn check_slice(self) {
        if S.checked_add(L).is_none_or(|end| end > self) {
            panic!("a slice of {L} from {S} on does not fit dimension {self}");
        }
    }
}

/// `N` divides this dimension exactly, as splitting an axis into equal parts or channels into groups requires.
#[diagnostic::on_unimplemented(
    message = "{N} does not divide {Self} exactly",
    note = "the compiler divides sizes up to 2048: a larger size is given as `usize` and checked when the program runs",
    note = "in generic code, write `where D: taut::shape::DivisibleBy<{N}>`, for a dimension `D`"
)]
pub trait DivisibleBy<const N: usize>: Dim {
    /// The size of one part.
    type Quotient: Dim;
    /// The size of one part.
    ///
    /// # Panics
    /// If `N` does not divide a `usize` dimension.
    #[track_caller]
    fn quotient(self) -> Self::Quotient;
}
#[diagnostic::do_not_recommend]
impl<const D: usize, const N: usize> DivisibleBy<N> for Const<D>
where
    Const<D>: ToNumber,
    Const<N>: ToNumber,
    Number<N>: NonZero,
    Number<D>: Rem<Number<N>, Output = UTerm> + Div<Number<N>>,
    Quot<Number<D>, Number<N>>: Lookup<Dim: Size>,
{
    type Quotient = ConstOf<Quot<Number<D>, Number<N>>>;
    fn quotient(self) -> Self::Quotient {
        Self::Quotient::default()
    }
}
impl<const N: usize> DivisibleBy<N> for usize
where
    Const<N>: AtLeastOne,
{
    type Quotient = usize;
    fn quotient(self) -> usize {
        if !self.is_multiple_of(N) {
            panic!("{N} does not divide {self} exactly");
        }
        self / N
    }
}

/// `HEADS` attention heads divide this width: [`DivisibleBy`] with an error message of its own.
#[diagnostic::on_unimplemented(
    message = "{HEADS} heads do not divide a width of {Self}",
    note = "in generic code, write `where Const<W>: taut::shape::Heads<H>`, for a width `W` and `H` heads"
)]
pub trait Heads<const HEADS: usize>: Dim {
    /// The width of one head.
    type Width: Dim;
    /// The width of one head.
    ///
    /// # Panics
    /// If `HEADS` does not divide a `usize` width.
    #[track_caller]
    fn head_width(self) -> Self::Width;
}
#[diagnostic::do_not_recommend]
impl<const HEADS: usize, D: DivisibleBy<HEADS>> Heads<HEADS> for D {
    type Width = D::Quotient;
    fn head_width(self) -> Self::Width {
        self.quotient()
    }
}

/// The product of a tuple of up to six dimensions: their size when flattened.
///
/// Intermediate products stay in typenum: if they went through the table, (512, 7, 7) would fail at 3,584, which is too
/// large to be multiplied, although the table holds the result, 25,088.
#[diagnostic::on_unimplemented(
    message = "the product of {Self} is outside the table of sizes",
    note = "the compiler multiplies sizes up to 2048 each; it knows every result up to 8192 and m * 2^e (m < 1024) up \
            to 262144: a `usize` dimension works for any size",
    note = "in generic code, write `where (Const<C>, H, W): taut::shape::Product`, for these dimensions"
)]
pub trait Product: Copy {
    /// The product.
    type Out: Dim;
    /// The product.
    #[track_caller]
    fn product(self) -> Self::Out;
}

impl Product for () {
    type Out = Const<1>;
    fn product(self) -> Const<1> {
        Const
    }
}
#[diagnostic::do_not_recommend]
impl<const A: usize> Product for (Const<A>,) {
    type Out = Const<A>;
    fn product(self) -> Const<A> {
        Const
    }
}
impl Product for (usize,) {
    type Out = usize;
    fn product(self) -> usize {
        self.0
    }
}

type Product2<const A: usize, const B: usize> = Prod<Number<A>, Number<B>>;
type Product3<const A: usize, const B: usize, const C: usize> = Prod<Product2<A, B>, Number<C>>;
type Product4<const A: usize, const B: usize, const C: usize, const D: usize> = Prod<Product3<A, B, C>, Number<D>>;
type Product5<const A: usize, const B: usize, const C: usize, const D: usize, const E: usize> =
    Prod<Product4<A, B, C, D>, Number<E>>;
type Product6<const A: usize, const B: usize, const C: usize, const D: usize, const E: usize, const F: usize> =
    Prod<Product5<A, B, C, D, E>, Number<F>>;

/// The impl for tuples of `Const` only. Its bounds say that each partial product can be multiplied by the next
/// dimension.
macro_rules! constant_product {
    ($($dim:ident)+: $product:ty; $($partial:ty, $next:ident);+) => {
        #[diagnostic::do_not_recommend]
        impl<$(const $dim: usize),+> Product for ($(Const<$dim>,)+)
        where
            $(Const<$dim>: ToNumber,)+
            $($partial: Mul<Number<$next>>,)+
            $product: Lookup<Dim: Size>,
        {
            type Out = ConstOf<$product>;
            fn product(self) -> Self::Out {
                Self::Out::default()
            }
        }
    };
}
constant_product!(A B: Product2<A, B>; Number<A>, B);
constant_product!(A B C: Product3<A, B, C>; Number<A>, B; Product2<A, B>, C);
constant_product!(A B C D: Product4<A, B, C, D>; Number<A>, B; Product2<A, B>, C; Product3<A, B, C>, D);
constant_product!(
    A B C D E: Product5<A, B, C, D, E>;
    Number<A>, B; Product2<A, B>, C; Product3<A, B, C>, D; Product4<A, B, C, D>, E
);
constant_product!(
    A B C D E F: Product6<A, B, C, D, E, F>;
    Number<A>, B; Product2<A, B>, C; Product3<A, B, C>, D; Product4<A, B, C, D>, E; Product5<A, B, C, D, E>, F
);

/// The impls for tuples whose first run-time dimension comes after the `$constant`s and before the `$other`s.
macro_rules! run_time_product {
    ($(($($constant:ident)*) usize ($($other:ident)*);)+) => { $(
        impl<$(const $constant: usize,)* $($other: Dim,)*> Product for ($(Const<$constant>,)* usize, $($other,)*) {
            type Out = usize;
            fn product(self) -> usize {
                self.count()
            }
        }
    )+ };
}
run_time_product! {
    () usize (B); (A) usize ();
    () usize (B C); (A) usize (C); (A B) usize ();
    () usize (B C D); (A) usize (C D); (A B) usize (D); (A B C) usize ();
    () usize (B C D E); (A) usize (C D E); (A B) usize (D E); (A B C) usize (E); (A B C D) usize ();
    () usize (B C D E F); (A) usize (C D E F); (A B) usize (D E F); (A B C) usize (E F); (A B C D) usize (F);
    (A B C D E) usize ();
}
