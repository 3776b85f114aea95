//! Reading a text file line by line.

use crate::data::DataError;
use crate::data::{broken, open};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// What to do with bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvalidUtf8 {
    /// End with an error that names the line.
    #[default]
    Refuse,
    /// Put U+FFFD in their place.
    Replace,
}

/// No line may be longer: a file without line ends would be read into memory as a whole.
const LONGEST: u64 = 1 << 26;

/// What some programs write in front of a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The lines of a text file, unpacked if its name ends with `.gz`, without their ends and without a byte order mark. Only
/// one line at a time is in memory.
///
/// # Errors
/// If the file cannot be opened. Each line can be an error, too: if the file cannot be read on, or is not UTF-8, or the
/// line is longer than 64 MiB; none follows then.
///
/// ```
/// use taut::text::{InvalidUtf8, lines};
/// # fn main() -> Result<(), taut::data::DataError> {
/// # let path = std::env::temp_dir().join(format!("taut-doc-lines-{}.txt", std::process::id()));
/// std::fs::write(&path, b"one\r\ntwo\nthr\xFFee\n").unwrap();
/// let mut all = lines(&path, InvalidUtf8::Refuse)?;
/// assert_eq!(all.next().unwrap()?, "one");
/// assert_eq!(all.next().unwrap()?, "two");
/// let error = all.next().unwrap().unwrap_err();
/// assert_eq!(error.reason(), "line 3 is not UTF-8 at byte 4 of it");
/// assert!(all.next().is_none());
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn lines(path: impl AsRef<Path>, invalid: InvalidUtf8) -> Result<Lines, DataError> {
    let path = path.as_ref().to_path_buf();
    let file = BufReader::with_capacity(1 << 16, open(&path)?);
    Ok(Lines { path, file, invalid, number: 0, ended: false })
}

/// The lines of a text file. See [`lines`].
pub struct Lines {
    path: PathBuf,
    file: BufReader<Box<dyn Read + Send>>,
    invalid: InvalidUtf8,
    number: usize,
    ended: bool,
}

impl Lines {
    fn read(&mut self) -> Result<Option<String>, DataError> {
        let mut bytes = Vec::new();
        let longest = (&mut self.file).take(LONGEST).read_until(b'\n', &mut bytes);
        if longest.map_err(|error| broken(&self.path, error))? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if bytes.len() as u64 == LONGEST {
            let reason = format!("line {} is longer than {} MiB", self.number, LONGEST >> 20);
            return Err(DataError::new(&self.path, reason));
        }
        if self.number == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
        }
        match (String::from_utf8(bytes), self.invalid) {
            (Ok(line), _) => Ok(Some(line)),
            (Err(error), InvalidUtf8::Replace) => Ok(Some(String::from_utf8_lossy(error.as_bytes()).into_owned())),
            (Err(error), InvalidUtf8::Refuse) => {
                let place = error.utf8_error().valid_up_to() + 1;
                Err(DataError::new(&self.path, format!("line {} is not UTF-8 at byte {place} of it", self.number)))
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Result<String, DataError>;
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
                let found: Vec<String> = lines(&path, InvalidUtf8::Refuse).unwrap().map(Result::unwrap).collect();
                assert_eq!(found, expected, "{text:?}");
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        let path = std::env::temp_dir().join(format!("taut-lines-mark-{}.txt", std::process::id()));
        std::fs::write(&path, "\u{feff}a\n\u{feff}b\n").unwrap();
        let found: Vec<String> = lines(&path, InvalidUtf8::Refuse).unwrap().map(Result::unwrap).collect();
        assert_eq!(found, ["a", "\u{feff}b"]);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_where_that_is_wanted() {
        let path = std::env::temp_dir().join(format!("taut-lines-invalid-{}.txt", std::process::id()));
        std::fs::write(&path, b"a\xFFb\nc\n").unwrap();
        let found: Vec<String> = lines(&path, InvalidUtf8::Replace).unwrap().map(Result::unwrap).collect();
        assert_eq!(found, ["a\u{FFFD}b", "c"]);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_cut_gzip_file_is_an_error_and_the_end() {
        let path = std::env::temp_dir().join(format!("taut-lines-cut-{}.txt.gz", std::process::id()));
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        (0..2000).for_each(|i| writeln!(encoder, "line {i} {}", i * i).unwrap());
        let whole = encoder.finish().unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let all: Vec<_> = lines(&path, InvalidUtf8::Refuse).unwrap().collect();
        assert!(all.len() > 100 && all[..all.len() - 1].iter().all(Result::is_ok));
        assert!(all.last().unwrap().as_ref().unwrap_err().to_string().contains("cut off"));
        std::fs::remove_file(path).unwrap();
    }
}
