//! Losses: how far an output is from what it should be.
//!
//! Each is a method of the output, and returns the mean over the samples: `logits.cross_entropy(&labels)`. The method
//! of the same name with `_with` takes the settings of the loss, and last the reduction: [`Mean`], [`Sum`], or [`Each`]
//! for none.
//!
//! | method | loss of one prediction x and target t |
//! | --- | --- |
//! | [`mean_squared_error`](crate::tensor::Tensor::mean_squared_error) | (x - t)^2 |
//! | [`mean_absolute_error`](crate::tensor::Tensor::mean_absolute_error) | \|x - t\| |
//! | [`huber`](crate::tensor::Tensor::huber) | (x - t)^2 / 2 near t, a straight line beyond |
//! | [`hinge`](crate::tensor::Tensor::hinge) | max(1 - t x, 0), t = -1 or 1 |
//! | [`multi_class_hinge`](crate::tensor::Tensor::multi_class_hinge) | sum over j != t of max(1 + x_j - x_t, 0) |
//! | [`logistic`](crate::tensor::Tensor::logistic) | log(1 + e^(-t x)), t = -1 or 1 |
//! | [`binary_cross_entropy`](crate::tensor::Tensor::binary_cross_entropy) | -t log p - (1 - t) log(1 - p), p = sigmoid(x) |
//! | [`cross_entropy`](crate::tensor::Tensor::cross_entropy) | -sum_j t_j log softmax(x)_j |
//! | [`negative_log_likelihood`](crate::tensor::Tensor::negative_log_likelihood) | -sum_j t_j x_j, x = log-probabilities |
//! | [`kl_divergence`](crate::tensor::Tensor::kl_divergence) | sum_j t_j (log t_j - x_j), x = log-probabilities |
//!
//! [`plus_l2`](crate::tensor::Tensor::plus_l2) adds lambda/2 |w|^2 of a parameter.
//!
//! ```
//! use taut::loss::{Each, Sum};
//! use taut::prelude::*;
//! let prediction = Tensor::from([1.0, 2.0, 4.0]);
//! let target = Tensor::from([1.0, 3.0, 2.0]);
//! assert_eq!(prediction.clone().mean_squared_error_with(&target, Sum).item(), 5.0);
//! assert_eq!(prediction.mean_squared_error_with(&target, Each).to_array(), [0.0, 1.0, 4.0]);
//! ```

mod binary_cross_entropy;
mod cross_entropy;
mod hinge;
mod kl_divergence;
mod l2;
mod logistic;
mod pair;
mod reduction;
mod regression;
mod rows;

pub use cross_entropy::CrossEntropy;
pub use pair::Target;
pub use reduction::{Each, Mean, Reduction, Sum};
pub use rows::{ClassIndices, Logits, Targets};
