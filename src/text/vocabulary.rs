//! Tokens and their numbers.

use super::{LineOptions, lines};
use crate::files::{FileError, Limit, Position, write_atomically};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// How often each token occurs.
///
/// ```
/// use taut::text::TokenCounts;
/// let counts: TokenCounts = "to be or not to be".split(' ').collect();
/// assert_eq!((counts.of("be"), counts.of("is"), counts.len()), (2, 0, 4));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenCounts(HashMap<String, u64>);

impl TokenCounts {
    /// Counts one occurrence.
    pub fn add(&mut self, token: &str) {
        // most tokens are already known: only new ones are copied
        match self.0.get_mut(token) {
            Some(count) => *count += 1,
            None => {
                self.0.insert(token.to_string(), 1);
            }
        }
    }

    /// How often a token occurred.
    pub fn of(&self, token: &str) -> u64 {
        self.0.get(token).copied().unwrap_or(0)
    }

    /// The number of distinct tokens.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: AsRef<str>> Extend<T> for TokenCounts {
    fn extend<I: IntoIterator<Item = T>>(&mut self, tokens: I) {
        tokens.into_iter().for_each(|token| self.add(token.as_ref()));
    }
}

impl<T: AsRef<str>> FromIterator<T> for TokenCounts {
    fn from_iter<I: IntoIterator<Item = T>>(tokens: I) -> Self {
        let mut counts = TokenCounts::default();
        counts.extend(tokens);
        counts
    }
}

/// Which tokens are in a [`Vocabulary`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct VocabularyOptions<'a> {
    /// Tokens that occur less often are left out. 1 by default.
    pub minimum_count: u64,
    /// The largest number of other tokens to keep, the most frequent ones. All by default.
    pub most: usize,
    /// Tokens placed before all others, in this order, whether they occur or not: `<padding>`, `<unknown>`. None by
    /// default.
    pub special: &'a [&'a str],
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for VocabularyOptions<'_> {
    fn default() -> Self {
        VocabularyOptions { minimum_count: 1, most: usize::MAX, special: &[], more: () }
    }
}

/// Tokens with their numbers: the special ones first, then by decreasing frequency, and alphabetically where the
/// frequency is the same.
///
/// ```
/// use taut::text::{TokenCounts, Vocabulary, VocabularyOptions};
/// let counts: TokenCounts = "to be or not to be".split(' ').collect();
/// let options = VocabularyOptions { most: 2, special: &["<unknown>"], ..Default::default() };
/// let vocabulary = Vocabulary::new(&counts, options);
/// assert_eq!(vocabulary.tokens(), ["<unknown>", "be", "to"]);
/// assert_eq!((vocabulary.number("to"), vocabulary.number("or")), (Some(2), None));
/// assert_eq!((vocabulary.token(1), vocabulary.count(1)), ("be", 2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    tokens: Vec<String>,
    counts: Vec<u64>,
    numbers: HashMap<String, usize>,
}

impl Vocabulary {
    /// A vocabulary of the counted tokens, selected by the options.
    pub fn new(counts: &TokenCounts, options: VocabularyOptions<'_>) -> Self {
        let special = options.special.iter().map(|&token| (token.to_string(), counts.of(token)));
        let ordinary = |token: &String| !options.special.contains(&token.as_str());
        let mut others: Vec<(String, u64)> = counts.0.iter().map(|(token, &count)| (token.clone(), count)).collect();
        others.retain(|(token, count)| *count >= options.minimum_count && ordinary(token));
        others.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        others.truncate(options.most);
        Self::of(special.chain(others))
    }

    /// Tokens in the order of their numbers, and how often each occurs. If a token occurs twice, the first counts.
    pub(super) fn of(tokens: impl Iterator<Item = (String, u64)>) -> Self {
        let mut vocabulary = Vocabulary { tokens: Vec::new(), counts: Vec::new(), numbers: HashMap::new() };
        for (token, count) in tokens {
            if !vocabulary.numbers.contains_key(&token) {
                vocabulary.numbers.insert(token.clone(), vocabulary.tokens.len());
                vocabulary.tokens.push(token);
                vocabulary.counts.push(count);
            }
        }
        vocabulary
    }

    /// The number of a token, if it has one.
    pub fn number(&self, token: &str) -> Option<usize> {
        self.numbers.get(token).copied()
    }

    /// The token with a number.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn token(&self, number: usize) -> &str {
        match self.tokens.get(number) {
            Some(token) => token,
            None => panic!("Vocabulary: there is no token {number} among {}", self.tokens.len()),
        }
    }

    /// How often the token with a number occurred.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn count(&self, number: usize) -> u64 {
        match self.counts.get(number) {
            Some(&count) => count,
            None => panic!("Vocabulary: there is no token {number} among {}", self.tokens.len()),
        }
    }

    /// All tokens, in the order of their numbers.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// How often each token occurred, in the order of their numbers.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Writes one line for each token, followed by a tab and its count; line ends, tabs, byte order marks (U+FEFF)
    /// and backslashes in a token are written `\n`, `\r`, `\t`, `\uFEFF` and `\\`. An existing file is replaced only
    /// once the new one is complete.
    ///
    /// # Errors
    /// If the file cannot be written.
    ///
    /// ```
    /// use taut::text::{TokenCounts, Vocabulary, VocabularyOptions};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("taut-doc-vocabulary-{}.txt", std::process::id()));
    /// let counts: TokenCounts = "to be or not to be".split(' ').collect();
    /// let vocabulary = Vocabulary::new(&counts, VocabularyOptions::default());
    /// vocabulary.save(&path)?;
    /// assert_eq!(Vocabulary::load(&path)?, vocabulary);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        let mut text = String::new();
        for (token, count) in self.tokens.iter().zip(&self.counts) {
            text += &format!("{}\t{count}\n", escape(token));
        }
        write_atomically(path.as_ref(), |file| file.write_all(text.as_bytes()))
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// If the file cannot be read, or a line of it is not a token, a tab and a count, or a token occurs twice.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let mut entries = Vec::new();
        let options = LineOptions { longest: usize::MAX, limit: Limit::default(), ..Default::default() };
        for line in lines(path, options)? {
            let line = line?;
            let entry = line.rsplit_once('\t').and_then(|(token, count)| Some((unescape(token)?, count.parse().ok()?)));
            let Some(entry) = entry else {
                let position = Position::Line(entries.len() as u64 + 1);
                return Err(FileError::at(path, position, "is not a token, a tab and a count"));
            };
            entries.push(entry);
        }
        let mut numbers = HashMap::new();
        for (number, (token, _)) in entries.iter().enumerate() {
            if let Some(first) = numbers.insert(token, number) {
                let reason = format!("has the token `{token}`, as line {} has", first + 1);
                return Err(FileError::at(path, Position::Line(number as u64 + 1), reason));
            }
        }
        Ok(Self::of(entries.into_iter()))
    }
}

fn escape(token: &str) -> String {
    token
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t")
        .replace('\u{feff}', "\\uFEFF")
}

fn unescape(text: &str) -> Option<String> {
    let mut token = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        token.push(match character {
            '\\' => match rest.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '\\' => '\\',
                // at the start of a file it would be mistaken for a byte order mark
                'u' if rest.by_ref().take(4).eq("FEFF".chars()) => '\u{feff}',
                _ => return None,
            },
            other => other,
        });
    }
    Some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> TokenCounts {
        text.split(' ').collect()
    }

    #[test]
    fn frequent_tokens_first_then_by_the_alphabet() {
        let counts = counts("b a c b a d d e b");
        let all = Vocabulary::new(&counts, VocabularyOptions::default());
        assert_eq!((all.tokens().join(" ").as_str(), all.counts()), ("b a d c e", &[3, 2, 2, 1, 1][..]));
        let options = VocabularyOptions { minimum_count: 2, most: 2, special: &["<pad>", "d"], ..Default::default() };
        let few = Vocabulary::new(&counts, options);
        assert_eq!((few.tokens().join(" ").as_str(), few.counts()), ("<pad> d b a", &[0, 2, 3, 2][..]));
        assert_eq!((few.number("d"), few.number("c"), few.token(2)), (Some(1), None, "b"));
    }

    #[test]
    fn any_token_is_saved() {
        let path = std::env::temp_dir().join(format!("taut-vocabulary-{}.txt", std::process::id()));
        let strange = ["\u{feff}", "\u{feff}a", "", "\t", "a\nb", "\\n", "\\", "\r", "ü 1", "\u{1f600}"];
        let counts: TokenCounts = strange.into_iter().collect();
        let vocabulary = Vocabulary::new(&counts, VocabularyOptions::default());
        vocabulary.save(&path).unwrap();
        assert_eq!(Vocabulary::load(&path).unwrap(), vocabulary);
        // whichever comes first
        for token in strange {
            let mut counts = TokenCounts::default();
            counts.add(token);
            let vocabulary = Vocabulary::new(&counts, VocabularyOptions::default());
            vocabulary.save(&path).unwrap();
            assert_eq!(Vocabulary::load(&path).unwrap(), vocabulary, "{token:?}");
        }
        for (text, message) in [
            ("a\t1\nb\n", "line 2: is not"),
            ("a\tx\n", "line 1: is not"),
            ("\\x\t1\n", "line 1"),
            ("a\t1\nb\t1\na\t2\n", "line 3: has the token `a`, as line 1 has"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Vocabulary::load(&path).unwrap_err().to_string();
            assert!(error.contains(message) && error.contains("vocabulary"), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(Vocabulary::load(&path).unwrap_err().to_string().contains("cannot be opened"));
    }
}
