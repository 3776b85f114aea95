//! Losses: how far an output is from what it should be. And how often it is right.

mod accuracy;
mod cross_entropy;

pub use accuracy::ConfusionMatrix;
pub use cross_entropy::Targets;
