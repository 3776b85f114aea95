//! Opening data files, plain or gzip, and finding their folder.

use super::DataError;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// No data file may unpack to more bytes: a few bytes of gzip can claim to be any number of them.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// The contents of a file, unpacked if its name ends with `.gz`.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read + Send>, DataError> {
    let file = File::open(path).map_err(|error| DataError::io(path, "cannot be opened", error))?;
    let mut file = BufReader::with_capacity(1 << 16, file);
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(Box::new(file));
    }
    let start = file.fill_buf().map_err(|error| broken(path, error))?;
    if !start.starts_with(&[0x1f, 0x8b]) {
        return Err(DataError::new(path, "is named .gz, and is not a gzip file"));
    }
    Ok(Box::new(MultiGzDecoder::new(file)))
}

/// An error while reading from [`open`].
pub(crate) fn broken(path: &Path, error: io::Error) -> DataError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => DataError::new(path, "is cut off: the gzip data ends too early"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            DataError::io(path, "is damaged: the gzip data is wrong", error)
        }
        _ => DataError::io(path, "cannot be read", error),
    }
}

/// The file `name` in a folder, or `name.gz`, if there is one.
pub(super) fn plain_or_gzip(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(name), folder.join(format!("{name}.gz"))].into_iter().find(|path| path.is_file())
}

/// Finds the folder of a dataset: the one that holds the file `contains`, or `contains.gz`.
///
/// It is `given` (what a program's `--data` says), or what the environment variable `TAUT_DATA` says, or the folder
/// `data` where the program runs; and either that folder itself or the folder `name` in it.
///
/// # Errors
/// If there is no such file.
pub fn find_folder(given: Option<&Path>, name: &str, contains: &str) -> Result<PathBuf, DataError> {
    let base = base_folder(given);
    let candidates = [base.join(name), base.clone()];
    match candidates.into_iter().find(|folder| plain_or_gzip(folder, contains).is_some()) {
        Some(folder) => Ok(folder),
        None => {
            let reason = format!(
                "neither this folder nor {name} in it has the file {contains} or {contains}.gz; \
                 say where the data is with --data FOLDER or the variable TAUT_DATA"
            );
            Err(DataError::new(base, reason))
        }
    }
}

/// Where data is looked for and downloaded to.
pub(super) fn base_folder(given: Option<&Path>) -> PathBuf {
    match given {
        Some(folder) => folder.to_path_buf(),
        None => std::env::var_os("TAUT_DATA").map_or_else(|| PathBuf::from("data"), PathBuf::from),
    }
}
