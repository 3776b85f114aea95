//! The computation of attention, one head of one sequence after the other, in plain sizes.

use crate::kernels::gemm::{Matrix, gemm};
use crate::kernels::lines::MapLoops;
use crate::kernels::random::BatchMask;
use crate::kernels::store::Store;
use crate::kernels::{elementwise, parallel};
use crate::memory::Storage;
use crate::tensor::Float;
use std::ops::Range;
use std::sync::Arc;

/// The number of queries processed together: for up to a few thousand keys, their scores stay in the second-level
/// cache, and with a causal mask, few scores are computed for nothing.
const QUERIES: usize = 32;

/// The sizes of attention, and its mask.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    pub batch: usize,
    pub heads: usize,
    pub queries: usize,
    pub keys: usize,
    /// The width of a query and of a key.
    pub width: usize,
    pub value_width: usize,
    /// Each query sees the keys up to its own position.
    pub causal: bool,
    /// The number of keys of each sequence; the rest is padding, which is never seen.
    pub lengths: Option<Arc<[usize]>>,
    /// Which weights are dropped.
    pub dropout: Option<BatchMask>,
}

/// Where the matrices of the heads are in an operand, or in its gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Rows and columns of a matrix.
    pub rows: usize,
    pub width: usize,
    /// Where the first matrix of a sequence starts.
    pub start: usize,
    /// How far apart sequences, heads and rows are.
    pub sequence: usize,
    pub head: usize,
    pub row: usize,
}

impl Layout {
    /// (batch, heads, rows, width)
    pub fn by_head(heads: usize, rows: usize, width: usize) -> Self {
        Layout { rows, width, start: 0, sequence: heads * rows * width, head: rows * width, row: width }
    }

    /// Number `part` of (batch, rows, parts, heads, width)
    pub fn by_step(part: usize, parts: usize, heads: usize, rows: usize, width: usize) -> Self {
        let row = parts * heads * width;
        Layout { rows, width, start: part * heads * width, sequence: rows * row, head: width, row }
    }

    /// The matrix of a head, from row `first` on.
    fn matrix<E>(self, values: &[E], sequence: usize, head: usize, first: usize) -> Matrix<'_, E> {
        let start = self.start + sequence * self.sequence + head * self.head + first * self.row;
        Matrix { values: &values[start.min(values.len())..], row_stride: self.row, column_stride: 1 }
    }
}

/// An operand.
pub(super) struct Operand<E> {
    pub values: Storage<E>,
    pub layout: Layout,
}

impl<E: Float> Operand<E> {
    fn matrix(&self, sequence: usize, head: usize, first: usize) -> Matrix<'_, E> {
        self.layout.matrix(self.values.as_slice(), sequence, head, first)
    }
}

/// Queries, keys and values.
pub(super) type Operands<E> = [Operand<E>; 3];

impl Attention {
    /// How many keys a query sees, from the first one on.
    fn visible(&self, sequence: usize, query: usize) -> usize {
        let keys = self.lengths.as_ref().map_or(self.keys, |lengths| lengths[sequence]);
        if self.causal { keys.min(query + 1) } else { keys }
    }

    /// The number of pairs of a query and a key that it sees.
    pub fn pairs(&self) -> usize {
        if self.queries == 0 || self.keys == 0 {
            return 0; // however many sequences there are
        }
        let of_sequence = |sequence| (0..self.queries).map(|query| self.visible(sequence, query)).sum::<usize>();
        self.heads * (0..self.batch).map(of_sequence).sum::<usize>()
    }

    fn many(&self) -> bool {
        parallel::worthwhile(self.batch * self.heads * self.queries * self.keys, parallel::COSTLY)
    }

    /// The queries from `first` on that are processed together.
    ///
    /// All of them are multiplied by all values that the last one sees; with a causal mask, the weights of values that
    /// a query does not see are 0. So the block ends before a value that is infinite or NaN, which would reach queries
    /// that do not see it.
    fn block<E: Float>(&self, v: Matrix<'_, E>, sequence: usize, first: usize) -> Range<usize> {
        let end = self.queries.min(first + QUERIES);
        if !self.causal {
            return first..end;
        }
        let finite = |key: usize| {
            let row = &v.values[key * v.row_stride..][..self.value_width];
            row.iter().fold(true, |all, x| all & x.is_finite())
        };
        first..(first + 1..end.min(self.visible(sequence, end - 1))).find(|&key| !finite(key)).unwrap_or(end)
    }

    /// softmax(Q K^T / sqrt(d)) of a block of queries, with a row of weights for each query.
    fn weights<E: Float>(
        &self,
        [q, k, _]: &Operands<E>,
        softmax: &MapLoops<E>,
        (sequence, head): (usize, usize),
        block: &Range<usize>,
        weights: &mut [E],
    ) {
        let keys = weights.len() / block.len();
        let product = (q.matrix(sequence, head, block.start), k.matrix(sequence, head, 0).transpose());
        gemm(block.len(), self.width, keys, product.0, product.1, weights, Store::Overwrite);
        elementwise::scale(weights, self.scale());
        for (query, row) in block.clone().zip(weights.chunks_exact_mut(keys)) {
            let (seen, hidden) = row.split_at_mut(self.visible(sequence, query));
            softmax.forward(None, seen, (1, seen.len(), 1));
            hidden.fill(E::zero());
        }
    }

    fn scale<E: Float>(&self) -> E {
        E::of(1.0 / (self.width.max(1) as f64).sqrt())
    }

    /// Drops weights, or gradients of weights: the same ones in every call.
    fn drop<E: Float>(&self, (sequence, head): (usize, usize), block: &Range<usize>, weights: &mut [E]) {
        let Some(mask) = &self.dropout else { return };
        let keys = weights.len() / block.len();
        for (query, row) in block.clone().zip(weights.chunks_exact_mut(keys)) {
            let place = ((sequence * self.heads + head) * self.queries + query) * self.keys;
            mask.drop_from(place, row);
        }
    }

    /// The output of all heads, (batch, heads, queries, value width).
    pub fn forward<E: Float>(&self, operands: &Operands<E>, softmax: &MapLoops<E>, out: &mut [E]) {
        parallel::chunks(out, self.queries * self.value_width, self.many(), |index, out| {
            let place @ (sequence, head) = (index / self.heads, index % self.heads);
            let v = operands[2].matrix(sequence, head, 0);
            let mut weights = Storage::scratch(QUERIES.min(self.queries) * self.keys);
            let mut first = 0;
            while first < self.queries {
                let block = self.block(v, sequence, first);
                first = block.end;
                let keys = self.visible(sequence, block.end - 1);
                let out = &mut out[block.start * self.value_width..block.end * self.value_width];
                if keys == 0 {
                    out.fill(E::zero());
                    continue;
                }
                let weights = &mut weights.make_mut()[..block.len() * keys];
                self.weights(operands, softmax, place, &block, weights);
                self.drop(place, &block, weights);
                gemm(block.len(), keys, self.value_width, Matrix::rows(weights, keys), v, out, Store::Overwrite);
            }
        });
    }

    /// The lengths of the gradients of the queries, keys and values of one head.
    fn gradient_sizes(&self) -> [usize; 3] {
        [self.queries * self.width, self.keys * self.width, self.keys * self.value_width]
    }

    /// The gradients of the operands of all heads: for each head, those of its queries, keys and values, one after the
    /// other. `g` is the gradient of the output.
    pub fn backward<E: Float>(&self, operands: &Operands<E>, g: &Operand<E>, softmax: &MapLoops<E>) -> Storage<E> {
        let [q_size, k_size, v_size] = self.gradient_sizes();
        let size = q_size + k_size + v_size;
        let mut gradients = Storage::scratch(self.batch * self.heads * size);
        parallel::chunks(gradients.make_mut(), size, self.many(), |index, gradients| {
            let place @ (sequence, head) = (index / self.heads, index % self.heads);
            let (d_q, rest) = gradients.split_at_mut(q_size);
            let (d_k, d_v) = rest.split_at_mut(k_size);
            d_k.fill(E::zero());
            d_v.fill(E::zero());
            let [q, k, v] = operands;
            let (k, v) = (k.matrix(sequence, head, 0), v.matrix(sequence, head, 0));
            let [mut weights, mut d_weights] =
                [(); 2].map(|()| Storage::scratch(QUERIES.min(self.queries) * self.keys));
            let mut first = 0;
            while first < self.queries {
                let block = self.block(v, sequence, first);
                first = block.end;
                let keys = self.visible(sequence, block.end - 1);
                let d_q = &mut d_q[block.start * self.width..block.end * self.width];
                if keys == 0 {
                    d_q.fill(E::zero());
                    continue;
                }
                let rows = block.len();
                let weights = &mut weights.make_mut()[..rows * keys];
                let d_weights = &mut d_weights.make_mut()[..rows * keys];
                let g = g.matrix(sequence, head, block.start);
                self.weights(operands, softmax, place, &block, weights);
                gemm(rows, self.value_width, keys, g, v.transpose(), d_weights, Store::Overwrite);
                self.drop(place, &block, d_weights);

                // the gradients of the weights become those of the scores
                let each = weights.chunks_exact(keys).zip(d_weights.chunks_exact_mut(keys));
                for (query, (weights, d_weights)) in block.clone().zip(each) {
                    let (seen, hidden) = d_weights.split_at_mut(self.visible(sequence, query));
                    softmax.backward(seen, &weights[..seen.len()], (1, seen.len(), 1));
                    hidden.fill(E::zero());
                }
                elementwise::scale(d_weights, self.scale());
                let d_scores = &*d_weights;
                gemm(rows, keys, self.width, Matrix::rows(d_scores, keys), k, d_q, Store::Overwrite);
                let (q, d_k) = (q.matrix(sequence, head, block.start), &mut d_k[..keys * self.width]);
                gemm(keys, rows, self.width, Matrix::transposed(d_scores, keys), q, d_k, Store::Add);

                self.drop(place, &block, weights);
                let d_v = &mut d_v[..keys * self.value_width];
                gemm(keys, rows, self.value_width, Matrix::transposed(weights, keys), g, d_v, Store::Add);
            }
        });
        gradients
    }

    /// Writes the gradient of operand `number` where the operand's layout says, or adds it.
    pub fn place_gradient<E: Float>(
        &self,
        gradients: &[E],
        number: usize,
        layout: Layout,
        out: &mut [E],
        store: Store,
    ) {
        let sizes = self.gradient_sizes();
        let [start, size] = [&sizes[..number], &sizes[..]].map(|sizes| sizes.iter().sum());
        self.place(gradients, size, start, layout, out, store);
    }

    /// Writes the matrices of all heads, which start `size` numbers apart, the first at `start`, where the layout says,
    /// or adds them.
    pub fn place<E: Float>(&self, from: &[E], size: usize, start: usize, layout: Layout, out: &mut [E], store: Store) {
        let many = parallel::worthwhile(out.len(), parallel::CHEAP);
        let Layout { rows, width, .. } = layout;
        parallel::chunks(out, layout.sequence, many, |sequence, out| {
            for head in 0..self.heads {
                let from = &from[(sequence * self.heads + head) * size + start..][..rows * width];
                for (row, from) in from.chunks_exact(width.max(1)).enumerate() {
                    let out = &mut out[layout.start + head * layout.head + row * layout.row..][..width];
                    if store.adds() {
                        out.iter_mut().zip(from).for_each(|(out, &x)| *out += x);
                    } else {
                        out.copy_from_slice(from);
                    }
                }
            }
        });
    }
}
