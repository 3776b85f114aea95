//! MNIST, and the datasets that come in the same files (Fashion-MNIST, KMNIST).

use super::idx::FILES;
use super::{Idx, Images, Labels, find_folder};
use crate::files::{FileError, Limit, plain_or_gzip};
use crate::shape::{Rank1, ReshapesTo, StaticShape};
use crate::tensor::Tensor;
use std::path::{Path, PathBuf};

/// 28 x 28.
const PIXELS: usize = 28 * 28;
const CLASSES: usize = 10;

/// The folder with the files of MNIST: see [`find_folder`] for where it is looked for. With the feature `download`, it
/// is created by `download::mnist` if it is not there.
///
/// # Errors
/// If there is none, or the download fails.
pub fn find(given: Option<&Path>) -> Result<PathBuf, FileError> {
    let found = find_folder(given, "mnist", FILES[0]);
    #[cfg(feature = "download")]
    let found = found.or_else(|_| {
        let folder = super::folder::base_folder(given).join("mnist");
        super::download::mnist(&folder).map(|()| folder)
    });
    found
}

/// Images with their labels.
pub type Examples<S> = (Images<S>, Labels);

/// Reads training and test set from a folder with four IDX files, plain or gzip, of images of 28 x 28 pixels and labels
/// from 0 to 9. `S` is the shape of an image: `Rank1<784>` for a fully connected layer, `Rank3<1, 28, 28>` for a
/// convolution.
///
/// LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
///
/// # Errors
/// If a file is missing, damaged, or not of images or labels.
///
/// ```no_run
/// use taut::data::mnist;
/// use taut::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (train, test) = mnist::load::<Rank1<784>>(mnist::find(None)?)?;
/// for (images, labels) in train.batches::<64>(&mut StdRng::seed_from_u64(0)) {
///     let images: Tensor<Rank2<64, 784>> = images;
/// }
/// # Ok(())
/// # }
/// ```
pub fn load<S: StaticShape + ReshapesTo<Rank1<PIXELS>>>(
    folder: impl AsRef<Path>,
) -> Result<(Examples<S>, Examples<S>), FileError> {
    let folder = folder.as_ref();
    let [train_images, train_labels, test_images, test_labels] = FILES;
    Ok((examples(folder, train_images, train_labels)?, examples(folder, test_images, test_labels)?))
}

fn examples<S: StaticShape>(folder: &Path, images: &str, labels: &str) -> Result<Examples<S>, FileError> {
    let find =
        |name| plain_or_gzip(folder, name).ok_or_else(|| FileError::new(folder, format!("has no {name} or {name}.gz")));
    let (images, labels) = (find(images)?, find(labels)?);
    let pixels = Idx::read_if(&images, Limit::default(), |sizes| match sizes {
        [_, 28, 28] => Ok(()),
        _ => Err(format!("holds an array of {}, and not images of 28 x 28", crate::shape::show_sizes(sizes))),
    })?;
    let count = pixels.sizes[0];
    let classes = Idx::read_if(&labels, Limit::default(), |sizes| match sizes {
        [found] if *found == count => Ok(()),
        [found] => Err(format!("holds {found} labels for {count} images")),
        _ => Err(format!("holds an array of {}, and not labels", crate::shape::show_sizes(sizes))),
    })?;
    if let Some(place) = classes.bytes.iter().position(|&class| usize::from(class) >= CLASSES) {
        let class = classes.bytes[place];
        return Err(FileError::new(labels, format!("label {class} of image {place} is not one of {CLASSES} classes")));
    }
    let classes: Vec<usize> = classes.bytes.into_iter().map(usize::from).collect();
    let images = Images::new(pixels.bytes, 255, S::default()).expect("the size of the images was checked");
    Ok((images, Tensor::from(classes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::{Folder, gzip};
    use crate::prelude::*;

    fn images(count: u32) -> Vec<u8> {
        let mut file = vec![0, 0, 8, 3];
        [count, 28, 28].iter().for_each(|size| file.extend(size.to_be_bytes()));
        file.extend((0..count as usize * PIXELS).map(|i| (i / PIXELS) as u8));
        file
    }

    fn labels(labels: &[u8]) -> Vec<u8> {
        [&[0, 0, 8, 1][..], &(labels.len() as u32).to_be_bytes(), labels].concat()
    }

    fn small() -> Folder {
        let folder = Folder::new();
        folder.file("train-images-idx3-ubyte.gz", &gzip(&images(3)));
        folder.file("train-labels-idx1-ubyte", &labels(&[5, 0, 9]));
        folder.file("t10k-images-idx3-ubyte", &images(1));
        folder.file("t10k-labels-idx1-ubyte.gz", &gzip(&labels(&[7])));
        folder
    }

    #[test]
    fn four_files_make_two_sets() {
        let folder = small();
        let (train, test) =
            load::<Rank3<1, 28, 28>>(find_folder(Some(folder.path()), "mnist", FILES[0]).unwrap()).unwrap();
        let (pixels, classes) = train.whole();
        assert_eq!(pixels.shape(), (3, Const::<1>, Const::<28>, Const::<28>));
        assert_eq!(pixels[[2, 0, 27, 27]], 2.0 / 255.0);
        assert_eq!((classes.to_vec(), test.whole().1.to_vec()), (vec![5, 0, 9], vec![7]));
    }

    #[test]
    fn mislabelled_files_are_errors() {
        let fails = |name: &str, contents: &[u8]| {
            let folder = small();
            folder.file(name, contents);
            let error = load::<Rank1<784>>(folder.path()).unwrap_err();
            assert_eq!(error.path(), Some(folder.path().join(name).as_path()));
            error.to_string()
        };
        assert!(fails("train-labels-idx1-ubyte", &labels(&[5, 10, 9])).contains("label 10 of image 1"));
        assert!(fails("train-labels-idx1-ubyte", &labels(&[5, 1])).contains("2 labels for 3 images"));
        assert!(fails("train-labels-idx1-ubyte", &images(3)).contains("not labels"));
        assert!(fails("t10k-images-idx3-ubyte", &labels(&[5, 1])).contains("not images of 28 x 28"));
        let folder = small();
        std::fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte.gz")).unwrap();
        let error = load::<Rank1<784>>(folder.path()).unwrap_err();
        assert!(error.to_string().contains("has no t10k-labels-idx1-ubyte"), "{error}");
    }

    #[test]
    fn a_folder_without_data_says_what_to_do() {
        let folder = Folder::new();
        let error = find_folder(Some(folder.path()), "mnist", FILES[0]).unwrap_err().to_string();
        assert!(error.contains("--data FOLDER") && error.contains("TAUT_DATA"), "{error}");
    }
}
