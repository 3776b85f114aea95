//! Convolutions and transposed convolutions.

use super::ExportWithWeight;
use crate::nn::{
    Conv1d, Conv2d, ConvTranspose2d, GroupedConv2d, Module, OptionalBias, RectangularConv2d, SameConv2d, WithWeight,
};
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::params::Parameters;
use crate::shape::{
    Channels, Const, ImageAxes, InGroups, Odd, OutputPadding, Shape, SignalAxes, TransposedWindow, Window,
};
use crate::tensor::{Float, Tensor};
use crate::trace::NoTrace;

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

/// The node of a convolution, but for its output. `pads` has those before each axis, then those after.
macro_rules! convolution {
    ($graph:expr, $operator:literal, $x:expr, $weight:expr, $bias:expr, $geometry:expr, $pads:expr) => {{
        let Geometry { kernel, stride, padding: _, dilation, groups } = $geometry;
        $graph
            .node($operator)
            .input($x)
            .input($weight)
            .maybe($bias)
            .set("kernel_shape", kernel)
            .set("strides", stride)
            .set("pads", $pads)
            .set("dilations", dilation)
            .set("group", groups)
    }};
}

/// A convolution over images. The batch keeps its size.
fn convolution2d<S: Shape, R: Shape, E: Float, B: Parameters>(
    graph: &mut Graph,
    x: &Value<Tensor<S, E>>,
    weight: &str,
    bias: &B,
    geometry: Geometry<2>,
) -> Value<Tensor<R, E>> {
    let bias = graph.optional(bias);
    let [height, width] = geometry.padding;
    convolution!(graph, "Conv", x, weight, bias, geometry, [height, width, height, width]).output_along(x, 1)
}

impl<
    X: SignalAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> ExportOnnx<Tensor<X, E>> for Conv1d<I, O, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::L: Window<K, S, P, D>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<<Self as Module<Tensor<X, E>>>::Output> {
        let (weight, bias) = (graph.parameter(&self.weight), graph.optional(&self.bias));
        let geometry = Geometry { kernel: [K], stride: [S], padding: [P], dilation: [D], groups: 1 };
        convolution!(graph, "Conv", &x, weight, bias, geometry, [P, P]).output_along(&x, 1)
    }
}

/// The export of a layer that can run with another weight is that with its own.
macro_rules! with_its_own_weight {
    () => {
        fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<<Self as Module<Tensor<X, E>>>::Output> {
            let weight = graph.parameter(&self.weight);
            self.export_with(graph, x, &weight).retyped()
        }
    };
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> ExportOnnx<Tensor<X, E>> for Conv2d<I, O, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::H: Window<K, S, P, D>,
    X::W: Window<K, S, P, D>,
{
    with_its_own_weight!();
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> ExportWithWeight<X, E> for Conv2d<I, O, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::H: Window<K, S, P, D>,
    X::W: Window<K, S, P, D>,
{
    fn export_with(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<X, E>>,
        weight: &str,
    ) -> Value<<Self as WithWeight<X, E, NoTrace>>::Output> {
        convolution2d(graph, &x, weight, &self.bias, Geometry::square(K, S, P, D))
    }
}

impl<X: ImageAxes, const I: usize, const O: usize, const K: usize, E: Float, B: OptionalBias<O, E>>
    ExportOnnx<Tensor<X, E>> for SameConv2d<I, O, K, E, B>
where
    X::C: Channels<I>,
    Const<K>: Odd,
{
    with_its_own_weight!();
}

/// The size is kept, whatever it is.
impl<X: ImageAxes, const I: usize, const O: usize, const K: usize, E: Float, B: OptionalBias<O, E>>
    ExportWithWeight<X, E> for SameConv2d<I, O, K, E, B>
where
    X::C: Channels<I>,
    Const<K>: Odd,
{
    fn export_with(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<X, E>>,
        weight: &str,
    ) -> Value<<Self as WithWeight<X, E, NoTrace>>::Output> {
        let bias = graph.optional(&self.bias);
        let geometry = Geometry::square(K, 1, K / 2, 1);
        convolution!(graph, "Conv", &x, weight, bias, geometry, [K / 2; 4]).output_along(&x, 4)
    }
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const G: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> ExportOnnx<Tensor<X, E>> for GroupedConv2d<I, O, G, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::H: Window<K, S, P, D>,
    X::W: Window<K, S, P, D>,
    Const<I>: InGroups<G>,
    Const<O>: InGroups<G>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<<Self as Module<Tensor<X, E>>>::Output> {
        let weight = graph.parameter(&self.weight);
        let geometry = Geometry { groups: G, ..Geometry::square(K, S, P, D) };
        convolution2d(graph, &x, &weight, &self.bias, geometry)
    }
}

impl<
    X: ImageAxes,
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
    B: OptionalBias<O, E>,
> ExportOnnx<Tensor<X, E>> for RectangularConv2d<I, O, KH, KW, SH, SW, PH, PW, DH, DW, E, B>
where
    X::C: Channels<I>,
    X::H: Window<KH, SH, PH, DH>,
    X::W: Window<KW, SW, PW, DW>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<<Self as Module<Tensor<X, E>>>::Output> {
        let weight = graph.parameter(&self.weight);
        let (kernel, stride, padding, dilation) = ([KH, KW], [SH, SW], [PH, PW], [DH, DW]);
        convolution2d(graph, &x, &weight, &self.bias, Geometry { kernel, stride, padding, dilation, groups: 1 })
    }
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const OP: usize,
    E: Float,
    B: OptionalBias<O, E>,
> ExportOnnx<Tensor<X, E>> for ConvTranspose2d<I, O, K, S, P, OP, E, B>
where
    X::C: Channels<I>,
    X::H: TransposedWindow<K, S, P, OP>,
    X::W: TransposedWindow<K, S, P, OP>,
    Const<S>: OutputPadding<OP>,
{
    with_its_own_weight!();
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const OP: usize,
    E: Float,
    B: OptionalBias<O, E>,
> ExportWithWeight<X, E> for ConvTranspose2d<I, O, K, S, P, OP, E, B>
where
    X::C: Channels<I>,
    X::H: TransposedWindow<K, S, P, OP>,
    X::W: TransposedWindow<K, S, P, OP>,
    Const<S>: OutputPadding<OP>,
{
    fn export_with(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<X, E>>,
        weight: &str,
    ) -> Value<<Self as WithWeight<X, E, NoTrace>>::Output> {
        let bias = graph.optional(&self.bias);
        convolution!(graph, "ConvTranspose", &x, weight, bias, Geometry::square(K, S, P, 1), [P; 4])
            .set("output_padding", [OP; 2])
            .output_along(&x, 1)
    }
}
