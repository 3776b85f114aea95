//! The graphs of all layers, as text: `tests/onnx/graphs.txt` has what they are. That onnxruntime computes the same
//! with them as taut is tested by `tests/onnx.rs`; this is for machines without it. `TAUT_WRITE_GRAPHS=1` writes the
//! file anew.

use super::export::{model, within_the_limit};
use super::messages::{AttributeProto, GraphProto, ModelProto, Size, TensorProto, ValueInfoProto, element};
use super::{ExportOnnx, Graph, Signature, ToOnnx};
use crate::prelude::*;
use prost::Message;
use std::fmt::Write;
use std::path::Path;

fn type_name(number: i32) -> &'static str {
    match number {
        element::FLOAT => "f32",
        element::DOUBLE => "f64",
        element::INT32 => "i32",
        element::INT64 => "i64",
        element::BOOL => "bool",
        other => panic!("no type has the number {other}"),
    }
}

fn info(value: &ValueInfoProto) -> String {
    let tensor = value.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref()).unwrap();
    let sizes = tensor.shape.as_ref().unwrap().dim.iter().map(|dim| match dim.size.as_ref().unwrap() {
        Size::Value(size) => size.to_string(),
        Size::Name(name) => name.clone(),
    });
    format!("{}: {} [{}]", value.name, type_name(tensor.elem_type), sizes.collect::<Vec<_>>().join(", "))
}

fn attribute(attribute: &AttributeProto) -> String {
    let AttributeProto { name, f, i, s, ints, strings, .. } = attribute;
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
    let value = match (f, i, s) {
        (Some(f), ..) => f.to_string(),
        (_, Some(i), _) => i.to_string(),
        (.., Some(s)) => text(s),
        _ if strings.is_empty() => format!("{ints:?}"),
        _ => format!("{:?}", strings.iter().map(text).collect::<Vec<_>>()),
    };
    format!(" {name}={value}")
}

/// A few numbers as they are, and of many a sum that depends on all bits and on their order.
fn content(tensor: &TensorProto) -> String {
    let bytes = &tensor.raw_data;
    let few = |size: usize, show: &dyn Fn(&[u8]) -> String| {
        (bytes.len() <= 8 * size).then(|| bytes.chunks(size).map(show).collect::<Vec<_>>().join(" "))
    };
    let shown = match tensor.data_type {
        element::FLOAT => few(4, &|bytes| f32::from_le_bytes(bytes.try_into().unwrap()).to_string()),
        element::DOUBLE => few(8, &|bytes| f64::from_le_bytes(bytes.try_into().unwrap()).to_string()),
        element::INT64 => few(8, &|bytes| i64::from_le_bytes(bytes.try_into().unwrap()).to_string()),
        _ => None,
    };
    shown.unwrap_or_else(|| {
        // FNV-1a
        let sum = bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        format!("#{sum:016x}")
    })
}

fn describe(graph: &GraphProto) -> String {
    let mut text = String::new();
    for input in &graph.input {
        writeln!(text, "  in   {}", info(input)).unwrap();
    }
    for tensor in &graph.initializer {
        let TensorProto { name, dims, data_type, .. } = tensor;
        writeln!(text, "  has  {name}: {} {dims:?} = {}", type_name(*data_type), content(tensor)).unwrap();
    }
    for node in &graph.node {
        let attributes: String = node.attribute.iter().map(attribute).collect();
        let (output, input) = (node.output.join(", "), node.input.join(", "));
        writeln!(text, "  node {output} = {}({input}){attributes}", node.op_type).unwrap();
    }
    for output in &graph.output {
        writeln!(text, "  out  {}", info(output)).unwrap();
    }
    text
}

/// The text of a model's graph. Every name is that of one thing, and is defined before it is used.
fn text<M, X: Signature>(of: &M) -> String
where
    M: ExportOnnx<X, Output: Signature> + Parameters,
{
    let model = model::<M, X>(of);
    let graph = model.graph.as_ref().unwrap();
    let mut known: Vec<&str> = graph.input.iter().map(|value| value.name.as_str()).collect();
    known.extend(graph.initializer.iter().map(|tensor| tensor.name.as_str()));
    for tensor in &graph.initializer {
        let size = if matches!(tensor.data_type, element::FLOAT | element::INT32) { 4 } else { 8 };
        let count = tensor.dims.iter().product::<i64>() as usize;
        assert_eq!(tensor.raw_data.len(), size * count, "{}", tensor.name);
    }
    for node in &graph.node {
        let unknown = node.input.iter().find(|input| !input.is_empty() && !known.contains(&input.as_str()));
        assert_eq!(unknown, None, "{}", node.op_type);
        known.extend(node.output.iter().map(String::as_str));
    }
    for output in &graph.output {
        assert!(known.contains(&output.name.as_str()), "{}", output.name);
    }
    known.sort_unstable();
    assert!(known.windows(2).all(|pair| pair[0] != pair[1]), "two things have one name: {known:?}");
    assert_eq!(ModelProto::decode(of.to_onnx::<X>().unwrap().as_slice()).unwrap(), model);
    describe(graph)
}

macro_rules! graphs {
    ($($layer:ty: $input:ty;)*) => {
        [$({
            let model = <$layer>::init(&mut StdRng::seed_from_u64(1));
            let (layer, input) = (stringify!($layer), stringify!($input));
            format!("{layer} of {input}\n{}", text::<_, $input>(&model)).trim_end().to_string()
        }),*]
    };
}

type Images<const C: usize> = Tensor<(usize, Const<C>, usize, usize)>;
type Signals<const C: usize> = Tensor<(usize, Const<C>, usize)>;
type Rows<const F: usize> = Tensor<(usize, Const<F>)>;
type Words = Tensor<(usize, usize), usize>;
type Steps<const F: usize> = Tensor<(usize, usize, Const<F>)>;

fn all() -> String {
    let graphs = graphs! {
        Linear<3, 2>: Tensor<Rank2<4, 3>>;
        Linear<3, 2>: Rows<3>;
        Linear<3, 2>: Steps<3>;
        LinearNoBias<3, 2, f64>: Tensor<Rank1<3>, f64>;
        Bias<2>: Rows<2>;
        (Relu, LeakyRelu, Elu, Silu, Softplus, Sigmoid, Tanh, Gelu, GeluTanh): Rows<2>;
        (PRelu, ChannelPRelu<2>, Softmax<1>, LogSoftmax<1>): Images<2>;
        Conv1d<2, 3, 3, 2, 1, 2>: Signals<2>;
        Conv2d<1, 2, 3, 2, 1>: Images<1>;
        SameConv2d<1, 2, 3>: Images<1>;
        GroupedConv2d<4, 2, 2, 2>: Tensor<Rank4<1, 4, 3, 3>>;
        RectangularConv2d<1, 1, 2, 3, 1, 2, 0, 1>: Images<1>;
        ConvTranspose2d<2, 1, 3, 2, 1, 1>: Images<2>;
        (MaxPool1d<2>, AvgPool1d<3, 1, 1>): Signals<2>;
        (MaxPool2d<3, 2, 1>, AvgPool2d<2>, AvgPool2d<3, 2, 1, false>): Images<2>;
        GlobalAvgPool2d: Images<2>;
        GlobalMaxPool2d: Tensor<Rank4<1, 2, 3, 3>>;
        AdaptiveAvgPool2d<2>: Images<2>;
        AdaptiveMaxPool2d<2>: Images<2>;
        (AdaptiveMaxPool2d<4, 2>, AdaptiveAvgPool2d<2, 1>, AdaptiveAvgPool2d<1>): Tensor<Rank4<1, 2, 8, 4>>;
        (ZeroPad2d<1>, ReflectionPad2d<1>, ReplicationPad2d<2>): Images<1>;
        (UpsampleNearest2d<2>, UpsampleBilinear2d<3>): Images<1>;
        PixelShuffle<2>: Images<4>;
        (Flatten, Reshape<Rank2<3, 2>>): Tensor<(usize, Const<2>, Const<3>)>;
        (BatchNorm1d<2>, BatchNorm1dNoAffine<2>): Rows<2>;
        BatchNorm2d<2>: Images<2>;
        LayerNorm<3>: Steps<3>;
        GroupNorm<2, 4>: Images<4>;
        [Residual<(Linear<2, 2>, Dropout<50>)>; 2]: Rows<2>;
        (Identity, Dropout<50>): Rows<2>;
        Frozen<Eval<Autoencoder<Linear<2, 1>, Linear<1, 2>>>>: Rows<2>;
        crate::models::BasicBlock<2>: Images<2>;
        LastStep: Steps<2>;
        Embedding<3, 2>: Words;
        EmbeddingBag<3, 2>: Words;
        Rnn<2, 1>: Steps<2>;
        BiRnn<2, 1>: Tensor<Rank3<2, 3, 2>>;
        Lstm<2, 3, 2>: Steps<2>;
        BiGru<2, 2>: (Steps<2>, Tensor<(usize,), usize>);
        Lstm<2, 2>: (Steps<2>, [LstmState<usize, Const<2>>; 1], Tensor<(usize,), usize>);
        GruCell<2, 2>: (Rows<2>, Rows<2>);
        LstmCell<2, 2>: Rows<2>;
        MultiHeadAttention<4, 2>: Steps<4>;
        MultiHeadAttention<4, 2, 0, CausalMask>: (Steps<4>, Tensor<(usize,), usize>);
        MultiHeadAttention<4, 2>: (Steps<4>, Steps<4>);
        LearnedPositionalEncoding<5, 2>: Steps<2>;
        TransformerEncoder<TransformerEncoderLayer<4, 2, 3>, 1>: Steps<4>;
    };
    graphs.join("\n\n") + "\n"
}

#[test]
fn graphs_are_what_they_were() {
    let found = all();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/graphs.txt");
    if std::env::var_os("TAUT_WRITE_GRAPHS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for (found, expected) in found.split("\n\n").zip(expected.split("\n\n")) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn one_parameter_in_two_places_is_one_tensor() {
    let layer = std::sync::Arc::new(Linear::<2, 2>::init(&mut StdRng::seed_from_u64(0)));
    let bytes = (layer.clone(), layer).to_onnx::<Rows<2>>().unwrap();
    let graph = ModelProto::decode(bytes.as_slice()).unwrap().graph.unwrap();
    assert_eq!(graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect::<Vec<_>>(), ["0.weight", "0.bias"]);
}

/// Elsewhere the weight is the layer's own, before and after.
#[test]
fn spectral_norm_replaces_the_weight_of_its_layer_only_there() {
    let model = SpectralNorm::<Linear<2, 2>>::init(&mut StdRng::seed_from_u64(0));
    let mut graph = Graph::new(&model, std::iter::once("input".to_string()));
    let mut declared = Vec::new();
    Rows::<2>::declare("input", &mut declared);
    let x = Rows::<2>::value(&mut declared.iter());
    model.export(&mut graph, x.clone());
    assert_eq!(graph.nodes[0].input, ["input", "layer.weight_normalized", "layer.bias"]);
    assert_eq!(graph.parameter(&model.layer.weight), "layer.weight");
    model.export(&mut graph, x);
    assert_eq!(graph.nodes[1].input, ["input", "layer.weight_normalized_1", "layer.bias"]);
    assert_eq!(graph.parameter(&model.layer.weight), "layer.weight");
}

/// A parameter that is called as an input is keeps its numbers, and the input its name.
#[test]
fn inputs_and_outputs_keep_their_names() {
    #[derive(Init, Module, Parameters)]
    struct Named {
        #[parameters(name = "input")]
        first: PRelu,
    }
    let graph = text::<_, Rows<2>>(&Named::init(&mut StdRng::seed_from_u64(0)));
    assert!(graph.contains("in   input: f32 [batch, 2]") && graph.contains("has  input.weight"), "{graph}");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let model = Linear::<2, 2>::init(&mut StdRng::seed_from_u64(0));
    let error = model.export_onnx::<Rows<2>>("no/such/folder/model.onnx").unwrap_err();
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}

#[test]
fn a_model_too_large_for_the_format_is_an_error() {
    assert!(within_the_limit(i32::MAX as usize, None).is_ok());
    let error = within_the_limit(1 << 31, Some(Path::new("large.onnx"))).unwrap_err().to_string();
    assert!(error.contains("large.onnx") && error.contains("has 2147483648 bytes"), "{error}");
}
