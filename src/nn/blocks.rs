//! Lists of blocks, and optional blocks.

use super::{Forward, Init, Module};
use crate::params::{ParameterPath, Parameters, Visitor, VisitorMut};
use crate::shape::Shape;
use crate::tensor::Tensor;
use rand::Rng;
use std::collections::{BTreeMap, HashMap};

/// The output of a block of a list: of the same type as the input, as it is passed to the next block.
#[diagnostic::on_unimplemented(
    message = "blocks of a list keep the shape: `{X}` goes into a block and `{Self}` comes out",
    label = "these blocks change the shape",
    note = "arrays, vectors and options of blocks give what they take: layers that change the shape are chained by a \
            tuple",
    note = "where another error says that a layer of these blocks does not take the input, that is the cause"
)]
pub trait SameAs<X>: Sized {
    /// The type itself. A projection, so that rustc does not carry a wrong type on to the following layers.
    type Same;
    #[doc(hidden)]
    fn into_input(self) -> X;
    #[doc(hidden)]
    fn output(x: X) -> Self::Same;
}
#[diagnostic::do_not_recommend]
impl<X> SameAs<X> for X {
    type Same = X;
    fn into_input(self) -> X {
        self
    }
    fn output(x: X) -> X {
        x
    }
}

/// Without a second implementation rustc would infer that the still unknown output of a layer that does not fit equals
/// its input, and blame the following layers.
#[doc(hidden)]
pub struct NoShape;
#[diagnostic::do_not_recommend]
impl<S: Shape, E, T> SameAs<Tensor<S, E, T>> for Tensor<NoShape, E, T> {
    type Same = Tensor<S, E, T>;
    fn into_input(self) -> Tensor<S, E, T> {
        unreachable!("there is no tensor without a shape")
    }
    fn output(x: Tensor<S, E, T>) -> Tensor<S, E, T> {
        x
    }
}

/// The other way round, for the input, which rustc would infer from the output of the first layer of a model.
#[diagnostic::do_not_recommend]
impl<S: Shape, E, T> SameAs<Tensor<NoShape, E, T>> for Tensor<S, E, T> {
    type Same = Tensor<NoShape, E, T>;
    fn into_input(self) -> Tensor<NoShape, E, T> {
        unreachable!("there is no tensor without a shape")
    }
    fn output(x: Tensor<NoShape, E, T>) -> Tensor<NoShape, E, T> {
        x
    }
}

/// Runs blocks that keep the type of their input, one after the other.
impl<X, Y, M> Module<X> for [M]
where
    M: Module<X, Output = Y>,
    Y: SameAs<X>,
{
    type Output = Y::Same;
    fn apply(&self, x: X) -> Self::Output {
        run(self, x)
    }
}
impl<X, Y, M> Module<X> for Vec<M>
where
    M: Module<X, Output = Y>,
    Y: SameAs<X>,
{
    type Output = Y::Same;
    fn apply(&self, x: X) -> Self::Output {
        run(self, x)
    }
}
impl<X, Y, M, const N: usize> Module<X> for [M; N]
where
    M: Module<X, Output = Y>,
    Y: SameAs<X>,
{
    type Output = Y::Same;
    fn apply(&self, x: X) -> Self::Output {
        run(self, x)
    }
}

#[track_caller]
fn run<X, Y: SameAs<X>, M: Module<X, Output = Y>>(blocks: &[M], x: X) -> Y::Same {
    let mut x = x;
    for block in blocks {
        x = block.forward(x).into_input();
    }
    Y::output(x)
}

/// Runs the block if there is one, and otherwise returns the input.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let norm: Option<LayerNorm<4>> = None; // with it: Some(LayerNorm::init(&mut rng))
/// let model = (Linear::<3, 4>::init(&mut rng), norm, Relu);
/// let y: Tensor<Rank2<2, 4>> = model.forward(Tensor::<Rank2<2, 3>>::ones());
/// ```
impl<X, Y: SameAs<X>, M: Module<X, Output = Y>> Module<X> for Option<M> {
    type Output = Y::Same;
    fn apply(&self, x: X) -> Self::Output {
        run(self.as_slice(), x)
    }
}

impl<M: Init, const N: usize> Init for [M; N] {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        std::array::from_fn(|_| M::init(rng))
    }
}

impl<M: Parameters> Parameters for [M] {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        for (i, block) in self.iter().enumerate() {
            path.at(&i.to_string(), |path| block.visit(path, visitor));
        }
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        for (i, block) in self.iter_mut().enumerate() {
            path.at(&i.to_string(), |path| block.visit_mut(path, visitor));
        }
    }
}

impl<M: Parameters> Parameters for Vec<M> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        self.as_slice().visit(path, visitor);
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        self.as_mut_slice().visit_mut(path, visitor);
    }
}

impl<M: Parameters, const N: usize> Parameters for [M; N] {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        self.as_slice().visit(path, visitor);
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        self.as_mut_slice().visit_mut(path, visitor);
    }
}

/// Adds no level to the names: a model saved with the block loads into one that has it.
impl<M: Parameters> Parameters for Option<M> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        if let Some(block) = self {
            block.visit(path, visitor);
        }
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        if let Some(block) = self {
            block.visit_mut(path, visitor);
        }
    }
}

/// Visits the part under `name`, the key of a map.
///
/// # Panics
/// If the name is empty or has a dot: another part could have the same names in files.
#[track_caller]
fn at_key<R>(path: &mut ParameterPath, name: &str, visit: impl FnOnce(&mut ParameterPath) -> R) -> R {
    assert!(
        !name.is_empty() && !name.contains('.'),
        "a map of layers with the key {name:?}: a parameter's name is not empty and has no dot"
    );
    path.at(name, visit)
}

/// Layers by name, like PyTorch's `ModuleDict`: each adds its key to the path.
///
/// ```
/// use std::collections::BTreeMap;
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let heads: BTreeMap<&str, Linear<8, 2>> =
///     ["left", "right"].into_iter().map(|name| (name, Linear::init(&mut rng))).collect();
/// let mut names = Vec::new();
/// heads.for_each_parameter(|name, _| names.push(name.to_string()));
/// assert_eq!(names, ["left.weight", "left.bias", "right.weight", "right.bias"]);
/// let y = heads["left"].forward(Tensor::<Rank2<4, 8>>::ones());
/// ```
impl<K: AsRef<str>, M: Parameters> Parameters for BTreeMap<K, M> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        for (key, part) in self {
            at_key(path, key.as_ref(), |path| part.visit(path, visitor));
        }
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        for (key, part) in self {
            at_key(path, key.as_ref(), |path| part.visit_mut(path, visitor));
        }
    }
}

/// Layers by name, visited in the order of the names, so that the order is the same in every run of a program.
impl<K: AsRef<str>, M: Parameters, S> Parameters for HashMap<K, M, S> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        let mut parts: Vec<_> = self.iter().collect();
        parts.sort_unstable_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
        for (key, part) in parts {
            at_key(path, key.as_ref(), |path| part.visit(path, visitor));
        }
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        let mut parts: Vec<_> = self.iter_mut().collect();
        parts.sort_unstable_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
        for (key, part) in parts {
            at_key(path, key.as_ref(), |path| part.visit_mut(path, visitor));
        }
    }
}
