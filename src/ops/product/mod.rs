//! Matrix products, and biases.

pub(super) mod add_bias;
pub(super) mod linear;
mod matmul;
