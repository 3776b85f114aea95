//! The operators `+`, `-`, `*`, `/` and `%` between tensors of the same shape and with numbers, and their assigning
//! forms.
//!
//! Operands are passed by value or by reference; the buffer of an operand passed by value is reused for the result, if
//! it is not shared. The formulas for floats are in `arithmetic.rs`.
//!
//! Tensors of `usize` (labels and indices) have the operators too, but no gradient. If the exact result is not a
//! `usize` (overflow, below 0, division by 0), they panic at the caller's line, in release builds too: an index that
//! wrapped around could point anywhere.

use super::arithmetic::{Sides, floats};
use crate::kernels::integer::{self, Operator};
use crate::kernels::mask::Source;
use crate::memory::Storage;
use crate::numbers::{ByKind, Float, Index};
use crate::shape::Shape;
use crate::shape::shapes_differ;
use crate::tape::{Node, constant};
use crate::tensor::{Number, Tensor};
use crate::trace::{Merge, Merged, Trace};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Rem, RemAssign, Sub, SubAssign};

/// The result of an operator on indices: a constant.
///
/// # Panics
/// If a result is not a `usize`.
#[track_caller]
fn indices<E: Index>(operator: Operator, sides: Sides<E>, nodes: [Option<&Node>; 2]) -> (Storage<E>, Option<Node>) {
    let (a, b) = match &sides {
        Sides::Tensors(a, b) => (Source::Each(a.as_slice()), Source::Each(b.as_slice())),
        Sides::TensorAndNumber(a, b) => (Source::Each(a.as_slice()), Source::One(*b)),
        Sides::NumberAndTensor(a, b) => (Source::One(*a), Source::Each(b.as_slice())),
    };
    let len = match &sides {
        Sides::Tensors(x, _) | Sides::TensorAndNumber(x, _) | Sides::NumberAndTensor(_, x) => x.len(),
    };
    let mut y = Storage::scratch(len);
    if let Err(place) = integer::arithmetic(operator, a, b, y.make_mut()) {
        let symbol = operator.symbol();
        let (a, b) = (a.at(place), b.at(place));
        let reason = match operator {
            Operator::Subtract => "is below 0, and `usize` holds no negative numbers: cast to `f32` or `f64` first",
            Operator::Divide | Operator::Remainder => "has no value",
            Operator::Add | Operator::Multiply => "is more than `usize` can hold",
        };
        panic!("{symbol}: {a} {symbol} {b}, at element {place} of the tensor, {reason}");
    }
    (y, constant(nodes.into_iter().flatten()))
}

/// The result of an operator and its node on the tape, from the two sides and their nodes.
#[track_caller]
fn arithmetic<E: Number>(operator: Operator, sides: Sides<E>, nodes: [Option<&Node>; 2]) -> (Storage<E>, Option<Node>) {
    struct Arithmetic<'a, E>(Operator, Sides<E>, [Option<&'a Node>; 2]);
    impl<E: Number> ByKind<E> for Arithmetic<'_, E> {
        type Result = (Storage<E>, Option<Node>);
        #[track_caller]
        fn float(self) -> Self::Result
        where
            E: Float,
        {
            floats(self.0, self.1, self.2)
        }
        #[track_caller]
        fn index(self) -> Self::Result
        where
            E: Index,
        {
            indices(self.0, self.1, self.2)
        }
        fn truth(self) -> Self::Result {
            unreachable!("`bool` is not a number")
        }
    }
    E::by_kind(Arithmetic(operator, sides, nodes))
}

#[track_caller]
fn tensors<S: Shape, E: Number, T: Trace + Merge<R>, R: Trace>(
    operator: Operator,
    left: Tensor<S, E, T>,
    right: Tensor<S, E, R>,
) -> Tensor<S, E, Merged<T, R>> {
    if left.shape() != right.shape() {
        shapes_differ(operator.symbol(), left.shape(), right.shape());
    }
    let (shape, a, left) = left.into_parts();
    let (_, b, right) = right.into_parts();
    let (y, node) = arithmetic(operator, Sides::Tensors(a, b), [left.node(), right.node()]);
    Tensor::from_parts(shape, y, Merged::<T, R>::from_node(node))
}

#[track_caller]
fn tensor_and_number<S: Shape, E: Number, T: Trace>(
    operator: Operator,
    left: Tensor<S, E, T>,
    right: E,
) -> Tensor<S, E, T> {
    let (shape, x, trace) = left.into_parts();
    let (y, node) = arithmetic(operator, Sides::TensorAndNumber(x, right), [trace.node(), None]);
    Tensor::from_parts(shape, y, T::from_node(node))
}

#[track_caller]
fn number_and_tensor<S: Shape, E: Number, T: Trace>(
    operator: Operator,
    left: E,
    right: Tensor<S, E, T>,
) -> Tensor<S, E, T> {
    let (shape, x, trace) = right.into_parts();
    let (y, node) = arithmetic(operator, Sides::NumberAndTensor(left, x), [None, trace.node()]);
    Tensor::from_parts(shape, y, T::from_node(node))
}

// The operators' impls differ only in their names, but Rust cannot be generic over a trait.
macro_rules! operators {
    ($($operator:ident $method:ident $assign:ident $assign_method:ident $variant:ident;)*) => { $(
        impl<S: Shape, E: Number, T: Trace + Merge<R>, R: Trace> $operator<Tensor<S, E, R>> for Tensor<S, E, T> {
            type Output = Tensor<S, E, Merged<T, R>>;
            #[track_caller]
            fn $method(self, right: Tensor<S, E, R>) -> Self::Output {
                tensors(Operator::$variant, self, right)
            }
        }
        impl<S: Shape, E: Number, T: Trace + Merge<R>, R: Trace> $operator<&Tensor<S, E, R>> for Tensor<S, E, T> {
            type Output = Tensor<S, E, Merged<T, R>>;
            #[track_caller]
            fn $method(self, right: &Tensor<S, E, R>) -> Self::Output {
                tensors(Operator::$variant, self, right.clone())
            }
        }
        impl<S: Shape, E: Number, T: Trace + Merge<R>, R: Trace> $operator<Tensor<S, E, R>> for &Tensor<S, E, T> {
            type Output = Tensor<S, E, Merged<T, R>>;
            #[track_caller]
            fn $method(self, right: Tensor<S, E, R>) -> Self::Output {
                tensors(Operator::$variant, self.clone(), right)
            }
        }
        impl<S: Shape, E: Number, T: Trace + Merge<R>, R: Trace> $operator<&Tensor<S, E, R>> for &Tensor<S, E, T> {
            type Output = Tensor<S, E, Merged<T, R>>;
            #[track_caller]
            fn $method(self, right: &Tensor<S, E, R>) -> Self::Output {
                tensors(Operator::$variant, self.clone(), right.clone())
            }
        }
        impl<S: Shape, E: Number, T: Trace> $operator<E> for Tensor<S, E, T> {
            type Output = Self;
            #[track_caller]
            fn $method(self, number: E) -> Self {
                tensor_and_number(Operator::$variant, self, number)
            }
        }
        impl<S: Shape, E: Number, T: Trace> $operator<E> for &Tensor<S, E, T> {
            type Output = Tensor<S, E, T>;
            #[track_caller]
            fn $method(self, number: E) -> Tensor<S, E, T> {
                tensor_and_number(Operator::$variant, self.clone(), number)
            }
        }
        operators! { @number f32 $operator $method $variant }
        operators! { @number f64 $operator $method $variant }
        operators! { @number usize $operator $method $variant }
        impl<S: Shape, E: Number, T: Trace + Merge<R, Out = T>, R: Trace> $assign<Tensor<S, E, R>> for Tensor<S, E, T> {
            #[track_caller]
            fn $assign_method(&mut self, right: Tensor<S, E, R>) {
                if self.shape() != right.shape() {
                    shapes_differ(Operator::$variant.symbol(), self.shape(), right.shape());
                }
                *self = tensors(Operator::$variant, self.take(), right);
            }
        }
        impl<S: Shape, E: Number, T: Trace> $assign<E> for Tensor<S, E, T> {
            #[track_caller]
            fn $assign_method(&mut self, number: E) {
                *self = tensor_and_number(Operator::$variant, self.take(), number);
            }
        }
    )* };
    (@number $type:ident $operator:ident $method:ident $variant:ident) => {
        impl<S: Shape, T: Trace> $operator<Tensor<S, $type, T>> for $type {
            type Output = Tensor<S, $type, T>;
            #[track_caller]
            fn $method(self, tensor: Tensor<S, $type, T>) -> Tensor<S, $type, T> {
                number_and_tensor(Operator::$variant, self, tensor)
            }
        }
        impl<S: Shape, T: Trace> $operator<&Tensor<S, $type, T>> for $type {
            type Output = Tensor<S, $type, T>;
            #[track_caller]
            fn $method(self, tensor: &Tensor<S, $type, T>) -> Tensor<S, $type, T> {
                number_and_tensor(Operator::$variant, self, tensor.clone())
            }
        }
    };
}
operators! {
    Add add AddAssign add_assign Add;
    Sub sub SubAssign sub_assign Subtract;
    Mul mul MulAssign mul_assign Multiply;
    Div div DivAssign div_assign Divide;
    Rem rem RemAssign rem_assign Remainder;
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn indices_have_the_operators_too() {
        let labels = Tensor::from([7, 0, 4]);
        let others = Tensor::from([2, 3, 4]);
        assert_eq!((&labels + &others).to_array(), [9, 3, 8]);
        assert_eq!((&labels + 10 - &others).to_array(), [15, 7, 10]);
        assert_eq!((&labels * &others).to_array(), [14, 0, 16]);
        assert_eq!((&labels / &others).to_array(), [3, 0, 1]);
        assert_eq!((&labels % &others).to_array(), [1, 0, 0]);
        assert_eq!((9 - &labels).to_array(), [2, 9, 5]);
        assert_eq!((100 / &others).to_array(), [50, 33, 25]);
        assert_eq!((2 * labels.clone() % 5).to_array(), [4, 0, 3]);
        let mut changed = labels.clone();
        changed += 1;
        changed *= others;
        changed -= 3;
        changed /= 2;
        changed %= 6;
        assert_eq!(changed.to_array(), [0, 0, 2]);
        assert_eq!(labels.to_array(), [7, 0, 4], "a clone is not written to");
        random_shapes!(|shape, rng| {
            let [a, b] = std::array::from_fn(|_| random(shape, 1.0, 100.0, rng).cast::<usize>());
            let pairs = || a.iter().zip(b.iter());
            assert!((&a + &b).iter().eq(pairs().map(|(a, b)| a + b)));
            assert!((&a / &b).iter().eq(pairs().map(|(a, b)| a / b)));
            assert!((&a % &b).iter().eq(pairs().map(|(a, b)| a % b)));
        });
    }

    #[test]
    fn indices_on_a_tape_are_constants() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([2.0, 3.0]));
        let indices = tape.trace(Tensor::from([0, 1])) + 4;
        let y = x.clone() * indices.cast::<f32>();
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [4.0, 5.0]);
    }

    #[test]
    #[should_panic(
        expected = "-: 2 - 3, at element 1 of the tensor, is below 0, and `usize` holds no negative numbers"
    )]
    fn indices_below_zero_panic() {
        let _ = Tensor::from([5, 2]) - 3;
    }

    #[test]
    #[should_panic(expected = "*: 2 * 9223372036854775808, at element 0 of the tensor, is more than `usize` can hold")]
    #[cfg(target_pointer_width = "64")]
    fn indices_that_overflow_panic() {
        let _ = 2 * Tensor::from([1_usize << 63]);
    }

    #[test]
    #[should_panic(expected = "%: 4 % 0, at element 1 of the tensor, has no value")]
    fn indices_divided_by_zero_panic() {
        let _ = Tensor::from([3, 4]) % Tensor::from([1, 0]);
    }

    #[test]
    #[should_panic(expected = "+: the shapes (2,) and (3,) do not fit")]
    fn run_time_sizes_that_differ_panic() {
        let _ = Tensor::<_, usize>::zeros_with((2,)) + Tensor::zeros_with((3,));
    }
}
