//! Zip archives, which PyTorch's and NumPy's files are, read within limits.

use super::source::{Source, reading};
use crate::files::Reason;
use std::io::Read;
use zip::ZipArchive;
use zip::result::ZipError;

/// An open archive.
pub struct Archive {
    zip: ZipArchive<Source>,
    /// Those of all entries.
    names: Vec<String>,
    /// The most bytes that an entry may unpack to.
    most: u64,
}

impl Archive {
    /// Reads the list of entries of an archive, each of which may unpack to at most `most` bytes.
    pub fn read(source: Source, most: u64) -> Result<Self, Reason> {
        let zip = ZipArchive::new(source).map_err(damaged)?;
        let names: Result<_, _> = zip.file_names().map(|name| name.map(|name| name.into_owned())).collect();
        Ok(Archive { names: names.map_err(damaged)?, zip, most })
    }

    /// The names of all entries.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The bytes of an entry. Memory grows with what is actually read, whatever the list says, and their checksum is
    /// checked.
    pub fn contents(&mut self, name: &str) -> Result<Vec<u8>, Reason> {
        let most = self.most;
        let entry = self.zip.by_name(name).map_err(|error| of_entry(name, error))?;
        let promised = entry.size();
        if promised > most {
            let text = format!("`{name}` holds {promised} bytes, and {most} are the most by the limit it is read with");
            return Err(Reason::Text(text));
        }
        let mut bytes = Vec::new();
        // one byte more than promised, so that the end, where the checksum is compared, is reached
        let read = entry.take(promised + 1).read_to_end(&mut bytes);
        read.map_err(|error| Reason::Text(format!("`{name}` cannot be read from the archive: {error}")))?;
        if bytes.len() as u64 != promised {
            return Err(Reason::Text(format!("`{name}` has another length than the archive's list says")));
        }
        Ok(bytes)
    }
}

fn of_entry(name: &str, error: ZipError) -> Reason {
    match error {
        ZipError::FileNotFound => Reason::Text(format!("the archive has no entry `{name}`")),
        error => Reason::Text(format!("`{name}` cannot be read from the archive: {error}")),
    }
}

fn damaged(error: ZipError) -> Reason {
    match error {
        ZipError::Io(error) => reading(error),
        error => Reason::Text(format!("this is not a whole zip archive: {error}")),
    }
}
