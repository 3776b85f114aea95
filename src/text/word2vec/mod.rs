//! word2vec: a vector for each word, learned from the words around it.
//!
//! A word w occurs in a context, the words at most a few positions before and after it. Each word has an input vector
//! x, and each word (or each inner node of a tree over the words) an output vector, and the output is predicted from
//! the input vectors of the context:
//!
//! - skip-gram: from each x of the context on its own; CBOW: from their mean;
//! - negative sampling: maximises ln sigmoid(x w) for the word, and ln sigmoid(-x n) for a few words n that are drawn
//!   with a probability proportional to their counts to the power of 0.75;
//! - hierarchical softmax: maximises the sum of ln sigmoid(x v) over the nodes v at which the path to the word goes
//!   left, and of ln sigmoid(-x v) where it goes right, in a Huffman tree.
//!
//! The input vectors are the result. Occurrences of frequent words are left out at random, the window has a random
//! width up to the largest, and the learning rate falls linearly, as in the original program. The negative words are
//! drawn once for each window, not for each pair: Ji, Satish, Li and Dubey, "Parallelizing Word2Vec in Shared and
//! Distributed Memory", 2016.
//!
//! Mikolov, Chen, Corrado and Dean, "Efficient Estimation of Word Representations in Vector Space", 2013; Mikolov,
//! Sutskever, Chen, Corrado and Dean, "Distributed Representations of Words and Phrases and their Compositionality",
//! 2013.
//!
//! ```
//! use taut::prelude::*;
//! use taut::text::word2vec::{Config, train};
//! use taut::text::{Corpus, VocabularyOptions};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let corpus = Corpus::from_sentences(vec![["the", "cat", "sat"]; 20]);
//! let vocabulary = corpus.vocabulary(VocabularyOptions { minimum_count: 5, ..Default::default() })?;
//! let config = Config { dimension: 16, ..Default::default() };
//! let vectors = train(&corpus, vocabulary, &config, &mut StdRng::seed_from_u64(0), |_| {})?;
//! assert_eq!(vectors.of("cat").unwrap().len(), 16);
//! # Ok(())
//! # }
//! ```

mod alias;
mod config;
mod hogwild;
mod huffman;
mod learner;
mod partitioned;
mod parts;

use super::{Corpus, Vocabulary, WordVectors};
use crate::kernels::word2vec::{LANES, Lanes};
use crate::tensor::Tensor;
use config::wrong;
pub use config::{Architecture, Config, Output, Parallel, Progress, TrainingError};
use learner::{Loss, Task};
use parts::Parts;
use rand::{Rng, RngExt};

/// Learns a vector for each word of the vocabulary. `progress` is called every few thousand words. All threads of
/// rayon's pool take part.
///
/// # Errors
/// If a setting has no meaning, the vocabulary has fewer than two words that occur, the corpus cannot be read, or the
/// learning rate is so high that the vectors become infinite.
pub fn train(
    corpus: &Corpus,
    vocabulary: Vocabulary,
    config: &Config,
    rng: &mut impl Rng,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<WordVectors, TrainingError> {
    config.check(&vocabulary)?;
    let task = Task::new(config, &vocabulary, rng.random());
    let parts = Parts::new(corpus, &vocabulary, config.epochs);
    let mut tables = [zeros(vocabulary.len(), task.width)?, zeros(vocabulary.len(), task.width)?];
    randomize(&mut tables[0], config.dimension, task.width, rng);
    match config.parallel {
        Parallel::Partitioned(shards) => partitioned::train(&task, parts, shards, &mut tables, &mut progress)?,
        Parallel::Hogwild => hogwild::train(&task, parts, &mut tables, &mut progress)?,
    }
    let [inputs, _] = tables;
    if !inputs.iter().flat_map(|lanes| &lanes.0).all(|number| number.is_finite()) {
        return wrong(format!(
            "the vectors became infinite: `learning_rate` must be smaller, and is {}",
            config.learning_rate
        ));
    }
    let rows = inputs.chunks_exact(task.width);
    let vectors = rows.flat_map(|row| row.iter().flat_map(|lanes| lanes.0).take(config.dimension)).collect();
    let shape = (vocabulary.len(), config.dimension);
    Ok(WordVectors::new(vocabulary, Tensor::from_vec(vectors, shape).expect("one vector for each word")))
}

/// A vector of zeros for each word.
fn zeros(words: usize, width: usize) -> Result<Vec<Lanes>, TrainingError> {
    let mut vectors = Vec::new();
    let room = words.checked_mul(width).is_some_and(|count| vectors.try_reserve_exact(count).is_ok());
    if !room {
        let dimension = width.saturating_mul(LANES);
        return wrong(format!(
            "{words} vectors of dimension {dimension} do not fit in memory: take fewer words, or a smaller dimension"
        ));
    }
    vectors.resize(words * width, Lanes::default());
    Ok(vectors)
}

/// Small random numbers; the padding of the last register stays 0.
fn randomize(vectors: &mut [Lanes], dimension: usize, width: usize, rng: &mut impl Rng) {
    let most = 1.0 / dimension as f32;
    for row in vectors.chunks_exact_mut(width) {
        for number in row.iter_mut().flat_map(|lanes| &mut lanes.0).take(dimension) {
            *number = rng.random_range(-most..most);
        }
    }
}

impl Task {
    /// The progress after this many words, with the losses since the last call.
    fn progress(&self, words: u64, losses: impl IntoIterator<Item = Loss>) -> Progress {
        let mut all = Loss::default();
        for loss in losses {
            all.sum += loss.sum;
            all.predictions += loss.predictions;
        }
        let loss = all.sum / all.predictions.max(1) as f64;
        Progress { words, total: self.total, loss, learning_rate: self.rate(words) }
    }
}
