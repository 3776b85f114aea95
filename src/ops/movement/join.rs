//! Joining tensors: one after the other along an axis, or along a new one.
//!
//! The gradient of each operand is cut out of the result's gradient.

use super::moving::{Blocks, blocks, record_movement};
use super::pad::placed;
use crate::memory::Storage;
use crate::shape::{Const, Dim, HasAxis, InsertAxis, Plus, SameExcept, Shape};
use crate::tape::Node;
use crate::tensor::{Element, Tensor};
use crate::trace::{Merge, Trace};

/// Joins tensors: `concat` along an axis that they have, `stack` along a new one.
///
/// `concat` takes a tuple of two to four tensors, which may differ in size along the axis, or an array or a `Vec` of
/// tensors of one type; the size of the result is then known only at run time. `stack` takes an array or a `Vec`.
///
/// ```
/// use taut::prelude::*;
/// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
/// let b = Tensor::from([[5.0], [6.0]]);
/// assert_eq!((a, b).concat::<1>().to_array(), [[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]);
///
/// let rows = [Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0])];
/// assert_eq!(rows.clone().stack::<0>().to_array(), [[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(rows.stack::<1>().to_array(), [[1.0, 3.0], [2.0, 4.0]]);
/// ```
pub trait Join: Sized {
    /// The tensors one after the other along axis `A`, in order.
    ///
    /// # Panics
    /// If run-time dimensions of the other axes disagree, or there are no tensors.
    #[doc(alias = "cat")]
    #[track_caller]
    fn concat<const A: usize>(self) -> <Self as Concat<A>>::Output
    where
        Self: Concat<A>,
    {
        self.concatenated()
    }

    /// The tensors side by side along a new axis `A`.
    ///
    /// # Panics
    /// If run-time dimensions disagree, or there are no tensors.
    #[track_caller]
    fn stack<const A: usize>(self) -> <Self as Stack<A>>::Output
    where
        Self: Stack<A>,
    {
        self.stacked()
    }
}
// not for every type, so that `[vec, vec].concat()` remains the standard library's
impl<S, E, T, const N: usize> Join for [Tensor<S, E, T>; N] {}
impl<S, E, T> Join for Vec<Tensor<S, E, T>> {}
impl<S, E, T, P, U> Join for (Tensor<S, E, T>, Tensor<P, E, U>) {}
impl<S, E, T, P, U, Q, V> Join for (Tensor<S, E, T>, Tensor<P, E, U>, Tensor<Q, E, V>) {}
impl<S, E, T, P, U, Q, V, R, W> Join for (Tensor<S, E, T>, Tensor<P, E, U>, Tensor<Q, E, V>, Tensor<R, E, W>) {}

/// These tensors can be [concatenated](Join::concat) along axis `A`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be concatenated along axis {A}",
    note = "`concat` takes a tuple of two to four tensors, or an array or `Vec` of tensors, with the same dimensions \
            on all other axes"
)]
pub trait Concat<const A: usize> {
    /// The result.
    type Output;
    #[doc(hidden)]
    #[track_caller]
    fn concatenated(self) -> Self::Output;
}

/// These tensors can be [stacked](Join::stack) along a new axis `A`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stacked along a new axis {A}",
    note = "`stack` takes an array or a `Vec` of tensors of one shape, of at most five dimensions"
)]
pub trait Stack<const A: usize> {
    /// The result.
    type Output;
    #[doc(hidden)]
    #[track_caller]
    fn stacked(self) -> Self::Output;
}

/// An operand: its elements, its node on a tape, and its shape as blocks, which may differ only in the middle.
type Part<E> = (Storage<E>, Option<Node>, Blocks);

/// Concatenates the parts along the middle of their blocks.
#[track_caller]
fn join<O: Shape, E: Element, T: Trace>(shape: O, parts: &[Part<E>]) -> Tensor<O, E, T> {
    let middle: usize = parts.iter().map(|part| part.2.1).sum();
    let mut y = Storage::scratch(shape.count());
    let mut start = 0;
    let mut all = Vec::with_capacity(parts.len());
    for (x, _, (outer, own, inner)) in parts {
        let runs = placed((*outer, *own, *inner), start, middle);
        runs.copy(x.as_slice(), y.make_mut());
        all.push(runs);
        start += own;
    }
    let operands: Vec<_> = parts.iter().map(|part| (part.1.as_ref(), part.0.len())).collect();
    let node = record_movement::<E>(&operands, all);
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// One operand of a concatenation.
fn part<const A: usize, S: HasAxis<A>, E: Element, T: Trace>(x: Tensor<S, E, T>) -> Part<E> {
    let blocks = blocks::<A, S>(x.shape());
    let (_, storage, trace) = x.into_parts();
    (storage, trace.node().cloned(), blocks)
}

/// Panics if run-time dimensions disagree.
#[track_caller]
fn check<S: Shape>(operation: &str, first: impl Shape, other: impl Shape, [left, right]: [S; 2]) {
    if left != right {
        crate::shape::shapes_differ(operation, first, other);
    }
}

// Each line: the sum of all lengths; the trace of the result; and for each operand after the first its index, shape,
// trace, and how lengths add up and traces merge.
macro_rules! concat {
    ($($length:ident $result:ident:
       $($index:tt $shape:ident $trace:ident ($($left:tt)+) + => $sum:ident, $merging:ident => $merged:ident);+.
    )*) => { $(
        impl<const AXIS: usize, El: Element, S: HasAxis<AXIS>, T: Trace,
            $($shape: SameExcept<AXIS, S>, $trace: Trace, $sum: Dim, $merged: Trace),+> Concat<AXIS>
            for (Tensor<S, El, T>, $(Tensor<$shape, El, $trace>),+)
        where
            $($($left)+: Plus<$shape::Length, Out = $sum>, $merging: Merge<$trace, Out = $merged>,)+
        {
            type Output = Tensor<S::With<$length>, El, $result>;
            fn concatenated(self) -> Self::Output {
                let shape = self.0.shape();
                let length = shape.length();
                $(
                    let other = self.$index.shape();
                    check("concat", shape, other, [shape.removed(), other.removed()]);
                    let length = length.plus(other.length());
                )+
                join(shape.with(length), &[part::<AXIS, _, _, _>(self.0), $(part::<AXIS, _, _, _>(self.$index)),+])
            }
        }
    )* };
}
concat! {
    L M: 1 P U (S::Length) + => L, T => M.
    K N: 1 P U (S::Length) + => L, T => M; 2 Q V (L) + => K, M => N.
    J O: 1 P U (S::Length) + => L, T => M; 2 Q V (L) + => K, M => N; 3 R W (K) + => J, N => O.
}

/// The tensors of a list along axis `A`.
#[track_caller]
fn concat_list<const A: usize, S: HasAxis<A>, E: Element, T: Trace>(
    tensors: Vec<Tensor<S, E, T>>,
) -> Tensor<S::With<usize>, E, T> {
    let Some(first) = tensors.first().map(Tensor::shape) else { panic!("concat: there is no tensor in the list") };
    for other in tensors.iter().map(Tensor::shape) {
        check("concat", first, other, [first.removed(), other.removed()]);
    }
    let length = tensors.iter().map(|tensor| tensor.shape().length().size()).sum();
    let parts: Vec<_> = tensors.into_iter().map(part::<A, _, _, _>).collect();
    join(first.with(length), &parts)
}

impl<const A: usize, S: HasAxis<A>, E: Element, T: Trace> Concat<A> for Vec<Tensor<S, E, T>> {
    type Output = Tensor<S::With<usize>, E, T>;
    fn concatenated(self) -> Self::Output {
        concat_list(self)
    }
}
impl<const A: usize, const N: usize, S: HasAxis<A>, E: Element, T: Trace> Concat<A> for [Tensor<S, E, T>; N] {
    type Output = Tensor<S::With<usize>, E, T>;
    fn concatenated(self) -> Self::Output {
        concat_list(self.into())
    }
}

/// The tensors of a list along a new axis `A`.
#[track_caller]
fn stack_list<const A: usize, S: InsertAxis<A>, D: Dim, E: Element, T: Trace>(
    tensors: Vec<Tensor<S, E, T>>,
    count: D,
) -> Tensor<S::Inserted<D>, E, T> {
    let Some(first) = tensors.first().map(Tensor::shape) else { panic!("stack: there is no tensor in the list") };
    let sizes = first.sizes();
    let [outer, inner] = [&sizes.as_ref()[..A], &sizes.as_ref()[A..]].map(|sizes| sizes.iter().product());
    let mut parts = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        check("stack", first, tensor.shape(), [first, tensor.shape()]);
        let (_, storage, trace) = tensor.into_parts();
        parts.push((storage, trace.node().cloned(), (outer, 1, inner)));
    }
    join(first.inserted(count), &parts)
}

impl<const A: usize, S: InsertAxis<A>, E: Element, T: Trace> Stack<A> for Vec<Tensor<S, E, T>> {
    type Output = Tensor<S::Inserted<usize>, E, T>;
    fn stacked(self) -> Self::Output {
        let count = self.len();
        stack_list(self, count)
    }
}
impl<const A: usize, const N: usize, S: InsertAxis<A>, E: Element, T: Trace> Stack<A> for [Tensor<S, E, T>; N] {
    type Output = Tensor<S::Inserted<Const<N>>, E, T>;
    fn stacked(self) -> Self::Output {
        stack_list(self.into(), Const)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;
    use crate::shape::HasAxis;

    #[test]
    fn tensors_stand_one_behind_the_other() {
        let a = Tensor::<Rank3<2, 1, 2>, usize>::from_fn(|[i, _, k]| 10 * i + k);
        let b = Tensor::<Rank3<2, 2, 2>, usize>::from_fn(|[i, j, k]| 100 + 10 * i + j + 2 * k);
        let c = (a.clone(), b.clone(), a.clone()).concat::<1>();
        assert_eq!(c.slice(1).to_array(), [[10, 11], [110, 112], [111, 113], [10, 11]]);
        let four = (a.clone(), b.clone(), b, a.clone()).concat::<1>();
        let shape: Rank3<2, 6, 2> = four.shape();
        assert_eq!(four.slice_axis::<1, 5, 1>(), a);
        assert_eq!(shape.sizes(), [2, 6, 2]);
        assert_eq!(vec![a.clone(); 3].concat::<0>().shape(), (6, Const::<1>, Const::<2>));
        assert_eq!([a.clone(), a.clone()].concat::<2>().slice(1).to_vec(), [10, 11, 10, 11]);
        assert_eq!(vec![Tensor::from(true), Tensor::from(false)].stack::<0>().to_vec(), [true, false]);
        let stacked: Tensor<Rank4<2, 1, 3, 2>, usize> = [a.clone(), a.clone(), a.clone()].stack::<2>();
        assert_eq!(stacked.slice_at::<2>(2), a);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize), (usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let [a, b, c] = [0; 3].map(|_| random(shape, -2.0, 2.0, rng));
                let wider = random(HasAxis::<1>::with(shape, 4_usize), -2.0, 2.0, rng);
                check_gradients(|(a, b, c)| (a, b, c).concat::<0>(), (a.clone(), b.clone(), c.clone())).unwrap();
                check_gradients(|(a, w)| (a, w).concat::<1>(), (a.clone(), wider)).unwrap();
                check_gradients(|(a, b, c)| [a.clone(), b, c, a].stack::<1>(), (a.clone(), b.clone(), c.clone()))
                    .unwrap();
                // an operand that needs no gradient, before one that does
                check_gradients(|x| (b.clone(), x).concat::<1>(), a.clone()).unwrap();
                check_gradients(|(b, c)| vec![b, c].stack::<2>(), (b.clone(), c)).unwrap();
            }
        );
    }

    #[test]
    #[should_panic(expected = "concat: the shapes (2, 3) and (2, 4) do not fit")]
    fn other_axes_must_agree() {
        let [a, b] = [3_usize, 4].map(|n| Tensor::<_>::ones_with((2_usize, n)));
        let _: Tensor<_> = (a, b).concat::<0>();
    }

    #[test]
    #[should_panic(expected = "stack: the shapes (3,) and (4,) do not fit")]
    fn stacked_shapes_must_agree() {
        let _: Tensor<_> = [3_usize, 4].map(|n| Tensor::<_>::ones_with((n,))).stack::<0>();
    }
}
