//! The fully connected layer in one operation: y = x W^T + b, or without the bias b.
//!
//! Shapes: x (rows, I), W (O, I), b (O), y (rows, O), where rows are all axes of x but the last. With g the gradient
//! of y:
//!
//! - gradient of x: g W
//! - gradient of W: g^T x
//! - gradient of b: the sum of the rows of g

use crate::kernels::elementwise::add_row;
use crate::kernels::gemm::constant::{FEW_ROWS, SMALL, times_transposed};
use crate::kernels::gemm::{Matrix, gemm};
use crate::kernels::reduce::sum_axis;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::shape::{Const, Dim, LastAxis, Rank1, Rank2, Rank3, Shape};
use crate::tape::{note_multiply_adds, record};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// x W^T + b, or x W^T. See [`Linear`](crate::nn::Linear).
#[track_caller]
pub(crate) fn linear<const I: usize, const O: usize, S: LastAxis, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    weight: Tensor<Rank2<O, I>, E, T>,
    bias: Option<Tensor<Rank1<O>, E, T>>,
) -> Tensor<S::WithLast<Const<O>>, E, T> {
    let shape = x.shape().with_last(Const::<O>);
    let rows = x.shape().rows().count();
    let (_, x, x_trace) = x.into_parts();
    let (_, weight, weight_trace) = weight.into_parts();
    let (bias, bias_trace) = bias.map(|bias| (bias.storage().clone(), bias.trace().clone())).unzip();

    note_multiply_adds(rows * I * O);
    let mut y = Storage::scratch(rows * O);
    if const { I > 0 && O > 0 && I * O <= SMALL } && rows <= FEW_ROWS {
        times_transposed::<I, O, E>(x.as_slice(), weight.as_slice(), y.make_mut());
    } else {
        gemm(
            rows,
            I,
            O,
            Matrix::rows(x.as_slice(), I),
            Matrix::transposed(weight.as_slice(), I),
            y.make_mut(),
            Store::Overwrite,
        );
    }
    if let Some(bias) = bias {
        add_row(y.make_mut(), bias.as_slice());
    }

    let bias_node = bias_trace.as_ref().and_then(Trace::node);
    let node = record([x_trace.node(), weight_trace.node(), bias_node], |needs| {
        let sizes = Sizes { rows, inputs: I, outputs: O, first: 0, all: O };
        let (x, weight) = (needs[1].then_some(x), needs[0].then_some(weight));
        move |g: Storage<E>, parents: &mut Parents<'_, 3>| sizes.backward(g.as_slice(), x, weight, parents)
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// `PARTS` of the `ALL` products of x with consecutive weights, from number `first` on, computed as one product: the
/// queries, keys and values of attention. Shapes: x (B, L, I), W (`ALL`, O, I), b (`ALL`, O), y (B, L, `PARTS`, O).
#[track_caller]
pub(crate) fn linear_parts<
    const ALL: usize,
    const PARTS: usize,
    const I: usize,
    const O: usize,
    B: Dim,
    L: Dim,
    E: Float,
    T: Trace,
>(
    x: Tensor<(B, L, Const<I>), E, T>,
    weight: Tensor<Rank3<ALL, O, I>, E, T>,
    bias: Tensor<Rank2<ALL, O>, E, T>,
    first: usize,
) -> Tensor<(B, L, Const<PARTS>, Const<O>), E, T> {
    let ((batch, steps, _), x, x_trace) = x.into_parts();
    let (_, weight, weight_trace) = weight.into_parts();
    let (_, bias, bias_trace) = bias.into_parts();
    let sizes =
        Sizes { rows: batch.size() * steps.size(), inputs: I, outputs: PARTS * O, first: first * O, all: ALL * O };
    note_multiply_adds(sizes.rows * I * sizes.outputs);
    let mut y = Storage::scratch(sizes.rows * sizes.outputs);
    let product = (Matrix::rows(x.as_slice(), I), Matrix::transposed(sizes.part(weight.as_slice(), I), I));
    gemm(sizes.rows, I, sizes.outputs, product.0, product.1, y.make_mut(), Store::Overwrite);
    add_row(y.make_mut(), sizes.part(bias.as_slice(), 1));
    let node = record([x_trace.node(), weight_trace.node(), bias_trace.node()], |needs| {
        let (x, weight) = (needs[1].then_some(x), needs[0].then_some(weight));
        move |g: Storage<E>, parents: &mut Parents<'_, 3>| sizes.backward(g.as_slice(), x, weight, parents)
    });
    Tensor::from_parts((batch, steps, Const, Const), y, T::from_node(node))
}

/// A product with `outputs` rows of a weight, from row `first` of `all` on.
#[derive(Clone, Copy)]
struct Sizes {
    rows: usize,
    inputs: usize,
    outputs: usize,
    first: usize,
    all: usize,
}

impl Sizes {
    /// The rows in use, each `width` long.
    fn part<E>(self, all: &[E], width: usize) -> &[E] {
        &all[self.first * width..][..self.outputs * width]
    }

    /// The same for writing a gradient: that of the other rows is 0.
    fn part_mut<E: Float>(self, all: &mut [E], width: usize, store: Store) -> &mut [E] {
        if !store.adds() && self.outputs < self.all {
            all.fill(E::zero());
        }
        &mut all[self.first * width..][..self.outputs * width]
    }

    /// Passes g on to x, W and b. x and the weight are given if they are needed for this.
    fn backward<E: Float>(
        self,
        g: &[E],
        x: Option<Storage<E>>,
        weight: Option<Storage<E>>,
        parents: &mut Parents<'_, 3>,
    ) {
        let Sizes { rows, inputs, outputs, all, .. } = self;
        if let Some(x) = x {
            parents.write(1, all * inputs, |out, store| {
                let product = (Matrix::transposed(g, outputs), Matrix::rows(x.as_slice(), inputs));
                gemm(outputs, rows, inputs, product.0, product.1, self.part_mut(out, inputs, store), store);
            });
        }
        parents.write(2, all, |out, store| sum_axis(g, (1, rows, outputs), self.part_mut(out, 1, store), store));
        if let Some(weight) = weight {
            parents.write(0, rows * inputs, |out, store| {
                let product = (Matrix::rows(g, outputs), Matrix::rows(self.part(weight.as_slice(), inputs), inputs));
                gemm(rows, outputs, inputs, product.0, product.1, out, store);
            });
        }
    }
}
