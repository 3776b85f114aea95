//! A graph under construction: nodes, and the tensors that are part of it.

use super::messages::{AttributeProto, NodeProto, TensorProto, attribute, element};
use super::value::Value;
use crate::params::{Parameters, Values, each_parameter};
use crate::shape::Shape;
use crate::tensor::{Element, Float, Tensor};
use std::collections::{HashMap, HashSet};

/// An ONNX graph, to which each layer of a model adds its nodes.
///
/// A [module written by hand](super::ExportOnnx) exports its parts in turn, and adds nodes for its own operations. The
/// operators are those of [ONNX](https://onnx.ai/onnx/operators/), in version 17 of the operator set.
#[derive(Debug, Default)]
pub struct Graph {
    pub(super) nodes: Vec<NodeProto>,
    pub(super) initializers: Vec<TensorProto>,
    /// The names of the model's parameters in files, by their id.
    paths: HashMap<u64, String>,
    /// Parameters that are already in the graph, by id and sizes.
    held: HashMap<(u64, Vec<usize>), String>,
    /// Numbers that are already in the graph, by type and bits.
    singles: HashMap<(i32, u64), String>,
    /// Vectors of integers that are already in the graph.
    vectors: HashMap<Vec<i64>, String>,
    /// Names that are in use.
    taken: HashSet<String>,
}

/// The number of an element type in a file.
pub(super) fn element_type<E: Element>() -> i32 {
    match E::NAME {
        "f32" => element::FLOAT,
        "f64" => element::DOUBLE,
        "usize" => element::INT64,
        "bool" => element::BOOL,
        other => unreachable!("there is no tensor of {other}"),
    }
}

fn bytes(values: Values<'_>) -> Vec<u8> {
    match values {
        Values::F32(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Values::F64(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
    }
}

impl Graph {
    /// A graph for this model; these names are taken by inputs and outputs.
    pub(super) fn new<M: Parameters + ?Sized>(model: &M, taken: impl Iterator<Item = String>) -> Self {
        let mut paths = HashMap::new();
        each_parameter(model, &mut |path, leaf| {
            paths.entry(leaf.id).or_insert_with(|| path.to_string());
        });
        Graph { paths, taken: taken.collect(), ..Graph::default() }
    }

    /// An unused name: `base`, or that with a number.
    fn fresh(&mut self, base: &str) -> String {
        let numbered = (1..).map(|number| format!("{base}_{number}"));
        let name = std::iter::once(base.to_string()).chain(numbered).find(|name| !self.taken.contains(name));
        let name = name.expect("there is always another number");
        self.taken.insert(name.clone());
        name
    }

    /// A node with this operator. Its inputs and attributes follow, then its output:
    /// `graph.node("Add").input(&a).input(&b).output_like(&a)`.
    pub fn node(&mut self, operator: &str) -> Node<'_> {
        let node = NodeProto { op_type: operator.to_string(), ..NodeProto::default() };
        Node { graph: self, node }
    }

    fn initializer(&mut self, name: String, data_type: i32, sizes: &[usize], raw_data: Vec<u8>) -> String {
        let dims = sizes.iter().map(|&size| size as i64).collect();
        self.initializers.push(TensorProto { dims, data_type, name: name.clone(), raw_data });
        name
    }

    /// The name of a parameter or buffer in the graph: that in the model's files, `0.weight` for example.
    ///
    /// # Panics
    /// If `part` is not exactly one parameter: an optional one is [`optional_parameter`](Self::optional_parameter).
    #[track_caller]
    pub fn parameter<P: Parameters + ?Sized>(&mut self, part: &P) -> String {
        self.optional_parameter(part).expect("there is no parameter in this part of the model")
    }

    /// The name of an optional parameter, if it is there: a bias or a [`NoBias`](crate::nn::NoBias).
    pub fn optional_parameter<P: Parameters + ?Sized>(&mut self, part: &P) -> Option<String> {
        self.leaf(part, None)
    }

    /// A parameter with other sizes, which have the same product.
    pub(super) fn reshaped<P: Parameters + ?Sized>(&mut self, part: &P, sizes: &[usize]) -> String {
        self.leaf(part, Some(sizes)).expect("there is a parameter")
    }

    fn leaf<P: Parameters + ?Sized>(&mut self, part: &P, sizes: Option<&[usize]>) -> Option<String> {
        let mut name = None;
        each_parameter(part, &mut |_, leaf| {
            assert!(name.is_none(), "there are several parameters in this part of the model");
            let key = (leaf.id, sizes.unwrap_or(leaf.sizes).to_vec());
            name = Some(self.held.get(&key).cloned().unwrap_or_else(|| {
                let path = self.paths.get(&leaf.id).cloned().unwrap_or_else(|| "parameter".to_string());
                let name = self.fresh(&path);
                let kind = if matches!(leaf.values, Values::F32(_)) { element::FLOAT } else { element::DOUBLE };
                self.initializer(name.clone(), kind, &key.1, bytes(leaf.values));
                self.held.insert(key, name.clone());
                name
            }));
        });
        name
    }

    /// The result of `export` in a graph that has the tensor `name` in place of the parameter in this part of the
    /// model.
    pub(super) fn replacing<P: Parameters, R>(
        &mut self,
        part: &P,
        name: String,
        export: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let mut key = None;
        each_parameter(part, &mut |_, leaf| key = Some((leaf.id, leaf.sizes.to_vec())));
        let key = key.expect("there is a parameter");
        let own = self.held.insert(key.clone(), name);
        let result = export(self);
        match own {
            Some(own) => self.held.insert(key, own),
            None => self.held.remove(&key),
        };
        result
    }

    /// The name that files give a parameter, or a part of it: for what is made of it here.
    pub(super) fn path_of<P: Parameters + ?Sized>(&self, part: &P) -> String {
        let mut path = None;
        each_parameter(part, &mut |_, leaf| path = path.take().or_else(|| self.paths.get(&leaf.id).cloned()));
        path.unwrap_or_else(|| "parameter".to_string())
    }

    /// A tensor that is the same in every run.
    pub fn constant<S: Shape, E: Float>(&mut self, name: &str, value: &Tensor<S, E>) -> String {
        let numbers = value.iter().map(E::as_f64).collect::<Vec<_>>();
        self.numbers::<E>(name, &numbers, value.shape().sizes().as_ref())
    }

    /// A number that is the same in every run.
    pub fn number<E: Float>(&mut self, value: f64) -> String {
        let key = (element_type::<E>(), value.to_bits());
        if let Some(name) = self.singles.get(&key) {
            return name.clone();
        }
        let name = self.numbers::<E>("number", &[value], &[]);
        self.singles.insert(key, name.clone());
        name
    }

    /// Numbers of type `E` that are the same in every run.
    pub(super) fn numbers<E: Float>(&mut self, name: &str, values: &[f64], sizes: &[usize]) -> String {
        let raw = match E::NAME {
            "f32" => values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        };
        let name = self.fresh(name);
        self.initializer(name, element_type::<E>(), sizes, raw)
    }

    /// Integers that are the same in every run, as a vector.
    pub fn integers(&mut self, values: &[i64]) -> String {
        if let Some(name) = self.vectors.get(values) {
            return name.clone();
        }
        let name = self.integers_in(values, &[values.len()]);
        self.vectors.insert(values.to_vec(), name.clone());
        name
    }

    /// An integer that is the same in every run.
    pub fn integer(&mut self, value: i64) -> String {
        let key = (element::INT64, value as u64);
        if let Some(name) = self.singles.get(&key) {
            return name.clone();
        }
        let name = self.integers_in(&[value], &[]);
        self.singles.insert(key, name.clone());
        name
    }

    fn integers_in(&mut self, values: &[i64], sizes: &[usize]) -> String {
        let name = self.fresh("integers");
        self.initializer(name, element::INT64, sizes, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// Removes nodes that no output needs: the states of a recurrent layer in a chain, for example.
    pub(super) fn prune<'a>(&mut self, outputs: impl Iterator<Item = &'a str>) {
        let mut needed: HashSet<String> = outputs.map(str::to_string).collect();
        let mut kept: Vec<NodeProto> = Vec::new();
        while let Some(node) = self.nodes.pop() {
            if node.output.iter().any(|output| needed.contains(output)) {
                needed.extend(node.input.iter().cloned());
                kept.push(node);
            }
        }
        kept.reverse();
        self.nodes = kept;
        self.initializers.retain(|tensor| needed.contains(&tensor.name));
    }

    /// Adds an operator with these inputs and no attributes.
    pub(super) fn apply(&mut self, operator: &str, inputs: &[&str]) -> String {
        inputs.iter().fold(self.node(operator), Node::input).output()
    }

    /// A size of a value at run time, as an integer.
    pub(super) fn size(&mut self, of: &str, axis: usize) -> String {
        let (shape, axis) = (self.apply("Shape", &[of]), self.integer(axis as i64));
        self.apply("Gather", &[&shape, &axis])
    }

    /// A value with other sizes: 0 keeps the size of that axis, and a single -1 stands for the rest.
    pub(super) fn reshape(&mut self, x: &str, sizes: &[i64]) -> String {
        let sizes = self.integers(sizes);
        self.apply("Reshape", &[x, &sizes])
    }

    /// A value with its axes permuted.
    pub(super) fn transpose<const N: usize>(&mut self, x: &str, order: [usize; N]) -> String {
        self.node("Transpose").input(x).attribute("perm", order).output()
    }

    /// A value with an additional axis of size 1 at each of these positions.
    pub(super) fn unsqueeze(&mut self, x: &str, axes: &[i64]) -> String {
        let axes = self.integers(axes);
        self.apply("Unsqueeze", &[x, &axes])
    }

    /// A value converted to another element type.
    pub(super) fn cast(&mut self, x: &str, element: i32) -> String {
        self.node("Cast").input(x).attribute("to", element).output()
    }
}

/// A node under construction. See [`Graph::node`].
#[derive(Debug)]
#[must_use = "a node is added to the graph when its output is named"]
pub struct Node<'a> {
    graph: &'a mut Graph,
    node: NodeProto,
}

impl Node<'_> {
    /// The next input: a value, or a name.
    pub fn input(mut self, value: impl AsRef<str>) -> Self {
        self.node.input.push(value.as_ref().to_string());
        self
    }

    /// The next input, if there is one. Otherwise its position stays empty.
    pub fn optional_input(self, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.input(value),
            None => self.input(""),
        }
    }

    /// An attribute.
    pub fn attribute(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.node.attribute.push(AttributeProto { name: name.to_string(), ..value.into().0 });
        self
    }

    /// The attributes of an operator with windows over `N` axes, for which the same padding is before and after.
    pub(super) fn window<const N: usize>(self, kernel: [usize; N], stride: [usize; N], padding: [usize; N]) -> Self {
        self.attribute("kernel_shape", kernel)
            .attribute("strides", stride)
            .attribute("pads", [padding, padding].concat())
    }

    /// Adds the node to the graph and returns the names of its outputs.
    pub fn outputs<const N: usize>(mut self) -> [String; N] {
        // trailing inputs that are left out are not listed
        while self.node.input.last().is_some_and(String::is_empty) {
            self.node.input.pop();
        }
        let operator = self.node.op_type.clone();
        self.node.output = (0..N).map(|_| self.graph.fresh(&operator)).collect();
        self.node.name = self.node.output[0].clone();
        let outputs = std::array::from_fn(|i| self.node.output[i].clone());
        self.graph.nodes.push(self.node);
        outputs
    }

    /// Adds the node to the graph and returns the name of its output.
    pub fn output(self) -> String {
        let [output] = self.outputs();
        output
    }

    /// Adds the node to the graph. Its output is a tensor like `x`.
    pub fn output_like<S: Shape, E: Element>(self, x: &Value<Tensor<S, E>>) -> Value<Tensor<S, E>> {
        self.output_along(x, S::RANK)
    }

    /// Adds the node to the graph. Its output is a tensor whose first `axes` have the sizes of those of `x`: this
    /// matters for sizes known only at run time, as the others are in the type.
    pub fn output_along<S: Shape, E: Element, R: Shape, F: Element>(
        self,
        x: &Value<Tensor<R, F>>,
        axes: usize,
    ) -> Value<Tensor<S, E>> {
        Value::named(self.output(), x, axes)
    }
}

/// The value of an attribute: a number, a text, or several of them.
#[derive(Clone, Debug)]
pub struct Attribute(AttributeProto);

impl From<f64> for Attribute {
    /// ONNX keeps attributes as `f32`.
    fn from(value: f64) -> Self {
        Attribute(AttributeProto { f: Some(value as f32), r#type: attribute::FLOAT, ..Default::default() })
    }
}
impl From<i32> for Attribute {
    fn from(value: i32) -> Self {
        Attribute(AttributeProto { i: Some(value.into()), r#type: attribute::INT, ..Default::default() })
    }
}
impl From<usize> for Attribute {
    fn from(value: usize) -> Self {
        Attribute(AttributeProto { i: Some(value as i64), r#type: attribute::INT, ..Default::default() })
    }
}
impl From<&str> for Attribute {
    fn from(value: &str) -> Self {
        Attribute(AttributeProto { s: Some(value.into()), r#type: attribute::STRING, ..Default::default() })
    }
}
impl<const N: usize> From<[usize; N]> for Attribute {
    fn from(values: [usize; N]) -> Self {
        values.to_vec().into()
    }
}
impl From<Vec<usize>> for Attribute {
    fn from(values: Vec<usize>) -> Self {
        let ints = values.iter().map(|&value| value as i64).collect();
        Attribute(AttributeProto { ints, r#type: attribute::INTS, ..Default::default() })
    }
}
impl<const N: usize> From<[&str; N]> for Attribute {
    fn from(values: [&str; N]) -> Self {
        let strings = values.iter().map(|&value| value.into()).collect();
        Attribute(AttributeProto { strings, r#type: attribute::STRINGS, ..Default::default() })
    }
}
