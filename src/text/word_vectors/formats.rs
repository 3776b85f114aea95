//! The two formats of the original word2vec program, which gensim and others read and write.
//!
//! Both begin with a line of two numbers, the number of words and the length of the vectors. In the text format a line
//! follows for each word: the word and the numbers, separated by spaces. In the binary format the word, a space, and
//! the numbers as little-endian `f32` follow, and perhaps a line end. GloVe's files are in the text format without the
//! first line.
//!
//! Exactly what can be saved can be loaded: see [`check_word`].

use super::WordVectors;
use crate::files::{FileError, Limit, Position, unpacked, write_atomically};
use crate::tensor::Tensor;
use crate::text::{InvalidUtf8, LineOptions, Vocabulary, lines};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

/// No word is longer: a file that is not in the binary format would otherwise be read as one long word.
const LONGEST_WORD: usize = 1 << 16;

/// Writes the numbers after a word.
type WriteVector = fn(&[f32], &mut dyn Write) -> io::Result<()>;

/// How a file of word vectors is read.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct VectorOptions {
    /// Whether the first line states the number of words and the length of the vectors. `true` by default; GloVe's
    /// files lack it, and then all vectors must be as long as the first. (The binary format always has it.)
    pub has_header: bool,
    /// What to do with words that are not UTF-8: refuse the file by default. Different words may become the same one
    /// when they are replaced.
    pub invalid: InvalidUtf8,
    /// What to do with a repeated word: refuse the file by default.
    pub repeated: RepeatedWord,
    /// Whether words of a text file may contain spaces, such as `. . .` in GloVe's largest file: then everything before
    /// the numbers of a line is the word. `false` by default, as such words cannot be saved. (The first word of a file
    /// without a header has no spaces in any case.)
    pub spaces_in_words: bool,
    /// The largest number of bytes to read, after decompression.
    pub limit: Limit,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for VectorOptions {
    fn default() -> Self {
        VectorOptions {
            has_header: true,
            invalid: InvalidUtf8::Refuse,
            repeated: RepeatedWord::Refuse,
            spaces_in_words: false,
            limit: Limit::default(),
            more: (),
        }
    }
}

/// What to do with a word that occurs again in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum RepeatedWord {
    /// End with an error that names the word.
    #[default]
    Refuse,
    /// Keep the first, and skip the others.
    FirstCounts,
}

impl WordVectors {
    /// Writes the text format, packed if the file's name ends with `.gz`. Numbers are written so that reading them
    /// gives the same bits. An older file is replaced only
    /// once the new one is complete.
    ///
    /// # Errors
    /// If the file cannot be written; or a word is empty, has a space or a line end in it, or more than 65,535 bytes;
    /// or a number is not finite: what no reader of the format accepts is not written.
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

    /// Writes the binary format, packed if the file's name ends with `.gz`. An older file is replaced only once the new
    /// one is complete.
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
            let numbers = self.row(self.vectors.as_slice(), number);
            check_word(word).and_then(|()| check_numbers(word, numbers)).map_err(|reason| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("word {number} does not fit the format: {reason}"))
            })?;
            file.write_all(word.as_bytes())?;
            write_vector(numbers, file)?;
        }
        Ok(())
    }

    /// Reads the text format, unpacked if the file's name ends with `.gz`. It does not hold the counts of the words:
    /// their counts are 0.
    ///
    /// # Errors
    /// If the file cannot be read, is not UTF-8, has a word twice, unpacks to more than the default [`Limit`], or is
    /// damaged: the error names the line.
    pub fn load_text(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::load_text_with(path, VectorOptions::default())
    }

    /// As [`load_text`](Self::load_text), for files that deviate from the format.
    ///
    /// # Errors
    /// As [`load_text`](Self::load_text), where the options do not say otherwise.
    ///
    /// ```
    /// use taut::text::{RepeatedWord, VectorOptions, WordVectors};
    /// # fn main() -> Result<(), taut::files::FileError> {
    /// # let path = std::env::temp_dir().join(format!("taut-doc-glove-{}.txt", std::process::id()));
    /// std::fs::write(&path, "the 0.5 1\nof 2 0\nthe 3 3\n").unwrap();
    /// let options = VectorOptions { has_header: false, repeated: RepeatedWord::FirstCounts, ..Default::default() };
    /// let vectors = WordVectors::load_text_with(&path, options)?;
    /// assert_eq!((vectors.of("the"), vectors.vocabulary().len()), (Some(&[0.5, 1.0][..]), 2));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn load_text_with(path: impl AsRef<Path>, options: VectorOptions) -> Result<Self, FileError> {
        let path = path.as_ref();
        let VectorOptions { invalid, limit, .. } = options;
        let lines = lines(path, LineOptions { invalid, limit, longest: usize::MAX, ..Default::default() })?;
        let mut loading = None;
        for (number, line) in (1..).zip(lines) {
            let line = line?;
            let at_line = |reason: String| FileError::at(path, Position::Line(number), reason);
            // the original program ends each line with a space
            let line = line.trim_end_matches(' ');
            let mut fields = line.split(' ');
            let loading = match &mut loading {
                Some(loading) => loading,
                None if options.has_header => {
                    loading = Some(Loading::new(path, line, options)?);
                    continue;
                }
                None => loading.insert(Loading::without_header(path, fields.clone().count() - 1, options)),
            };
            let mut word = fields.next().unwrap_or_default().to_string();
            let more =
                if options.spaces_in_words { fields.clone().count().saturating_sub(loading.dimension) } else { 0 };
            for part in fields.by_ref().take(more) {
                word = word + " " + part;
            }
            let start = loading.numbers.len();
            for field in fields {
                let value = field.parse().map_err(|_| {
                    at_line(format!(
                        "`{field}` is not a number (of words with spaces in them: `VectorOptions::spaces_in_words`)"
                    ))
                })?;
                loading.numbers.push(value);
            }
            let (found, dimension) = (loading.numbers.len() - start, loading.dimension);
            if found != dimension {
                return Err(at_line(format!("{found} numbers for `{word}`, where line 1 says {dimension}")));
            }
            loading.end_word(word).map_err(at_line)?;
        }
        match loading {
            Some(loading) => loading.finish(),
            None if options.has_header => Err(no_header(path)),
            None => Loading::without_header(path, 0, options).finish(),
        }
    }

    /// Reads the binary format, unpacked if the file's name ends with `.gz`. How often the words occurred is not in it:
    /// their counts are 0.
    ///
    /// # Errors
    /// If the file cannot be read, a word is not UTF-8 or comes twice, it unpacks to more than the default [`Limit`],
    /// or is damaged: the error names the byte.
    pub fn load_binary(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::load_binary_with(path, VectorOptions::default())
    }

    /// As [`load_binary`](Self::load_binary), for files that are not quite so.
    ///
    /// # Errors
    /// As [`load_binary`](Self::load_binary), where the options do not say otherwise.
    pub fn load_binary_with(path: impl AsRef<Path>, options: VectorOptions) -> Result<Self, FileError> {
        let path = path.as_ref();
        let broken = |error| FileError::read(path, error);
        let mut file = BufReader::with_capacity(1 << 16, unpacked(path, options.limit)?);
        let mut at = 0;
        let first = read_until(&mut file, b'\n', &mut at).map_err(broken)?;
        let mut loading = Loading::new(path, &String::from_utf8_lossy(&first), options)?;
        while loading.found < loading.expected {
            let start = at;
            let wrong = |reason: String| FileError::at(path, Position::Byte(start), reason);
            let word = read_until(&mut file, b' ', &mut at).map_err(broken)?;
            if word.is_empty() {
                break;
            }
            let Some((b' ', word)) = word.split_last() else {
                return Err(wrong("a word and a space were expected, and no space follows".to_string()));
            };
            // the end of the vector before
            let word = word.strip_prefix(b"\n").unwrap_or(word);
            let word = match (std::str::from_utf8(word), options.invalid) {
                (Ok(word), _) => word.to_string(),
                (Err(_), InvalidUtf8::Replace) => String::from_utf8_lossy(word).into_owned(),
                (Err(_), InvalidUtf8::Refuse) => return Err(wrong("the word is not UTF-8".to_string())),
            };
            let mut bytes = Vec::new();
            let length = (loading.dimension as u64).saturating_mul(4);
            let read = (&mut file).take(length).read_to_end(&mut bytes).map_err(broken)?;
            if (read as u64) < length {
                let found = at + read as u64;
                return Err(wrong(format!("the file ends at byte {found}, within the vector of `{word}`")));
            }
            at += length;
            loading.numbers.extend(bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)));
            loading.end_word(word).map_err(wrong)?;
        }
        let mut rest = Vec::new();
        file.take(2).read_to_end(&mut rest).map_err(broken)?;
        if !(rest.is_empty() || rest == b"\n") {
            let reason = format!("more follows, where the first line says {} words", loading.expected);
            return Err(FileError::at(path, Position::Byte(at), reason));
        }
        loading.finish()
    }
}

/// Bytes up to and including this one, or to the end of the file, or to the largest length of a word.
fn read_until(file: &mut impl BufRead, end: u8, at: &mut u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // a line end before, and what ends it
    *at += file.take(LONGEST_WORD as u64 + 1).read_until(end, &mut bytes)? as u64;
    Ok(bytes)
}

/// What both formats can hold: a word is separated from its numbers by the first space, and perhaps from the vector
/// before by a line end.
fn check_word(word: &str) -> Result<(), String> {
    match word {
        "" => Err("the word is empty".to_string()),
        word if word.len() >= LONGEST_WORD => Err(format!("a word of {} bytes", word.len())),
        word if word.contains([' ', '\n', '\r']) => Err(format!("{word:?} has a space or a line end in it")),
        _ => Ok(()),
    }
}

fn check_numbers(word: &str, numbers: &[f32]) -> Result<(), String> {
    match numbers.iter().find(|number| !number.is_finite()) {
        Some(number) => Err(format!("the vector of `{word}` has {number} in it")),
        None => Ok(()),
    }
}

fn no_header(path: &Path) -> FileError {
    let reason = "is not the number of words and the length of their vectors (GloVe's files begin without it: \
                  `VectorOptions::has_header`)";
    FileError::at(path, Position::Line(1), reason)
}

/// What was read from a file. No memory is reserved on its first line's word.
struct Loading<'a> {
    path: &'a Path,
    options: VectorOptions,
    /// The number of words that the first line states.
    expected: usize,
    /// The number of words read, including skipped ones.
    found: usize,
    dimension: usize,
    words: Vec<String>,
    known: HashSet<String>,
    numbers: Vec<f32>,
}

impl<'a> Loading<'a> {
    fn new(path: &'a Path, first: &str, options: VectorOptions) -> Result<Self, FileError> {
        let sizes: Option<Vec<usize>> = first.split_whitespace().map(|size| size.parse().ok()).collect();
        let Some(&[expected, dimension]) = sizes.as_deref() else { return Err(no_header(path)) };
        Ok(Loading { expected, ..Loading::without_header(path, dimension, options) })
    }

    /// Of any number of words.
    fn without_header(path: &'a Path, dimension: usize, options: VectorOptions) -> Self {
        let (words, known, numbers) = (Vec::new(), HashSet::new(), Vec::new());
        Loading { path, options, expected: usize::MAX, found: 0, dimension, words, known, numbers }
    }

    /// All numbers of this word are there.
    fn end_word(&mut self, word: String) -> Result<(), String> {
        // what spaces are let through for is not lost
        check_word(&if self.options.spaces_in_words { word.replace(' ', "_") } else { word.clone() })?;
        let before = self.numbers.len() - self.dimension;
        check_numbers(&word, &self.numbers[before..])?;
        if self.found == self.expected {
            return Err(format!("more words than line 1 says, which are {}", self.expected));
        }
        self.found += 1;
        match (self.known.insert(word.clone()), self.options.repeated) {
            (true, _) => self.words.push(word),
            (false, RepeatedWord::FirstCounts) => self.numbers.truncate(before),
            (false, RepeatedWord::Refuse) => {
                return Err(format!("word {} is `{word}`, which was there before", self.found));
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<WordVectors, FileError> {
        let (found, expected) = (self.found, self.expected);
        if self.options.has_header && found < expected && expected < usize::MAX {
            let reason = format!("ends after {found} words, where line 1 says {expected}");
            return Err(FileError::new(self.path, reason));
        }
        let shape = (self.words.len(), self.dimension);
        let vocabulary = Vocabulary::of(self.words.into_iter().map(|word| (word, 0)));
        let vectors = Tensor::from_vec(self.numbers, shape).expect("each vector's length was checked");
        Ok(WordVectors::new(vocabulary, vectors))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::vectors;
    use super::*;
    use crate::files::testing::{Folder, gzip};
    use crate::text::{Corpus, VocabularyOptions};

    type Load = fn(&Path) -> Result<WordVectors, FileError>;
    type Save = fn(&WordVectors, &Path) -> Result<(), FileError>;
    const FORMATS: [(Load, Save); 2] = [
        (|path| WordVectors::load_text(path), |vectors, path| vectors.save_text(path)),
        (|path| WordVectors::load_binary(path), |vectors, path| vectors.save_binary(path)),
    ];

    /// Whatever is saved loads unchanged, and what cannot be loaded is not saved.
    #[test]
    fn what_is_saved_is_loaded() {
        let folder = Folder::new();
        let path = folder.path().join("vectors");
        let words =
            ["a", "ä\u{feff}", "\u{feff}a", "a\tb", "5", "-1", "5 5", "", "a b", "a\nb", "\n", "a\r", "\r\n", "\0"];
        let long = "w".repeat(LONGEST_WORD - 1);
        let too_long = "w".repeat(LONGEST_WORD);
        let mut refused = 0;
        for (load, save) in FORMATS {
            for word in words.into_iter().chain([long.as_str(), &too_long]) {
                for numbers in [[0.1, -0.0], [f32::MAX, 1.0e-45], [f32::NAN, 0.0], [0.0, f32::INFINITY]] {
                    let vectors = vectors(&[("first", [1.0, 2.0]), (word, numbers)]);
                    match save(&vectors, &path) {
                        Ok(()) => {
                            let again = load(&path).unwrap();
                            assert_eq!(again.vocabulary().tokens(), vectors.vocabulary().tokens());
                            assert_eq!(again.vectors(), vectors.vectors());
                        }
                        Err(error) => {
                            assert!(error.reason().contains("word 1 does not fit the format"), "{error}");
                            refused += 1;
                        }
                    }
                }
            }
            for (words, dimension) in [(0, 0), (0, 3), (2, 0)] {
                let names: Vec<String> = (0..words).map(|i| format!("w{i}")).collect();
                let special: Vec<&str> = names.iter().map(String::as_str).collect();
                let options = VocabularyOptions { special: &special, ..Default::default() };
                let vocabulary = Corpus::from_text("", Default::default()).vocabulary(options).unwrap();
                let vectors = WordVectors::new(vocabulary, Tensor::zeros_with((words, dimension)));
                save(&vectors, &path).unwrap();
                assert_eq!(load(&path).unwrap().vectors().shape(), (words, dimension));
            }
        }
        // of 16 words 8 do not fit, and of the others half of the vectors
        assert_eq!(refused, 2 * (8 * 4 + 8 * 2));
    }

    #[test]
    fn what_is_loaded_is_saved() {
        let folder = Folder::new();
        let vector = |word: &[u8]| [word, b" ", &1.0_f32.to_le_bytes()].concat();
        for word in [b"a\nb".as_slice(), b"\n\na", b"a\r", b"", b"\n"] {
            let file = folder.file("binary", &[b"1 1\n".as_slice(), &vector(word)].concat());
            assert!(WordVectors::load_binary(file).is_err(), "{word:?}");
        }
        let file = folder.file("binary", &[b"1 1\n".as_slice(), &vector(b"\na")].concat());
        WordVectors::load_binary(file).unwrap().save_binary(folder.path().join("again")).unwrap();
    }

    #[test]
    fn invalid_and_repeated_words_by_choice() {
        let folder = Folder::new();
        let text = folder.file("text", b"4 1\na 1\n\xff 2\na 3\nb 4\n");
        let vector = |word: &[u8], number: f32| [word, b" ", &number.to_le_bytes()].concat();
        let words = [vector(b"a", 1.0), vector(b"\xff", 2.0), vector(b"a", 3.0), vector(b"b", 4.0)];
        let binary = folder.file("binary", &[b"4 1\n".to_vec(), words.concat()].concat());
        type Load = fn(&Path, VectorOptions) -> Result<WordVectors, FileError>;
        let load_text: Load = |path, options| WordVectors::load_text_with(path, options);
        let load_binary: Load = |path, options| WordVectors::load_binary_with(path, options);
        for (load, path) in [(load_text, &text), (load_binary, &binary)] {
            let refuse = VectorOptions::default();
            assert!(load(path, refuse).unwrap_err().reason().contains("not UTF-8"));
            let replace = VectorOptions { invalid: InvalidUtf8::Replace, ..refuse };
            let error = load(path, replace).unwrap_err();
            assert!(error.reason().contains("word 3 is `a`, which was there before"), "{error}");
            assert!(error.position().is_some());
            let vectors = load(path, VectorOptions { repeated: RepeatedWord::FirstCounts, ..replace }).unwrap();
            assert_eq!(vectors.vocabulary().tokens(), ["a", "\u{fffd}", "b"]);
            assert_eq!(vectors.vectors().as_slice(), [1.0, 2.0, 4.0]);
        }
    }

    #[test]
    fn files_without_a_header() {
        let folder = Folder::new();
        let options = VectorOptions { has_header: false, ..Default::default() };
        let load = |text: &[u8]| WordVectors::load_text_with(folder.file("glove.txt", text), options);
        let vectors = load(b"the 0.5 1\n, 2 0\n").unwrap();
        assert_eq!((vectors.of(","), vectors.dimension()), (Some(&[2.0, 0.0][..]), 2));
        assert_eq!(load(b"").unwrap().vectors().shape(), (0, 0));
        let error = load(b"the 0.5 1\n, 2\n").unwrap_err();
        assert_eq!(error.position(), Some(Position::Line(2)));
        let error = WordVectors::load_text(folder.file("glove.txt", b"the 0.5 1\n")).unwrap_err();
        assert!(error.reason().contains("has_header"), "{error}");
    }

    #[test]
    fn words_with_spaces_by_choice() {
        let folder = Folder::new();
        let options = VectorOptions { has_header: false, spaces_in_words: true, ..Default::default() };
        let file = b", 0.5 1\n. . . 2 -1e-3\nat name@domain.com 3 0\n1 2 4 4\n";
        let vectors = WordVectors::load_text_with(folder.file("glove.txt", file), options).unwrap();
        assert_eq!(vectors.vocabulary().tokens(), [",", ". . .", "at name@domain.com", "1 2"]);
        assert_eq!(vectors.of(". . ."), Some(&[2.0, -1e-3][..]));
        assert!(vectors.save_text(folder.path().join("again.txt")).unwrap_err().reason().contains("has a space"));
        let with_header = [b"4 2\n".as_slice(), file].concat();
        let options = VectorOptions { has_header: true, ..options };
        let again = WordVectors::load_text_with(folder.file("word2vec.txt", &with_header), options).unwrap();
        assert_eq!(again.vectors(), vectors.vectors());

        let refused = |file: &[u8], spaces_in_words| {
            let options = VectorOptions { has_header: false, spaces_in_words, ..Default::default() };
            WordVectors::load_text_with(folder.file("bad.txt", file), options).unwrap_err().to_string()
        };
        assert!(refused(file, false).contains("line 2: `.` is not a number (of words with spaces in them"));
        assert!(refused(b", 0.5 1\n. 2\n", true).contains("line 2: 1 numbers for `.`"));
        assert!(refused(b", 0.5 1\n. . 2 x\n", true).contains("line 2: `x` is not a number"));
        assert!(refused(b", 0.5 1\n. . 2 3\n. . 4 5\n", true).contains("line 3"));
    }

    #[test]
    fn a_small_packed_file_takes_little_memory() {
        let folder = Folder::new();
        let text = folder.file("a.txt.gz", &gzip(&[b"1 10000\na".as_slice(), &b" 0".repeat(10_000)].concat()));
        let binary = folder.file("a.bin.gz", &gzip(&[b"1 10000\na ".as_slice(), &[0; 40_000]].concat()));
        let options = |bytes| VectorOptions { limit: Limit::Bytes(bytes), ..Default::default() };
        assert_eq!(WordVectors::load_text_with(&text, options(20_009)).unwrap().dimension(), 10_000);
        assert_eq!(WordVectors::load_binary_with(&binary, options(40_010)).unwrap().dimension(), 10_000);
        for error in [
            WordVectors::load_text_with(&text, options(20_008)).unwrap_err(),
            WordVectors::load_binary_with(&binary, options(40_009)).unwrap_err(),
        ] {
            assert!(error.reason().contains("holds more than"), "{error}");
        }
    }
}
