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
    /// Against this many words drawn at random.
    NegativeSampling(usize),
    /// On the way through a Huffman tree.
    HierarchicalSoftmax,
}

/// How several threads work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum Parallel {
    /// This many parts of the corpus are processed at the same time, each separately for a few hundred words, and their
    /// updates are added up in order: the result depends on this number, not on the number of threads. Additional
    /// threads are idle.
    Partitioned(usize),
    /// All threads change the same vectors without synchronisation: with more than one, each run gives a different
    /// result.
    Hogwild,
}

/// The settings of training. The defaults are gensim's, except for the architecture (gensim: CBOW).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct Config {
    /// The length of the vectors, at most 10,000. 100
    pub dimension: usize,
    /// The largest number of words on each side in a context: for each word, a number from 1 up to it is drawn. At most
    /// 1,000. 5
    pub window: usize,
    /// Skip-gram
    pub architecture: Architecture,
    /// 5 negative words
    pub output: Output,
    /// Negative words are drawn with a probability proportional to their counts to this power, -8 to 8. 0.75
    pub exponent: f64,
    /// An occurrence of a word with the frequency f is kept with the probability sqrt(sample / f) + sample / f; with 0,
    /// all are. 1e-3
    pub sample: f64,
    /// The learning rate at the beginning. 0.025
    pub learning_rate: f64,
    /// And at the end. 1e-4
    pub lowest_learning_rate: f64,
    /// The number of passes over the corpus. 5
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
    /// The number of words read, in all epochs so far.
    pub words: u64,
    /// How many will be.
    pub total: u64,
    /// The mean loss of the predictions since the last call.
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
    // this error's message includes that of the corpus
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
