//! Sums, maxima and what else looks at all elements along axes; what normalises by them.

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
