//! Comparing vectors with human judgements of similarity.

use super::WordVectors;
use crate::files::{FileError, Limit, Position};
use crate::text::{LineOptions, lines};
use std::path::Path;

/// Pairs of words, and their similarity as judged by people: WordSim-353 (Finkelstein et al., "Placing Search in
/// Context: The Concept Revisited", 2002), SimLex-999 (Hill et al., "SimLex-999: Evaluating Semantic Models With
/// (Genuine) Similarity Estimation", 2015) and similar lists.
#[derive(Clone, Debug)]
pub struct WordPairs(Vec<(String, String, f64)>);

/// How well vectors agree with people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairScore {
    /// [`spearman`] of the cosines and the human judgements; NaN if fewer than two pairs are covered.
    pub spearman: f64,
    /// The number of pairs with both words in the vocabulary: the others do not count.
    pub covered: usize,
    /// How many pairs there are.
    pub total: usize,
}

impl WordPairs {
    /// Reads a file with a pair on each line: two words and a number, separated by tabs or, if there are none, by
    /// commas. Empty lines and those that begin with `#` are skipped, and so is the first if its third field is no
    /// number.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is something else.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let mut pairs = Vec::new();
        let mut heading_may_come = true;
        for (number, line) in (1..).zip(lines(path, LineOptions { limit: Limit::default(), ..Default::default() })?) {
            let line = line?;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let separator = if line.contains('\t') { '\t' } else { ',' };
            let fields: Vec<&str> = line.split(separator).map(str::trim).collect();
            let score = fields.get(2).and_then(|score| score.parse().ok()).filter(|score: &f64| score.is_finite());
            match (&fields[..], score) {
                ([a, b, _, ..], Some(score)) => pairs.push((a.to_string(), b.to_string(), score)),
                ([_, _, _, ..], None) if heading_may_come => {}
                _ => return Err(FileError::at(path, Position::Line(number), "is not two words and a number")),
            }
            heading_may_come = false;
        }
        Ok(WordPairs(pairs))
    }
}

impl WordVectors {
    /// Compares the cosines of pairs with the human judgements. A word that is not in the vocabulary as written is
    /// looked for in lower case.
    pub fn score_pairs(&self, pairs: &WordPairs) -> PairScore {
        let known = pairs.0.iter().filter_map(|(a, b, score)| {
            let (a, b) = (self.number_in_any_case(a)?, self.number_in_any_case(b)?);
            Some((f64::from(self.cosine(a, b)), *score))
        });
        let (cosines, scores): (Vec<f64>, Vec<f64>) = known.unzip();
        PairScore { spearman: spearman(&cosines, &scores), covered: cosines.len(), total: pairs.0.len() }
    }
}

/// Spearman's rank correlation: the correlation of the ranks of two series of numbers, where equal numbers share their
/// mean rank. -1 to 1; NaN if it has no meaning, as for numbers that are all equal.
///
/// # Panics
/// If one series is longer than the other.
///
/// ```
/// use taut::text::spearman;
/// assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 11.0, 50.0]), 1.0);
/// ```
#[track_caller]
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    assert!(x.len() == y.len(), "spearman: {} numbers, and {} numbers", x.len(), y.len());
    let (x, y) = (ranks(x), ranks(y));
    // all ranks have the same mean
    let mean = (x.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    product(&x, &y) / (product(&x, &x) * product(&y, &y)).sqrt()
}

/// The rank of each number, from 0; equal ones share their mean rank.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut first = 0;
    for equal in order.chunk_by(|&a, &b| numbers[a] == numbers[b]) {
        equal.iter().for_each(|&i| ranks[i] = first as f64 + (equal.len() as f64 - 1.0) / 2.0);
        first += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::super::tests::vectors;
    use super::*;

    #[test]
    fn spearman_is_that_of_scipy() {
        // scipy.stats.spearmanr 1.17.1
        let x = [7.35, 10.0, 2.5, 7.35, 0.23, 5.0, 5.0, 5.0, 9.1];
        let y = [0.4, 0.3, 0.1, 0.4, -0.2, 0.3, 0.25, 0.05, 0.9];
        assert!((spearman(&x, &y) - 0.806_933_842_082_125_6).abs() < 1e-12, "{}", spearman(&x, &y));
        assert!((spearman(&[1.0, 2.0, 3.0, 4.0], &[4.0, 3.0, 2.0, 1.0]) + 1.0).abs() < 1e-12);
        assert!(spearman(&[1.0, 1.0], &[1.0, 2.0]).is_nan() && spearman(&[], &[]).is_nan());
        // a NaN equals nothing, not even itself, and the loop still ends
        assert!(spearman(&[f64::NAN, f64::NAN, 1.0], &[1.0, 2.0, 3.0]).is_finite());
    }

    #[test]
    fn pairs_that_are_not_known_do_not_count() {
        let path = std::env::temp_dir().join(format!("taut-pairs-{}.tsv", std::process::id()));
        let text = "Word 1\tWord 2\tHuman (mean)\n# a comment\nA\tb\t9.5\nb,c,2\n\na\tc\t1\nx\ta\t5\n";
        std::fs::write(&path, text).unwrap();
        let pairs = WordPairs::load(&path).unwrap();
        let vectors = vectors(&[("a", [1.0, 0.0]), ("b", [1.0, 0.1]), ("c", [-0.1, 1.0])]);
        // cosines 0.995, 0 (within rounding), -0.1
        assert_eq!(vectors.score_pairs(&pairs), PairScore { spearman: 1.0, covered: 3, total: 4 });
        for (text, line) in
            [("a\tb\t1\na\tb\n", 2), ("a\tb\t1\na\tb\tx\n", 2), ("a b\n", 1), ("a\tb\tNaN\na\tb\tinf\n", 2)]
        {
            std::fs::write(&path, text).unwrap();
            let error = WordPairs::load(&path).unwrap_err();
            assert_eq!(
                (error.position(), error.reason().as_str()),
                (Some(Position::Line(line)), "is not two words and a number"),
                "{text:?}"
            );
        }
        std::fs::remove_file(&path).unwrap();
    }
}
