//! What is measured of predictions, and is no loss: it has no gradient.

mod accuracy;

pub use accuracy::ConfusionMatrix;
