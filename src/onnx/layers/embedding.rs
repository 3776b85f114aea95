//! Embeddings: rows of a table.

use crate::nn::{BagMode, Embedding, EmbeddingBag, Module, RowIndex};
use crate::onnx::graph::element_type;
use crate::onnx::{ExportOnnx, Graph, Value};
use crate::shape::{Append, Const, LastAxis};
use crate::tensor::{Float, Tensor};

impl<const VOCAB: usize, const DIM: usize, S: Append, K: RowIndex, E: Float> ExportOnnx<Tensor<S, K>>
    for Embedding<VOCAB, DIM, E>
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, K>>) -> Value<<Self as Module<Tensor<S, K>>>::Output> {
        let weight = graph.parameter(&self.weight);
        graph.node("Gather").input(weight).input(&x).output_along(&x, S::RANK)
    }
}

impl<const VOCAB: usize, const DIM: usize, S: LastAxis, K: RowIndex, E: Float> ExportOnnx<Tensor<S, K>>
    for EmbeddingBag<VOCAB, DIM, E>
{
    fn export(&self, graph: &mut Graph, x: Value<Tensor<S, K>>) -> Value<Tensor<S::WithLast<Const<DIM>>, E>> {
        let (words, number) = (S::RANK - 1, element_type::<E>());
        let (weight, axis) = (graph.parameter(&self.weight), graph.integers(&[words as i64]));
        let mut rows = graph.apply("Gather", &[&weight, x.name()]);
        let one = graph.number::<E>(1.0);
        // the number of words of each bag, at least 1, for the mean
        let count = match self.padding() {
            None => {
                let count = graph.size(x.name(), words);
                graph.cast(&count, number)
            }
            Some(index) => {
                let (padding, zero) = (graph.integer(index as i64), graph.number::<E>(0.0));
                let padding = graph.apply("Equal", &[x.name(), &padding]);
                let of_rows = graph.unsqueeze(&padding, &[S::RANK as i64]);
                rows = graph.apply("Where", &[&of_rows, &zero, &rows]);
                let words = graph.apply("Where", &[&padding, &zero, &one]);
                graph.apply("ReduceSum", &[&words, &axis])
            }
        };
        let sum = graph.node("ReduceSum").input(rows).input(axis).attribute("keepdims", 0);
        match self.mode {
            BagMode::Sum => sum.output_along(&x, words),
            BagMode::Mean => {
                let sum = sum.output();
                let divisor = graph.apply("Max", &[&count, &one]);
                graph.node("Div").input(sum).input(divisor).output_along(&x, words)
            }
        }
    }
}
