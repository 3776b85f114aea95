//! Whether vectors know that Paris is to France what Rome is to Italy.

use super::WordVectors;
use crate::files::{FileError, Limit, Position};
use crate::text::{LineOptions, lines};
use std::path::Path;

/// The number of questions answered at once: their products with all words are one product of matrices.
const GROUP: usize = 64;

/// Questions "a is to b what c is to ..", with the answers, in sections. Mikolov, Chen, Corrado and Dean, "Efficient
/// Estimation of Word Representations in Vector Space", 2013.
#[derive(Clone, Debug)]
pub struct Questions {
    sections: Vec<(String, Vec<[String; 4]>)>,
}

/// The number of questions of a section that are answered correctly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionScore {
    /// What the section is called.
    pub section: String,
    /// How many answers are right.
    pub right: usize,
    /// The number of questions with all four words in the vocabulary: only these are asked.
    pub asked: usize,
    /// The number of all questions.
    pub total: usize,
}

impl Questions {
    /// Reads a file like `questions-words.txt`: four words on each line, and lines `: name` where a section begins.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is something else.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let mut sections: Vec<(String, Vec<[String; 4]>)> = Vec::new();
        for (number, line) in (1..).zip(lines(path, LineOptions { limit: Limit::default(), ..Default::default() })?) {
            let line = line?;
            if let Some(name) = line.strip_prefix(':') {
                sections.push((name.trim().to_string(), Vec::new()));
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            match (<[&str; 4]>::try_from(words), sections.last_mut()) {
                (Ok(words), Some((_, questions))) => questions.push(words.map(str::to_string)),
                (Ok(_), None) => {
                    let reason = "is a question before the first `: section`";
                    return Err(FileError::at(path, Position::Line(number), reason));
                }
                (Err(words), _) if words.is_empty() => {}
                (Err(_), _) => {
                    return Err(FileError::at(path, Position::Line(number), "is neither four words nor `: section`"));
                }
            }
        }
        Ok(Questions { sections })
    }
}

impl WordVectors {
    /// Answers each question by the word nearest to b - a + c, which is none of the three ([`analogy`](Self::analogy)).
    /// A word that is not in the vocabulary as written is looked up in lower case.
    pub fn score_questions(&self, questions: &Questions) -> Vec<SectionScore> {
        let score = |(section, questions): &(String, Vec<[String; 4]>)| {
            let known = questions.iter().filter_map(|words| {
                let [a, b, c, d] = words.each_ref().map(|word| self.number_in_any_case(word));
                Some([a?, b?, c?, d?])
            });
            let known: Vec<[usize; 4]> = known.collect();
            let right = known.chunks(GROUP).map(|group| self.right_answers(group)).sum();
            SectionScore { section: section.clone(), right, asked: known.len(), total: questions.len() }
        };
        questions.sections.iter().map(score).collect()
    }

    fn right_answers(&self, questions: &[[usize; 4]]) -> usize {
        let queries: Vec<f32> = questions.iter().flat_map(|&[a, b, c, _]| self.analogy_query(b, a, c)).collect();
        let cosines = self.cosines(&queries);
        let right = questions.iter().zip(cosines.chunks_exact(self.vocabulary.len())).filter(|(question, cosines)| {
            let &&[a, b, c, d] = question;
            let candidates = (0..cosines.len()).filter(|number| ![a, b, c].contains(number));
            candidates.reduce(|best, other| if cosines[other] > cosines[best] { other } else { best }) == Some(d)
        });
        right.count()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::vectors;
    use super::*;

    #[test]
    fn right_answers_are_counted_by_section() {
        let path = std::env::temp_dir().join(format!("taut-questions-{}.txt", std::process::id()));
        let text = ": capitals\nParis France Rome Italy\nRome Italy Paris France\nParis France Oslo Norway\n\n\
                    : wrong\nParis France Rome Tea\n";
        std::fs::write(&path, text).unwrap();
        let questions = Questions::load(&path).unwrap();
        let vectors = vectors(&[
            ("paris", [1.0, 1.0, 0.0]),
            ("France", [1.0, -1.0, 0.0]),
            ("rome", [0.0, 1.0, 1.0]),
            ("italy", [0.0, -1.0, 1.0]),
            ("tea", [-1.0, 0.0, -1.0]),
        ]);
        let score = |section: &str, right, asked, total| SectionScore { section: section.into(), right, asked, total };
        assert_eq!(vectors.score_questions(&questions), [score("capitals", 2, 2, 3), score("wrong", 0, 1, 1)]);
        for (text, message) in [("a b c d\n", "is a question before"), (": s\na b c d\na b c\n", "is neither")] {
            std::fs::write(&path, text).unwrap();
            assert!(Questions::load(&path).unwrap_err().reason().starts_with(message));
        }
        std::fs::remove_file(&path).unwrap();
    }
}
