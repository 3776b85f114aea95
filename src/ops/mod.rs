//! Operations on tensors, one file each: formula, forward, backward and tests together.

mod abs;
mod add_bias;
mod argmax;
mod arithmetic;
mod attention;
mod batch_norm;
mod binary;
mod broadcast;
mod cast;
mod clamp;
mod compare;
mod conv2d;
mod count;
mod cumulative_sum;
mod dropout;
mod elu;
mod embedding;
mod erf;
mod exp;
mod extremum;
mod flip;
mod gather;
mod gelu;
mod hyperbolic;
mod im2col;
mod index_select;
#[cfg(test)]
mod instructions;
mod join;
mod lengths;
mod linear;
mod ln;
mod logic;
mod logsumexp;
mod matmul;
mod max;
mod movement;
mod norm;
mod one_hot;
mod operators;
mod pad;
mod permute;
mod plane;
mod pool2d;
mod positions;
mod power;
mod prelu;
mod product;
mod recurrent;
mod reduction;
mod relu;
mod repeat;
mod resample2d;
mod reshape;
mod round;
mod row_norm;
mod select;
mod sigmoid;
mod silu;
mod slice;
mod softmax;
mod softplus;
mod sort;
mod sqrt;
mod sum;
mod tensor_or_number;
#[cfg(test)]
pub(crate) mod testing;
mod trigonometric;
mod unary;
mod variance;

pub(crate) use add_bias::add_bias;
pub use attention::AttentionOptions;
pub(crate) use attention::{Masking, cross_attention, self_attention};
pub(crate) use batch_norm::{Statistics, batch_norm, channel_statistics};
pub(crate) use binary::BinaryOp;
pub use cast::CastTo;
pub(crate) use conv2d::{convolution, transposed_convolution};
pub(crate) use dropout::dropout;
pub(crate) use embedding::{embedding, embedding_bag};
pub use im2col::{ColumnsOf, Window2d};
pub use join::{Concat, Join, Stack};
pub(crate) use lengths::{clear_padding, lengths};
pub(crate) use linear::{linear, linear_parts};
pub use norm::Norm;
pub(crate) use pool2d::{adaptive_patches, max_pool2d, max_unpool2d, mean_pool2d, window_patches};
pub(crate) use positions::add_positions;
pub(crate) use prelu::prelu;
pub(crate) use recurrent::{CellOp, GRU, LSTM, RNN_RELU, RNN_TANH, States, Times, recurrent};
pub use repeat::Repeated;
pub(crate) use resample2d::{image_size, resample2d, single};
pub use reshape::ShapeMismatch;
pub(crate) use row_norm::row_norm;
pub use slice::OneOf;
pub use sort::{Order, Top};
pub use tensor_or_number::TensorOrNumber;
pub(crate) use unary::UnaryOp;
pub use variance::Variance;

use crate::shape::{Shape, show};

/// Panics at the caller's line: run-time dimensions disagree.
#[track_caller]
#[cold]
pub(crate) fn shapes_differ(operation: &str, left: impl Shape, right: impl Shape) -> ! {
    panic!("{operation}: the shapes {} and {} do not fit", show(left), show(right))
}
