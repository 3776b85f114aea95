//! Recurrent layers and cells, with ONNX's order of gates: i, o, f, g of an LSTM (i, f, g, o here), z, r, n of a GRU
//! (r, z, n here).

use crate::nn::{
    Direction, Elman, ElmanRelu, GruGates, InitialState, InitialStates, LstmGates, Module, Recurrent, RecurrentCell,
    RecurrentKind, SequenceLengths,
};
use crate::onnx::messages::element;
use crate::onnx::value::{Names, SizeName};
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::{Const, Dim, Features, RowAxes, SequenceAxes, Shape};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::NoTrace;

/// A recurrent cell that ONNX has an operator for.
pub trait ExportedCell: RecurrentKind {
    /// The operator.
    const OPERATOR: &'static str;
    /// For each of the operator's gates, its index in the cell.
    const GATES: &'static [usize];
    /// The activation, if the operator needs it as an attribute.
    const ACTIVATION: Option<&'static str> = None;
    /// Whether the state has a c besides h.
    const HAS_CELL: bool = false;
}
impl ExportedCell for Elman {
    const OPERATOR: &'static str = "RNN";
    const GATES: &'static [usize] = &[0];
    const ACTIVATION: Option<&'static str> = Some("Tanh");
}
impl ExportedCell for ElmanRelu {
    const OPERATOR: &'static str = "RNN";
    const GATES: &'static [usize] = &[0];
    const ACTIVATION: Option<&'static str> = Some("Relu");
}
impl ExportedCell for LstmGates {
    const OPERATOR: &'static str = "LSTM";
    const GATES: &'static [usize] = &[0, 3, 1, 2];
    const HAS_CELL: bool = true;
}
impl ExportedCell for GruGates {
    const OPERATOR: &'static str = "GRU";
    const GATES: &'static [usize] = &[1, 0, 2];
}

/// A parameter with a part for each gate, rearranged to the operator's order.
fn in_order<K: ExportedCell, S: Shape, E: Float>(value: &Tensor<S, E>) -> Vec<f64> {
    let gates: Vec<&[E]> = value.as_slice().chunks(value.count() / K::GATES.len()).collect();
    K::GATES.iter().flat_map(|&gate| gates[gate].iter().map(|x| x.as_f64())).collect()
}

/// The operator's W, R and B of one layer, with a cell for each direction. They are named after the parameters of the
/// first direction, `W_l0` for `weight_ih_l0`.
fn tensors<K: ExportedCell, I: Dim, const H: usize, E: Float>(
    graph: &mut Graph,
    cells: &[RecurrentCell<K, I, H, E>],
) -> [String; 3] {
    let first = &cells[0];
    let (input, rows) = (first.weight_ih.shape().2.size(), K::GATES.len() * H);
    let each = |numbers: &dyn Fn(&RecurrentCell<K, I, H, E>) -> Vec<f64>| -> Vec<f64> {
        cells.iter().flat_map(numbers).collect()
    };
    let weight = each(&|cell| in_order::<K, _, _>(cell.weight_ih.value()));
    let recurrent = each(&|cell| in_order::<K, _, _>(cell.weight_hh.value()));
    let bias = each(&|cell| [&cell.bias_ih, &cell.bias_hh].map(|bias| in_order::<K, _, _>(bias.value())).concat());
    let path = graph.path_of(&first.weight_ih);
    let name = |short: &str| path.replace("weight_ih", short);
    [
        graph.numbers::<E>(&name("W"), &weight, &[cells.len(), rows, input]),
        graph.numbers::<E>(&name("R"), &recurrent, &[cells.len(), rows, H]),
        graph.numbers::<E>(&name("B"), &bias, &[cells.len(), 2 * rows]),
    ]
}

/// The initial states of all layers and directions, h and, if it has one, c of each. There may be none.
struct States(std::vec::IntoIter<String>);

impl States {
    fn none() -> Self {
        States(Vec::new().into_iter())
    }

    fn of<S>(states: Value<S>) -> Self {
        let names = states.names.flatten().into_iter().map(|(name, _)| name);
        States(names.collect::<Vec<_>>().into_iter())
    }

    /// The operator's initial h and c of one layer, (directions, batch, H) each.
    fn next<K: ExportedCell>(&mut self, graph: &mut Graph, directions: usize) -> [Option<String>; 2] {
        let mut parts = [Vec::new(), Vec::new()];
        for _ in 0..directions {
            for part in parts.iter_mut().take(1 + usize::from(K::HAS_CELL)) {
                part.extend(self.0.next().map(|state| graph.unsqueeze(&state, &[0])));
            }
        }
        parts.map(|part| match part.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(
                many.iter().fold(graph.node("Concat"), |node, part| node.input(part)).attribute("axis", 0).output(),
            ),
        })
    }
}

/// Runs one layer in all its directions over x, (steps, batch, features): its outputs (steps, directions, batch, H),
/// and the last h and c, (directions, batch, H).
fn one_layer<K: ExportedCell, I: Dim, const H: usize, E: Float>(
    graph: &mut Graph,
    cells: &[RecurrentCell<K, I, H, E>],
    x: &str,
    lengths: Option<&str>,
    initial: &mut States,
) -> (String, Vec<String>) {
    let [weight, recurrent, bias] = tensors(graph, cells);
    let [hidden, cell] = initial.next::<K>(graph, cells.len());
    let node = graph.node(K::OPERATOR).input(x).input(weight).input(recurrent).input(bias).optional_input(lengths);
    let mut node = node.optional_input(hidden.as_ref()).optional_input(cell.as_ref()).attribute("hidden_size", H);
    if K::OPERATOR == "GRU" {
        // r is applied after the product with U
        node = node.attribute("linear_before_reset", 1);
    }
    match (cells.len(), K::ACTIVATION) {
        (1, None) => {}
        (1, Some(activation)) => node = node.attribute("activations", [activation]),
        (_, None) => node = node.attribute("direction", "bidirectional"),
        (_, Some(activation)) => {
            node = node.attribute("direction", "bidirectional").attribute("activations", [activation; 2])
        }
    }
    let (y, last) = if K::HAS_CELL {
        let [y, hidden, cell] = node.outputs();
        (y, vec![hidden, cell])
    } else {
        let [y, hidden] = node.outputs();
        (y, vec![hidden])
    };
    let Some(lengths) = lengths else { return (y, last) };
    // the last state of a sequence without steps is the initial one: onnxruntime gives 0, or whatever was in memory
    // (RNN, 1.15)
    let initial = [hidden, cell];
    let last = last.into_iter().zip(initial).map(|(last, initial)| {
        let initial = initial.unwrap_or_else(|| graph.number::<E>(0.0));
        let lengths = graph.cast(lengths, element::INT64);
        let zero = graph.integer(0);
        let empty = graph.apply("Equal", &[&lengths, &zero]);
        let empty = graph.unsqueeze(&empty, &[0, 2]);
        graph.apply("Where", &[&empty, &initial, &last])
    });
    let last = last.collect();
    (y, last)
}

/// The state of one direction as a value, (batch, H), or h and c.
fn state<const H: usize>(graph: &mut Graph, parts: &[String], direction: usize, batch: &SizeName) -> Names {
    let number = graph.integer(direction as i64);
    let parts = parts.iter().map(|part| {
        let name = graph.node("Gather").input(part).input(&number).attribute("axis", 0).output();
        Names::One(name, vec![batch.clone(), SizeName::Known(H)])
    });
    Names::of(parts.collect())
}

impl<K: ExportedCell, const I: usize, const H: usize, const LAYERS: usize, D: Direction<H>, E: Float>
    Recurrent<K, I, H, LAYERS, D, E>
{
    /// All layers: the output, and the states of each in each direction.
    fn export_layers<X: SequenceAxes>(
        &self,
        graph: &mut Graph,
        x: &Value<Tensor<X, E>>,
        lengths: Option<&str>,
        mut initial: States,
    ) -> (Value<Tensor<(X::B, X::L, D::Width), E>>, Names) {
        let lengths = lengths.map(|lengths| graph.cast(lengths, element::INT32));
        let batch = x.sizes()[0].clone();
        let mut states = Vec::new();
        // steps first, as the operators want it
        let mut y = graph.transpose(x.name(), [1, 0, 2]);
        for layer in 0..=self.rest.len() {
            let (output, last) = match layer {
                0 => one_layer(graph, &self.first, &y, lengths.as_deref(), &mut initial),
                _ => one_layer(graph, &self.rest[layer - 1], &y, lengths.as_deref(), &mut initial),
            };
            // the directions side by side
            let output = graph.transpose(&output, [0, 2, 1, 3]);
            y = graph.reshape(&output, &[0, 0, (D::COUNT * H) as i64]);
            let each = (0..D::COUNT).map(|direction| state::<H>(graph, &last, direction, &batch));
            states.push(Names::of(each.collect()));
        }
        let node = graph.node("Transpose").input(y).attribute("perm", [1, 0, 2]);
        (node.output_along(x, 2), Names::Many(states))
    }
}

impl<K: ExportedCell, X: SequenceAxes, const I: usize, const H: usize, const LAYERS: usize, D: Direction<H>, E: Float>
    ExportOnnx<Tensor<X, E>> for Recurrent<K, I, H, LAYERS, D, E>
where
    X::F: Features<I>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<<Self as Module<Tensor<X, E>>>::Output> {
        self.export_layers(graph, &x, None, States::none()).0.retyped()
    }
}

impl<
    K: ExportedCell,
    X: SequenceAxes,
    N: Shape,
    F: Element,
    const I: usize,
    const H: usize,
    const LAYERS: usize,
    D: Direction<H>,
    E: Float,
> ExportOnnx<(Tensor<X, E>, Tensor<N, F>)> for Recurrent<K, I, H, LAYERS, D, E>
where
    X::F: Features<I>,
    Tensor<N, F>: SequenceLengths<X::B>,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<(Tensor<X, E>, Tensor<N, F>)>,
    ) -> Value<<Self as Module<(Tensor<X, E>, Tensor<N, F>)>>::Output> {
        let (x, lengths) = x.split();
        let (y, states) = self.export_layers(graph, &x, Some(lengths.name()), States::none());
        Value::of(Names::Many(vec![y.names, states]))
    }
}

impl<
    K: ExportedCell,
    X: SequenceAxes,
    S,
    const N: usize,
    const I: usize,
    const H: usize,
    const LAYERS: usize,
    D: Direction<H>,
    E: Float,
> ExportOnnx<(Tensor<X, E>, [S; N])> for Recurrent<K, I, H, LAYERS, D, E>
where
    X::F: Features<I>,
    [S; N]: InitialStates<K, X::B, H, LAYERS, D, E, NoTrace>,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<(Tensor<X, E>, [S; N])>,
    ) -> Value<<Self as Module<(Tensor<X, E>, [S; N])>>::Output> {
        let (x, states) = x.split();
        let (y, states) = self.export_layers(graph, &x, None, States::of(states));
        Value::of(Names::Many(vec![y.names, states]))
    }
}

impl<
    K: ExportedCell,
    X: SequenceAxes,
    S: InitialStates<K, X::B, H, LAYERS, D, E, NoTrace>,
    N: Shape,
    F: Element,
    const I: usize,
    const H: usize,
    const LAYERS: usize,
    D: Direction<H>,
    E: Float,
> ExportOnnx<(Tensor<X, E>, S, Tensor<N, F>)> for Recurrent<K, I, H, LAYERS, D, E>
where
    X::F: Features<I>,
    Tensor<N, F>: SequenceLengths<X::B>,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<(Tensor<X, E>, S, Tensor<N, F>)>,
    ) -> Value<<Self as Module<(Tensor<X, E>, S, Tensor<N, F>)>>::Output> {
        let (x, states, lengths) = x.split();
        let (y, states) = self.export_layers(graph, &x, Some(lengths.name()), States::of(states));
        Value::of(Names::Many(vec![y.names, states]))
    }
}

impl<K: ExportedCell, const I: usize, const H: usize, E: Float> RecurrentCell<K, Const<I>, H, E> {
    /// A sequence of one step.
    fn export_step<X: RowAxes>(&self, graph: &mut Graph, x: &Value<Tensor<X, E>>, mut initial: States) -> Names {
        let batch = x.sizes()[0].clone();
        let x = graph.unsqueeze(x.name(), &[0]);
        let (_, last) = one_layer(graph, std::slice::from_ref(self), &x, None, &mut initial);
        state::<H>(graph, &last, 0, &batch)
    }
}

impl<K: ExportedCell, X: RowAxes, const I: usize, const H: usize, E: Float> ExportOnnx<Tensor<X, E>>
    for RecurrentCell<K, Const<I>, H, E>
where
    X::F: Features<I>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<<Self as Module<Tensor<X, E>>>::Output> {
        Value::of(self.export_step(graph, &x, States::none()))
    }
}

impl<K: ExportedCell, X: RowAxes, S: InitialState<K, X::B, H, E, NoTrace>, const I: usize, const H: usize, E: Float>
    ExportOnnx<(Tensor<X, E>, S)> for RecurrentCell<K, Const<I>, H, E>
where
    X::F: Features<I>,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<(Tensor<X, E>, S)>,
    ) -> Value<<Self as Module<(Tensor<X, E>, S)>>::Output> {
        let (x, states) = x.split();
        Value::of(self.export_step(graph, &x, States::of(states)))
    }
}
