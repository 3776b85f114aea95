//! From a model to a file.

use super::graph::Graph;
use super::messages::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::signature::{Declared, Signature};
use super::value::{SizeName, Value};
use crate::files::{FileError, Reason, write_atomically};
use crate::nn::Module;
use crate::params::Parameters;
use prost::Message;
use std::io::Write;
use std::path::Path;

/// A layer that can be part of an ONNX graph, for the input `X`.
///
/// All layers of taut are, except [`Lambda`](crate::nn::Lambda), whose closure cannot be inspected, and the
/// [policies](crate::rl::CategoricalPolicy) of agents, which return distributions: export the network before them.
/// `#[derive(Module)]` implements it for a chain. A module written by hand states its computation twice: to taut in
/// [`apply`](Module::apply), with tensors, and to ONNX in [`export`](Self::export), with nodes.
///
/// ```
/// use taut::onnx::{ExportOnnx, Graph, Value};
/// use taut::prelude::*;
///
/// #[derive(Init, Parameters)]
/// struct Gated {
///     gate: Linear<64, 64>,
///     value: (Linear<64, 64>, Relu),
/// }
///
/// impl<B: Dim, T: Trace> Module<Tensor<(B, Const<64>), f32, T>> for Gated {
///     type Output = Tensor<(B, Const<64>), f32, T>;
///     fn apply(&self, x: Tensor<(B, Const<64>), f32, T>) -> Self::Output {
///         let gate = self.gate.forward(x.clone()).sigmoid();
///         self.value.forward(x) * gate
///     }
/// }
///
/// impl<B: Dim> ExportOnnx<Tensor<(B, Const<64>)>> for Gated {
///     fn export(&self, graph: &mut Graph, x: Value<Tensor<(B, Const<64>)>>) -> Value<Self::Output> {
///         let gate = self.gate.export(graph, x.clone());
///         let gate = Sigmoid.export(graph, gate);
///         let value = self.value.export(graph, x);
///         graph.node("Mul").input(&value).input(&gate).output_like(&value)
///     }
/// }
///
/// let model = (Gated::init(&mut StdRng::seed_from_u64(0)), Relu);
/// let bytes = model.to_onnx::<Tensor<(usize, Const<64>)>>().unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be exported to ONNX with `{X}` as its input",
    label = "this has no export",
    note = "a module written by hand implements `taut::onnx::ExportOnnx<X>`, and one that derives `Module` has it if \
            all of its layers have; a `Lambda` has none: make it a type with both implementations; an input is a \
            tensor that is on no tape"
)]
pub trait ExportOnnx<X>: Module<X> {
    /// Adds this layer's nodes, in inference, to the graph: from the value `x` to the value returned.
    fn export(&self, graph: &mut Graph, x: Value<X>) -> Value<Self::Output>;
}

/// Exports models as ONNX files.
///
/// The graph is the model in inference: without dropout, and with the running averages of batch norms. For the names of
/// inputs and outputs, and for sizes known only at run time, see [`Signature`]; the parameters have the names of
/// [safetensors files](crate::io), unless the operator needs them in another order.
///
/// ```no_run
/// use taut::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// type Mlp = ((Linear<784, 128>, Relu), Linear<128, 10>);
/// let model = Mlp::load("mlp.safetensors")?;
/// model.export_onnx::<Tensor<(usize, Const<784>)>>("mlp.onnx")?; // batches of any size
/// # Ok(())
/// # }
/// ```
pub trait ToOnnx {
    /// Writes the graph of this model for the input `X` to a file.
    ///
    /// # Errors
    /// If the file cannot be written, or the model has more than 2 GB, the limit of the format.
    fn export_onnx<X: Signature>(&self, path: impl AsRef<Path>) -> Result<(), FileError>
    where
        Self: ExportOnnx<X, Output: Signature> + Parameters,
    {
        let path = path.as_ref();
        let model = checked(&model::<Self, X>(self), Some(path))?;
        write_atomically(path, |file| file.write_all(&model))
    }

    /// The bytes that [`export_onnx`](Self::export_onnx) writes.
    ///
    /// # Errors
    /// If the model has more than 2 GB, the limit of the format.
    fn to_onnx<X: Signature>(&self) -> Result<Vec<u8>, FileError>
    where
        Self: ExportOnnx<X, Output: Signature> + Parameters,
    {
        checked(&model::<Self, X>(self), None)
    }
}
impl<M: ?Sized> ToOnnx for M {}

/// The version of the operator set: that of 2022, so that older runtimes can read it, too.
const OPERATORS: i64 = 17;
/// The version of the format that came with these operators.
const FORMAT: i64 = 8;
/// The largest protocol buffer that other programs read.
const LARGEST: usize = i32::MAX as usize;

/// An error for a message that is too large for readers of protocol buffers.
pub(super) fn within_the_limit(length: usize, path: Option<&Path>) -> Result<(), FileError> {
    if length <= LARGEST {
        return Ok(());
    }
    let why = format!("was not written: the model has {length} bytes, and an ONNX file at most {LARGEST}");
    Err(FileError::of(path, Reason::Text(why)))
}

fn checked(model: &ModelProto, path: Option<&Path>) -> Result<Vec<u8>, FileError> {
    within_the_limit(model.encoded_len(), path)?;
    Ok(model.encode_to_vec())
}

/// The message of a model for the input `X`.
pub(super) fn model<M, X: Signature>(model: &M) -> ModelProto
where
    M: ExportOnnx<X, Output: Signature> + Parameters + ?Sized,
{
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    X::declare("input", &mut inputs);
    M::Output::declare("output", &mut outputs);
    let names = inputs.iter().chain(&outputs).map(|declared| declared.name.clone());
    let mut graph = Graph::new(model, names);
    let result = model.export(&mut graph, X::value(&mut inputs.iter()));
    let mut found = result.names.flatten();
    assert_eq!(found.len(), outputs.len(), "an exported value has as many parts as its type says");
    graph.prune(found.iter().map(|(name, _)| name.as_str()));
    let Graph { mut nodes, initializers, .. } = graph;
    for (i, declared) in outputs.iter_mut().enumerate() {
        declared.sizes = std::mem::take(&mut found[i].1);
        name_output(&mut nodes, &mut found, i, &declared.name);
    }
    let graph = GraphProto {
        node: nodes,
        name: "model".to_string(),
        initializer: initializers,
        input: inputs.iter().map(info).collect(),
        output: outputs.iter().map(info).collect(),
    };
    ModelProto {
        ir_version: FORMAT,
        producer_name: "taut".to_string(),
        producer_version: env!("CARGO_PKG_VERSION").to_string(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPERATORS }],
    }
}

/// Gives value `i` of those found the name of an output.
fn name_output(nodes: &mut Vec<NodeProto>, found: &mut [(String, Vec<SizeName>)], i: usize, output: &str) {
    let value = found[i].0.clone();
    let of_a_node = nodes.iter().any(|node| node.output.contains(&value));
    let is_output = found[..i].iter().any(|(earlier, _)| *earlier == value);
    if of_a_node && !is_output {
        let nodes = nodes.iter_mut().flat_map(|node| node.input.iter_mut().chain(&mut node.output));
        nodes.chain(found.iter_mut().map(|(name, _)| name)).filter(|name| **name == value).for_each(|name| {
            *name = output.to_string();
        });
    } else {
        // an input, a parameter, or one value as several outputs
        nodes.push(NodeProto {
            input: vec![value],
            output: vec![output.to_string()],
            name: output.to_string(),
            op_type: "Identity".to_string(),
            attribute: Vec::new(),
        });
    }
}

fn info(declared: &Declared) -> ValueInfoProto {
    let sizes = declared.sizes.iter().enumerate();
    let dim = sizes.map(|(axis, size)| size.dimension(|| format!("{}_axis_{axis}", declared.name))).collect();
    let shape = Some(TensorShapeProto { dim });
    let tensor_type = Some(TensorTypeProto { elem_type: declared.element, shape });
    ValueInfoProto { name: declared.name.clone(), r#type: Some(TypeProto { tensor_type }) }
}
