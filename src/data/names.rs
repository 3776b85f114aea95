//! Family names by nationality: a file for each of 18 nationalities, one name on each line.
//!
//! Robertson, "NLP From Scratch: Classifying Names with a Character-Level RNN" (a tutorial of PyTorch), 2017.

use super::{Labels, Sequences, find_folder};
use crate::files::{FileError, Limit, Position, contents, plain_or_gzip};
use crate::tensor::Tensor;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// What the classes are called; their files end in `.txt`.
#[rustfmt::skip]
pub const CLASSES: [&str; 18] = [
    "Arabic", "Chinese", "Czech", "Dutch", "English", "French", "German", "Greek", "Irish", "Italian", "Japanese",
    "Korean", "Polish", "Portuguese", "Russian", "Scottish", "Spanish", "Vietnamese",
];

/// The letters of the names, in lower case. A name is encoded as the indices of its letters in this list.
#[rustfmt::skip]
pub const LETTERS: [char; 55] = [
    ' ', '\'', '-', '/', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's',
    't', 'u', 'v', 'w', 'x', 'y', 'z', 'ß', 'à', 'á', 'ã', 'ä', 'ç', 'è', 'é', 'ê', 'ì', 'í', 'ñ', 'ò', 'ó', 'ô', 'õ',
    'ö', 'ù', 'ú', 'ü', 'ą', 'ł', 'ń', 'ś', 'ż',
];

/// The files of the dataset are far smaller; a longer one is refused.
const MOST_BYTES: u64 = 10_000_000;

/// Names, and the indices of their classes in [`CLASSES`].
pub type Examples = (Sequences, Labels);

/// A letter that is not in [`LETTERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLetter(pub char);

impl fmt::Display for UnknownLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String = LETTERS.iter().collect();
        write!(f, "`{}` is not a letter of any of the names, which are made of `{letters}`", self.0)
    }
}
impl std::error::Error for UnknownLetter {}

/// The letters of a name as indices into [`LETTERS`]. Case is ignored.
///
/// # Errors
/// If a letter is not there.
///
/// ```
/// use taut::data::names::{UnknownLetter, encode};
/// assert_eq!(encode("Abe")?, [4, 5, 8]);
/// assert_eq!(encode("Ωbe"), Err(UnknownLetter('ω')));
/// # Ok::<(), UnknownLetter>(())
/// ```
pub fn encode(name: &str) -> Result<Vec<usize>, UnknownLetter> {
    let place = |letter| LETTERS.iter().position(|&known| known == letter).ok_or(UnknownLetter(letter));
    name.to_lowercase().chars().map(place).collect()
}

/// The folder with the 18 files: see [`find_folder`] for where it is searched for, under the name `names`.
///
/// # Errors
/// If there is none.
pub fn find(given: Option<&Path>) -> Result<PathBuf, FileError> {
    find_folder(given, "names", "Arabic.txt")
}

/// Reads names for training and names for testing.
///
/// A name that occurs several times in a file is one sample; one that occurs in several files is one sample of each.
/// All samples of a name are on the same side: of the names in alphabetical order, every fifth is for testing. So
/// memorising names does not help in the test.
///
/// A file may be gzip-compressed: `Arabic.txt.gz`.
///
/// # Errors
/// If a file is missing, longer than 10 million bytes, empty, not UTF-8, or a name has a letter that is not in
/// [`LETTERS`].
///
/// ```no_run
/// use taut::data::names;
/// use taut::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (train, test) = names::load(names::find(None)?)?;
/// for ((letters, lengths), labels) in train.batches::<64>(&mut StdRng::seed_from_u64(0)) {
///     let letters: Tensor<(Const<64>, usize), usize> = letters; // as long as the longest name
/// }
/// # Ok(())
/// # }
/// ```
pub fn load(folder: impl AsRef<Path>) -> Result<(Examples, Examples), FileError> {
    let mut samples = BTreeSet::new();
    for (class, name) in CLASSES.iter().enumerate() {
        let (folder, file) = (folder.as_ref(), format!("{name}.txt"));
        let missing = || FileError::new(folder, format!("has no {file} or {file}.gz"));
        let path = plain_or_gzip(folder, &file).ok_or_else(missing)?;
        for (number, line) in (1..).zip(read(&path)?.lines()) {
            let name = line.trim().to_lowercase();
            if let Err(unknown) = encode(&name) {
                return Err(FileError::at(path, Position::Line(number), unknown.to_string()));
            }
            if !name.is_empty() {
                samples.insert((name, class));
            }
        }
    }
    let names: BTreeSet<&String> = samples.iter().map(|(name, _)| name).collect();
    let to_test: BTreeSet<&String> = names.into_iter().skip(4).step_by(5).collect();
    let (test, train): (Vec<_>, Vec<_>) = samples.iter().partition(|(name, _)| to_test.contains(name));
    Ok((examples(&train), examples(&test)))
}

/// The text of a file, which is not empty.
fn read(path: &Path) -> Result<String, FileError> {
    let bytes = contents(path, Limit::Bytes(MOST_BYTES))?;
    if bytes.is_empty() {
        return Err(FileError::new(path, "is empty: a name was expected on each line"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
        FileError::at(path, Position::Line(line as u64), "is not UTF-8")
    })
}

fn examples(samples: &[&(String, usize)]) -> Examples {
    let names = samples.iter().map(|(name, _)| encode(name).expect("its letters were looked at when it was read"));
    let classes: Vec<usize> = samples.iter().map(|(_, class)| *class).collect();
    (Sequences::new(names), Tensor::from(classes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::files::testing::{Folder, gzip};

    /// One file has these contents, the others one name each.
    fn folder(of_class: usize, contents: &[u8]) -> Folder {
        let folder = Folder::new();
        for (class, name) in CLASSES.iter().enumerate() {
            let other = format!("Same\nName{}\n", LETTERS[4 + class]);
            folder.file(&format!("{name}.txt"), if class == of_class { contents } else { other.as_bytes() });
        }
        folder
    }

    #[test]
    fn a_name_is_on_one_side_only() {
        let folder = folder(0, "Ab\n\n  aB \nŻółć\nAc\n".replace("ć", "c").as_bytes());
        let (train, test) = load(find(Some(folder.path())).unwrap()).unwrap();
        // 3 in the first file; in each other file one of its own, and one that they share
        assert_eq!(train.len() + test.len(), 3 + 2 * 17);
        let all = |(names, classes): &Examples| -> Vec<(Vec<usize>, usize)> {
            (0..names.len()).map(|i| (names.get(i).to_vec(), classes.as_slice()[i])).collect()
        };
        let (train, test) = (all(&train), all(&test));
        assert!(test.iter().all(|(name, _)| train.iter().all(|(other, _)| name != other)));
        assert!(train.contains(&(encode("ab").unwrap(), 0)) && train.contains(&(encode("żółc").unwrap(), 0)));
        let same = |samples: &[(Vec<usize>, usize)]| {
            samples.iter().filter(|(name, _)| *name == encode("same").unwrap()).count()
        };
        assert_eq!(same(&train) + same(&test), 17);
        assert!(same(&train) == 0 || same(&test) == 0);
    }

    #[test]
    fn damaged_files_say_what_is_wrong() {
        let fails = |contents: &[u8]| {
            let folder = folder(3, contents);
            let error = load(folder.path()).unwrap_err();
            assert_eq!(error.path(), Some(folder.path().join("Dutch.txt").as_path()));
            error.to_string()
        };
        assert!(fails(b"").contains("is empty"));
        assert!(fails(b"Aalst\nAbb\xff\n").contains("line 2: is not UTF-8"));
        assert!(fails("Aalst\nAbbing\nΩ\n".as_bytes()).contains("line 3: `ω` is not a letter"));
        assert!(fails(&b"Abe\n".repeat(2_500_001)).contains("holds more than 10000000 bytes"));
        let folder = folder(3, b"Aalst");
        std::fs::remove_file(folder.path().join("Greek.txt")).unwrap();
        assert!(load(folder.path()).unwrap_err().to_string().contains("has no Greek.txt or Greek.txt.gz"));
    }

    #[test]
    fn packed_files_are_found_and_read() {
        let folder = folder(3, b"Aalst\nBakker\n");
        let names = || load(find(Some(folder.path())).unwrap()).unwrap().0.0.len();
        let plain = names();
        for class in ["Arabic", "Dutch"].map(|name| folder.path().join(format!("{name}.txt"))) {
            std::fs::write(class.with_extension("txt.gz"), gzip(&std::fs::read(&class).unwrap())).unwrap();
            std::fs::remove_file(class).unwrap();
        }
        assert_eq!(names(), plain);
    }

    #[test]
    fn the_letters_are_in_order_and_once() {
        assert!(LETTERS.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
