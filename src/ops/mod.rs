//! Operations on tensors, one file each: formula, forward, backward and tests together.

mod elementwise;
mod image;
#[cfg(test)]
mod instructions;
mod movement;
mod product;
mod reduce;
mod sequence;
#[cfg(test)]
pub(crate) mod testing;

pub use crate::kernels::denormals::flush_denormals;
pub(crate) use elementwise::binary::BinaryOp;
pub use elementwise::cast::CastTo;
pub(crate) use elementwise::dropout::dropout;
pub(crate) use elementwise::prelu::prelu;
pub use elementwise::tensor_or_number::TensorOrNumber;
pub(crate) use elementwise::unary::UnaryOp;
pub(crate) use image::conv2d::{convolution, transposed_convolution};
pub use image::im2col::{ColumnsOf, Window2d};
pub(crate) use image::pool2d::{
    adaptive_patches, expect_pixels, max_pool2d, max_unpool2d, mean_pool2d, window_patches,
};
pub(crate) use image::resample2d::{image_size, resample2d, single};
pub use movement::join::{Concat, Join, Stack};
pub use movement::repeat::Repeated;
pub use movement::reshape::ShapeMismatch;
pub use movement::slice::OneOf;
pub use movement::sort::{Order, Top};
pub(crate) use product::add_bias::add_bias;
pub(crate) use product::linear::{linear, linear_parts};
pub(crate) use reduce::batch_norm::{Source, Statistics, batch_norm, channel_statistics};
pub use reduce::norm::Norm;
pub(crate) use reduce::row_norm::row_norm;
pub use reduce::variance::Variance;
pub use sequence::attention::AttentionOptions;
pub(crate) use sequence::attention::{Masking, cross_attention, self_attention};
pub(crate) use sequence::embedding::{embedding, embedding_bag};
pub(crate) use sequence::lengths::{clear_padding, lengths};
pub(crate) use sequence::positions::add_positions;
pub(crate) use sequence::recurrent::{CellOp, GRU, LSTM, RNN_RELU, RNN_TANH, States, Times, recurrent};
