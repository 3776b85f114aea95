//! The settings of word2vec, and errors in them.

use crate::files::FileError;
use crate::text::Vocabulary;
use std::fmt;

/// With more parts, each would learn too little from the others.
const MOST_PARTS: usize = 1024;
/// Longer vectors are useless, and would take all memory.
const MOST_DIMENSION: usize = 10_000;
/// The longest sentence.
const MOST_WINDOW: usize = 1_000;
const MOST_NEGATIVES: usize = 10_000;
/// Counts to this power, or to its reciprocal, and their sums are numbers that an `f64` holds.
pub const MOST_EXPONENT: f64 = 8.0;

/// The input from which the output is predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub enum Architecture {
    /// From each word of the context on its own.
    #[default]
    SkipGram,
    /// From the mean of the context: faster, and better for frequent words only.
    Cbow,
}

/// How the output is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum Output {
    /// Against so many words that are drawn at random.
    NegativeSampling(usize),
    /// On the way through a Huffman tree.
    HierarchicalSoftmax,
}

/// How several threads work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum Parallel {
    /// So many parts of the corpus are learned from at the same time, each on its own for a few hundred words, and what
    /// they learned is added up in order: the result depends on this number and not on that of the threads. More
    /// threads than parts have nothing to do.
    Partitioned(usize),
    /// All threads change the same vectors at any time: with more than one, each run gives another result.
    Hogwild,
}

/// How to learn. The defaults are gensim's, but for the architecture (gensim: CBOW).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct Config {
    /// How long the vectors are, at most 10,000. 100
    pub dimension: usize,
    /// How many words on each side belong to a context at most: for each word, 1 to this number are
    /// drawn. At most 1,000. 5
    pub window: usize,
    /// Skip-gram
    pub architecture: Architecture,
    /// 5 negative words
    pub output: Output,
    /// Negative words are drawn with a probability proportional to their counts to this power, -8 to 8. 0.75
    pub exponent: f64,
    /// Of a word that is a part f of all, an occurrence is kept with the probability sqrt(sample / f) + sample / f;
    /// with 0, all are. 1e-3
    pub sample: f64,
    /// The learning rate at the beginning. 0.025
    pub learning_rate: f64,
    /// And at the end. 1e-4
    pub lowest_learning_rate: f64,
    /// How often the corpus is gone through. 5
    pub epochs: usize,
    /// 8 parts
    pub parallel: Parallel,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for Config {
    fn default() -> Self {
        Config {
            dimension: 100,
            window: 5,
            architecture: Architecture::SkipGram,
            output: Output::NegativeSampling(5),
            exponent: 0.75,
            sample: 1e-3,
            learning_rate: 0.025,
            lowest_learning_rate: 1e-4,
            epochs: 5,
            parallel: Parallel::Partitioned(8),
            more: (),
        }
    }
}

/// How far the training is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// How many words were read, in all epochs so far.
    pub words: u64,
    /// How many will be.
    pub total: u64,
    /// The mean loss of a prediction, of those since the last call.
    pub loss: f64,
    /// The learning rate.
    pub learning_rate: f64,
}

/// Why there are no vectors.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrainingError {
    /// A setting has no meaning: a sentence that names it.
    Setting(String),
    /// The corpus cannot be read.
    Data(FileError),
}

impl fmt::Display for TrainingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainingError::Setting(sentence) => f.write_str(sentence),
            TrainingError::Data(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TrainingError {
    // what the corpus' error says, this one says already
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TrainingError::Setting(_) => None,
            TrainingError::Data(error) => error.source(),
        }
    }
}

impl From<FileError> for TrainingError {
    fn from(error: FileError) -> Self {
        TrainingError::Data(error)
    }
}

pub fn wrong<T>(sentence: String) -> Result<T, TrainingError> {
    Err(TrainingError::Setting(format!("word2vec: {sentence}")))
}

impl Config {
    /// Whether one can learn so.
    pub(super) fn check(&self, vocabulary: &Vocabulary) -> Result<(), TrainingError> {
        let at_least_one = [("dimension", self.dimension), ("window", self.window), ("epochs", self.epochs)];
        for (name, value) in at_least_one {
            if value == 0 {
                return wrong(format!("`{name}` must be at least 1, and is 0"));
            }
        }
        for (name, value, most) in [("dimension", self.dimension, MOST_DIMENSION), ("window", self.window, MOST_WINDOW)]
        {
            if value > most {
                return wrong(format!("`{name}` may be {most} at most, and is {value}"));
            }
        }
        if let Output::NegativeSampling(negatives @ MOST_NEGATIVES..) = self.output {
            return wrong(format!(
                "there may be fewer than {MOST_NEGATIVES} negative words, and there are {negatives}"
            ));
        }
        if matches!(self.output, Output::NegativeSampling(0)) {
            return wrong("there must be at least 1 negative word, and there are 0".to_string());
        }
        if let Parallel::Partitioned(parts) = self.parallel
            && !(1..=MOST_PARTS).contains(&parts)
        {
            return wrong(format!(
                "there must be 1 to {MOST_PARTS} parts that are learned from, and there are {parts}"
            ));
        }
        let not_negative = [
            ("sample", self.sample),
            ("learning_rate", self.learning_rate),
            ("lowest_learning_rate", self.lowest_learning_rate),
        ];
        for (name, value) in not_negative {
            if !(0.0..f64::INFINITY).contains(&value) {
                return wrong(format!("`{name}` must be a finite number of at least 0, and is {value}"));
            }
        }
        if !(-MOST_EXPONENT..=MOST_EXPONENT).contains(&self.exponent) {
            let most = MOST_EXPONENT;
            return wrong(format!("`exponent` must be a number from -{most} to {most}, and is {}", self.exponent));
        }
        let occurring = vocabulary.counts().iter().filter(|&&count| count > 0).count();
        if occurring < 2 {
            let advice = "is the corpus empty, or the minimum count too high?";
            return wrong(format!(
                "the vocabulary must have at least 2 words that occur, and has {occurring}: {advice}"
            ));
        }
        let words = vocabulary.len();
        if u32::try_from(words).is_err() {
            return wrong(format!("the vocabulary has {words} words, and may have {}", u32::MAX));
        }
        Ok(())
    }
}
