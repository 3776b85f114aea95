//! Values of a graph.

use super::messages::{Dimension, Size};
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};
use std::marker::PhantomData;

/// What stands in a graph for an `X`, a tensor, a tuple or array of them, or an [`LstmState`](crate::nn::LstmState):
/// the names by which nodes refer to it.
///
/// The type ties the exports of layers together: a layer takes the value of the
/// [`Module::Output`](crate::nn::Module::Output) of the one before it. A node's output has the type that the program
/// states, as ONNX has none.
pub struct Value<X> {
    pub(super) names: Names,
    stands_for: PhantomData<fn() -> X>,
}

/// The names of a value, structured like its type.
#[derive(Clone, Debug)]
pub(super) enum Names {
    /// One tensor: its name, and each of its sizes.
    One(String, Vec<SizeName>),
    /// Several values.
    Many(Vec<Names>),
}

impl Names {
    /// The parts of several values, or the only one.
    pub(super) fn of(mut parts: Vec<Names>) -> Self {
        if parts.len() == 1 { parts.remove(0) } else { Names::Many(parts) }
    }

    /// The name and the sizes of each tensor, in order.
    pub(super) fn flatten(self) -> Vec<(String, Vec<SizeName>)> {
        match self {
            Names::One(name, sizes) => vec![(name, sizes)],
            Names::Many(parts) => parts.into_iter().flat_map(Names::flatten).collect(),
        }
    }
}

/// A size in a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SizeName {
    /// Known to the compiler.
    Known(usize),
    /// That of this name, which an input has.
    Named(String),
    /// Known only at run time.
    Open,
}

impl SizeName {
    /// In a file, where an open size is called `name`.
    pub(super) fn dimension(&self, name: impl FnOnce() -> String) -> Dimension {
        let size = match self {
            SizeName::Known(size) => Size::Value(*size as i64),
            SizeName::Named(name) => Size::Name(name.clone()),
            SizeName::Open => Size::Name(name()),
        };
        Dimension { size: Some(size) }
    }
}

impl<X> Clone for Value<X> {
    fn clone(&self) -> Self {
        Value::of(self.names.clone())
    }
}

impl<X> std::fmt::Debug for Value<X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value({:?})", self.names)
    }
}

impl<X> Value<X> {
    pub(super) fn of(names: Names) -> Self {
        Value { names, stands_for: PhantomData }
    }

    /// The same value, with another type.
    pub(super) fn retyped<Y>(self) -> Value<Y> {
        Value::of(self.names)
    }

    /// The parts, as many as the type says.
    pub(super) fn parts<const N: usize>(self) -> [Names; N] {
        match self.names {
            Names::Many(parts) => parts.try_into().expect("a value has the parts that its type says"),
            Names::One(..) => unreachable!("a value has the parts that its type says"),
        }
    }
}

impl<S: Shape, E: Element> Value<Tensor<S, E>> {
    /// The value of this name, whose open sizes are, for the first `kept` axes, those of `like`.
    pub(super) fn named<R: Shape, F: Element>(name: String, like: &Value<Tensor<R, F>>, kept: usize) -> Self {
        let sizes = S::DIMENSIONS.iter().enumerate().map(|(axis, size)| match size {
            Some(size) => SizeName::Known(*size),
            None if axis < kept => like.sizes().get(axis).cloned().unwrap_or(SizeName::Open),
            None => SizeName::Open,
        });
        Value::of(Names::One(name, sizes.collect()))
    }

    fn one(&self) -> (&str, &[SizeName]) {
        match &self.names {
            Names::One(name, sizes) => (name, sizes),
            Names::Many(_) => unreachable!("a tensor has one name"),
        }
    }

    /// Its name in the graph.
    pub fn name(&self) -> &str {
        self.one().0
    }

    pub(super) fn sizes(&self) -> &[SizeName] {
        self.one().1
    }
}

/// The name, so that nodes take values.
impl<S: Shape, E: Element> AsRef<str> for Value<Tensor<S, E>> {
    fn as_ref(&self) -> &str {
        self.name()
    }
}

macro_rules! tuples {
    ($($count:literal: $($part:ident)+;)*) => { $(
        impl<$($part),+> Value<($($part,)+)> {
            /// The values of the members.
            #[allow(non_snake_case)]
            pub fn split(self) -> ($(Value<$part>,)+) {
                let [$($part),+] = self.parts::<$count>();
                ($(Value::of($part),)+)
            }
        }
        impl<$($part),+> From<($(Value<$part>,)+)> for Value<($($part,)+)> {
            #[allow(non_snake_case)]
            fn from(($($part,)+): ($(Value<$part>,)+)) -> Self {
                Value::of(Names::Many(vec![$($part.names),+]))
            }
        }
    )* };
}
tuples! {
    2: A B;
    3: A B C;
    4: A B C D;
}

impl<X, const N: usize> Value<[X; N]> {
    /// The values of the members.
    pub fn split(self) -> [Value<X>; N] {
        self.parts::<N>().map(Value::of)
    }
}

impl<X, const N: usize> From<[Value<X>; N]> for Value<[X; N]> {
    fn from(parts: [Value<X>; N]) -> Self {
        Value::of(Names::Many(parts.map(|part| part.names).into()))
    }
}
