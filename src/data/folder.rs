//! Finding the folder of a dataset.

use crate::files::{FileError, plain_or_gzip};
use std::path::{Path, PathBuf};

/// Finds the folder of a dataset: the one that holds the file `contains`, or `contains.gz`.
///
/// It is `given` (what a program's `--data` says), or what the environment variable `TAUT_DATA` says, or the folder
/// `data` where the program runs; and either that folder itself or the folder `name` in it.
///
/// # Errors
/// If there is no such file.
pub fn find_folder(given: Option<&Path>, name: &str, contains: &str) -> Result<PathBuf, FileError> {
    let base = base_folder(given);
    let candidates = [base.join(name), base.clone()];
    match candidates.into_iter().find(|folder| plain_or_gzip(folder, contains).is_some()) {
        Some(folder) => Ok(folder),
        None => {
            let reason = format!(
                "neither this folder nor {name} in it has the file {contains} or {contains}.gz; \
                 say where the data is with --data FOLDER or the variable TAUT_DATA"
            );
            Err(FileError::new(base, reason))
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
