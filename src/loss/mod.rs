//! Losses: how far an output is from what it should be.

mod cross_entropy;

pub use cross_entropy::Targets;
