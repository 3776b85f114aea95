//! File errors.

use crate::shape::show_sizes;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file that could not be read or written: which, where in it, why, and what to do.
///
/// Its `Display` says all of that, so it has no [`source`](std::error::Error::source) that would say it again; the
/// system's error, if there was one, is [`io_error`](Self::io_error).
///
/// ```
/// use taut::data::Csv;
/// let error = Csv::read("no/such/table.csv").unwrap_err();
/// assert!(error.to_string().starts_with("no/such/table.csv: cannot be opened: "));
/// assert_eq!(error.io_error().unwrap().kind(), std::io::ErrorKind::NotFound);
/// ```
#[derive(Debug)]
pub struct FileError {
    path: Option<PathBuf>,
    position: Option<Position>,
    reason: Reason,
}

/// Where in a file something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// A line, counted from 1.
    Line(u64),
    /// A cell of a table: its line, counted from 1, and its column, counted from 0.
    Cell {
        /// From 1.
        line: u64,
        /// From 0.
        column: usize,
    },
    /// A byte, counted from 0.
    Byte(u64),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::Line(line) => write!(f, "line {line}"),
            Position::Cell { line, column } => write!(f, "line {line}, column {column}"),
            Position::Byte(byte) => write!(f, "byte {byte}"),
        }
    }
}

/// What is wrong, as a part of a sentence about the file.
#[derive(Debug)]
pub(crate) enum Reason {
    /// A system error: what was tried, and the error.
    System(&'static str, io::Error),
    Text(String),
    /// The file belongs to another model.
    Misfit(Vec<Mismatch>),
}

/// A difference between a model and a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// The model has this parameter, and the file does not.
    Missing {
        /// The parameter's name.
        name: String,
        /// Its sizes in the model.
        model: Vec<usize>,
    },
    /// The file has this tensor, and the model has no parameter of the name.
    Unexpected {
        /// The tensor's name.
        name: String,
        /// Its sizes in the file.
        file: Vec<usize>,
    },
    /// The sizes differ.
    Shape {
        /// The parameter's name.
        name: String,
        /// Its sizes in the model.
        model: Vec<usize>,
        /// Its sizes in the file.
        file: Vec<usize>,
    },
    /// The numbers in the file cannot be converted without loss.
    ElementType {
        /// The parameter's name.
        name: String,
        /// The type in the model.
        model: &'static str,
        /// The type in the file.
        file: String,
    },
}

impl Mismatch {
    /// The name of the parameter or the tensor.
    pub fn name(&self) -> &str {
        match self {
            Mismatch::Missing { name, .. }
            | Mismatch::Unexpected { name, .. }
            | Mismatch::Shape { name, .. }
            | Mismatch::ElementType { name, .. } => name,
        }
    }

    /// The same for a part of a larger model.
    pub(crate) fn under(mut self, part: &str) -> Self {
        match &mut self {
            Mismatch::Missing { name, .. }
            | Mismatch::Unexpected { name, .. }
            | Mismatch::Shape { name, .. }
            | Mismatch::ElementType { name, .. } => *name = format!("{part}.{name}"),
        }
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Missing { name, model } => {
                write!(f, "`{name}` of shape {} is in the model and not in the file", show_sizes(model))
            }
            Mismatch::Unexpected { name, file } => {
                write!(f, "`{name}` of shape {} is in the file and not in the model", show_sizes(file))
            }
            Mismatch::Shape { name, model, file } => {
                write!(f, "`{name}` has shape {} in the model and {} in the file", show_sizes(model), show_sizes(file))
            }
            Mismatch::ElementType { name, model, file } => {
                write!(f, "`{name}` holds {model} in the model and {file} in the file")
            }
        }
    }
}

impl FileError {
    /// The file at `path` cannot be used for this reason: part of a sentence, without a full stop.
    pub fn new(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        FileError::of(Some(path.as_ref()), Reason::Text(reason.into()))
    }

    /// Like [`new`](Self::new), for an error at one place of the file.
    pub fn at(path: impl AsRef<Path>, position: Position, reason: impl Into<String>) -> Self {
        FileError { position: Some(position), ..FileError::new(path, reason) }
    }

    /// A system error while trying something: `cannot be opened`, say.
    pub(crate) fn system(path: &Path, tried: &'static str, error: io::Error) -> Self {
        FileError::of(Some(path), Reason::System(tried, error))
    }

    /// An error of a file, or of bytes in memory.
    pub(crate) fn of(path: Option<&Path>, reason: Reason) -> Self {
        FileError { path: path.map(Path::to_path_buf), position: None, reason }
    }

    /// The file or the folder, if it was one and not bytes in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The position in the file, if known.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// What is wrong, without path and place.
    pub fn reason(&self) -> String {
        match &self.reason {
            Reason::System(tried, error) => format!("{tried}: {error}{}", advice(error, self.path())),
            Reason::Text(text) => text.clone(),
            Reason::Misfit(mismatches) => {
                let mut text = "the file does not fit the model, which stays as it was:".to_string();
                mismatches.iter().take(LISTED).for_each(|mismatch| text += &format!("\n  {mismatch}"));
                match mismatches.len().saturating_sub(LISTED) {
                    0 => text,
                    more => text + &format!("\n  and {more} more"),
                }
            }
        }
    }

    /// The system's error, if it refused something.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.reason {
            Reason::System(_, error) => Some(error),
            _ => None,
        }
    }

    /// The differences between the file and the model, if those are what is wrong.
    pub fn mismatches(&self) -> &[Mismatch] {
        match &self.reason {
            Reason::Misfit(mismatches) => mismatches,
            _ => &[],
        }
    }
}

/// More differences than this are counted, not listed.
const LISTED: usize = 8;

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        f.write_str(&self.reason())
    }
}

impl std::error::Error for FileError {}

/// What to do about a system error, where known.
fn advice(error: &io::Error, path: Option<&Path>) -> String {
    let folder = path.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
    match error.kind() {
        io::ErrorKind::NotFound => match folder {
            Some(folder) => format!(" (the folder `{}` does not exist: create it first)", folder.display()),
            None => String::new(),
        },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (free some space, or save to another disk; a file that was there before is unchanged)".to_string()
        }
        io::ErrorKind::PermissionDenied => {
            " (choose a folder that you may write to, or change its permissions)".to_string()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    #[test]
    fn an_error_says_everything_once() {
        let error = FileError::system(Path::new("a"), "cannot be read", io::Error::other("the disk is on fire"));
        assert_eq!(error.to_string(), "a: cannot be read: the disk is on fire");
        assert!(error.source().is_none() && error.io_error().is_some());
        let error = FileError::at("b", Position::Cell { line: 3, column: 0 }, "is not a number");
        assert_eq!(error.to_string(), "b: line 3, column 0: is not a number");
        assert_eq!(
            (error.position(), error.reason()),
            (Some(Position::Cell { line: 3, column: 0 }), "is not a number".into())
        );
    }
}
