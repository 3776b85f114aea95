//! Normalisation, with the running averages where there are some.

use crate::nn::{BatchNorm, GroupNorm, LayerNorm, OptionalBias};
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::{Channels, Const, Features, HasAxis, ImageAxes, InGroups, LastAxis, RowsOrSignals, Shape};
use crate::tensor::{Float, Tensor};

impl<const C: usize, const AXES: usize, E: Float, A: OptionalBias<C, E>> BatchNorm<C, AXES, E, A> {
    fn export_node<S: Shape>(&self, graph: &mut Graph, x: &Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        // the operator always has a scale and a shift
        let mut or_all = |part: &A, value: f64, name: &str| {
            graph.optional_parameter(part).unwrap_or_else(|| graph.numbers::<E>(name, &[value; C], &[C]))
        };
        let (scale, shift) = (or_all(&self.weight, 1.0, "ones"), or_all(&self.bias, 0.0, "zeros"));
        let (mean, variance) = (graph.parameter(&self.running_mean), graph.parameter(&self.running_var));
        let node = graph.node("BatchNormalization").input(x).input(scale).input(shift).input(mean).input(variance);
        node.attribute("epsilon", self.options.epsilon).output_like(x)
    }
}

impl<const C: usize, X: ImageAxes, E: Float, A: OptionalBias<C, E>> ExportOnnx<Tensor<X, E>> for BatchNorm<C, 2, E, A>
where
    X::C: Channels<C>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<X, E>> {
        self.export_node(graph, &x)
    }
}

impl<const C: usize, X: RowsOrSignals<C>, E: Float, A: OptionalBias<C, E>> ExportOnnx<Tensor<X, E>>
    for BatchNorm<C, 1, E, A>
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<X, E>> {
        self.export_node(graph, &x)
    }
}

impl<const C: usize, S: LastAxis, E: Float> ExportOnnx<Tensor<S, E>> for LayerNorm<C, E>
where
    S::Last: Features<C>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        let (scale, shift) = (graph.parameter(&self.weight), graph.parameter(&self.bias));
        let node = graph.node("LayerNormalization").input(&x).input(scale).input(shift);
        node.attribute("axis", -1).attribute("epsilon", self.epsilon).output_like(&x)
    }
}

/// Instance norm of the groups, (N, G, ..), then the scale and the shift of each channel. (ONNX's own operator for
/// groups came later, and with one scale for each group at first.)
impl<const G: usize, const C: usize, S: HasAxis<1>, E: Float> ExportOnnx<Tensor<S, E>> for GroupNorm<G, C, E>
where
    S::Length: Channels<C>,
    Const<C>: InGroups<G>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        let shape = graph.apply("Shape", &[x.name()]);
        let groups = graph.reshape(x.name(), &[0, G as i64, -1]);
        let (ones, zeros) = (graph.numbers::<E>("ones", &[1.0; G], &[G]), graph.numbers::<E>("zeros", &[0.0; G], &[G]));
        let node = graph.node("InstanceNormalization").input(groups).input(ones).input(zeros);
        let normal = node.attribute("epsilon", self.epsilon).output();
        let normal = graph.apply("Reshape", &[&normal, &shape]);
        let mut sizes = vec![1; S::RANK - 1];
        sizes[0] = C;
        let (scale, shift) = (graph.reshaped(&self.weight, &sizes), graph.reshaped(&self.bias, &sizes));
        let scaled = graph.apply("Mul", &[&normal, &scale]);
        graph.node("Add").input(scaled).input(shift).output_like(&x)
    }
}
