//! The inputs and outputs of a whole graph.

use super::graph::element_type;
use super::value::{Names, SizeName, Value};
use crate::nn::LstmState;
use crate::shape::{Dim, Shape};
use crate::tensor::{Element, Float, Tensor};

/// An input or output of a graph: tensors, tuples and arrays of them, and states of LSTMs.
///
/// A single tensor is called `input` or `output`. The members of a tuple or an array are numbered, `input_0` and
/// `input_1`, and so are their members, `input_1_0`; a state has the parts `input_1_hidden` and `input_1_cell`.
///
/// A dimension of size `usize` can have any size, and has a name: `batch` if it is the first of its tensor, otherwise
/// `input_axis_1` for example. So all inputs whose first dimension is a `usize` have batches of the same size.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what an ONNX graph takes or gives",
    note = "it takes and gives tensors that are on no tape, tuples of up to four and arrays of them, and an `LstmState`"
)]
pub trait Signature: Sized {
    #[doc(hidden)]
    fn declare(name: &str, declared: &mut Vec<Declared>);
    #[doc(hidden)]
    fn value(declared: &mut dyn Iterator<Item = &Declared>) -> Value<Self>;
}

/// A tensor that is an input or output of a graph.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Declared {
    pub(super) name: String,
    pub(super) element: i32,
    pub(super) sizes: Vec<SizeName>,
}

impl<S: Shape, E: Element> Signature for Tensor<S, E> {
    fn declare(name: &str, declared: &mut Vec<Declared>) {
        let sizes = S::DIMENSIONS.iter().enumerate().map(|(axis, size)| match (size, axis) {
            (Some(size), _) => SizeName::Known(*size),
            (None, 0) => SizeName::Named("batch".to_string()),
            (None, _) => SizeName::Named(format!("{name}_axis_{axis}")),
        });
        declared.push(Declared { name: name.to_string(), element: element_type::<E>(), sizes: sizes.collect() });
    }
    fn value(declared: &mut dyn Iterator<Item = &Declared>) -> Value<Self> {
        let Declared { name, sizes, .. } = declared.next().expect("each tensor was declared");
        Value::of(Names::One(name.clone(), sizes.clone()))
    }
}

macro_rules! tuples {
    ($(($($index:tt $part:ident)+))*) => { $(
        impl<$($part: Signature),+> Signature for ($($part,)+) {
            fn declare(name: &str, declared: &mut Vec<Declared>) {
                $($part::declare(&format!("{name}_{}", $index), declared);)+
            }
            fn value(declared: &mut dyn Iterator<Item = &Declared>) -> Value<Self> {
                Value::from(($($part::value(declared),)+))
            }
        }
    )* };
}
tuples! {
    (0 A 1 B)
    (0 A 1 B 2 C)
    (0 A 1 B 2 C 3 D)
}

impl<X: Signature, const N: usize> Signature for [X; N] {
    fn declare(name: &str, declared: &mut Vec<Declared>) {
        (0..N).for_each(|i| X::declare(&format!("{name}_{i}"), declared));
    }
    fn value(declared: &mut dyn Iterator<Item = &Declared>) -> Value<Self> {
        Value::from(std::array::from_fn(|_| X::value(declared)))
    }
}

impl<B: Dim, S: Dim, E: Float> Signature for LstmState<B, S, E> {
    fn declare(name: &str, declared: &mut Vec<Declared>) {
        Tensor::<(B, S), E>::declare(&format!("{name}_hidden"), declared);
        Tensor::<(B, S), E>::declare(&format!("{name}_cell"), declared);
    }
    fn value(declared: &mut dyn Iterator<Item = &Declared>) -> Value<Self> {
        let (hidden, cell) = (Tensor::value(declared), Tensor::value(declared));
        Value::of_state(hidden, cell)
    }
}

impl<B: Dim, S: Dim, E: Float> Value<LstmState<B, S, E>> {
    /// The state of this h and c.
    pub fn of_state(hidden: Value<Tensor<(B, S), E>>, cell: Value<Tensor<(B, S), E>>) -> Self {
        Value::of(Names::Many(vec![hidden.names, cell.names]))
    }

    /// h and c.
    pub fn split(self) -> (Value<Tensor<(B, S), E>>, Value<Tensor<(B, S), E>>) {
        let [hidden, cell] = self.parts();
        (Value::of(hidden), Value::of(cell))
    }
}
