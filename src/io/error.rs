//! What can be wrong with a file.

use crate::optim::SnapshotMismatch;
use crate::shape::show_sizes;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file could not be saved or loaded. The message says which, why, and what to do.
#[derive(Debug)]
pub struct FileError {
    path: Option<PathBuf>,
    problem: Problem,
}

/// What is wrong, without the file's name.
#[derive(Debug)]
pub(super) enum Problem {
    /// The system refused: what was tried, and its error.
    System(&'static str, io::Error),
    /// Not a whole safetensors file, or no file at all.
    Damaged(String),
    /// Of another model.
    Misfit(Vec<Mismatch>),
    /// What was asked of a checkpoint is not in it, or is something else.
    Entry(String),
    /// The model cannot be saved.
    Unsavable(String),
}

/// A difference between a model and a file.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub(super) fn new(path: Option<&Path>, problem: Problem) -> Self {
        FileError { path: path.map(Path::to_path_buf), problem }
    }

    /// The file, if it was one and not bytes in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The differences between the file and the model, if those are what is wrong.
    pub fn mismatches(&self) -> &[Mismatch] {
        match &self.problem {
            Problem::Misfit(mismatches) => mismatches,
            _ => &[],
        }
    }
}

/// More differences than this are counted, not listed.
const LISTED: usize = 8;

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match &self.path {
            Some(path) => format!("`{}`", path.display()),
            None => "this buffer".to_string(),
        };
        match &self.problem {
            Problem::System(doing, error) => write!(f, "{doing} {path}: {error}{}", advice(error, self.path())),
            Problem::Damaged(what) => write!(f, "{path} is no whole safetensors file: {what}"),
            Problem::Entry(what) if self.path.is_none() => f.write_str(what),
            Problem::Entry(what) => write!(f, "{path}: {what}"),
            Problem::Unsavable(what) => write!(f, "{path} was not written: {what}"),
            Problem::Misfit(mismatches) => {
                write!(f, "{path} does not fit the model, which stays as it was:")?;
                for mismatch in mismatches.iter().take(LISTED) {
                    write!(f, "\n  {mismatch}")?;
                }
                match mismatches.len().saturating_sub(LISTED) {
                    0 => Ok(()),
                    more => write!(f, "\n  and {more} more"),
                }
            }
        }
    }
}

/// What to do about an error of the system, where that is known.
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

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::System(_, error) => Some(error),
            _ => None,
        }
    }
}

/// So that a program which loads a checkpoint can pass on with `?` what its optimizer says of it.
impl From<SnapshotMismatch> for FileError {
    fn from(mismatch: SnapshotMismatch) -> Self {
        FileError::new(None, Problem::Entry(mismatch.to_string()))
    }
}
