//! Reading a text file line by line.

use crate::files::{FileError, Limit, Position, unpacked};
use crate::numbers::range::at_least_one;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// What to do with bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum InvalidUtf8 {
    /// End with an error that names the line.
    #[default]
    Refuse,
    /// Put U+FFFD in their place.
    Replace,
}

/// How a text file is read.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
pub struct LineOptions {
    /// What to do with bytes that are not UTF-8: refuse them by default.
    pub invalid: InvalidUtf8,
    /// The longest line allowed, in bytes: a file without line ends would otherwise be read into memory as a whole. 64
    /// MiB by default.
    pub longest: usize,
    /// Lines longer than this are returned in pieces of about this size, split at white space so that words stay whole:
    /// for text in which line ends have no meaning. Never by default.
    pub cut: usize,
    /// A limit on the bytes read, after decompression. None by default, as only one line at a time is in memory.
    pub limit: Limit,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for LineOptions {
    fn default() -> Self {
        LineOptions {
            invalid: InvalidUtf8::Refuse,
            longest: 1 << 26,
            cut: usize::MAX,
            limit: Limit::Bytes(u64::MAX),
            more: (),
        }
    }
}

/// The mark that some programs write at the start of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The lines of a text file, unpacked if its name ends with `.gz`, without their ends and without a byte order mark.
/// Only one line at a time is in memory.
///
/// # Errors
/// If the file cannot be opened, or a size in the options is 0. Each line can be an error, too, and is then the last:
/// if reading fails, the line is not UTF-8, or it is too long.
///
/// ```
/// use taut::files::Position;
/// use taut::text::{LineOptions, lines};
/// # fn main() -> Result<(), taut::files::FileError> {
/// # let path = std::env::temp_dir().join(format!("taut-doc-lines-{}.txt", std::process::id()));
/// std::fs::write(&path, b"one\r\ntwo\nthr\xFFee\n").unwrap();
/// let mut all = lines(&path, LineOptions::default())?;
/// assert_eq!(all.next().unwrap()?, "one");
/// assert_eq!(all.next().unwrap()?, "two");
/// let error = all.next().unwrap().unwrap_err();
/// assert_eq!((error.position(), error.reason().as_str()), (Some(Position::Line(3)), "is not UTF-8 at byte 4 of it"));
/// assert!(all.next().is_none());
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn lines(path: impl AsRef<Path>, options: LineOptions) -> Result<Lines, FileError> {
    let path = path.as_ref().to_path_buf();
    for (name, most) in [("longest", options.longest), ("cut", options.cut)] {
        if let Err(wrong) = at_least_one("LineOptions", name, most) {
            return Err(FileError::new(&path, wrong.to_string()));
        }
    }
    let file = BufReader::with_capacity(1 << 16, unpacked(&path, options.limit)?);
    Ok(Lines { path, file, options, number: 0, within: false, ended: false })
}

/// The lines of a text file. See [`lines`].
pub struct Lines {
    path: PathBuf,
    file: BufReader<Box<dyn Read + Send>>,
    options: LineOptions,
    number: u64,
    /// Whether a piece of the line has been returned, and more of it follows.
    within: bool,
    ended: bool,
}

impl Lines {
    /// Up to the end of the line, or to white space beyond `cut`.
    fn read_bytes(&mut self) -> Result<Vec<u8>, FileError> {
        let mut bytes = Vec::new();
        loop {
            let room = self.options.cut.min(self.options.longest).saturating_sub(bytes.len()) as u64;
            let read = if room > 0 {
                (&mut self.file).take(room).read_until(b'\n', &mut bytes)
            } else {
                read_through_white_space(&mut self.file, self.options.longest, &mut bytes)
            };
            let read = read.map_err(|error| FileError::read(&self.path, error))?;
            let ended = read == 0 || bytes.ends_with(b"\n");
            if ended || bytes.len() > self.options.cut && bytes.last().is_some_and(u8::is_ascii_whitespace) {
                return Ok(bytes);
            }
            if bytes.len() >= self.options.longest {
                let reason = format!("is longer than {} bytes, which are the most", self.options.longest);
                return Err(FileError::at(&self.path, Position::Line(self.number + 1), reason));
            }
        }
    }

    fn read(&mut self) -> Result<Option<String>, FileError> {
        let mut bytes = self.read_bytes()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let is_continued = std::mem::replace(&mut self.within, !bytes.ends_with(b"\n"));
        self.number += u64::from(!is_continued);
        if self.number == 1 && !is_continued && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
        }
        match (String::from_utf8(bytes), self.options.invalid) {
            (Ok(line), _) => Ok(Some(line)),
            (Err(error), InvalidUtf8::Replace) => Ok(Some(String::from_utf8_lossy(error.as_bytes()).into_owned())),
            (Err(error), InvalidUtf8::Refuse) => {
                let place = error.utf8_error().valid_up_to() + 1;
                let reason = format!("is not UTF-8 at byte {place} of it");
                Err(FileError::at(&self.path, Position::Line(self.number), reason))
            }
        }
    }
}

/// Reads up to and including white space, or to the end, or until there are `longest` bytes.
fn read_through_white_space(file: &mut impl BufRead, longest: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let before = bytes.len();
    loop {
        let buffer = file.fill_buf()?;
        let room = buffer.len().min(longest - bytes.len());
        let space = buffer[..room].iter().position(u8::is_ascii_whitespace);
        let count = space.map_or(room, |place| place + 1);
        bytes.extend_from_slice(&buffer[..count]);
        file.consume(count);
        if space.is_some() || count == 0 {
            return Ok(bytes.len() - before);
        }
    }
}

impl Iterator for Lines {
    type Item = Result<String, FileError>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.read().transpose();
        self.ended = !matches!(line, Some(Ok(_)));
        line
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lines {{ {}, after line {} }}", self.path.display(), self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn plain_and_gzip_with_and_without_the_last_line_end() {
        let folder = std::env::temp_dir();
        let name = format!("taut-lines-{}", std::process::id());
        for text in ["", "a", "a\n", "\n", "a\r\n\r\nb", "ä\r\n", "a\rb\n"] {
            let expected: Vec<String> = text.lines().map(str::to_string).collect();
            let plain = folder.join(format!("{name}.txt"));
            std::fs::write(&plain, text).unwrap();
            let packed = folder.join(format!("{name}.txt.gz"));
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            encoder.write_all(text.as_bytes()).unwrap();
            std::fs::write(&packed, encoder.finish().unwrap()).unwrap();
            for path in [plain, packed] {
                let found: Vec<String> = lines(&path, LineOptions::default()).unwrap().map(Result::unwrap).collect();
                assert_eq!(found, expected, "{text:?}");
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        let path = std::env::temp_dir().join(format!("taut-lines-mark-{}.txt", std::process::id()));
        std::fs::write(&path, "\u{feff}a\n\u{feff}b\n").unwrap();
        let found: Vec<String> = lines(&path, LineOptions::default()).unwrap().map(Result::unwrap).collect();
        assert_eq!(found, ["a", "\u{feff}b"]);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_where_that_is_wanted() {
        let path = std::env::temp_dir().join(format!("taut-lines-invalid-{}.txt", std::process::id()));
        std::fs::write(&path, b"a\xFFb\nc\n").unwrap();
        let found: Vec<String> = lines(&path, LineOptions { invalid: InvalidUtf8::Replace, ..Default::default() })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(found, ["a\u{FFFD}b", "c"]);
        std::fs::remove_file(path).unwrap();
    }

    /// Splitting preserves the words, in pieces of the requested size.
    #[test]
    fn a_line_that_is_cut_keeps_its_words() {
        let path = std::env::temp_dir().join(format!("taut-lines-long-{}.txt", std::process::id()));
        let words: Vec<String> = (0..20_000).map(|i| "é".repeat(i % 7) + &i.to_string()).collect();
        for separator in [" ", "\t", " \n", "  "] {
            std::fs::write(&path, words.join(separator)).unwrap();
            for cut in [1, 2, 10, 1_000, 65_536, 100_000, usize::MAX] {
                let options = LineOptions { cut, ..Default::default() };
                let pieces: Vec<String> = lines(&path, options).unwrap().map(Result::unwrap).collect();
                assert!(pieces.iter().all(|piece| piece.len() <= cut.saturating_add(25)), "{cut}");
                assert!(pieces.iter().flat_map(|piece| piece.split_whitespace()).eq(&words), "{cut}, {separator:?}");
            }
        }
        std::fs::write(&path, "a ".repeat(60) + "b\n" + &"c".repeat(101)).unwrap();
        let all = |longest, cut| lines(&path, LineOptions { longest, cut, ..Default::default() }).unwrap();
        let error = all(100, usize::MAX).next().unwrap().unwrap_err();
        assert_eq!(error.position(), Some(Position::Line(1)));
        let error = all(100, 20).last().unwrap().unwrap_err();
        assert_eq!(
            (error.position(), error.reason().as_str()),
            (Some(Position::Line(2)), "is longer than 100 bytes, which are the most")
        );
        assert_eq!(all(122, usize::MAX).count(), 2);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_cut_gzip_file_is_an_error_and_the_end() {
        let path = std::env::temp_dir().join(format!("taut-lines-cut-{}.txt.gz", std::process::id()));
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        (0..2000).for_each(|i| writeln!(encoder, "line {i} {}", i * i).unwrap());
        let whole = encoder.finish().unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let all: Vec<_> = lines(&path, LineOptions::default()).unwrap().collect();
        assert!(all.len() > 100 && all[..all.len() - 1].iter().all(Result::is_ok));
        assert!(all.last().unwrap().as_ref().unwrap_err().to_string().contains("cut off"));
        std::fs::remove_file(path).unwrap();
    }
}
