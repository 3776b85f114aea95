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
use crate::memory::Storage;
use crate::shape::{Const, LastAxis, Rank1, Rank2, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace, note_multiply_adds, record};

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
        gemm(rows, I, O, Matrix::rows(x.as_slice(), I), Matrix::transposed(weight.as_slice(), I), y.make_mut(), false);
    }
    if let Some(bias) = bias {
        add_row(y.make_mut(), bias.as_slice());
    }

    let bias_node = bias_trace.as_ref().and_then(Trace::node);
    let node = record([x_trace.node(), weight_trace.node(), bias_node], |needs| {
        let weight = needs[0].then_some(weight);
        let x = needs[1].then_some(x);
        move |g: Storage<E>, parents: &mut Parents<'_, 3>| {
            let g = g.as_slice();
            if let Some(x) = x {
                parents.write(1, O * I, |out, add| {
                    gemm(O, rows, I, Matrix::transposed(g, O), Matrix::rows(x.as_slice(), I), out, add);
                });
            }
            parents.write(2, O, |out, add| sum_axis(g, (1, rows, O), out, add));
            if let Some(weight) = weight {
                parents.write(0, rows * I, |out, add| {
                    gemm(rows, O, I, Matrix::rows(g, O), Matrix::rows(weight.as_slice(), I), out, add);
                });
            }
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}
