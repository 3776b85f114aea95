//! Layers that compute nothing, or only move numbers.

use crate::nn::{Dropout, Dropout2d, Flatten, Identity, LastStep, Module, Percent, Reshape};
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::{Const, FlattenFrom, HasAxis, ImageAxes, InsertAxis, ReshapesTo, SequenceAxes, Shape, StaticShape};
use crate::tensor::{Element, Float, Tensor};

impl<X> ExportOnnx<X> for Identity {
    fn export(&self, _: &mut Graph, x: Value<X>) -> Value<X> {
        x
    }
}

impl<const PERCENT: usize, S: Shape, E: Float> ExportOnnx<Tensor<S, E>> for Dropout<PERCENT>
where
    Const<100>: Percent<PERCENT>,
{
    fn export(&self, _: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        x
    }
}

impl<const PERCENT: usize, X: ImageAxes, E: Float> ExportOnnx<Tensor<X, E>> for Dropout2d<PERCENT>
where
    Const<100>: Percent<PERCENT>,
{
    fn export(&self, _: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<X, E>> {
        x
    }
}

impl<S: FlattenFrom<1>, E: Element> ExportOnnx<Tensor<S, E>> for Flatten {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<<Self as Module<Tensor<S, E>>>::Output> {
        graph.node("Flatten").input(&x).attribute("axis", 1).output_along(&x, 1)
    }
}

impl<O, S, E> ExportOnnx<Tensor<S, E>> for Reshape<O>
where
    O: StaticShape + InsertAxis<0>,
    S: HasAxis<0, Removed: ReshapesTo<O>>,
    E: Element,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<<Self as Module<Tensor<S, E>>>::Output> {
        // 0 keeps the size of the first axis
        let sizes = O::default().sizes();
        let sizes: Vec<i64> = std::iter::once(0).chain(sizes.as_ref().iter().map(|&size| size as i64)).collect();
        let sizes = graph.integers(&sizes);
        graph.node("Reshape").input(&x).input(sizes).output_along(&x, 1)
    }
}

impl<X: SequenceAxes, E: Float> ExportOnnx<Tensor<X, E>> for LastStep {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<(X::B, X::F), E>> {
        let last = graph.integer(-1);
        graph.node("Gather").input(&x).input(last).attribute("axis", 1).output_along(&x, 1)
    }
}
