//! Values of a training tape in a part in inference mode, and back.
//!
//! The mode of a tape is a type only: a `Tensor<_, _, Traced<Training>>` and a `Tensor<_, _, Traced<Inference>>` may be
//! two values of one tape. So a part is run in inference mode by giving it its input with the other type, and no state
//! is kept anywhere.

use super::{BackTo, Merge, Merged, Trace};
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};

/// What a part in inference mode can be given: a tensor, or several in a tuple, array, `Vec` or `Option`. See
/// [`Eval`](crate::nn::Eval).
///
/// An input type of your own implements it by converting its fields:
///
/// ```
/// use taut::prelude::*;
/// use taut::trace::ToInference;
///
/// struct Scene<T> {
///     image: Tensor<Rank4<1, 3, 8, 8>, f32, T>,
///     title: String,
/// }
///
/// impl<T: Trace> ToInference for Scene<T> {
///     type Trace = T;
///     type Inference = Scene<T::Inference>;
///     fn to_inference(self) -> Scene<T::Inference> {
///         Scene { image: self.image.to_inference(), title: self.title }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how it goes into a part in inference mode",
    note = "tensors do, and tuples, arrays, `Vec`s and `Option`s of them; a type of your own implements `ToInference`"
)]
pub trait ToInference {
    /// The trace that results have outside: traced if one of the tensors is.
    type Trace: Trace;
    /// The same with tensors in inference mode.
    type Inference;
    /// The same values, seen in inference mode.
    fn to_inference(self) -> Self::Inference;
}

impl<S: Shape, E: Element, T: Trace> ToInference for Tensor<S, E, T> {
    type Trace = T;
    type Inference = Tensor<S, E, T::Inference>;
    fn to_inference(self) -> Self::Inference {
        let (value, trace) = self.into_untraced();
        value.with_trace(trace.to_inference())
    }
}

impl<S: Shape, E: Element, T, R: Trace + BackTo<T, Restored: Trace>> BackTo<T> for Tensor<S, E, R> {
    type Restored = Tensor<S, E, R::Restored>;
    fn back(self) -> Self::Restored {
        let (value, trace) = self.into_untraced();
        value.with_trace(trace.back())
    }
}

impl<X: ToInference, const N: usize> ToInference for [X; N] {
    type Trace = X::Trace;
    type Inference = [X::Inference; N];
    fn to_inference(self) -> Self::Inference {
        self.map(X::to_inference)
    }
}
impl<T, Y: BackTo<T>, const N: usize> BackTo<T> for [Y; N] {
    type Restored = [Y::Restored; N];
    fn back(self) -> Self::Restored {
        self.map(Y::back)
    }
}

impl<X: ToInference> ToInference for Vec<X> {
    type Trace = X::Trace;
    type Inference = Vec<X::Inference>;
    fn to_inference(self) -> Self::Inference {
        self.into_iter().map(X::to_inference).collect()
    }
}
impl<T, Y: BackTo<T>> BackTo<T> for Vec<Y> {
    type Restored = Vec<Y::Restored>;
    fn back(self) -> Self::Restored {
        self.into_iter().map(Y::back).collect()
    }
}

impl<X: ToInference> ToInference for Option<X> {
    type Trace = X::Trace;
    type Inference = Option<X::Inference>;
    fn to_inference(self) -> Self::Inference {
        self.map(X::to_inference)
    }
}
impl<T, Y: BackTo<T>> BackTo<T> for Option<Y> {
    type Restored = Option<Y::Restored>;
    fn back(self) -> Self::Restored {
        self.map(Y::back)
    }
}

/// Types that hold no traced tensor, each with its parameters in brackets.
macro_rules! without_trace {
    ($($type:ty $([$($generics:tt)*])?;)*) => { $(
        impl<$($($generics)*)?> $crate::trace::ToInference for $type {
            type Trace = $crate::trace::NoTrace;
            type Inference = Self;
            fn to_inference(self) -> Self {
                self
            }
        }
        impl<Outside, $($($generics)*)?> $crate::trace::BackTo<Outside> for $type {
            type Restored = Self;
            fn back(self) -> Self {
                self
            }
        }
    )* };
}
pub(crate) use without_trace;
without_trace! { (); bool; usize; f32; f64; String; }

// Each line: the first member; then for each other its index, its type, and how the traces so far merge with its.
macro_rules! tuples {
    ($($result:ty: 0 $first:ident $(, $index:tt $member:ident $so_far:ty)*;)*) => { $(
        impl<$first: ToInference, $($member: ToInference),*> ToInference for ($first, $($member,)*)
        where
            $($so_far: Merge<$member::Trace>,)*
        {
            type Trace = $result;
            type Inference = ($first::Inference, $($member::Inference,)*);
            fn to_inference(self) -> Self::Inference {
                (self.0.to_inference(), $(self.$index.to_inference(),)*)
            }
        }
        impl<Outside, $first: BackTo<Outside>, $($member: BackTo<Outside>),*> BackTo<Outside>
            for ($first, $($member,)*)
        {
            type Restored = ($first::Restored, $($member::Restored,)*);
            fn back(self) -> Self::Restored {
                (self.0.back(), $(self.$index.back(),)*)
            }
        }
    )* };
}
type Two<A, B> = Merged<<A as ToInference>::Trace, <B as ToInference>::Trace>;
type Three<A, B, C> = Merged<Two<A, B>, <C as ToInference>::Trace>;
type Four<A, B, C, D> = Merged<Three<A, B, C>, <D as ToInference>::Trace>;
tuples! {
    A::Trace: 0 A;
    Two<A, B>: 0 A, 1 B A::Trace;
    Three<A, B, C>: 0 A, 1 B A::Trace, 2 C Two<A, B>;
    Four<A, B, C, D>: 0 A, 1 B A::Trace, 2 C Two<A, B>, 3 D Three<A, B, C>;
}
