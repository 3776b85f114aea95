//! Metrics of predictions: unlike losses, they have no gradient.

mod accuracy;

pub use accuracy::ConfusionMatrix;
