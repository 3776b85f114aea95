//! Where the bytes of a file of parameters come from: the disk, or memory.

use crate::files::{FileError, Reason, regular};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

/// A file, on disk or in memory.
pub enum Source {
    Disk(BufReader<File>),
    Memory(Cursor<Cow<'static, [u8]>>),
}

impl Source {
    /// A regular file, and its length.
    pub fn open(path: &Path) -> Result<(Self, u64), FileError> {
        let (file, length) = regular(path)?;
        Ok((Source::Disk(BufReader::with_capacity(1 << 18, file)), length))
    }

    /// Bytes, and their number.
    pub fn of(bytes: Cow<'static, [u8]>) -> (Self, u64) {
        let length = bytes.len() as u64;
        (Source::Memory(Cursor::new(bytes)), length)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Disk(file) => file.read(buffer),
            Source::Memory(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        match self {
            Source::Disk(file) => file.seek(position),
            Source::Memory(bytes) => bytes.seek(position),
        }
    }
}

/// A system's refusal to read.
pub fn reading(error: io::Error) -> Reason {
    Reason::System("cannot be read", error)
}
