//! Products with a weight, and biases.

use crate::nn::{Bias, Linear, Module, OptionalBias, SpectralNorm, WithWeight};
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::params::Parameters;
use crate::shape::{Const, Features, LastAxis, Shape};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::NoTrace;

/// A layer that can be exported with another weight than its own.
pub trait ExportWithWeight<S: Shape, K: Element>: WithWeight<S, K, NoTrace> {
    /// Adds the nodes of this layer with the weight of this name.
    fn export_with(&self, graph: &mut Graph, x: Value<Tensor<S, K>>, weight: &str) -> Value<Self::Output>;
}

impl<const I: usize, const O: usize, S: LastAxis, E: Float, B: OptionalBias<O, E>> ExportOnnx<Tensor<S, E>>
    for Linear<I, O, E, B>
where
    S::Last: Features<I>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<<Self as Module<Tensor<S, E>>>::Output> {
        let weight = graph.parameter(&self.weight);
        self.export_with(graph, x, &weight).retyped()
    }
}

impl<const I: usize, const O: usize, S: LastAxis, E: Float, B: OptionalBias<O, E>> ExportWithWeight<S, E>
    for Linear<I, O, E, B>
where
    S::Last: Features<I>,
{
    fn export_with(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<S, E>>,
        weight: &str,
    ) -> Value<Tensor<S::WithLast<Const<O>>, E>> {
        let bias = graph.optional(&self.bias);
        if S::RANK == 2 {
            let node = graph.node("Gemm").input(&x).input(weight).maybe(bias);
            return node.set("transB", 1).output_along(&x, S::RANK);
        }
        let weight = graph.transpose(weight, [1, 0]);
        let product = graph.node("MatMul").input(&x).input(weight);
        match bias {
            None => product.output_along(&x, S::RANK),
            Some(bias) => {
                let product = product.output();
                graph.node("Add").input(product).input(bias).output_along(&x, S::RANK)
            }
        }
    }
}

impl<const N: usize, S: LastAxis, E: Float> ExportOnnx<Tensor<S, E>> for Bias<N, E>
where
    S::Last: Features<N>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        let bias = graph.parameter(&self.bias);
        graph.node("Add").input(&x).input(bias).output_like(&x)
    }
}

/// The weight is divided when it is exported: it does not change in inference.
impl<S: Shape, K: Element, M: ExportWithWeight<S, K>> ExportOnnx<Tensor<S, K>> for SpectralNorm<M> {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, K>>) -> Value<M::Output> {
        let weight = self.layer.weight();
        let name = format!("{}_normalized", graph.path_of(weight as &dyn Parameters));
        let weight = graph.constant(&name, &self.weight_in_use());
        self.layer.export_with(graph, x, &weight)
    }
}
