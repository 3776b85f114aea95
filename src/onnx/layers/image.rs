//! Larger images: frames, upsampling, channels into space.

use crate::nn::{
    Module, PixelShuffle, ReflectionPad2d, ReplicationPad2d, UpsampleBilinear2d, UpsampleNearest2d, ZeroPad2d,
};
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};

/// A frame of `width` pixels.
fn pad<S: Shape, R: Shape, E: Float>(
    graph: &mut Graph,
    x: &Value<Tensor<S, E>>,
    width: usize,
    mode: &str,
) -> Value<Tensor<R, E>> {
    // those before each axis, then those after
    let width = width as i64;
    let pads = graph.integers(&[0, 0, width, width, 0, 0, width, width]);
    graph.node("Pad").input(x).input(pads).attribute("mode", mode).output_along(x, 2)
}

impl<const P: usize, X: Shape, Y: Shape, E: Float> ExportOnnx<Tensor<X, E>> for ZeroPad2d<P>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        pad(graph, &x, P, "constant")
    }
}

impl<const P: usize, X: Shape, Y: Shape, E: Float> ExportOnnx<Tensor<X, E>> for ReflectionPad2d<P>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        pad(graph, &x, P, "reflect")
    }
}

impl<const P: usize, X: Shape, Y: Shape, E: Float> ExportOnnx<Tensor<X, E>> for ReplicationPad2d<P>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        pad(graph, &x, P, "edge")
    }
}

impl<const F: usize, X: Shape, Y: Shape, E: Float> ExportOnnx<Tensor<X, E>> for UpsampleNearest2d<F>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        let scales = graph.numbers::<f32>("scales", &[1.0, 1.0, F as f64, F as f64], &[4]);
        let node = graph.node("Resize").input(&x).input("").input(scales).attribute("mode", "nearest");
        let node = node.attribute("coordinate_transformation_mode", "asymmetric").attribute("nearest_mode", "floor");
        node.output_along(&x, 2)
    }
}

impl<const F: usize, X: Shape, Y: Shape, E: Float> ExportOnnx<Tensor<X, E>> for UpsampleBilinear2d<F>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        let scales = graph.numbers::<f32>("scales", &[1.0, 1.0, F as f64, F as f64], &[4]);
        let node = graph.node("Resize").input(&x).input("").input(scales).attribute("mode", "linear");
        node.attribute("coordinate_transformation_mode", "half_pixel").output_along(&x, 2)
    }
}

impl<const R: usize, X: Shape, Y: Shape, E: Float> ExportOnnx<Tensor<X, E>> for PixelShuffle<R>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        graph.node("DepthToSpace").input(&x).attribute("blocksize", R).attribute("mode", "CRD").output_along(&x, 1)
    }
}
