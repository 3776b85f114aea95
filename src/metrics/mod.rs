//! Metrics of predictions and of samples: unlike losses, they have no gradient.
//!
//! Streaming metrics share an interface: `default()` has seen nothing, `add` takes a batch, `merge` what another one
//! has seen (on another thread or machine), `reset` forgets it. The result does not depend on how samples are divided
//! into batches. Each documents its value where it is not defined, mostly NaN; values are those of scikit-learn.
//!
//! ```
//! use taut::metrics::{Accuracy, Average, ConfusionMatrix, WeightedMean};
//! use taut::prelude::*;
//!
//! let model = Linear::<64, 10>::init(&mut StdRng::seed_from_u64(0));
//! let (mut loss, mut of_three) = (WeightedMean::default(), Accuracy::top(3));
//! let mut confusion = ConfusionMatrix::<10>::default();
//! for (images, labels) in taut::data::digits().in_order(500) {
//!     let logits = model.forward(images);
//!     of_three.add(&logits, &labels);
//!     confusion.add(&logits, &labels);
//!     loss.add(logits.cross_entropy(&labels).item(), labels.count());
//! }
//! println!("loss {:.3}, top 3 {:.3}", loss.value(), of_three.value());
//! println!("accuracy {:.3}, macro F1 {:.3}", confusion.accuracy(), confusion.mean_f1(Average::Macro));
//! # assert_eq!((loss.total(), confusion.total()), (taut::data::digits().len(), of_three.total()));
//! ```
//!
//! | | streams | what |
//! | --- | --- | --- |
//! | [`Tensor::accuracy`](crate::Tensor::accuracy) | | accuracy of one batch |
//! | [`Accuracy`] | yes | accuracy, and of the k highest |
//! | [`ConfusionMatrix`] | yes | one class a sample: counts, precision, recall, F1 of each class and of all |
//! | [`BinaryConfusion`], [`MultilabelConfusion`] | yes | the same for yes or no, and for several labels a sample |
//! | [`RocAuc`], [`OneVsRestRocAuc`] | yes | area under the receiver operating characteristic |
//! | [`Regression`] | yes | mean absolute and squared error, R^2 |
//! | [`WeightedMean`] | yes | losses |
//! | [`Perplexity`] | yes | language models |
//! | [`classifier_score`], [`frechet_distance`] | | samples of a generator |

mod accuracy;
mod average;
mod binary;
mod classifier_score;
mod confusion;
mod frechet;
mod multilabel;
mod perplexity;
mod regression;
mod roc_auc;
mod weighted_mean;

pub use accuracy::Accuracy;
pub use average::Average;
pub use binary::BinaryConfusion;
pub use classifier_score::classifier_score;
pub use confusion::ConfusionMatrix;
pub use frechet::frechet_distance;
pub use multilabel::MultilabelConfusion;
pub use perplexity::Perplexity;
pub use regression::Regression;
pub use roc_auc::{OneVsRestRocAuc, RocAuc};
pub use weighted_mean::WeightedMean;
