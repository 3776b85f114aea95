//! Pooling and unpooling.

use crate::nn::{
    AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, GlobalAvgPool2d, GlobalMaxPool2d, MaxPool1d, MaxPool2d,
    MaxUnpool2d, Module, PoolIndices,
};
use crate::onnx::graph::element_type;
use crate::onnx::value::Names;
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::{AtLeastOne, Const, Dim, ImageAxes, PoolPadding, Shape, StaticDim, Window};
use crate::tensor::{Float, Tensor};

/// Pooling over the length of signals.
macro_rules! pool1d {
    ($layer:ident $operator:literal [$($parameter:ident)?] $(, $attribute:literal = $value:expr)?) => {
        impl<X: Shape, Y: Shape, const K: usize, const S: usize, const P: usize, $(const $parameter: bool,)? E: Float>
            ExportOnnx<Tensor<X, E>> for $layer<K, S, P $(, $parameter)?>
        where
            Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
        {
            fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
                let node = graph.node($operator).input(&x).window([K], [S], [P]);
                node$(.attribute($attribute, $value))?.output_along(&x, 2)
            }
        }
    };
}
pool1d!(MaxPool1d "MaxPool" []);
pool1d!(AvgPool1d "AveragePool" [COUNT_PADDING], "count_include_pad" = i32::from(COUNT_PADDING));

impl<X: Shape, Y: Shape, const K: usize, const S: usize, const P: usize, E: Float> ExportOnnx<Tensor<X, E>>
    for MaxPool2d<K, S, P>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        graph.node("MaxPool").input(&x).window([K; 2], [S; 2], [P; 2]).output_along(&x, 2)
    }
}

/// The result of [`MaxPool2d::export_with_indices`]: the maxima and their positions.
type PooledWithIndices<X, const K: usize, const S: usize, const P: usize, E> = (
    Value<<MaxPool2d<K, S, P> as Module<Tensor<X, E>>>::Output>,
    Value<PoolIndices<<X as ImageAxes>::N, <X as ImageAxes>::C, <X as ImageAxes>::H, <X as ImageAxes>::W, K, S, P>>,
);

impl<const K: usize, const S: usize, const P: usize> MaxPool2d<K, S, P>
where
    Const<K>: PoolPadding<P>,
{
    /// The export of [`forward_with_indices`](Self::forward_with_indices), for that of [`MaxUnpool2d`]: in a module
    /// written by hand.
    ///
    /// ```
    /// use taut::onnx::{ExportOnnx, Graph, Value};
    /// use taut::prelude::*;
    ///
    /// /// Keeps the largest pixel of each block of four, where it is.
    /// #[derive(Init, Parameters)]
    /// struct Largest;
    /// type Images = Tensor<Rank4<1, 1, 4, 4>>;
    ///
    /// impl Module<Images> for Largest {
    ///     type Output = Images;
    ///     fn apply(&self, x: Images) -> Images {
    ///         let (maxima, places) = MaxPool2d::<2>.forward_with_indices(x);
    ///         MaxUnpool2d::<2>.forward((maxima, places))
    ///     }
    /// }
    /// impl ExportOnnx<Images> for Largest {
    ///     fn export(&self, graph: &mut Graph, x: Value<Images>) -> Value<Images> {
    ///         let (maxima, places) = MaxPool2d::<2>.export_with_indices(graph, x);
    ///         MaxUnpool2d::<2>.export(graph, Value::from((maxima, places)))
    ///     }
    /// }
    /// assert!(Largest.to_onnx::<Images>().is_ok());
    /// ```
    pub fn export_with_indices<X: ImageAxes, E: Float>(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<X, E>>,
    ) -> PooledWithIndices<X, K, S, P, E>
    where
        X::H: Window<K, S, P>,
        X::W: Window<K, S, P>,
    {
        let shape = graph.apply("Shape", &[x.name()]);
        let [maxima, indices] = graph.node("MaxPool").input(&x).window([K; 2], [S; 2], [P; 2]).outputs();
        let places = [indices, shape].map(|name| Names::One(name, Vec::new()));
        // the images before pooling, whose sizes are those after unpooling
        let before = Names::One(x.name().to_string(), x.sizes().to_vec());
        let places = Names::Many(places.into_iter().chain([before]).collect());
        (Value::named(maxima, &x, 2), Value::of(places))
    }
}

impl<
    N: Dim,
    C: Dim,
    H: StaticDim + Window<K, S, P>,
    W: StaticDim + Window<K, S, P>,
    const K: usize,
    const S: usize,
    const P: usize,
> PoolIndices<N, C, H, W, K, S, P>
where
    Const<K>: PoolPadding<P>,
{
    /// The export of [`corners`](Self::corners) for the unpooling of `y`, for images of a size that the compiler knows.
    pub fn export_corners<E: Float>(
        graph: &mut Graph,
        y: &Value<Tensor<(N, C, H::Out, W::Out), E>>,
    ) -> Value<PoolIndices<N, C, H, W, K, S, P>> {
        let [height, width] = [H::default().size(), W::default().size()];
        let [rows, columns] = [H::default().windows().size(), W::default().windows().size()];
        let starts = |count: usize| (0..count).map(|i| (i * S).saturating_sub(P) as i64);
        let corners: Vec<i64> =
            starts(rows).flat_map(|top| starts(columns).map(move |left| top * width as i64 + left)).collect();
        let corners = graph.integers(&corners);
        let corners = graph.reshape(&corners, &[1, 1, rows as i64, columns as i64]);
        // ONNX numbers pixels through all planes, whose number may be known only at run time
        let [batch, channels] = [0, 1].map(|axis| {
            let size = graph.size(y.name(), axis);
            graph.unsqueeze(&size, &[0])
        });
        let sizes = |graph: &mut Graph, last: [usize; 2]| {
            let last = graph.integers(&last.map(|size| size as i64));
            graph.node("Concat").input(&batch).input(&channels).input(last).attribute("axis", 0).output()
        };
        let (shape, of_planes) = (sizes(graph, [height, width]), sizes(graph, [1, 1]));
        let pixels = graph.integer((height * width) as i64);
        let count = graph.node("ReduceProd").input(&of_planes).attribute("axes", [0]).attribute("keepdims", 0).output();
        let (zero, one) = (graph.integer(0), graph.integer(1));
        let planes = graph.apply("Range", &[&zero, &count, &one]);
        let first = graph.apply("Mul", &[&planes, &pixels]);
        let first = graph.apply("Reshape", &[&first, &of_planes]);
        let indices = graph.apply("Add", &[&first, &corners]);
        let [indices, shape] = [indices, shape].map(|name| Names::One(name, Vec::new()));
        let before: Value<Tensor<(N, C, H, W), E>> = Value::named(String::new(), y, 2);
        Value::of(Names::Many(vec![indices, shape, before.names]))
    }
}

impl<N: Dim, C: Dim, H, W, const K: usize, const S: usize, const P: usize, E: Float>
    ExportOnnx<(Tensor<(N, C, H::Out, W::Out), E>, PoolIndices<N, C, H, W, K, S, P>)> for MaxUnpool2d<K, S, P>
where
    H: Window<K, S, P>,
    W: Window<K, S, P>,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<(Tensor<(N, C, H::Out, W::Out), E>, PoolIndices<N, C, H, W, K, S, P>)>,
    ) -> Value<Tensor<(N, C, H, W), E>> {
        let (y, places) = x.split();
        let [Names::One(indices, _), Names::One(shape, _), before] = places.parts() else {
            unreachable!("places have indices and a shape");
        };
        let before: Value<Tensor<(N, C, H, W), E>> = Value::of(before);
        if S < K {
            // where windows overlap, one pixel may be the maximum of several; their values are added
            let all = graph.node("ReduceProd").input(&shape).attribute("axes", [0]).attribute("keepdims", 1).output();
            let zeros = graph.apply("ConstantOfShape", &[&all]);
            let zeros = graph.cast(&zeros, element_type::<E>());
            let places = graph.reshape(&indices, &[-1]);
            let maxima = graph.reshape(y.name(), &[-1]);
            let node = graph.node("ScatterElements").input(zeros).input(places).input(maxima);
            let sums = node.attribute("axis", 0).attribute("reduction", "add").output();
            return graph.node("Reshape").input(sums).input(shape).output_like(&before);
        }
        let node = graph.node("MaxUnpool").input(&y).input(indices).input(shape);
        node.window([K; 2], [S; 2], [P; 2]).output_like(&before)
    }
}

impl<X: Shape, Y: Shape, const K: usize, const S: usize, const P: usize, const COUNT_PADDING: bool, E: Float>
    ExportOnnx<Tensor<X, E>> for AvgPool2d<K, S, P, COUNT_PADDING>
where
    Self: Module<Tensor<X, E>, Output = Tensor<Y, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<Y, E>> {
        let node = graph.node("AveragePool").input(&x).window([K; 2], [S; 2], [P; 2]);
        node.attribute("count_include_pad", i32::from(COUNT_PADDING)).output_along(&x, 2)
    }
}

/// Over all pixels of each channel, (N, C, H, W) to (N, C): the operator leaves two axes of size 1.
macro_rules! global {
    ($($layer:ident $operator:literal)*) => { $(
        impl<X: ImageAxes, E: Float> ExportOnnx<Tensor<X, E>> for $layer {
            fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<(X::N, X::C), E>> {
                let pooled = graph.apply($operator, &[x.name()]);
                let axes = graph.integers(&[2, 3]);
                graph.node("Squeeze").input(pooled).input(axes).output_along(&x, 2)
            }
        }
    )* };
}
global! { GlobalAvgPool2d "GlobalAveragePool" GlobalMaxPool2d "GlobalMaxPool" }

/// The kernel of a pooling whose patches are equal and do not overlap, if there is one.
fn equal_patches<X: ImageAxes>(patches: [usize; 2]) -> Option<[usize; 2]> {
    let sizes = [X::H::STATIC?, X::W::STATIC?];
    let divides = sizes.iter().zip(&patches).all(|(size, patches)| size.is_multiple_of(*patches) && *size > 0);
    divides.then(|| [sizes[0] / patches[0], sizes[1] / patches[1]])
}

/// Which cells of an axis are in each of `patches`, as a boolean matrix (patches, size): cell j is in patch i if
/// floor(i size / patches) <= j < ceil((i + 1) size / patches). ONNX has no operator for it, and the size may be known
/// only at run time.
fn patches(graph: &mut Graph, x: &str, axis: usize, patches: usize) -> String {
    let size = graph.size(x, axis);
    let (zero, one) = (graph.integer(0), graph.integer(1));
    let cells = graph.apply("Range", &[&zero, &size, &one]);
    let count = graph.integer(patches as i64);
    let numbers: Vec<i64> = (0..patches as i64).collect();
    let numbers = graph.integers(&numbers);
    let numbers = graph.unsqueeze(&numbers, &[1]);
    // of integers, division rounds down: j >= floor(i size / patches), and j < ceil(e) is j patches < (i + 1) size
    let starts = graph.apply("Mul", &[&numbers, &size]);
    let first = graph.apply("Div", &[&starts, &count]);
    let ends = graph.apply("Add", &[&starts, &size]);
    let scaled = graph.apply("Mul", &[&cells, &count]);
    let begun = graph.apply("GreaterOrEqual", &[&cells, &first]);
    let not_ended = graph.apply("Less", &[&scaled, &ends]);
    graph.apply("And", &[&begun, &not_ended])
}

impl<X: ImageAxes, const OH: usize, const OW: usize, E: Float> ExportOnnx<Tensor<X, E>> for AdaptiveAvgPool2d<OH, OW>
where
    Const<OH>: AtLeastOne,
    Const<OW>: AtLeastOne,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<X, E>>,
    ) -> Value<Tensor<(X::N, X::C, Const<OH>, Const<OW>), E>> {
        if [OH, OW] == [1, 1] {
            return graph.node("GlobalAveragePool").input(&x).output_along(&x, 2);
        }
        if let Some(kernel) = equal_patches::<X>([OH, OW]) {
            let node =
                graph.node("AveragePool").input(&x).attribute("kernel_shape", kernel).attribute("strides", kernel);
            return node.output_along(&x, 2);
        }
        // a product with a matrix for each axis, whose rows are the patches divided by their lengths
        let [down, across] = [(2, OH), (3, OW)].map(|(axis, count)| {
            let inside = patches(graph, x.name(), axis, count);
            let inside = graph.cast(&inside, element_type::<E>());
            let last = graph.integers(&[1]);
            let lengths = graph.apply("ReduceSum", &[&inside, &last]);
            graph.apply("Div", &[&inside, &lengths])
        });
        let across = graph.transpose(&across, [1, 0]);
        let rows = graph.apply("MatMul", &[&down, x.name()]);
        graph.node("MatMul").input(rows).input(across).output_along(&x, 2)
    }
}

impl<X: ImageAxes, const OH: usize, const OW: usize, E: Float> ExportOnnx<Tensor<X, E>> for AdaptiveMaxPool2d<OH, OW>
where
    Const<OH>: AtLeastOne,
    Const<OW>: AtLeastOne,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<X, E>>,
    ) -> Value<Tensor<(X::N, X::C, Const<OH>, Const<OW>), E>> {
        if [OH, OW] == [1, 1] {
            return graph.node("GlobalMaxPool").input(&x).output_along(&x, 2);
        }
        if let Some(kernel) = equal_patches::<X>([OH, OW]) {
            let node = graph.node("MaxPool").input(&x).attribute("kernel_shape", kernel).attribute("strides", kernel);
            return node.output_along(&x, 2);
        }
        // for each axis, the maximum within each patch: (N, C, patches, H, W), and so on
        let lowest = graph.number::<E>(f64::NEG_INFINITY);
        let down = patches(graph, x.name(), 2, OH);
        let down = graph.unsqueeze(&down, &[2]);
        let images = graph.unsqueeze(x.name(), &[2]);
        let inside = graph.apply("Where", &[&down, &images, &lowest]);
        let rows = graph.node("ReduceMax").input(inside).attribute("axes", [3]).attribute("keepdims", 0).output();
        let across = patches(graph, x.name(), 3, OW);
        let rows = graph.unsqueeze(&rows, &[3]);
        let inside = graph.apply("Where", &[&across, &rows, &lowest]);
        let node = graph.node("ReduceMax").input(inside).attribute("axes", [4]).attribute("keepdims", 0);
        node.output_along(&x, 2)
    }
}
