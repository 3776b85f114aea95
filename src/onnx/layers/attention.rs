//! Attention, positions, and the encoder of a transformer.

use super::product::linear;
use crate::nn::{
    AttentionFeatures, AttentionMask, LearnedPositionalEncoding, Module, MultiHeadAttention, NormOrder,
    PositionalEncoding, StepsWithin, TransformerEncoder, TransformerEncoderLayer,
};
use crate::onnx::graph::element_type;
use crate::onnx::messages::element;
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::{Const, Dim, Features, SequenceAxes, Shape};
use crate::tensor::{Float, Tensor};

/// The numbers 0, 1, .. of the steps of x, (batch, steps, ..).
fn steps(graph: &mut Graph, x: &str) -> String {
    let (zero, one, size) = (graph.integer(0), graph.integer(1), graph.size(x, 1));
    graph.apply("Range", &[&zero, &size, &one])
}

/// Sets the steps of x, (batch, steps, features), to 0 after the end of each sequence.
fn clear_padding<E: Float>(graph: &mut Graph, x: &str, lengths: &str) -> String {
    let steps = steps(graph, x);
    let (steps, lengths) = (graph.unsqueeze(&steps, &[1]), graph.unsqueeze(lengths, &[1, 2]));
    let (inside, zero) = (graph.apply("Less", &[&steps, &lengths]), graph.number::<E>(0.0));
    graph.apply("Where", &[&inside, x, &zero])
}

/// The same, with the type that a layer takes.
fn cleared<X: SequenceAxes, E: Float>(
    graph: &mut Graph,
    x: &Value<Tensor<X, E>>,
    lengths: &str,
) -> Value<Tensor<(X::B, X::L, X::F), E>> {
    Value::named(clear_padding::<E>(graph, x.name(), lengths), x, 3)
}

impl<const WIDTH: usize, const HEADS: usize, const DROPOUT: usize, M: AttentionMask, E: Float>
    MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
{
    /// Queries, keys and values of x and the memory, (batch, steps, `WIDTH`) each.
    fn export_projections(&self, graph: &mut Graph, x: &str, memory: &str) -> [String; 3] {
        let weight = graph.reshaped(&self.in_proj_weight, &[3 * WIDTH, WIDTH]);
        let bias = graph.reshaped(&self.in_proj_bias, &[3 * WIDTH]);
        if x == memory {
            let all = linear(graph, x, &weight, Some(&bias));
            return graph.node("Split").input(all).attribute("axis", 2).outputs();
        }
        let weights = graph.node("Split").input(weight).attribute("axis", 0).outputs::<3>();
        let biases = graph.node("Split").input(bias).attribute("axis", 0).outputs::<3>();
        std::array::from_fn(|i| linear(graph, if i == 0 { x } else { memory }, &weights[i], Some(&biases[i])))
    }

    /// Which keys each query sees, (batch or 1, 1, queries or 1, keys), unless it is all.
    fn export_mask(&self, graph: &mut Graph, x: &str, memory: &str, lengths: Option<&str>) -> Option<String> {
        if !M::CAUSAL && lengths.is_none() {
            return None;
        }
        let keys = steps(graph, memory);
        let inside = lengths.map(|lengths| {
            let lengths = graph.unsqueeze(lengths, &[1, 2, 3]);
            graph.apply("Less", &[&keys, &lengths])
        });
        let before = M::CAUSAL.then(|| {
            let queries = steps(graph, x);
            let queries = graph.unsqueeze(&queries, &[1]);
            graph.apply("LessOrEqual", &[&keys, &queries])
        });
        match (inside, before) {
            (Some(inside), Some(before)) => Some(graph.apply("And", &[&inside, &before])),
            (inside, before) => inside.or(before),
        }
    }

    /// The whole layer, from x to (batch, steps, `WIDTH`).
    fn export_attention<B: Dim, L: Dim, X: Shape>(
        &self,
        graph: &mut Graph,
        x: &Value<Tensor<X, E>>,
        x_name: &str,
        memory: &str,
        lengths: Option<&str>,
    ) -> Value<Tensor<(B, L, Const<WIDTH>), E>> {
        let width = WIDTH / HEADS;
        let [queries, keys, values] = self.export_projections(graph, x_name, memory);
        let mut heads = |part: &str, order: [usize; 4]| {
            let split = graph.reshape(part, &[0, 0, HEADS as i64, width as i64]);
            graph.transpose(&split, order)
        };
        let queries = heads(&queries, [0, 2, 1, 3]);
        let (keys, values) = (heads(&keys, [0, 2, 3, 1]), heads(&values, [0, 2, 1, 3]));
        let scale = graph.number::<E>(1.0 / (width as f64).sqrt());
        let queries = graph.apply("Mul", &[&queries, &scale]);
        let mut scores = graph.apply("MatMul", &[&queries, &keys]);
        let mask = self.export_mask(graph, x_name, memory, lengths);
        if let Some(mask) = &mask {
            let lowest = graph.number::<E>(f64::NEG_INFINITY);
            scores = graph.apply("Where", &[mask, &scores, &lowest]);
        }
        let mut weights = graph.node("Softmax").input(scores).attribute("axis", 3).output();
        if let (Some(mask), Some(_)) = (&mask, lengths) {
            // a query that sees no key has no weights: softmax makes them NaN
            let zero = graph.number::<E>(0.0);
            weights = graph.apply("Where", &[mask, &weights, &zero]);
        }
        let gathered = graph.apply("MatMul", &[&weights, &values]);
        let gathered = graph.transpose(&gathered, [0, 2, 1, 3]);
        let gathered = graph.reshape(&gathered, &[0, 0, WIDTH as i64]);
        let gathered: Value<Tensor<(B, L, Const<WIDTH>), E>> = Value::named(gathered, x, 2);
        self.out_proj.export(graph, gathered)
    }
}

impl<const WIDTH: usize, const HEADS: usize, const DROPOUT: usize, M: AttentionMask, X: SequenceAxes, E: Float>
    ExportOnnx<Tensor<X, E>> for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<X, E>> {
        let y = self.export_attention::<X::B, X::L, _>(graph, &x, x.name(), x.name(), None);
        Value::named(y.name().to_string(), &x, 3)
    }
}

impl<const WIDTH: usize, const HEADS: usize, const DROPOUT: usize, M: AttentionMask, X: SequenceAxes, E: Float>
    ExportOnnx<(Tensor<X, E>, Tensor<(X::B,), usize>)> for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
{
    fn export(&self, graph: &mut Graph, x: Value<(Tensor<X, E>, Tensor<(X::B,), usize>)>) -> Value<Tensor<X, E>> {
        let (x, lengths) = x.split();
        let within = clear_padding::<E>(graph, x.name(), lengths.name());
        let y = self.export_attention::<X::B, X::L, _>(graph, &x, &within, &within, Some(lengths.name()));
        Value::named(clear_padding::<E>(graph, y.name(), lengths.name()), &x, 3)
    }
}

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    X: SequenceAxes,
    Y: SequenceAxes<B = X::B>,
    E: Float,
> ExportOnnx<(Tensor<X, E>, Tensor<Y, E>)> for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
    Y::F: Features<WIDTH>,
{
    fn export(&self, graph: &mut Graph, x: Value<(Tensor<X, E>, Tensor<Y, E>)>) -> Value<Tensor<X, E>> {
        let (x, memory) = x.split();
        let y = self.export_attention::<X::B, X::L, _>(graph, &x, x.name(), memory.name(), None);
        Value::named(y.name().to_string(), &x, 3)
    }
}

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    X: SequenceAxes,
    Y: SequenceAxes<B = X::B>,
    E: Float,
> ExportOnnx<(Tensor<X, E>, Tensor<Y, E>, Tensor<(X::B,), usize>)> for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
    Y::F: Features<WIDTH>,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<(Tensor<X, E>, Tensor<Y, E>, Tensor<(X::B,), usize>)>,
    ) -> Value<Tensor<X, E>> {
        let (x, memory, lengths) = x.split();
        let memory = clear_padding::<E>(graph, memory.name(), lengths.name());
        let y = self.export_attention::<X::B, X::L, _>(graph, &x, x.name(), &memory, Some(lengths.name()));
        Value::named(y.name().to_string(), &x, 3)
    }
}

/// sin and cos of step times frequency, where cos(a) = sin(a + pi/2), in double precision: for the last steps of a long
/// sequence only the fraction of a turn matters.
impl<const WIDTH: usize, X: SequenceAxes, E: Float> ExportOnnx<Tensor<X, E>> for PositionalEncoding<WIDTH>
where
    X::F: Features<WIDTH>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<(X::B, X::L, X::F), E>> {
        let frequency = |place: usize| 10_000.0_f64.powf(-((place / 2 * 2) as f64) / WIDTH as f64);
        let frequencies: Vec<f64> = (0..WIDTH).map(frequency).collect();
        let phases: Vec<f64> =
            (0..WIDTH).map(|place| if place % 2 == 0 { 0.0 } else { std::f64::consts::FRAC_PI_2 }).collect();
        let frequencies = graph.numbers::<f64>("frequencies", &frequencies, &[WIDTH]);
        let phases = graph.numbers::<f64>("phases", &phases, &[WIDTH]);
        let steps = steps(graph, x.name());
        let steps = graph.cast(&steps, element::DOUBLE);
        let steps = graph.unsqueeze(&steps, &[1]);
        let angles = graph.apply("Mul", &[&steps, &frequencies]);
        let angles = graph.apply("Add", &[&angles, &phases]);
        let waves = graph.apply("Sin", &[&angles]);
        let waves = graph.cast(&waves, element_type::<E>());
        graph.node("Add").input(&x).input(waves).output_along(&x, 3)
    }
}

impl<const LENGTH: usize, const WIDTH: usize, X: SequenceAxes, E: Float> ExportOnnx<Tensor<X, E>>
    for LearnedPositionalEncoding<LENGTH, WIDTH, E>
where
    X::L: StepsWithin<LENGTH>,
    X::F: Features<WIDTH>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<(X::B, X::L, X::F), E>> {
        let (weight, start, axis) = (graph.parameter(&self.weight), graph.integers(&[0]), graph.integers(&[0]));
        let steps = graph.size(x.name(), 1);
        let end = graph.unsqueeze(&steps, &[0]);
        let positions = graph.apply("Slice", &[&weight, &start, &end, &axis]);
        graph.node("Add").input(&x).input(positions).output_along(&x, 3)
    }
}

/// The activation between the two layers of the network.
type Hidden<B, L, const HIDDEN: usize, E> = Tensor<(B, L, Const<HIDDEN>), E>;

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const HIDDEN: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    N: NormOrder,
    A,
    E: Float,
> TransformerEncoderLayer<WIDTH, HEADS, HIDDEN, DROPOUT, M, N, A, E>
{
    fn export_block<B: Dim, L: Dim, X: Features<WIDTH>>(
        &self,
        graph: &mut Graph,
        x: Value<Tensor<(B, L, X), E>>,
        attention: impl Fn(&mut Graph, Value<Tensor<(B, L, X), E>>) -> Value<Tensor<(B, L, X), E>>,
    ) -> Value<Tensor<(B, L, X), E>>
    where
        A: ExportOnnx<Hidden<B, L, HIDDEN, E>, Output = Hidden<B, L, HIDDEN, E>>,
    {
        let network = |graph: &mut Graph, x: Value<Tensor<(B, L, X), E>>| -> Value<Tensor<(B, L, X), E>> {
            let hidden = self.linear1.export(graph, x.clone()).retyped();
            let hidden = self.activation.export(graph, hidden);
            let y = self.linear2.export(graph, hidden);
            Value::named(y.name().to_string(), &x, 3)
        };
        let add = |graph: &mut Graph, x: Value<Tensor<(B, L, X), E>>, y: Value<Tensor<(B, L, X), E>>| {
            graph.node("Add").input(&x).input(&y).output_like(&x)
        };
        if N::FIRST {
            let normal = self.norm1.export(graph, x.clone());
            let y = attention(graph, normal);
            let x = add(graph, x, y);
            let normal = self.norm2.export(graph, x.clone());
            let y = network(graph, normal);
            add(graph, x, y)
        } else {
            let y = attention(graph, x.clone());
            let sum = add(graph, x, y);
            let x = self.norm1.export(graph, sum);
            let y = network(graph, x.clone());
            let sum = add(graph, x, y);
            self.norm2.export(graph, sum)
        }
    }
}

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const HIDDEN: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    N: NormOrder,
    A: ExportOnnx<Hidden<X::B, X::L, HIDDEN, E>, Output = Hidden<X::B, X::L, HIDDEN, E>>,
    X: SequenceAxes,
    E: Float,
> ExportOnnx<Tensor<X, E>> for TransformerEncoderLayer<WIDTH, HEADS, HIDDEN, DROPOUT, M, N, A, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<X, E>>) -> Value<Tensor<X, E>> {
        let x = x.retyped::<Tensor<(X::B, X::L, X::F), E>>();
        self.export_block(graph, x, |graph, x| self.self_attn.export(graph, x)).retyped()
    }
}

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const HIDDEN: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    N: NormOrder,
    A: ExportOnnx<Hidden<X::B, X::L, HIDDEN, E>, Output = Hidden<X::B, X::L, HIDDEN, E>>,
    X: SequenceAxes,
    E: Float,
> ExportOnnx<(Tensor<X, E>, Tensor<(X::B,), usize>)>
    for TransformerEncoderLayer<WIDTH, HEADS, HIDDEN, DROPOUT, M, N, A, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
{
    fn export(&self, graph: &mut Graph, x: Value<(Tensor<X, E>, Tensor<(X::B,), usize>)>) -> Value<Tensor<X, E>> {
        let (x, lengths) = x.split();
        let x = cleared(graph, &x, lengths.name());
        let y = self.export_block(graph, x, |graph, x| self.self_attn.export(graph, (x, lengths.clone()).into()));
        cleared(graph, &y, lengths.name()).retyped()
    }
}

impl<S: Shape, E: Float, L, const LAYERS: usize, N> ExportOnnx<Tensor<S, E>> for TransformerEncoder<L, LAYERS, N>
where
    L: ExportOnnx<Tensor<S, E>, Output = Tensor<S, E>>,
    N: ExportOnnx<Tensor<S, E>, Output = Tensor<S, E>>,
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, E>>) -> Value<<Self as Module<Tensor<S, E>>>::Output> {
        let y = self.layers.iter().fold(x, |x, layer| layer.export(graph, x));
        self.norm.export(graph, y)
    }
}

impl<B: Dim, S: Dim, X: Dim, E: Float, L, const LAYERS: usize, N>
    ExportOnnx<(Tensor<(B, S, X), E>, Tensor<(B,), usize>)> for TransformerEncoder<L, LAYERS, N>
where
    L: ExportOnnx<(Tensor<(B, S, X), E>, Tensor<(B,), usize>), Output = Tensor<(B, S, X), E>>,
    N: ExportOnnx<Tensor<(B, S, X), E>, Output = Tensor<(B, S, X), E>>,
{
    fn export(
        &self,
        graph: &mut Graph,
        x: Value<(Tensor<(B, S, X), E>, Tensor<(B,), usize>)>,
    ) -> Value<Tensor<(B, S, X), E>> {
        let (x, lengths) = x.split();
        let mut x = cleared(graph, &x, lengths.name());
        for layer in &self.layers {
            x = layer.export(graph, (x, lengths.clone()).into());
        }
        let y = self.norm.export(graph, x);
        cleared(graph, &y, lengths.name()).retyped()
    }
}
