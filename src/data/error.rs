//! What can be wrong with a data file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A data file that cannot be used: which, and why.
#[derive(Debug)]
pub struct DataError {
    path: PathBuf,
    reason: String,
    source: Option<io::Error>,
}

impl DataError {
    /// The file at `path` cannot be used for this reason: part of a sentence, without a full stop.
    pub fn new(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        DataError { path: path.as_ref().to_path_buf(), reason: reason.into(), source: None }
    }

    /// The system refused `action`.
    pub(crate) fn io(path: &Path, action: &str, error: io::Error) -> Self {
        let reason = format!("{action}: {error}");
        DataError { path: path.to_path_buf(), reason, source: Some(error) }
    }

    /// What is wrong, without the path.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The file, or the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
