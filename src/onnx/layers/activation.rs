//! Activation functions.

use crate::nn::{
    ChannelPRelu, Elu, Gelu, GeluTanh, LeakyRelu, LogSoftmax, PRelu, Relu, Sigmoid, Silu, Softmax, Softplus, Tanh,
};
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::{Channels, HasAxis, Shape};
use crate::tensor::{Float, Tensor};

/// Those that are one operator without attributes.
macro_rules! operators {
    ($($layer:ident)*) => { $(
        impl<S: Shape, E: Float> ExportOnnx<Tensor<S, E>> for $layer {
            fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
                graph.node(stringify!($layer)).input(&x).output_like(&x)
            }
        }
    )* };
}
operators! { Relu Sigmoid Softplus Tanh }

impl<S: Shape, E: Float> ExportOnnx<Tensor<S, E>> for LeakyRelu {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        graph.node("LeakyRelu").input(&x).attribute("alpha", self.slope).output_like(&x)
    }
}

impl<S: Shape, E: Float> ExportOnnx<Tensor<S, E>> for Elu {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        graph.node("Elu").input(&x).attribute("alpha", self.alpha).output_like(&x)
    }
}

/// x / (1 + e^-x), as x times the sigmoid.
impl<S: Shape, E: Float> ExportOnnx<Tensor<S, E>> for Silu {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        let gate = graph.apply("Sigmoid", &[x.name()]);
        graph.node("Mul").input(&x).input(gate).output_like(&x)
    }
}

/// x/2 (1 + factor), which both kinds of GELU are.
fn half_of_one_plus<S: Shape, E: Float>(
    graph: &mut Graph,
    x: &Value<Tensor<S, E>>,
    factor: &str,
) -> Value<Tensor<S, E>> {
    let (one, half) = (graph.number::<E>(1.0), graph.number::<E>(0.5));
    let sum = graph.apply("Add", &[factor, &one]);
    let halved = graph.apply("Mul", &[x.name(), &half]);
    graph.node("Mul").input(halved).input(sum).output_like(x)
}

/// x/2 (1 + erf(x / sqrt 2))
impl<S: Shape, E: Float> ExportOnnx<Tensor<S, E>> for Gelu {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        let scale = graph.number::<E>(std::f64::consts::FRAC_1_SQRT_2);
        let scaled = graph.apply("Mul", &[x.name(), &scale]);
        let erf = graph.apply("Erf", &[&scaled]);
        half_of_one_plus(graph, &x, &erf)
    }
}

/// x/2 (1 + tanh(sqrt(2 / pi) x (1 + 0.044715 x^2)))
impl<S: Shape, E: Float> ExportOnnx<Tensor<S, E>> for GeluTanh {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        let (one, cubic) = (graph.number::<E>(1.0), graph.number::<E>(0.044715));
        let scale = graph.number::<E>((2.0 / std::f64::consts::PI).sqrt());
        let square = graph.apply("Mul", &[x.name(), x.name()]);
        let square = graph.apply("Mul", &[&square, &cubic]);
        let sum = graph.apply("Add", &[&square, &one]);
        let scaled = graph.apply("Mul", &[x.name(), &scale]);
        let inner = graph.apply("Mul", &[&scaled, &sum]);
        let tanh = graph.apply("Tanh", &[&inner]);
        half_of_one_plus(graph, &x, &tanh)
    }
}

/// One slope for all: an operator's slope is broadcast.
impl<S: Shape, E: Float> ExportOnnx<Tensor<S, E>> for PRelu<E> {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        let sizes = [1].get(..S::RANK.min(1)).unwrap_or_default();
        let slope = graph.reshaped(&self.weight, sizes);
        graph.node("PRelu").input(&x).input(slope).output_like(&x)
    }
}

/// A slope for each channel is broadcast over the axes that follow.
impl<const C: usize, S: HasAxis<1>, E: Float> ExportOnnx<Tensor<S, E>> for ChannelPRelu<C, E>
where
    S::Length: Channels<C>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        let mut sizes = vec![1; S::RANK - 1];
        sizes[0] = C;
        let slopes = graph.reshaped(&self.weight, &sizes);
        graph.node("PRelu").input(&x).input(slopes).output_like(&x)
    }
}

impl<const A: usize, S: HasAxis<A>, E: Float> ExportOnnx<Tensor<S, E>> for Softmax<A> {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        graph.node("Softmax").input(&x).attribute("axis", A).output_like(&x)
    }
}

impl<const A: usize, S: HasAxis<A>, E: Float> ExportOnnx<Tensor<S, E>> for LogSoftmax<A> {
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        graph.node("LogSoftmax").input(&x).attribute("axis", A).output_like(&x)
    }
}
