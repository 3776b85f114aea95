//! Convolutions and transposed convolutions.

use crate::nn::{Conv1d, Conv2d, ConvTranspose2d, GroupedConv2d, Module, RectangularConv2d, SameConv2d};
use crate::onnx::{ExportOnnx, Graph, Node, Value};
use crate::params::Parameters;
use crate::shape::{Const, InGroups, Shape};
use crate::tensor::{Float, Tensor};

/// The window of a convolution over `N` axes.
struct Geometry<const N: usize> {
    kernel: [usize; N],
    stride: [usize; N],
    padding: [usize; N],
    dilation: [usize; N],
    groups: usize,
}

impl Geometry<2> {
    fn square(kernel: usize, stride: usize, padding: usize, dilation: usize) -> Self {
        Geometry { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2], dilation: [dilation; 2], groups: 1 }
    }
}

/// The node of a convolution, without its output.
fn convolution<'a, const N: usize>(
    graph: &'a mut Graph,
    operator: &str,
    x: impl AsRef<str>,
    weight: &impl Parameters,
    bias: &impl Parameters,
    geometry: Geometry<N>,
) -> Node<'a> {
    let Geometry { kernel, stride, padding, dilation, groups } = geometry;
    let (weight, bias) = (graph.parameter(weight), graph.optional_parameter(bias));
    let node = graph.node(operator).input(x).input(weight).optional_input(bias).window(kernel, stride, padding);
    node.attribute("dilations", dilation).attribute("group", groups)
}

impl<
    X: Shape,
    Y: Shape,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: Parameters,
> ExportOnnx<Tensor<X, E>> for Conv1d<I, O, K, S, P, D, E, B>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        let geometry = Geometry { kernel: [K], stride: [S], padding: [P], dilation: [D], groups: 1 };
        convolution(graph, "Conv", &x, &self.weight, &self.bias, geometry).output_along(&x, 1)
    }
}

impl<
    X: Shape,
    Y: Shape,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: Parameters,
> ExportOnnx<Tensor<X, E>> for Conv2d<I, O, K, S, P, D, E, B>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        let geometry = Geometry::square(K, S, P, D);
        convolution(graph, "Conv", &x, &self.weight, &self.bias, geometry).output_along(&x, 1)
    }
}

/// The size is kept, whatever it is.
impl<X: Shape, Y: Shape, const I: usize, const O: usize, const K: usize, E: Float, B: Parameters>
    ExportOnnx<Tensor<X, E>> for SameConv2d<I, O, K, E, B>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        let geometry = Geometry::square(K, 1, K / 2, 1);
        convolution(graph, "Conv", &x, &self.weight, &self.bias, geometry).output_along(&x, 4)
    }
}

impl<
    X: Shape,
    Y: Shape,
    const I: usize,
    const O: usize,
    const G: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: Parameters,
> ExportOnnx<Tensor<X, E>> for GroupedConv2d<I, O, G, K, S, P, D, E, B>
where
    Const<I>: InGroups<G>,
    Const<O>: InGroups<G>,
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        let geometry = Geometry { groups: G, ..Geometry::square(K, S, P, D) };
        convolution(graph, "Conv", &x, &self.weight, &self.bias, geometry).output_along(&x, 1)
    }
}

impl<
    X: Shape,
    Y: Shape,
    const I: usize,
    const O: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PH: usize,
    const PW: usize,
    const DH: usize,
    const DW: usize,
    E: Float,
    B: Parameters,
> ExportOnnx<Tensor<X, E>> for RectangularConv2d<I, O, KH, KW, SH, SW, PH, PW, DH, DW, E, B>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        let (kernel, stride, padding, dilation) = ([KH, KW], [SH, SW], [PH, PW], [DH, DW]);
        let geometry = Geometry { kernel, stride, padding, dilation, groups: 1 };
        convolution(graph, "Conv", &x, &self.weight, &self.bias, geometry).output_along(&x, 1)
    }
}

impl<
    X: Shape,
    Y: Shape,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const OP: usize,
    E: Float,
    B: Parameters,
> ExportOnnx<Tensor<X, E>> for ConvTranspose2d<I, O, K, S, P, OP, E, B>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        let geometry = Geometry::square(K, S, P, 1);
        convolution(graph, "ConvTranspose", &x, &self.weight, &self.bias, geometry)
            .attribute("output_padding", [OP; 2])
            .output_along(&x, 1)
    }
}
