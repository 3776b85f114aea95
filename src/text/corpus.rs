//! Sentences that can be read repeatedly.

use super::{LineOptions, Lines, TokenCounts, Vocabulary, VocabularyOptions, lines, words};
use crate::files::FileError;
use std::fmt;
use std::path::{Path, PathBuf};

/// How a line is split into tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tokens {
    /// At white space: for text whose punctuation is already separated.
    #[default]
    Spaces,
    /// [`words`]: without punctuation.
    Words,
}

impl Tokens {
    fn cut(self, line: &str, take: &mut dyn FnMut(&str)) {
        match self {
            Tokens::Spaces => line.split_whitespace().for_each(take),
            Tokens::Words => words(line).for_each(take),
        }
    }
}

/// The lines of a text, one after another.
pub type LineSource = Box<dyn Iterator<Item = Result<String, FileError>> + Send>;

/// Longer lines are split at white space, as a file may be a single line.
const LONG: usize = 1 << 20;

enum Source {
    Lines(Box<dyn Fn() -> Result<LineSource, FileError> + Send + Sync>, Tokens),
    Sentences(Vec<Vec<String>>),
}

/// Sentences of tokens that can be iterated over any number of times: the lines of files, or text in memory.
///
/// ```
/// use taut::text::{Corpus, VocabularyOptions};
/// # fn main() -> Result<(), taut::files::FileError> {
/// let corpus = Corpus::from_sentences([["the", "cat", "sat"], ["the", "dog", "sat"]]);
/// assert_eq!(corpus.vocabulary(VocabularyOptions::default())?.tokens(), ["sat", "the", "cat", "dog"]);
/// # Ok(())
/// # }
/// ```
#[must_use = "a corpus is read by those who are given it"]
pub struct Corpus {
    source: Source,
    lower_case: bool,
}

impl Corpus {
    /// Each line of these files is a sentence. They are read again for each pass, line by line, and unpacked if their
    /// names end with `.gz`; invalid UTF-8 is an error. A line of more than 1 MiB is several sentences.
    pub fn from_files(paths: impl IntoIterator<Item = impl AsRef<Path>>, tokens: Tokens) -> Self {
        Self::from_files_with(paths, tokens, LineOptions { cut: LONG, ..Default::default() })
    }

    /// Like [`from_files`](Self::from_files), with options: to replace invalid UTF-8, say.
    pub fn from_files_with(
        paths: impl IntoIterator<Item = impl AsRef<Path>>,
        tokens: Tokens,
        options: LineOptions,
    ) -> Self {
        let paths: Vec<PathBuf> = paths.into_iter().map(|path| path.as_ref().to_path_buf()).collect();
        Self::from_lines(
            move || {
                // one file is open at a time, as there may be more than a program can have open
                let mut rest = paths.clone().into_iter();
                let mut file: Option<Lines> = None;
                Ok(Box::new(std::iter::from_fn(move || {
                    loop {
                        if let Some(line) = file.as_mut().and_then(Iterator::next) {
                            return Some(line);
                        }
                        match lines(rest.next()?, options) {
                            Ok(next) => file = Some(next),
                            Err(error) => return Some(Err(error)),
                        }
                    }
                })))
            },
            tokens,
        )
    }

    /// Each line of a text is a sentence.
    pub fn from_text(text: &str, tokens: Tokens) -> Self {
        Self::from_sentences(text.lines().map(|line| {
            let mut sentence: Vec<String> = Vec::new();
            tokens.cut(line, &mut |token| sentence.push(token.to_string()));
            sentence
        }))
    }

    /// Each line is a sentence. `lines` is called for each pass, and must return the same lines each time.
    pub fn from_lines(
        lines: impl Fn() -> Result<LineSource, FileError> + Send + Sync + 'static,
        tokens: Tokens,
    ) -> Self {
        Corpus { source: Source::Lines(Box::new(lines), tokens), lower_case: false }
    }

    /// Sentences that are already split into tokens.
    pub fn from_sentences<S: IntoIterator<Item = impl Into<String>>>(sentences: impl IntoIterator<Item = S>) -> Self {
        let sentences = sentences.into_iter().map(|tokens| tokens.into_iter().map(Into::into).collect()).collect();
        Corpus { source: Source::Sentences(sentences), lower_case: false }
    }

    /// The same in lower case.
    pub fn lower_case(mut self) -> Self {
        if let Source::Sentences(sentences) = &mut self.source {
            sentences.iter_mut().flatten().for_each(|token| *token = token.to_lowercase());
        }
        Corpus { lower_case: true, ..self }
    }

    /// Iterates over the sentences from the start.
    ///
    /// # Errors
    /// If a file cannot be opened.
    pub(super) fn read(&self) -> Result<Sentences<'_>, FileError> {
        Ok(match &self.source {
            Source::Lines(lines, tokens) => {
                Sentences { rest: Rest::Lines(lines()?), tokens: *tokens, lower_case: self.lower_case }
            }
            Source::Sentences(sentences) => {
                Sentences { rest: Rest::Memory(sentences.iter()), tokens: Tokens::Spaces, lower_case: false }
            }
        })
    }

    /// How often each token occurs.
    ///
    /// # Errors
    /// If a file cannot be read, or is not UTF-8.
    pub fn counts(&self) -> Result<TokenCounts, FileError> {
        let mut counts = TokenCounts::default();
        let mut sentences = self.read()?;
        while sentences.next(&mut |token| counts.add(token))? {}
        Ok(counts)
    }

    /// The vocabulary of its tokens.
    ///
    /// # Errors
    /// If a file cannot be read, or is not UTF-8.
    pub fn vocabulary(&self, options: VocabularyOptions<'_>) -> Result<Vocabulary, FileError> {
        Ok(Vocabulary::new(&self.counts()?, options))
    }
}

impl fmt::Debug for Corpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Lines(_, tokens) => write!(f, "Corpus {{ lines, cut at {tokens:?} }}"),
            Source::Sentences(sentences) => write!(f, "Corpus {{ {} sentences }}", sentences.len()),
        }
    }
}

/// What has not been read yet.
enum Rest<'a> {
    Lines(LineSource),
    Memory(std::slice::Iter<'a, Vec<String>>),
}

/// A pass over the sentences of a [`Corpus`].
pub(super) struct Sentences<'a> {
    rest: Rest<'a>,
    tokens: Tokens,
    lower_case: bool,
}

impl Sentences<'_> {
    /// Passes the tokens of the next sentence to `take`; `false` if there is none.
    pub fn next(&mut self, take: &mut dyn FnMut(&str)) -> Result<bool, FileError> {
        match &mut self.rest {
            Rest::Memory(sentences) => {
                let Some(sentence) = sentences.next() else { return Ok(false) };
                sentence.iter().for_each(|token| take(token));
            }
            Rest::Lines(lines) => {
                let Some(line) = lines.next().transpose()? else { return Ok(false) };
                let line = if self.lower_case { line.to_lowercase() } else { line };
                self.tokens.cut(&line, take);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corpus_in_one_line() {
        let path = std::env::temp_dir().join(format!("taut-corpus-line-{}.txt", std::process::id()));
        // longer than the longest line that is not split
        std::fs::write(&path, format!("{} ä ", "long".repeat(25_000)).repeat(700)).unwrap();
        let corpus = Corpus::from_files([&path], Tokens::Spaces);
        let counts = corpus.counts().unwrap();
        assert_eq!((counts.of("ä"), counts.len()), (700, 2));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn more_files_than_a_program_can_have_open() {
        let path = std::env::temp_dir().join(format!("taut-corpus-{}.txt", std::process::id()));
        std::fs::write(&path, "one two\n\nthree").unwrap();
        let paths = vec![&path; 3000];
        let counts = Corpus::from_files(&paths, Tokens::Spaces).counts().unwrap();
        assert_eq!(["one", "two", "three"].map(|word| counts.of(word)), [3000; 3]);
        let missing = path.with_extension("missing");
        let error = Corpus::from_files([&path, &missing, &path], Tokens::Spaces).counts().unwrap_err();
        assert!(error.path() == Some(&missing) && error.reason().starts_with("cannot be opened"), "{error}");
        std::fs::remove_file(path).unwrap();
    }
}
