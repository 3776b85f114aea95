//! The two formats of the original word2vec program, which gensim and others read and write.
//!
//! Both begin with a line of two numbers, how many words there are and how long the vectors are. In the text format a line
//! follows for each word: the word and the numbers, with spaces between. In the binary format the word, a space, and the
//! numbers as little-endian `f32` follow, and perhaps a line end.

use super::WordVectors;
use crate::data::{DataError, broken, open};
use crate::io::{FileError, write_atomically};
use crate::tensor::Tensor;
use crate::text::{InvalidUtf8, Vocabulary, lines};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

/// No word is longer: a file that is not in the binary format would otherwise be read as one long word.
const LONGEST_WORD: u64 = 1 << 16;

/// Writes the numbers behind a word.
type WriteVector = fn(&[f32], &mut dyn Write) -> io::Result<()>;

impl WordVectors {
    /// Writes the text format, packed if the file's name ends with `.gz`. Numbers are written so that reading them gives
    /// the same bits. An older file is replaced only
    /// once the new one is complete.
    ///
    /// # Errors
    /// If the file cannot be written, or a word is empty or has a space or a line end in it, which the format cannot hold.
    ///
    /// ```
    /// use taut::prelude::*;
    /// use taut::text::{Corpus, WordVectors};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("taut-doc-vectors-{}.txt", std::process::id()));
    /// let vocabulary = Corpus::from_sentences([["tea", "for", "two"]]).vocabulary(Default::default())?;
    /// let vectors = WordVectors::new(vocabulary, Tensor::from_vec(vec![0.5; 6], (3, 2)).unwrap());
    /// vectors.save_text(&path)?;
    /// assert_eq!(std::fs::read_to_string(&path).unwrap(), "3 2\nfor 0.5 0.5\ntea 0.5 0.5\ntwo 0.5 0.5\n");
    /// assert_eq!(WordVectors::load_text(&path)?.vectors(), vectors.vectors());
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn save_text(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        self.save(path.as_ref(), |numbers, file| {
            numbers.iter().try_for_each(|number| write!(file, " {number}"))?;
            file.write_all(b"\n")
        })
    }

    /// Writes the binary format, packed if the file's name ends with `.gz`. An older file is replaced only once the new one
    /// is complete.
    ///
    /// # Errors
    /// As [`save_text`](Self::save_text).
    pub fn save_binary(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        self.save(path.as_ref(), |numbers, file| {
            file.write_all(b" ")?;
            numbers.iter().try_for_each(|number| file.write_all(&number.to_le_bytes()))
        })
    }

    fn save(&self, path: &Path, write_vector: WriteVector) -> Result<(), FileError> {
        let packed = path.extension().is_some_and(|extension| extension == "gz");
        write_atomically(path, |file| {
            if packed {
                let mut encoder = GzEncoder::new(file, Compression::default());
                self.write(&mut encoder, write_vector)?;
                encoder.finish().map(|_| ())
            } else {
                self.write(file, write_vector)
            }
        })
    }

    fn write(&self, file: &mut dyn Write, write_vector: WriteVector) -> io::Result<()> {
        let (words, dimension) = self.vectors.shape();
        writeln!(file, "{words} {dimension}")?;
        for (number, word) in self.vocabulary.tokens().iter().enumerate() {
            if word.is_empty() || word.contains([' ', '\n']) {
                let message = format!("word {number}, {word:?}, is empty or has a space or a line end in it");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            file.write_all(word.as_bytes())?;
            write_vector(self.row(self.vectors.as_slice(), number), file)?;
        }
        Ok(())
    }

    /// Reads the text format, unpacked if the file's name ends with `.gz`. How often the words occurred is not in it: their
    /// counts are 0.
    ///
    /// # Errors
    /// If the file cannot be read, is not UTF-8, or is damaged: the error names the line.
    pub fn load_text(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let mut lines = lines(path, InvalidUtf8::Refuse)?;
        let first = lines.next().transpose()?.unwrap_or_default();
        let mut loading = Loading::new(path, &first)?;
        for (number, line) in (2..).zip(lines) {
            let line = line?;
            let wrong = |what: String| DataError::new(path, format!("line {number}: {what}"));
            // the original program ends each line with a space
            let mut fields = line.trim_end_matches(' ').split(' ');
            let word = fields.next().unwrap_or_default().to_string();
            let start = loading.numbers.len();
            for field in fields {
                let value = field.parse().map_err(|_| wrong(format!("`{field}` is no number")))?;
                loading.numbers.push(value);
            }
            let (found, dimension) = (loading.numbers.len() - start, loading.dimension);
            if found != dimension {
                return Err(wrong(format!("{found} numbers for `{word}`, where line 1 says {dimension}")));
            }
            loading.end_word(word).map_err(wrong)?;
        }
        loading.finish()
    }

    /// Reads the binary format, unpacked if the file's name ends with `.gz`. How often the words occurred is not in it:
    /// their counts are 0.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged: the error names the byte.
    pub fn load_binary(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let mut file = BufReader::with_capacity(1 << 16, open(path)?);
        let mut at = 0;
        let first = read_until(&mut file, b'\n', &mut at).map_err(|error| broken(path, error))?;
        let mut loading = Loading::new(path, &String::from_utf8_lossy(&first))?;
        while loading.words.len() < loading.expected {
            let start = at;
            let wrong = |what: String| DataError::new(path, format!("byte {start}: {what}"));
            let word = read_until(&mut file, b' ', &mut at).map_err(|error| broken(path, error))?;
            if word.is_empty() {
                break;
            }
            let Some((b' ', word)) = word.split_last() else {
                return Err(wrong("a word and a space were expected, and no space follows".to_string()));
            };
            // what ended the vector before
            let word = word.strip_prefix(b"\n").unwrap_or(word);
            let word = String::from_utf8(word.to_vec()).map_err(|_| wrong("the word is not UTF-8".to_string()))?;
            let mut bytes = Vec::new();
            let length = (loading.dimension as u64).saturating_mul(4);
            let read = (&mut file).take(length).read_to_end(&mut bytes).map_err(|error| broken(path, error))?;
            if (read as u64) < length {
                let found = at + read as u64;
                return Err(wrong(format!("the file ends at byte {found}, within the vector of `{word}`")));
            }
            at += length;
            loading.numbers.extend(bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)));
            loading.end_word(word).map_err(wrong)?;
        }
        let mut rest = Vec::new();
        file.take(2).read_to_end(&mut rest).map_err(|error| broken(path, error))?;
        if !(rest.is_empty() || rest == b"\n") {
            let expected = loading.expected;
            return Err(DataError::new(
                path,
                format!("byte {at}: more follows, where the first line says {expected} words"),
            ));
        }
        loading.finish()
    }
}

/// Bytes up to this one, which is the last, or to the end of the file, or as long as a word may be.
fn read_until(file: &mut impl BufRead, end: u8, at: &mut u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    *at += file.take(LONGEST_WORD).read_until(end, &mut bytes)? as u64;
    Ok(bytes)
}

/// What was read of a file. Nothing is reserved for what its first line claims.
struct Loading<'a> {
    path: &'a Path,
    expected: usize,
    dimension: usize,
    words: Vec<String>,
    numbers: Vec<f32>,
}

impl<'a> Loading<'a> {
    fn new(path: &'a Path, first: &str) -> Result<Self, DataError> {
        let sizes: Option<Vec<usize>> = first.split_whitespace().map(|size| size.parse().ok()).collect();
        match sizes.as_deref() {
            Some(&[expected, dimension]) if dimension > 0 => {
                Ok(Loading { path, expected, dimension, words: Vec::new(), numbers: Vec::new() })
            }
            _ => Err(DataError::new(path, "line 1 is not the number of words and the length of their vectors")),
        }
    }

    /// All numbers of this word are there.
    fn end_word(&mut self, word: String) -> Result<(), String> {
        let numbers = &self.numbers[self.numbers.len() - self.dimension..];
        if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
            return Err(format!("the vector of `{word}` has {number} in it"));
        }
        if word.is_empty() {
            return Err("the word is empty".to_string());
        }
        if self.words.len() == self.expected {
            return Err(format!("more words than line 1 says, which are {}", self.expected));
        }
        self.words.push(word);
        Ok(())
    }

    fn finish(self) -> Result<WordVectors, DataError> {
        let (found, expected) = (self.words.len(), self.expected);
        if found < expected {
            let reason = format!("ends after {found} words, where line 1 says {expected}");
            return Err(DataError::new(self.path, reason));
        }
        let vocabulary = Vocabulary::of(self.words.iter().map(|word| (word.clone(), 0)));
        if vocabulary.len() < found {
            let twice = self.words.iter().enumerate().find(|&(i, word)| vocabulary.number(word) != Some(i));
            let (number, word) = twice.expect("a word that is left out was there before");
            return Err(DataError::new(self.path, format!("word {} is `{word}`, which was there before", number + 1)));
        }
        let vectors =
            Tensor::from_vec(self.numbers, (found, self.dimension)).expect("each vector's length was checked");
        Ok(WordVectors::new(vocabulary, vectors))
    }
}
