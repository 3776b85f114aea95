//! CIFAR-10, in its binary version.
//!
//! A file is a sequence of records, one per image: one byte for the class, then 1,024 bytes each for red, green and
//! blue, row by row of 32 x 32 pixels. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

use super::mnist::Examples;
use super::{Images, find_folder};
use crate::files::{FileError, Limit, contents, plain_or_gzip};
use crate::shape::Rank3;
use crate::tensor::Tensor;
use std::path::{Path, PathBuf};

const PIXELS: usize = 3 * 32 * 32;
const ROW: usize = 1 + PIXELS;
/// The files of the dataset hold 10,000 images each; a file with over ten times as many is not one of them.
const MOST_BYTES: u64 = 100_000 * ROW as u64;
const TRAIN: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
const TEST: &str = "test_batch.bin";

/// The names of the classes.
pub const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The mean of each channel of the training set, for pixels from 0 to 1.
pub const MEANS: [f64; 3] = [0.491_40, 0.482_16, 0.446_53];
/// The standard deviation of each channel of the training set, for pixels from 0 to 1.
pub const DEVIATIONS: [f64; 3] = [0.247_03, 0.243_49, 0.261_59];

/// The folder with the six files: see [`find_folder`] for where it is searched for, under the name `cifar-10` and as
/// `cifar-10-batches-bin`, which `cifar-10-binary.tar.gz` of the dataset's page unpacks to, also inside of the former.
///
/// # Errors
/// If there is none.
pub fn find(given: Option<&Path>) -> Result<PathBuf, FileError> {
    let unpacked = ["cifar-10-batches-bin", "cifar-10/cifar-10-batches-bin"];
    find_folder(given, "cifar-10", TEST).or_else(|error| {
        let mut found = unpacked.iter().filter_map(|name| find_folder(given, name, TEST).ok());
        found.next().ok_or(error)
    })
}

/// Reads the training set (five files, 50,000 images) and the test set (10,000 images), each plain or gzip-compressed.
///
/// # Errors
/// If a file is missing, ends in the middle of an image, holds fewer images than the others, or holds a class that is
/// not below ten.
///
/// ```no_run
/// use taut::data::cifar10;
/// use taut::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (train, test) = cifar10::load(cifar10::find(None)?)?;
/// for (images, labels) in train.batches::<128>(&mut StdRng::seed_from_u64(0)) {
///     let images: Tensor<Rank4<128, 3, 32, 32>> = images;
/// }
/// # Ok(())
/// # }
/// ```
pub fn load(folder: impl AsRef<Path>) -> Result<(Examples<Rank3<3, 32, 32>>, Examples<Rank3<3, 32, 32>>), FileError> {
    let folder = folder.as_ref();
    Ok((read(folder, &TRAIN)?, read(folder, &[TEST])?))
}

fn read(folder: &Path, names: &[&str]) -> Result<Examples<Rank3<3, 32, 32>>, FileError> {
    let mut pixels = Vec::new();
    let mut classes = Vec::new();
    let mut of_first = None;
    for name in names {
        let missing = || FileError::new(folder, format!("has no {name} or {name}.gz"));
        let path = plain_or_gzip(folder, name).ok_or_else(missing)?;
        let bytes = contents(&path, Limit::Bytes(MOST_BYTES))?;
        let found = bytes.len();
        if found == 0 || found % ROW != 0 {
            let reason = format!("holds {found} bytes, and not a whole number of images of {ROW} bytes each");
            return Err(FileError::new(path, reason));
        }
        let (images, of_first) = (found / ROW, *of_first.get_or_insert(found / ROW));
        if images != of_first {
            let reason = format!("holds {images} images, and {} {of_first}: one of them was cut short", names[0]);
            return Err(FileError::new(path, reason));
        }
        for (place, row) in bytes.chunks_exact(ROW).enumerate() {
            let class = usize::from(row[0]);
            if class >= CLASSES.len() {
                let reason = format!("label {class} of image {place} is not one of {} classes", CLASSES.len());
                return Err(FileError::new(path, reason));
            }
            classes.push(class);
            pixels.extend_from_slice(&row[1..]);
        }
    }
    let images = Images::new(pixels, 255, Default::default()).expect("whole images were read");
    Ok((images, Tensor::from(classes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::{Folder, gzip};
    use crate::prelude::*;

    fn rows(classes: &[u8]) -> Vec<u8> {
        classes.iter().flat_map(|&class| std::iter::once(class).chain((0..PIXELS).map(|i| (i / 1024) as u8))).collect()
    }

    fn small() -> Folder {
        let folder = Folder::new();
        TRAIN.iter().for_each(|name| drop(folder.file(name, &rows(&[1, 9]))));
        folder.file(&format!("{TEST}.gz"), &gzip(&rows(&[3])));
        folder
    }

    #[test]
    fn six_files_make_two_sets() {
        let folder = small();
        let (train, test) = load(find(Some(folder.path())).unwrap()).unwrap();
        assert_eq!((train.len(), test.len()), (10, 1));
        let (images, labels) = test.whole();
        assert_eq!(labels.to_vec(), [3]);
        assert_eq!(
            [images[[0, 0, 31, 31]], images[[0, 1, 0, 0]], images[[0, 2, 5, 5]]].map(|x| x * 255.0),
            [0.0, 1.0, 2.0]
        );
    }

    #[test]
    fn the_folder_is_found_where_the_archive_unpacks_it() {
        let folder = Folder::new();
        for name in ["cifar-10", "cifar-10/cifar-10-batches-bin"] {
            assert!(find(Some(folder.path())).unwrap_err().to_string().contains("test_batch.bin"));
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        folder.file("cifar-10/cifar-10-batches-bin/test_batch.bin", &rows(&[3]));
        assert_eq!(find(Some(folder.path())).unwrap(), folder.path().join("cifar-10/cifar-10-batches-bin"));
    }

    #[test]
    fn damaged_files_say_what_is_wrong() {
        let fails = |name: &str, contents: &[u8]| {
            let folder = small();
            folder.file(name, contents);
            let error = load(folder.path()).unwrap_err();
            assert_eq!(error.path(), Some(folder.path().join(name).as_path()));
            error.to_string()
        };
        assert!(fails(TRAIN[2], &rows(&[1, 2])[..ROW + 5]).contains("not a whole number of images"));
        assert!(fails(TRAIN[0], &[]).contains("holds 0 bytes, and not a whole number of images"));
        assert!(
            fails(TRAIN[3], &rows(&[1])).contains("holds 1 images, and data_batch_1.bin 2: one of them was cut short")
        );
        assert!(fails(TEST, &rows(&[0, 10])).contains("label 10 of image 1"));
        let folder = small();
        std::fs::remove_file(folder.path().join(TRAIN[4])).unwrap();
        assert!(
            load(folder.path()).unwrap_err().to_string().contains("has no data_batch_5.bin or data_batch_5.bin.gz")
        );
    }
}
