//! Operations on tensors, one file each: formula, forward, backward and tests together.

mod activations;
mod add_bias;
mod arithmetic;
mod binary;
mod conv2d;
mod im2col;
mod linear;
mod matmul;
mod pool2d;
mod reshape;
pub(crate) use pool2d::{adaptive_patches, max_pool2d, max_unpool2d, mean_pool2d, window_patches};
pub use reshape::ShapeMismatch;
mod sum;
#[cfg(test)]
pub(crate) mod testing;
mod unary;

pub(crate) use add_bias::add_bias;
pub(crate) use binary::BinaryOp;
pub(crate) use conv2d::{convolution, transposed_convolution};
pub use im2col::Window2d;
pub(crate) use linear::linear;
pub(crate) use unary::UnaryOp;

use crate::shape::{Shape, show};

/// Panics at the caller's line: run-time dimensions disagree.
#[track_caller]
#[cold]
pub(crate) fn shapes_differ(operation: &str, left: impl Shape, right: impl Shape) -> ! {
    panic!("{operation}: the shapes {} and {} do not fit", show(left), show(right))
}
