//! Opening files, plain or gzip.

use super::error::{FileError, Reason};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A limit on the number of bytes read from a file, after decompression.
///
/// ```
/// use taut::files::Limit;
/// assert_eq!(Limit::default().of_gzip(1_000), 16 << 20);
/// assert_eq!(Limit::default().of_gzip(1 << 20), 64 << 20);
/// assert_eq!(Limit::Bytes(5_000).of_gzip(1_000), 5_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[non_exhaustive]
pub enum Limit {
    /// For a gzip file, 64 times its size, but at least 16 MiB; none for a plain file. So memory is in proportion to
    /// the size on disk.
    #[default]
    InProportion,
    /// This many, compressed or not.
    Bytes(u64),
}

impl Limit {
    const RATIO: u64 = 64;
    const LEAST: u64 = 16 << 20;

    /// The number of bytes to which a gzip file of this size may unpack.
    pub fn of_gzip(self, packed: u64) -> u64 {
        match self {
            Limit::InProportion => packed.saturating_mul(Self::RATIO).max(Self::LEAST),
            Limit::Bytes(bytes) => bytes,
        }
    }

    fn of_plain(self) -> u64 {
        match self {
            Limit::InProportion => u64::MAX,
            Limit::Bytes(bytes) => bytes,
        }
    }
}

/// Opens a regular file and returns its length.
pub fn regular(path: &Path) -> Result<(File, u64), FileError> {
    let refused = |error| FileError::system(path, "cannot be opened", error);
    // checked first, because opening a FIFO waits until another program writes to it
    if !std::fs::metadata(path).map_err(refused)?.is_file() {
        return Err(FileError::new(path, "is not a regular file"));
    }
    let file = File::open(path).map_err(refused)?;
    let length = file.metadata().map_err(refused)?.len();
    Ok((file, length))
}

/// A file's contents, unpacked if its name ends with `.gz`. A read beyond the limit is an error, like damage;
/// [`FileError::read`] puts both into words.
pub fn unpacked(path: &Path, limit: Limit) -> Result<Box<dyn Read + Send>, FileError> {
    let (file, length) = regular(path)?;
    let mut file = BufReader::with_capacity(1 << 16, file);
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(Box::new(Limited { inner: file, left: limit.of_plain(), most: limit.of_plain() }));
    }
    let start = file.fill_buf().map_err(|error| FileError::read(path, error))?;
    if !start.starts_with(&[0x1f, 0x8b]) {
        return Err(FileError::new(path, "is named .gz, and is not a gzip file"));
    }
    let most = limit.of_gzip(length);
    Ok(Box::new(Limited { inner: MultiGzDecoder::new(file), left: most, most }))
}

/// The contents of a file, unpacked if its name ends with `.gz`.
pub fn contents(path: &Path, limit: Limit) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    unpacked(path, limit)?.read_to_end(&mut bytes).map_err(|error| FileError::read(path, error))?;
    Ok(bytes)
}

/// The file `name` in a folder, or `name.gz`, if there is one.
pub fn plain_or_gzip(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(name), folder.join(format!("{name}.gz"))].into_iter().find(|path| path.is_file())
}

/// Passes on what it reads, and fails at the first byte beyond the limit.
struct Limited<R> {
    inner: R,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left > 0 {
            let room = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let count = self.inner.read(&mut buffer[..room])?;
            self.left -= count as u64;
            return Ok(count);
        }
        match if buffer.is_empty() { 0 } else { self.inner.read(&mut [0])? } {
            0 => Ok(0),
            _ => Err(io::Error::new(io::ErrorKind::FileTooLarge, TooLarge { most: self.most })),
        }
    }
}

/// A file has more bytes than allowed.
#[derive(Debug)]
struct TooLarge {
    most: u64,
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "holds more than {} bytes, which are the most by the limit it is read with", self.most)
    }
}

impl std::error::Error for TooLarge {}

impl FileError {
    /// An error while reading from [`unpacked`].
    pub(crate) fn read(path: &Path, error: io::Error) -> FileError {
        if let Some(too_large) = error.get_ref().and_then(|error| error.downcast_ref::<TooLarge>()) {
            return FileError::new(path, too_large.to_string());
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => FileError::new(path, "is cut off: the gzip data ends too early"),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                FileError::of(Some(path), Reason::System("is damaged: the gzip data is wrong", error))
            }
            _ => FileError::system(path, "cannot be read", error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, gzip};
    use super::*;

    #[test]
    fn limits_hold_to_the_byte_for_plain_and_packed_files() {
        let folder = Folder::new();
        let bytes = [7; 1000];
        for path in [folder.file("a", &bytes), folder.file("a.gz", &gzip(&bytes))] {
            assert_eq!(contents(&path, Limit::default()).unwrap(), bytes);
            assert_eq!(contents(&path, Limit::Bytes(1000)).unwrap(), bytes);
            for less in [0, 1, 999] {
                let error = contents(&path, Limit::Bytes(less)).unwrap_err().to_string();
                assert!(error.contains(&format!("holds more than {less} bytes")), "{error}");
            }
        }
    }

    #[test]
    fn a_small_gzip_file_does_not_become_a_large_one() {
        let folder = Folder::new();
        let packed = gzip(&vec![0; (16 << 20) + 1]);
        assert!(packed.len() < 20_000);
        let error = contents(&folder.file("zeros.gz", &packed), Limit::default()).unwrap_err();
        assert!(error.reason().contains("holds more than 16777216 bytes"), "{error}");
        assert_eq!(
            contents(&folder.file("fits.gz", &gzip(&vec![0; 16 << 20])), Limit::default()).unwrap().len(),
            16 << 20
        );
    }

    #[test]
    fn a_file_in_several_gzip_members_counts_as_one() {
        let folder = Folder::new();
        let path = folder.file("two.gz", &[gzip(b"one "), gzip(b"two")].concat());
        assert_eq!(contents(&path, Limit::Bytes(7)).unwrap(), b"one two");
        assert!(contents(&path, Limit::Bytes(6)).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let folder = Folder::new();
        let fifo = folder.fifo("fifo");
        for path in [fifo.as_path(), folder.path(), Path::new("/dev/zero")] {
            let error = contents(path, Limit::default()).unwrap_err();
            assert_eq!((error.path(), error.reason().as_str()), (Some(path), "is not a regular file"));
        }
    }
}
