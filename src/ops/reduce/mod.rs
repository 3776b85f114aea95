//! Sums, maxima and other reductions along axes, and normalisation by them.

mod argmax;
pub(super) mod batch_norm;
mod count;
mod cumulative_sum;
mod fold;
mod logsumexp;
mod max;
pub(super) mod norm;
mod product;
pub(super) mod row_norm;
pub(super) mod softmax;
mod sum;
pub(super) mod variance;
