//! One number for several classes.

use super::binary::BinaryConfusion;
use super::weighted_mean::WeightedMean;

/// How the precision, recall or F1 scores of several classes become one number.
///
/// Classes that occur neither among the labels nor among the predictions do not count; of the others, a score that is
/// not defined (the precision of a class that was never predicted) counts as 0. For samples of one class each, the
/// numbers are those of scikit-learn by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Average {
    /// The mean of the classes' scores: rare classes count as much as frequent ones.
    Macro,
    /// The score of all decisions of all classes, counted together. Where each sample has one class, precision, recall
    /// and F1 are the accuracy.
    Micro,
    /// The mean of the classes' scores, weighted by their numbers of samples.
    Weighted,
}

impl Average {
    /// The average of `score` over classes. NaN if no class occurs; weighted, if none of them has samples.
    pub(super) fn of(self, classes: impl Iterator<Item = BinaryConfusion>, score: fn(&BinaryConfusion) -> f64) -> f64 {
        let occurring = classes.filter(|class| class.labels() + class.predictions() > 0);
        let defined = |class: &BinaryConfusion| match score(class) {
            score if score.is_nan() => 0.0,
            score => score,
        };
        let weight: fn(&BinaryConfusion) -> usize = match self {
            Average::Micro => {
                let mut all = BinaryConfusion::default();
                occurring.for_each(|class| all.merge(&class));
                return score(&all);
            }
            Average::Macro => |_| 1,
            Average::Weighted => BinaryConfusion::labels,
        };
        let mut mean = WeightedMean::default();
        occurring.for_each(|class| mean.add(defined(&class), weight(&class)));
        mean.value()
    }
}
