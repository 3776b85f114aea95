//! Products with a weight, and biases.

use crate::nn::{Bias, Linear, Module, OptionalBias, SpectralNorm, WithWeight};
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::{Features, LastAxis, Shape};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::NoTrace;

/// y = x W^T + b, for x of any shape.
pub(super) fn linear(graph: &mut Graph, x: &str, weight: &str, bias: Option<&str>) -> String {
    let weight = graph.transpose(weight, [1, 0]);
    let product = graph.apply("MatMul", &[x, &weight]);
    match bias {
        None => product,
        Some(bias) => graph.apply("Add", &[&product, bias]),
    }
}

impl<const I: usize, const O: usize, S: LastAxis, E: Float, B: OptionalBias<O, E>> ExportOnnx<Tensor<S, E>>
    for Linear<I, O, E, B>
where
    S::Last: Features<I>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<<Self as Module<Tensor<S, E>>>::Output> {
        let (weight, bias) = (graph.parameter(&self.weight), graph.optional_parameter(&self.bias));
        if S::RANK == 2 {
            let node = graph.node("Gemm").input(&x).input(weight).optional_input(bias);
            return node.attribute("transB", 1).output_along(&x, S::RANK);
        }
        Value::named(linear(graph, x.name(), &weight, bias.as_deref()), &x, S::RANK)
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
impl<S: Shape, K: Element, M> ExportOnnx<Tensor<S, K>> for SpectralNorm<M>
where
    M: WithWeight<S, K, NoTrace> + ExportOnnx<Tensor<S, K>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, K>>) -> Value<<Self as Module<Tensor<S, K>>>::Output> {
        let weight = self.layer.weight();
        let name = format!("{}_normalized", graph.path_of(weight));
        let normalized = graph.constant(&name, &self.weight_in_use());
        graph.replacing(weight, normalized, |graph| self.layer.export(graph, x)).retyped()
    }
}
