//! Saving and loading models.

use super::precision::Precision;
use super::safetensors::{Header, Stored, Walk, header, read_numbers, write_numbers};
use super::source::Source;
use crate::files::{FileError, Mismatch, Reason, write_atomically};
use crate::nn::Init;
use crate::numbers::Generator;
use crate::optim::SnapshotArray;
use crate::params::{Parameters, Values, ValuesMut, each_parameter, each_parameter_mut};
use crate::tensor::Element;
use safetensors::tensor::Dtype;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{Read, Write};
use std::path::Path;

/// Saves and loads models: every module that implements [`Parameters`].
///
/// A file holds every parameter and buffer under its name (`hidden.0.weight`), as
/// [safetensors](https://github.com/huggingface/safetensors). Loading compares the names, shapes and element types of
/// the whole file with the model first, and changes the model only if everything fits.
///
/// Numbers of a narrower type are converted without loss: `F16` and `BF16` to f32 or f64, `F32` to f64. So
/// 16-bit files load, while taut computes and saves with 32 or 64 bits. `num_batches_tracked`, which PyTorch's batch
/// norm saves, is ignored.
///
/// Settings are not parameters, and not in the file: an embedding's padding, a batch norm's options, a slope.
/// [`load`](Persist::load) makes a model with default settings; if yours differ, build the model and load the file with
/// [`load_parameters`](Persist::load_parameters).
///
/// ```
/// use taut::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("taut-doc-persist-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("model.safetensors");
/// let model = <(Linear<4, 3>, Relu, Linear<3, 2>)>::init(&mut StdRng::seed_from_u64(0));
/// model.save(&path)?;
/// let error = <(Linear<4, 5>, Relu, Linear<5, 2>)>::load(&path).unwrap_err();
/// assert!(error.to_string().contains("`0.weight` has shape (5, 4) in the model and (3, 4) in the file"));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
pub trait Persist: Parameters + Sized {
    /// Saves every parameter and buffer. An existing file at `path` is kept until the new one is complete (see
    /// [`io`](crate::io)).
    ///
    /// # Errors
    /// If the file cannot be written, or two parameters have the same name.
    #[doc(alias = "state_dict")]
    fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        self.save_with(path, Precision::Unchanged)
    }

    /// [`save`](Persist::save) with numbers of 16 bits, say, for a file of half the size.
    ///
    /// # Errors
    /// As for [`save`](Persist::save), or if a number is out of the range of that type.
    ///
    /// ```
    /// use taut::io::Precision;
    /// use taut::prelude::*;
    /// # fn main() -> Result<(), taut::files::FileError> {
    /// # let path = std::env::temp_dir().join(format!("taut-doc-save-with-{}", std::process::id()));
    /// let model = Linear::<784, 10>::init(&mut StdRng::seed_from_u64(0));
    /// model.save_with(&path, Precision::BF16)?; // "linear.safetensors"
    /// let loaded = Linear::<784, 10>::load(&path)?;
    /// assert!(loaded.weight.value().is_close(model.weight.value(), 2.0_f64.powi(-8), 0.0));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    fn save_with(&self, path: impl AsRef<Path>, precision: Precision) -> Result<(), FileError> {
        save(&|see| walk(self, "", see), precision, &BTreeMap::new(), path.as_ref())
    }

    /// The bytes that [`save`](Persist::save) writes.
    ///
    /// # Errors
    /// If two parameters have the same name.
    fn to_safetensors(&self) -> Result<Vec<u8>, FileError> {
        self.to_safetensors_with(Precision::Unchanged)
    }

    /// The bytes that [`save_with`](Persist::save_with) writes.
    ///
    /// # Errors
    /// If two parameters have the same name, or a number is out of the range of that type.
    fn to_safetensors_with(&self, precision: Precision) -> Result<Vec<u8>, FileError> {
        in_memory(&|see| walk(self, "", see), precision, &BTreeMap::new())
    }

    /// A model with the parameters of a file, and settings as [`Init`] gives them.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or is for another model: the error names each parameter that does not
    /// fit, with both shapes.
    fn load(path: impl AsRef<Path>) -> Result<Self, FileError>
    where
        Self: Init,
    {
        let mut model = blank::<Self>();
        model.load_parameters(path)?;
        Ok(model)
    }

    /// A model with the parameters from the bytes of [`to_safetensors`](Persist::to_safetensors), or of a file that is
    /// part of the program (`include_bytes!`).
    ///
    /// # Errors
    /// As for [`load`](Persist::load).
    ///
    /// ```
    /// use taut::prelude::*;
    /// let model = Linear::<3, 2>::init(&mut StdRng::seed_from_u64(0));
    /// let same = Linear::<3, 2>::from_safetensors(&model.to_safetensors().unwrap()).unwrap();
    /// assert_eq!(model.weight.value(), same.weight.value());
    /// ```
    fn from_safetensors(bytes: &[u8]) -> Result<Self, FileError>
    where
        Self: Init,
    {
        let mut model = blank::<Self>();
        model.load_safetensors(bytes)?;
        Ok(model)
    }

    /// Loads a file into this model: for models that [`Init`] cannot make, a `Vec` of blocks say, or not with these
    /// settings.
    ///
    /// # Errors
    /// As for [`load`](Persist::load). The model is then unchanged.
    #[doc(alias = "load_state_dict")]
    #[track_caller]
    fn load_parameters(&mut self, path: impl AsRef<Path>) -> Result<(), FileError> {
        self.load_parameters_under(path, "")
    }

    /// Loads this part of a model from what a file has under the name `part`; the rest of the file is ignored. (For
    /// several parts or other names, see [`ParameterFile`](super::ParameterFile).) Use it for the features of a
    /// pretrained file, or the model in a [`Checkpoint`](super::Checkpoint).
    ///
    /// # Errors
    /// As for [`load`](Persist::load). The model is then unchanged.
    ///
    /// ```
    /// use taut::prelude::*;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("taut-doc-under-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("classifier.safetensors");
    /// #[derive(Module, Parameters, Init)]
    /// struct Classifier {
    ///     features: (Linear<8, 4>, Relu),
    ///     head: Linear<4, 2>,
    /// }
    /// let mut rng = StdRng::seed_from_u64(0);
    /// Classifier::init(&mut rng).save(&path)?;
    ///
    /// let mut regressor = <(Linear<8, 4>, Relu, Linear<4, 1>)>::init(&mut rng);
    /// regressor.0.load_parameters_under(&path, "features.0")?;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    fn load_parameters_under(&mut self, path: impl AsRef<Path>, part: &str) -> Result<(), FileError> {
        load_file(self, part, path.as_ref())
    }

    /// Loads a file in memory into this model. (A part of it, or other names: see
    /// [`ParameterFile`](super::ParameterFile).)
    ///
    /// # Errors
    /// As for [`load`](Persist::load). The model is then unchanged.
    #[track_caller]
    fn load_safetensors(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        load(self, "", &mut &*bytes, bytes.len() as u64).map_err(|reason| FileError::of(None, reason))
    }
}
impl<M: Parameters> Persist for M {}

/// A model to be overwritten.
fn blank<M: Init>() -> M {
    M::init(&mut Generator::new(0))
}

/// A name under another one.
pub(super) fn under(part: &str, name: &str) -> String {
    match (part, name) {
        ("", name) => name.to_string(),
        (part, "") => part.to_string(),
        (part, name) => format!("{part}.{name}"),
    }
}

/// The rest of `name` after `part.`, if it is under `part`.
pub(super) fn strip<'a>(part: &str, name: &'a str) -> Option<&'a str> {
    match name.strip_prefix(part)? {
        rest if part.is_empty() => Some(rest),
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    }
}

// From here on models are `dyn Parameters`, so that all of this is compiled once, in this crate.

/// Walks over the parameters and buffers of a model, named under `part`.
pub(super) fn walk(model: &dyn Parameters, part: &str, see: &mut dyn FnMut(&str, &[usize], Values<'_>)) {
    each_parameter(model, &mut |name, leaf| see(&under(part, name), leaf.sizes, leaf.values));
}

/// The bytes of a file of tensors and texts.
pub(super) fn in_memory(
    walk: Walk<'_>,
    precision: Precision,
    texts: &BTreeMap<String, String>,
) -> Result<Vec<u8>, FileError> {
    let mut bytes = header(walk, precision, texts).map_err(|reason| FileError::of(None, reason))?;
    write_numbers(&mut bytes, walk, precision).expect("memory can be written");
    Ok(bytes)
}

/// Saves tensors and texts.
pub(super) fn save(
    walk: Walk<'_>,
    precision: Precision,
    texts: &BTreeMap<String, String>,
    path: &Path,
) -> Result<(), FileError> {
    let header = header(walk, precision, texts).map_err(|reason| FileError::of(Some(path), reason))?;
    write_atomically(path, |out| {
        out.write_all(&header)?;
        write_numbers(out, walk, precision)
    })
}

/// Reads a file into the part of a model.
#[track_caller]
fn load_file(model: &mut dyn Parameters, part: &str, path: &Path) -> Result<(), FileError> {
    let (mut file, length) = Source::open(path)?;
    load(model, part, &mut file, length).map_err(|reason| FileError::of(Some(path), reason))
}

/// Reads a file of `length` bytes into the part of a model: everything is compared first, then read, then put in place.
#[track_caller]
fn load(model: &mut dyn Parameters, part: &str, reader: &mut dyn Read, length: u64) -> Result<(), Reason> {
    let header = Header::read(reader, length)?;
    let tensors = &header.tensors;
    read_parts(&mut |wanted| read_numbers(reader, tensors, wanted), tensors, &mut [(part, model)])
}

/// Reads the numbers of the tensors for which it is told `true`; the others are `None`.
pub(super) type ReadNumbers<'a> = &'a mut dyn FnMut(&[bool]) -> Result<Vec<Option<SnapshotArray>>, Reason>;

/// Loads several models, each from the part under its name, if all of them fit.
#[track_caller]
pub(super) fn read_parts(
    read: ReadNumbers<'_>,
    tensors: &[Stored],
    parts: &mut [(&str, &mut dyn Parameters)],
) -> Result<(), Reason> {
    duplicates(tensors)?;
    let mut mismatches = Vec::new();
    let is_one = parts.len() == 1;
    for (part, model) in &mut *parts {
        let found = differences(*model, part, tensors);
        // with several parts, say which one
        mismatches.extend(if is_one { found } else { found.into_iter().map(|found| found.under(part)).collect() });
    }
    if !mismatches.is_empty() {
        return Err(Reason::Misfit(mismatches));
    }
    let wanted = |stored: &Stored| parts.iter().any(|(part, _)| strip(part, &stored.name).is_some());
    let arrays = read_arrays(read, tensors, &wanted)?;
    for (_, model) in &mut *parts {
        must_not_be_shared(*model);
    }
    for (part, model) in parts {
        put(*model, &|name| arrays.get(under(part, name).as_str()));
    }
    Ok(())
}

/// Loads everything that is not among the differences, and returns the names.
#[track_caller]
pub(super) fn put_fitting(
    read: ReadNumbers<'_>,
    tensors: &[Stored],
    model: &mut dyn Parameters,
    differences: &[Mismatch],
) -> Result<Vec<String>, Reason> {
    let differing: HashSet<&str> = differences.iter().map(Mismatch::name).collect();
    let arrays = read_arrays(read, tensors, &|stored| !differing.contains(stored.name.as_str()))?;
    must_not_be_shared(model);
    put(model, &|name| arrays.get(name));
    let mut loaded = Vec::new();
    each_parameter(model, &mut |name, _| {
        if arrays.contains_key(name) {
            loaded.push(name.to_string());
        }
    });
    Ok(loaded)
}

/// Reads the requested tensors, by their full names.
fn read_arrays<'a>(
    read: ReadNumbers<'_>,
    tensors: &'a [Stored],
    wanted: &dyn Fn(&Stored) -> bool,
) -> Result<HashMap<&'a str, SnapshotArray>, Reason> {
    let wanted = |stored: &Stored| !stored.is_passed_over && !counts_batches(stored) && wanted(stored);
    let arrays = read(&tensors.iter().map(wanted).collect::<Vec<_>>())?;
    let named = tensors.iter().zip(arrays).filter_map(|(stored, array)| Some((stored.name.as_str(), array?)));
    Ok(named.collect())
}

/// Checks for duplicate names, which renaming can cause.
pub(super) fn duplicates(tensors: &[Stored]) -> Result<(), Reason> {
    let mut names = HashSet::new();
    match tensors.iter().find(|stored| !stored.is_passed_over && !names.insert(&stored.name)) {
        Some(twice) => Err(Reason::Text(format!("two tensors have the name `{}`", twice.name))),
        None => Ok(()),
    }
}

/// Whether the tensors named under `part` are exactly the parameters of a model; or how they differ.
pub(super) fn compare(model: &dyn Parameters, part: &str, tensors: &[Stored]) -> Result<(), Reason> {
    let mismatches = differences(model, part, tensors);
    if mismatches.is_empty() { Ok(()) } else { Err(Reason::Misfit(mismatches)) }
}

/// How the tensors named under `part` differ from the parameters of a model.
pub(super) fn differences(model: &dyn Parameters, part: &str, tensors: &[Stored]) -> Vec<Mismatch> {
    let in_part = tensors.iter().filter(|stored| !stored.is_passed_over);
    let in_part = in_part.filter_map(|stored| Some((strip(part, &stored.name)?, stored)));
    // whatever remains is not in the model
    let mut stored: BTreeMap<&str, &Stored> = in_part.collect();
    let mut mismatches = Vec::new();
    each_parameter(model, &mut |name, leaf| {
        let wide = matches!(leaf.values, Values::F64(_));
        let found = stored.remove(name);
        let (name, model) = (name.to_string(), leaf.sizes.to_vec());
        match found {
            None => mismatches.push(Mismatch::Missing { name, model }),
            Some(stored) if stored.sizes != model => {
                mismatches.push(Mismatch::Shape { name, model, file: stored.sizes.clone() });
            }
            Some(stored) if !stored.converts_to(wide) => {
                let model = if wide { f64::NAME } else { f32::NAME };
                mismatches.push(Mismatch::ElementType { name, model, file: stored.dtype.to_string() });
            }
            Some(_) => {}
        }
    });
    for (name, stored) in stored {
        if !counts_batches(stored) {
            mismatches.push(Mismatch::Unexpected { name: name.to_string(), file: stored.sizes.clone() });
        }
    }
    mismatches
}

/// Whether this is the batch counter of PyTorch's batch norm, which taut does not use.
fn counts_batches(stored: &Stored) -> bool {
    let last = stored.name.rsplit('.').next();
    last == Some("num_batches_tracked") && stored.sizes.is_empty() && stored.dtype == Dtype::I64
}

/// Panics if others hold a part of the model: before any of its parameters is changed.
#[track_caller]
pub(super) fn must_not_be_shared(model: &mut dyn Parameters) {
    each_parameter_mut(model, &mut |_, _| {});
}

/// Puts arrays that were compared with a model into it. Parameters without one are unchanged.
#[track_caller]
pub(super) fn put<'a>(model: &mut dyn Parameters, array: &dyn Fn(&str) -> Option<&'a SnapshotArray>) {
    each_parameter_mut(model, &mut |name, leaf| match (leaf.values, array(name)) {
        (ValuesMut::F32(values), Some(SnapshotArray::F32(new))) => values.copy_from_slice(new),
        (ValuesMut::F64(values), Some(SnapshotArray::F64(new))) => values.copy_from_slice(new),
        (ValuesMut::F64(values), Some(SnapshotArray::F32(new))) => {
            values.iter_mut().zip(new).for_each(|(value, &new)| *value = f64::from(new));
        }
        (_, None) => {}
        _ => unreachable!("`{name}` was compared with the file"),
    });
}
