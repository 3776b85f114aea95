//! The corpus in numbers, part by part.

use super::TrainingError;
use crate::text::corpus::Sentences;
use crate::text::{Corpus, Vocabulary};

/// Longer sentences are read as several, as in the original program: a file may be one line.
const LONGEST_SENTENCE: usize = 1000;

/// Some sentences, the unit that one thread takes.
#[derive(Default)]
pub struct Part {
    /// Its index among all parts of all epochs.
    pub number: u64,
    /// The number of words before it, in all epochs.
    pub before: u64,
    /// The words' numbers, one sentence after another.
    pub words: Vec<u32>,
    /// Where each sentence ends in the words.
    pub ends: Vec<usize>,
}

impl Part {
    /// The sentences.
    pub fn sentences(&self) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.words[std::mem::replace(&mut start, end)..end])
    }

    /// The number of words up to its end, in all epochs.
    pub fn end(&self) -> u64 {
        self.before + self.words.len() as u64
    }
}

/// Reads a corpus several times.
pub struct Parts<'a> {
    corpus: &'a Corpus,
    vocabulary: &'a Vocabulary,
    sentences: Option<Sentences<'a>>,
    epochs_left: usize,
    number: u64,
    before: u64,
}

impl<'a> Parts<'a> {
    pub fn new(corpus: &'a Corpus, vocabulary: &'a Vocabulary, epochs: usize) -> Self {
        Parts { corpus, vocabulary, sentences: None, epochs_left: epochs, number: 0, before: 0 }
    }

    /// The next whole sentences with at least this many words in all, or fewer at the end of an epoch. Words that are
    /// not in the vocabulary are left out.
    pub fn next(&mut self, size: usize) -> Result<Option<Part>, TrainingError> {
        let mut part = Part { number: self.number, before: self.before, ..Default::default() };
        while part.words.len() < size {
            let sentences = match &mut self.sentences {
                Some(sentences) => sentences,
                None if self.epochs_left == 0 => break,
                None => {
                    self.epochs_left -= 1;
                    self.sentences.insert(self.corpus.read()?)
                }
            };
            let start = part.words.len();
            let more = sentences.next(&mut |token| {
                if let Some(number) = self.vocabulary.number(token) {
                    part.words.push(number as u32);
                }
            })?;
            if !more {
                self.sentences = None;
                if part.words.is_empty() { continue } else { break }
            }
            part.ends.extend((start..part.words.len()).step_by(LONGEST_SENTENCE).skip(1));
            part.ends.push(part.words.len());
        }
        self.number += 1;
        self.before += part.words.len() as u64;
        Ok(Some(part).filter(|part| !part.words.is_empty()))
    }

    /// The next parts, at most this many.
    pub fn next_block(&mut self, parts: usize, size: usize) -> Result<Vec<Part>, TrainingError> {
        let mut block = Vec::with_capacity(parts);
        while block.len() < parts
            && let Some(part) = self.next(size)?
        {
            block.push(part);
        }
        Ok(block)
    }
}
