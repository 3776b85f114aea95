//! Words and their vectors.

mod formats;
mod pairs;
mod questions;

pub use formats::{RepeatedWord, VectorOptions};
pub use pairs::{PairScore, WordPairs, spearman};
pub use questions::{Questions, SectionScore};

use super::Vocabulary;
use crate::kernels::gemm::{Matrix, gemm};
use crate::kernels::store::Store;
use crate::numbers::range::{at_least_one, expect};
use crate::tensor::Tensor;
use std::cmp::Ordering;
use std::fmt;
use std::sync::OnceLock;

/// A word that is not in the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord(pub String);

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not in the vocabulary", self.0)
    }
}
impl std::error::Error for UnknownWord {}

/// A vector for each word of a vocabulary, from [training](super::word2vec::train) or from a file.
///
/// ```
/// use taut::prelude::*;
/// use taut::text::{Corpus, WordVectors};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let corpus = Corpus::from_sentences([["king", "king", "king"], ["queen", "queen", "man"]]);
/// let vocabulary = corpus.vocabulary(Default::default())?; // king, queen, man
/// let vectors = WordVectors::new(vocabulary, Tensor::from_vec(vec![1.0, 0.0, 0.6, 0.8, 0.0, -2.0], (3, 2)).unwrap());
/// assert_eq!(vectors.similarity("king", "queen")?, 0.6);
/// assert_eq!(vectors.nearest("king", 1)?, [("queen", 0.6)]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WordVectors {
    vocabulary: Vocabulary,
    vectors: Tensor<(usize, usize)>,
    /// The vectors divided by their lengths, computed when first needed.
    directions: OnceLock<Vec<f32>>,
}

impl WordVectors {
    /// Row i of the matrix (words, dimension) is the vector of word number i.
    ///
    /// # Panics
    /// If there are not as many rows as words.
    #[track_caller]
    pub fn new(vocabulary: Vocabulary, vectors: Tensor<(usize, usize)>) -> Self {
        let (words, (rows, dimension)) = (vocabulary.len(), vectors.shape());
        assert!(rows == words, "WordVectors: {words} words, and a matrix of shape ({rows}, {dimension})");
        WordVectors { vocabulary, vectors, directions: OnceLock::new() }
    }

    /// The words.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The matrix of the vectors, (words, dimension). An [`Embedding`](crate::nn::Embedding::from_weight) can begin
    /// with it.
    pub fn vectors(&self) -> &Tensor<(usize, usize)> {
        &self.vectors
    }

    /// How long the vectors are.
    pub fn dimension(&self) -> usize {
        self.vectors.shape().1
    }

    /// The vector of a word, if it is in the vocabulary.
    pub fn of(&self, word: &str) -> Option<&[f32]> {
        self.vocabulary.number(word).map(|number| self.row(self.vectors.as_slice(), number))
    }

    /// The cosine of the angle between the vectors of two words, -1 to 1.
    ///
    /// # Errors
    /// If one of them is not in the vocabulary.
    pub fn similarity(&self, a: &str, b: &str) -> Result<f32, UnknownWord> {
        Ok(self.cosine(self.number(a)?, self.number(b)?))
    }

    /// The words whose vectors have the smallest angle to that of this one, at most this many, with its cosine; the
    /// nearest first.
    ///
    /// # Errors
    /// If the word is not in the vocabulary.
    ///
    /// # Panics
    /// If `count` is 0.
    #[track_caller]
    pub fn nearest(&self, word: &str, count: usize) -> Result<Vec<(&str, f32)>, UnknownWord> {
        expect(at_least_one("nearest", "count", count));
        let number = self.number(word)?;
        Ok(self.nearest_to(self.direction(number), count, &[number]))
    }

    /// The words that are to `c` what `a` is to `b`, at most this many, with the cosine; the nearest first: those
    /// nearest to a - b + c (king - man + woman), of directions of length 1, without the three themselves. "3CosAdd":
    /// Levy and Goldberg, "Linguistic Regularities in Sparse and Explicit Word Representations", 2014.
    ///
    /// # Errors
    /// If one of them is not in the vocabulary.
    ///
    /// # Panics
    /// If `count` is 0.
    #[track_caller]
    pub fn analogy(&self, a: &str, b: &str, c: &str, count: usize) -> Result<Vec<(&str, f32)>, UnknownWord> {
        expect(at_least_one("analogy", "count", count));
        let [a, b, c] = [self.number(a)?, self.number(b)?, self.number(c)?];
        let mut query = self.analogy_query(a, b, c);
        make_unit(&mut query);
        Ok(self.nearest_to(&query, count, &[a, b, c]))
    }

    fn number(&self, word: &str) -> Result<usize, UnknownWord> {
        self.vocabulary.number(word).ok_or_else(|| UnknownWord(word.to_string()))
    }

    /// The number of a word as written, or otherwise in lower case.
    fn number_in_any_case(&self, word: &str) -> Option<usize> {
        self.vocabulary.number(word).or_else(|| self.vocabulary.number(&word.to_lowercase()))
    }

    fn row<'a>(&self, matrix: &'a [f32], number: usize) -> &'a [f32] {
        &matrix[number * self.dimension()..][..self.dimension()]
    }

    fn directions(&self) -> &[f32] {
        self.directions.get_or_init(|| {
            let mut directions = self.vectors.to_vec();
            directions.chunks_exact_mut(self.dimension().max(1)).for_each(make_unit);
            directions
        })
    }

    fn direction(&self, number: usize) -> &[f32] {
        self.row(self.directions(), number)
    }

    fn cosine(&self, a: usize, b: usize) -> f32 {
        self.direction(a).iter().zip(self.direction(b)).map(|(x, y)| x * y).sum()
    }

    fn analogy_query(&self, a: usize, b: usize, c: usize) -> Vec<f32> {
        let [a, b, c] = [a, b, c].map(|number| self.direction(number));
        a.iter().zip(b).zip(c).map(|((a, b), c)| a - b + c).collect()
    }

    /// The products of queries, one after another, with all directions: (queries, words).
    fn cosines(&self, queries: &[f32]) -> Vec<f32> {
        let (words, dimension) = self.vectors.shape();
        let count = queries.len().checked_div(dimension).unwrap_or(0);
        let mut cosines = vec![0.0; count * words];
        let directions = Matrix::transposed(self.directions(), dimension);
        gemm(count, dimension, words, Matrix::rows(queries, dimension), directions, &mut cosines, Store::Overwrite);
        cosines
    }

    fn nearest_to(&self, query: &[f32], count: usize, except: &[usize]) -> Vec<(&str, f32)> {
        let cosines = self.cosines(query);
        let mut found: Vec<(usize, f32)> = cosines.into_iter().enumerate().collect();
        found.retain(|(number, _)| !except.contains(number));
        let nearer = |a: &(usize, f32), b: &(usize, f32)| -> Ordering { b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)) };
        if count < found.len() {
            found.select_nth_unstable_by(count, nearer);
            found.truncate(count);
        }
        found.sort_unstable_by(nearer);
        found.into_iter().map(|(number, cosine)| (self.vocabulary.token(number), cosine)).collect()
    }
}

impl fmt::Debug for WordVectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, dimension) = self.vectors.shape();
        write!(f, "WordVectors {{ {words} words, dimension {dimension} }}")
    }
}

/// Divides a vector by its length; 0 stays 0.
fn make_unit(vector: &mut [f32]) {
    let length = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Corpus, VocabularyOptions};

    /// Words in the order given, with a vector each.
    pub(super) fn vectors<const N: usize>(entries: &[(&str, [f32; N])]) -> WordVectors {
        let options = VocabularyOptions {
            special: &entries.iter().map(|(word, _)| *word).collect::<Vec<_>>(),
            ..Default::default()
        };
        let vocabulary = Corpus::from_sentences::<[&str; 0]>([]).vocabulary(options).unwrap();
        let numbers = entries.iter().flat_map(|(_, numbers)| *numbers).collect();
        WordVectors::new(vocabulary, Tensor::from_vec(numbers, (entries.len(), N)).unwrap())
    }

    #[test]
    fn neighbours_and_analogies() {
        // gender to the right, royalty upwards
        let vectors = vectors(&[
            ("man", [-1.0, 0.1, 0.0]),
            ("woman", [2.0, 0.2, 0.0]),
            ("king", [-0.5, 0.5, 0.0]),
            ("queen", [0.7, 0.8, 0.0]),
            ("zero", [0.0, 0.0, 0.0]),
            ("stone", [0.0, 0.0, 3.0]),
        ]);
        assert_eq!(vectors.analogy("king", "man", "woman", 1).unwrap()[0].0, "queen");
        let nearest = vectors.nearest("king", 100).unwrap();
        assert_eq!(
            nearest.iter().map(|(word, _)| *word).collect::<Vec<_>>(),
            ["man", "queen", "zero", "stone", "woman"]
        );
        let cosine = (0.5 + 0.05) / (1.01_f32.sqrt() * 0.5_f32.sqrt());
        assert!((nearest[0].1 - cosine).abs() < 1e-6);
        assert!((vectors.similarity("man", "king").unwrap() - cosine).abs() < 1e-6);
        assert_eq!(vectors.similarity("man", "zero"), Ok(0.0));
        assert_eq!(vectors.nearest("prince", 1), Err(UnknownWord("prince".into())));
        assert_eq!(vectors.of("queen"), Some(&[0.7, 0.8, 0.0][..]));
    }

    #[test]
    #[should_panic(expected = "WordVectors: 0 words, and a matrix of shape (2, 3)")]
    fn as_many_rows_as_words() {
        let empty = Corpus::from_sentences::<[&str; 0]>([]).vocabulary(VocabularyOptions::default()).unwrap();
        WordVectors::new(empty, Tensor::zeros_with((2, 3)));
    }
}
