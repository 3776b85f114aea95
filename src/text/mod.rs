//! Text: tokens, vocabularies, reading corpora larger than memory, and vectors for words
//! ([`word2vec`], [`WordVectors`]).
//!
//! ```
//! use taut::text::{TokenCounts, Vocabulary, VocabularyOptions, words};
//!
//! let text = "The cat sat. The dog sat, too.";
//! let counts: TokenCounts = words(&text.to_lowercase()).collect();
//! let options = VocabularyOptions { minimum_count: 2, special: &["<unknown>"], ..Default::default() };
//! let vocabulary = Vocabulary::new(&counts, options);
//! assert_eq!(vocabulary.tokens(), ["<unknown>", "sat", "the"]);
//! let line: Vec<usize> = words("the cat sat").map(|word| vocabulary.number(word).unwrap_or(0)).collect();
//! assert_eq!(line, [2, 0, 1]);
//! ```

mod corpus;
mod lines;
mod tokens;
mod vocabulary;
pub mod word2vec;
mod word_vectors;

pub use corpus::{Corpus, LineSource, Tokens};
pub use lines::{InvalidUtf8, LineOptions, Lines, lines};
pub use tokens::{characters, words};
pub use vocabulary::{TokenCounts, Vocabulary, VocabularyOptions};
pub use word_vectors::{
    PairScore, Questions, RepeatedWord, SectionScore, UnknownWord, VectorOptions, WordPairs, WordVectors, spearman,
};
