//! Scaled dot-product attention, as one operation: Y = softmax(Q K^T / sqrt(D)) V, for each head of each sequence.
//!
//! Shapes: Q (B, H, L, D), K (B, H, S, D), V (B, H, S, F), Y (B, H, L, F). The softmax goes over the keys that a query
//! sees: all, or with a causal mask those up to its own position, and never the padding after a sequence's end. For a
//! query that sees none, Y is 0.
//!
//! With P the weights from the softmax, and G the gradient of Y:
//!
//! - gradient of V: P^T G
//! - gradient of P: G V^T, and with it the gradient of the scores: dS_ij = P_ij (dP_ij - sum_k P_ik dP_ik)
//! - gradient of Q: dS K / sqrt(D); of K: dS^T Q / sqrt(D)
//!
//! Dropout multiplies P and dP by its mask. Saved: Q, K and V only. The backward pass computes P again, some queries at
//! a time, so that neither pass ever holds all L x S weights: Rabe and Staats, "Self-attention Does Not Need O(n^2)
//! Memory", 2021.
//!
//! Vaswani et al., "Attention Is All You Need", 2017.

mod heads;
#[cfg(test)]
mod tests;

use crate::kernels::random::BatchMask;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::ops::elementwise::dropout;
use crate::ops::reduce::softmax::SOFTMAX;
use crate::ops::sequence::lengths::lengths;
use crate::shape::{Const, Dim, HeadAxes, Shape, shapes_differ};
use crate::tape::{Node, note_multiply_adds, record};
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Parents, Trace};
use heads::{Attention, Layout, Operand, Operands};
use std::sync::Arc;

/// The options of [`attention`](Tensor::attention): by default, every query sees every key.
#[derive(Clone, Debug)]
pub struct AttentionOptions<B: Dim> {
    /// The causal mask: query i sees only the keys 0 ..= i.
    pub causal: bool,
    /// The number of keys of each sequence; those after its end are never seen.
    pub lengths: Option<Tensor<(B,), usize>>,
    /// The probability with which a weight is dropped on a training tape.
    pub dropout: f64,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    pub more: (),
}

impl<B: Dim> Default for AttentionOptions<B> {
    fn default() -> Self {
        AttentionOptions { causal: false, lengths: None, dropout: 0.0, more: () }
    }
}

/// The options of the layers, whose lengths are checked.
#[derive(Clone, Debug)]
pub(crate) struct Masking {
    pub causal: bool,
    pub lengths: Option<Arc<[usize]>>,
    pub dropout: f64,
}

impl<X: Shape, E: Float, T: Trace> Tensor<X, E, T> {
    /// Scaled dot-product attention: softmax(Q K^T / sqrt(D)) V, of the queries Q = `self` to keys K and values V.
    ///
    /// | | shape |
    /// | --- | --- |
    /// | queries | (B, H, L, D): batch, heads, time, features |
    /// | keys | (B, H, S, D) |
    /// | values | (B, H, S, F) |
    /// | result | (B, H, L, F) |
    ///
    /// Keys that the [options](AttentionOptions) hide get neither weight nor gradient, whatever they hold. A query that
    /// sees no key gets zeros. Vaswani et al., "Attention Is All You Need", 2017.
    ///
    /// For projections and the splitting into heads, see [`MultiHeadAttention`](crate::nn::MultiHeadAttention).
    ///
    /// # Panics
    /// If run-time dimensions of the three do not fit, there are not as many lengths as sequences, a length is more
    /// than the number of keys, or `dropout` is not a probability.
    ///
    /// ```
    /// use taut::ops::AttentionOptions;
    /// use taut::prelude::*;
    /// let mut rng = StdRng::seed_from_u64(0);
    /// let q = Tensor::<Rank4<2, 4, 10, 8>>::randn(&mut rng);
    /// let k = Tensor::<Rank4<2, 4, 12, 8>>::randn(&mut rng);
    /// let v = Tensor::<Rank4<2, 4, 12, 16>>::randn(&mut rng);
    /// let lengths = Some(Tensor::from([12, 7]));
    /// let options = AttentionOptions { lengths, ..Default::default() };
    /// let y: Tensor<Rank4<2, 4, 10, 16>> = q.attention(k, v, &options);
    ///
    /// // with the causal mask, the first query sees the first key only
    /// let x = Tensor::<Rank4<1, 1, 3, 2>>::randn(&mut rng);
    /// let y = x.clone().attention(x.clone(), x.clone(), &AttentionOptions { causal: true, ..Default::default() });
    /// assert_eq!(y.slice(0).slice(0).slice(0), x.slice(0).slice(0).slice(0));
    /// ```
    #[track_caller]
    pub fn attention<K, V, R: Trace, B: Dim, H: Dim, L: Dim>(
        self,
        keys: Tensor<K, E, R>,
        values: Tensor<V, E, R>,
        options: &AttentionOptions<B>,
    ) -> Tensor<(B, H, L, V::F), E, Merged<T, R>>
    where
        X: HeadAxes<B = B, H = H, L = L>,
        K: HeadAxes<B = B, H = H, F = X::F>,
        V: HeadAxes<B = B, H = H, L = K::L>,
        T: Merge<R>,
    {
        let (q_shape, q, q_trace) = self.into_parts();
        let (k_shape, k, k_trace) = keys.into_parts();
        let (v_shape, v, v_trace) = values.into_parts();
        let (q_shape, k_shape, v_shape) = (q_shape.axes(), k_shape.axes(), v_shape.axes());
        let (batch, heads, queries, width) = q_shape;
        if (batch, heads, width) != (k_shape.0, k_shape.1, k_shape.3) {
            shapes_differ("attention", q_shape, k_shape);
        }
        if (k_shape.0, k_shape.1, k_shape.2) != (v_shape.0, v_shape.1, v_shape.2) {
            shapes_differ("attention", k_shape, v_shape);
        }
        assert!(
            (0.0..=1.0).contains(&options.dropout),
            "attention: dropout is a probability, and not {}",
            options.dropout
        );
        let (keys, value_width) = (k_shape.2.size(), v_shape.3.size());
        // a closure would hide the caller's line
        #[allow(clippy::manual_map)]
        let of_each = match &options.lengths {
            Some(of_each) => Some(lengths("attention", of_each, batch, keys)),
            None => None,
        };
        let masking = Masking { causal: options.causal, lengths: of_each, dropout: options.dropout };
        let weights = batch.size() * heads.size() * queries.size() * keys;
        let attention = Attention {
            batch: batch.size(),
            heads: heads.size(),
            queries: queries.size(),
            keys,
            width: width.size(),
            value_width,
            causal: masking.causal,
            dropout: masking.dropout(&q_trace, weights).or_else(|| masking.dropout(&k_trace, weights)),
            lengths: masking.lengths,
        };
        let by_head = |rows, width| Layout::by_head(attention.heads, rows, width);
        let operands = [
            Operand { values: q, layout: by_head(attention.queries, attention.width) },
            Operand { values: k, layout: by_head(keys, attention.width) },
            Operand { values: v, layout: by_head(keys, value_width) },
        ];
        let y_layout = by_head(attention.queries, value_width);
        let nodes = [q_trace.node(), k_trace.node(), v_trace.node()];
        let (y, node) = attend(attention, operands, y_layout, nodes, [0, 1, 2]);
        Tensor::from_parts((batch, heads, queries, v_shape.3), y, Merged::<T, R>::from_node(node))
    }
}

/// Attention within sequences: `qkv` holds the queries, keys and values of each step side by side, each split into
/// `heads`.
#[track_caller]
pub(crate) fn self_attention<B: Dim, L: Dim, const W: usize, E: Float, T: Trace>(
    qkv: Tensor<(B, L, Const<3>, Const<W>), E, T>,
    heads: usize,
    masking: Masking,
) -> Tensor<(B, L, Const<W>), E, T> {
    let ((batch, steps, ..), values, trace) = qkv.into_parts();
    let attention = masking.of_steps(batch.size(), heads, [steps.size(); 2], W, &trace);
    let operands = [0, 1, 2].map(|part| Operand {
        values: values.clone(),
        layout: Layout::by_step(part, 3, heads, steps.size(), W / heads),
    });
    drop(values);
    let y_layout = Layout::by_step(0, 1, heads, steps.size(), W / heads);
    let (y, node) = attend(attention, operands, y_layout, [trace.node(), None, None], [0, 0, 0]);
    Tensor::from_parts((batch, steps, Const), y, T::from_node(node))
}

/// Attention from one batch of sequences to another: `q` holds the queries of the former, `kv` the keys and values of
/// the latter, side by side.
#[track_caller]
pub(crate) fn cross_attention<B: Dim, L: Dim, M: Dim, const W: usize, E: Float, T: Trace>(
    q: Tensor<(B, L, Const<1>, Const<W>), E, T>,
    kv: Tensor<(B, M, Const<2>, Const<W>), E, T>,
    heads: usize,
    masking: Masking,
) -> Tensor<(B, L, Const<W>), E, T> {
    let ((batch, queries, ..), q, q_trace) = q.into_parts();
    let ((_, keys, ..), kv, kv_trace) = kv.into_parts();
    let attention = masking.of_steps(batch.size(), heads, [queries.size(), keys.size()], W, &q_trace);
    let of_memory = |part| Layout::by_step(part, 2, heads, keys.size(), W / heads);
    let q_layout = Layout::by_step(0, 1, heads, queries.size(), W / heads);
    let operands = [
        Operand { values: q, layout: q_layout },
        Operand { values: kv.clone(), layout: of_memory(0) },
        Operand { values: kv, layout: of_memory(1) },
    ];
    let (y, node) = attend(attention, operands, q_layout, [q_trace.node(), kv_trace.node(), None], [0, 1, 1]);
    Tensor::from_parts((batch, queries, Const), y, T::from_node(node))
}

impl Masking {
    /// Which of this many weights are dropped on a training tape.
    fn dropout<T: Trace>(&self, trace: &T, weights: usize) -> Option<BatchMask> {
        dropout::mask(trace, self.dropout, 1, weights)
    }

    /// Attention whose heads share `width` features of each step.
    fn of_steps<T: Trace>(
        self,
        batch: usize,
        heads: usize,
        [queries, keys]: [usize; 2],
        width: usize,
        trace: &T,
    ) -> Attention {
        let width = width / heads;
        let (causal, dropout) = (self.causal, self.dropout(trace, batch * heads * queries * keys));
        Attention { batch, heads, queries, keys, width, value_width: width, causal, dropout, lengths: self.lengths }
    }
}

/// Computes the output, with its matrices as `y_layout` says, and records its backward pass: the gradient of operand i
/// goes to node number `parent_of[i]`.
#[track_caller]
fn attend<E: Float>(
    attention: Attention,
    operands: Operands<E>,
    y_layout: Layout,
    nodes: [Option<&Node>; 3],
    parent_of: [usize; 3],
) -> (Storage<E>, Option<Node>) {
    let Attention { batch, heads, queries, width, value_width, .. } = attention;
    note_multiply_adds(attention.pairs() * (width + value_width));
    let mut y = Storage::scratch(batch * heads * queries * value_width);
    attention.forward(&operands, E::pick(&SOFTMAX), y.make_mut());
    if y_layout != Layout::by_head(heads, queries, value_width) {
        let by_head = y;
        y = Storage::scratch(by_head.len());
        attention.place(by_head.as_slice(), queries * value_width, 0, y_layout, y.make_mut(), Store::Overwrite);
    }
    let node = record(nodes, |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 3>| {
            let g = Operand { values: g, layout: y_layout };
            let gradients = attention.backward(&operands, &g, E::pick(&SOFTMAX));
            for parent in 0..3 {
                let of_parent = || (0..3).filter(|&operand| parent_of[operand] == parent);
                let Some(first) = of_parent().next() else { continue };
                parents.write(parent, operands[first].values.len(), |out, store| {
                    for operand in of_parent() {
                        let layout = operands[operand].layout;
                        attention.place_gradient(gradients.as_slice(), operand, layout, out, store);
                    }
                });
            }
        }
    });
    (y, node)
}
