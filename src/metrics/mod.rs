//! Metrics of predictions and of samples: unlike losses, they have no gradient.

mod accuracy;
mod classifier_score;
mod frechet;

pub use accuracy::ConfusionMatrix;
pub use classifier_score::classifier_score;
pub use frechet::frechet_distance;
