//! The IDX format of the MNIST family: arrays of bytes.
//!
//! | bytes | what |
//! | --- | --- |
//! | 2 | zeros |
//! | 1 | the type of the elements: 8 is a byte, the only one that is read here |
//! | 1 | the number of dimensions, d |
//! | 4 d | their sizes, big-endian |
//! | | the elements, in row-major order |

use crate::files::{FileError, Limit, unpacked};
use crate::shape::show_sizes;
use std::io::Read;
use std::path::Path;

pub(super) const FILES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// The contents of an IDX file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The size of each dimension.
    pub sizes: Vec<usize>,
    /// The elements, in row-major order.
    pub bytes: Vec<u8>,
}

impl Idx {
    /// Reads an IDX file of bytes; a name ending in `.gz` means that it is gzip-compressed.
    ///
    /// # Errors
    /// If the file cannot be read, is not gzip though its name says so, unpacks to more than the default [`Limit`], is
    /// not IDX, or holds fewer or more bytes than its header says. Memory is never allocated on the header's word
    /// alone.
    pub fn read(path: impl AsRef<Path>) -> Result<Idx, FileError> {
        Idx::read_with(path, Limit::default())
    }

    /// Reads a file with another limit on its size.
    ///
    /// # Errors
    /// As for [`Idx::read`].
    pub fn read_with(path: impl AsRef<Path>, limit: Limit) -> Result<Idx, FileError> {
        Idx::read_if(path.as_ref(), limit, |_| Ok(()))
    }

    /// Reads a file if `fits` accepts its sizes.
    pub(super) fn read_if(
        path: &Path,
        limit: Limit,
        fits: impl FnOnce(&[usize]) -> Result<(), String>,
    ) -> Result<Idx, FileError> {
        let fail = |reason: String| FileError::new(path, reason);
        let mut file = unpacked(path, limit)?;
        let sizes = header(path, &mut *file)?;
        let count = sizes.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
        let count = count
            .map(|count| count as u64)
            .filter(|&count| count < u64::MAX)
            .ok_or_else(|| fail(format!("says that it holds {} bytes, which no file does", show_sizes(&sizes))))?;
        fits(&sizes).map_err(fail)?;
        let mut bytes = Vec::new();
        // one byte more than expected, to detect trailing bytes and to make gzip verify its checksum
        file.take(count + 1).read_to_end(&mut bytes).map_err(|error| FileError::read(path, error))?;
        match (bytes.len() as u64).cmp(&count) {
            std::cmp::Ordering::Equal => Ok(Idx { sizes, bytes }),
            std::cmp::Ordering::Less => {
                Err(fail(format!("is cut off: {} of {count} bytes after the header are there", bytes.len())))
            }
            std::cmp::Ordering::Greater => {
                Err(fail(format!("goes on after the {count} bytes that its header promises")))
            }
        }
    }
}

/// Reads the header: the sizes.
fn header(path: &Path, file: &mut dyn Read) -> Result<Vec<usize>, FileError> {
    let mut word = || -> Result<[u8; 4], FileError> {
        let mut bytes = [0; 4];
        let mut filled = 0;
        while filled < 4 {
            match file.read(&mut bytes[filled..]).map_err(|error| FileError::read(path, error))? {
                0 => return Err(FileError::new(path, "is cut off: it ends in the header")),
                count => filled += count,
            }
        }
        Ok(bytes)
    };
    let [0, 0, kind, rank] = word()? else {
        return Err(FileError::new(path, "is not an IDX file: it does not begin with two zeros"));
    };
    if kind != 8 {
        return Err(FileError::new(
            path,
            format!("holds elements of IDX type {kind:#04x}; only bytes, 0x08, are read"),
        ));
    }
    (0..rank).map(|_| Ok(u32::from_be_bytes(word()?) as usize)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::{Folder, gzip};

    fn file(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| file.extend(size.to_be_bytes()));
        file.extend(bytes);
        file
    }

    fn error(name: &str, contents: &[u8]) -> String {
        let folder = Folder::new();
        let path = folder.file(name, contents);
        let error = Idx::read(&path).unwrap_err();
        assert_eq!(error.path(), Some(path.as_path()));
        assert!(error.to_string().contains(name), "{error} names the file");
        error.to_string()
    }

    #[test]
    fn plain_and_packed_files_are_the_same() {
        let folder = Folder::new();
        let contents = file(&[2, 3], &[1, 2, 3, 4, 5, 6]);
        let plain = Idx::read(folder.file("plain", &contents)).unwrap();
        assert_eq!(plain, Idx { sizes: vec![2, 3], bytes: vec![1, 2, 3, 4, 5, 6] });
        assert_eq!(Idx::read(folder.file("packed.gz", &gzip(&contents))).unwrap(), plain);
        assert_eq!(Idx::read(folder.file("none", &file(&[0, 3], &[]))).unwrap().bytes, Vec::<u8>::new());
    }

    #[test]
    fn damaged_files_say_what_is_wrong() {
        let good = file(&[2, 3], &[1, 2, 3, 4, 5, 6]);
        assert!(error("a", &good[..good.len() - 1]).contains("5 of 6 bytes"));
        assert!(error("a", &[&good[..], &[7]].concat()).contains("goes on after the 6 bytes"));
        assert!(error("a", &good[..7]).contains("ends in the header"));
        assert!(error("a", b"").contains("ends in the header"));
        assert!(error("a", b"<html>").contains("not an IDX file"));
        assert!(error("a", &[0, 0, 13, 1, 0, 0, 0, 0]).contains("IDX type 0x0d"));
        assert!(error("a.gz", &good).contains("not a gzip file"));
        let packed = gzip(&good);
        assert!(error("a.gz", &packed[..packed.len() - 9]).contains("cut off"));
        let mut wrong_sum = packed.clone();
        let sum = packed.len() - 8;
        wrong_sum[sum] ^= 1;
        assert!(error("a.gz", &wrong_sum).contains("damaged"));
    }

    #[test]
    fn no_single_byte_of_damage_goes_unseen_or_panics() {
        let folder = Folder::new();
        let packed = gzip(&file(&[4, 5], &[9; 20]));
        let whole = Idx::read(folder.file("whole.gz", &packed)).unwrap();
        for end in 0..packed.len() {
            assert!(Idx::read(folder.file("cut.gz", &packed[..end])).is_err(), "cut at {end}");
        }
        for place in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[place] ^= 0x55;
            // the header of gzip has fields that say nothing of the contents: time, system
            if let Ok(read) = Idx::read(folder.file("damaged.gz", &damaged)) {
                assert_eq!(read, whole, "byte {place}");
            }
        }
    }

    #[test]
    fn a_header_alone_takes_no_memory() {
        assert!(error("a", &file(&[u32::MAX, 28, 28], &[])).contains("0 of 3367254359280 bytes"));
        assert!(error("a", &file(&[u32::MAX; 6], &[])).contains("which no file does"));
        assert!(error("a", &file(&[1 << 30], &[1])).contains("1 of 1073741824 bytes"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Idx::read("no/such/file").unwrap_err();
        assert!(error.to_string().starts_with("no/such/file: cannot be opened"), "{error}");
    }
}
