//! Loading a part of a file, or under other names.

use super::persist::{differences, duplicates, put_fitting, read_parts, strip};
#[cfg(feature = "pytorch")]
use super::pytorch::PytorchFile;
use super::safetensors::{Header, Stored, read_numbers};
use super::source::{Source, reading};
use crate::files::{FileError, Mismatch, Reason};
use crate::optim::SnapshotArray;
use crate::params::Parameters;
use std::borrow::Cow;
use std::fmt;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A file whose names differ from those of the model, or of which the model is only a part: rename tensors, leave out
/// parts, load several parts at once, or load just what fits. It is a safetensors file or, with the feature `pytorch`,
/// one of `torch.save`.
///
/// ```
/// use taut::io::ParameterFile;
/// use taut::prelude::*;
/// # fn main() -> Result<(), taut::files::FileError> {
/// # let path = std::env::temp_dir().join(format!("taut-doc-parameter-file-{}", std::process::id()));
/// #[derive(Module, Parameters, Init)]
/// struct Classifier<const CLASSES: usize> {
///     features: (Linear<8, 4>, Relu),
///     head: Linear<4, CLASSES>,
/// }
/// #[derive(Parameters, Init)]
/// struct Parallel {
///     // the names that PyTorch's DataParallel gives a model
///     module: Classifier<10>,
/// }
/// let mut rng = StdRng::seed_from_u64(0);
/// Parallel::init(&mut rng).save(&path)?;
///
/// let mut model = Classifier::<3>::init(&mut rng);
/// let mut file = ParameterFile::open(&path)?.without_prefix("module.");
/// let report = file.load_what_fits(&mut model)?;
/// assert_eq!(report.loaded, ["features.0.weight", "features.0.bias"]);
/// assert_eq!(report.mismatches.len(), 2); // the head has other shapes
///
/// // or load one part only, which must then fit completely
/// file.load_parts(&mut [("features", &mut model.features)])?;
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
#[must_use = "a file of parameters changes no model until it is loaded into one"]
pub struct ParameterFile {
    /// `None` for bytes in memory.
    path: Option<PathBuf>,
    tensors: Vec<Stored>,
    numbers: Numbers,
}

/// Where the numbers are.
enum Numbers {
    /// In the order of the tensors, from a place on.
    Safetensors { source: Source, start: u64 },
    #[cfg(feature = "pytorch")]
    Pytorch(PytorchFile),
}

impl Numbers {
    fn read(&mut self, tensors: &[Stored], wanted: &[bool]) -> Result<Vec<Option<SnapshotArray>>, Reason> {
        match self {
            Numbers::Safetensors { source, start } => {
                source.seek(SeekFrom::Start(*start)).map_err(reading)?;
                read_numbers(source, tensors, wanted)
            }
            #[cfg(feature = "pytorch")]
            Numbers::Pytorch(file) => file.read_numbers(tensors, wanted),
        }
    }
}

/// The result of [`ParameterFile::load_what_fits`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "says which parameters the model did not get"]
pub struct LoadReport {
    /// The names of the parameters and buffers loaded from the file, in the order of the model.
    pub loaded: Vec<String>,
    /// What is only in the model, only in the file, or does not fit.
    pub mismatches: Vec<Mismatch>,
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} parameters were loaded", self.loaded.len())?;
        self.mismatches.iter().try_for_each(|mismatch| write!(f, "\n  {mismatch}"))
    }
}

impl ParameterFile {
    /// Opens a safetensors file and reads the list of its tensors.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let (source, length) = Source::open(path)?;
        Self::safetensors(source, length).map_err(|reason| FileError::of(Some(path), reason)).map(|file| file.at(path))
    }

    /// The same for a safetensors file in memory: received from somewhere, or part of the program (`include_bytes!`).
    ///
    /// # Errors
    /// If it is damaged.
    ///
    /// ```
    /// use taut::io::ParameterFile;
    /// use taut::prelude::*;
    /// let mut rng = StdRng::seed_from_u64(0);
    /// let bytes = <(Linear<3, 4>, Relu, Linear<4, 2>)>::init(&mut rng).to_safetensors().unwrap();
    /// let mut last = Linear::<4, 2>::init(&mut rng);
    /// ParameterFile::from_safetensors(bytes).unwrap().part("2").load(&mut last).unwrap();
    /// ```
    pub fn from_safetensors(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, FileError> {
        let (source, length) = Source::of(bytes.into());
        Self::safetensors(source, length).map_err(|reason| FileError::of(None, reason))
    }

    fn safetensors(mut source: Source, length: u64) -> Result<Self, Reason> {
        let Header { tensors, .. } = Header::read(&mut source, length)?;
        let start = source.stream_position().map_err(reading)?;
        Ok(ParameterFile { path: None, tensors, numbers: Numbers::Safetensors { source, start } })
    }

    /// Opens a file of PyTorch's `torch.save`, `.pt` or `.pth`, and reads the list of its tensors: a `state_dict`, or
    /// dictionaries that hold one. A tensor's name consists of the keys that lead to it: the tensors of `{"epoch": 3,
    /// "model": model.state_dict()}` are called `model.0.weight`; [`part`](Self::part) takes `model` off. With the
    /// feature `pytorch`.
    ///
    /// Nothing in the file is run. It is a pickle, which may name any function of Python, but only the few names that
    /// weights need are accepted, and any other is an error that names it. Tensors may be views of any strides and
    /// share storages; those of 16 bits are widened. Tensors of whole numbers are listed and can be left out, and
    /// loaded into nothing.
    ///
    /// PyTorch wrote another format before 1.6, and with `_use_new_zipfile_serialization=False` still does: it is not a
    /// zip archive, and is not read. `torch.save(torch.load(path, weights_only=True), path)` converts it.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, is in that older format, or holds more than weights: a whole pickled
    /// module, say.
    ///
    /// ```no_run
    /// use taut::io::ParameterFile;
    /// use taut::models::ResNet18;
    /// use taut::prelude::*;
    /// # fn main() -> Result<(), taut::files::FileError> {
    /// // torch.save(torchvision.models.resnet18(weights="DEFAULT").state_dict(), "resnet18.pt")
    /// let mut model = ResNet18::<1000>::init(&mut StdRng::seed_from_u64(0));
    /// ParameterFile::open_pytorch("resnet18.pt")?.load(&mut model)?;
    ///
    /// // torch.save({"epoch": epoch, "model": parallel.state_dict()}, "checkpoint.pt")
    /// ParameterFile::open_pytorch("checkpoint.pt")?.part("model").without_prefix("module.").load(&mut model)?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "pytorch")]
    #[doc(alias = "torch.load")]
    pub fn open_pytorch(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let (source, length) = Source::open(path)?;
        Self::pytorch(source, length).map_err(|reason| FileError::of(Some(path), reason)).map(|file| file.at(path))
    }

    /// The same for a file of PyTorch in memory.
    ///
    /// # Errors
    /// As for [`open_pytorch`](Self::open_pytorch).
    #[cfg(feature = "pytorch")]
    pub fn from_pytorch(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, FileError> {
        let (source, length) = Source::of(bytes.into());
        Self::pytorch(source, length).map_err(|reason| FileError::of(None, reason))
    }

    #[cfg(feature = "pytorch")]
    fn pytorch(source: Source, length: u64) -> Result<Self, Reason> {
        let (file, tensors) = PytorchFile::read(source, length)?;
        Ok(ParameterFile { path: None, tensors, numbers: Numbers::Pytorch(file) })
    }

    /// The path is for messages.
    fn at(self, path: &Path) -> Self {
        ParameterFile { path: Some(path.to_path_buf()), ..self }
    }

    /// The current names and sizes of the tensors.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors.iter().filter(|stored| !stored.is_passed_over).map(|stored| (&*stored.name, &*stored.sizes))
    }

    /// Renames the tensors; those renamed to `None` are skipped.
    pub fn rename(mut self, new_name: impl Fn(&str) -> Option<String>) -> Self {
        for stored in self.tensors.iter_mut().filter(|stored| !stored.is_passed_over) {
            match new_name(&stored.name) {
                Some(name) => stored.name = name,
                None => stored.is_passed_over = true,
            }
        }
        self
    }

    /// Removes this prefix from the names that have it: `module.`, `_orig_mod.`.
    pub fn without_prefix(self, prefix: &str) -> Self {
        self.rename(|name| Some(name.strip_prefix(prefix).unwrap_or(name).to_string()))
    }

    /// Skips everything under a name: `fc`, and so `fc.weight` and `fc.bias`.
    pub fn without_part(self, part: &str) -> Self {
        self.rename(|name| strip(part, name).is_none().then(|| name.to_string()))
    }

    /// Keeps only what is under a name, and removes the name: the part `model` of `model.fc.weight` has `fc.weight`.
    pub fn part(self, part: &str) -> Self {
        self.rename(|name| strip(part, name).map(str::to_string))
    }

    /// Loads the file into a model with exactly the same parameters.
    ///
    /// # Errors
    /// If they differ: the error lists each difference. The model is then unchanged.
    #[track_caller]
    pub fn load(&mut self, model: &mut dyn Parameters) -> Result<(), FileError> {
        self.load_parts(&mut [("", model)])
    }

    /// Loads several models, each from the part of the file under its name; the rest of the file is ignored.
    ///
    /// # Errors
    /// If one of them does not fit: the error names each difference. All models are then unchanged.
    #[track_caller]
    pub fn load_parts(&mut self, parts: &mut [(&str, &mut dyn Parameters)]) -> Result<(), FileError> {
        let ParameterFile { path, tensors, numbers } = self;
        let loaded = read_parts(&mut |wanted| numbers.read(tensors, wanted), tensors, parts);
        loaded.map_err(|reason| FileError::of(path.as_deref(), reason))
    }

    /// Loads those parameters whose name and shape match the model's, and reports which do not. For a new head on
    /// pretrained features; if nothing may be missing, use [`load`](Self::load).
    ///
    /// # Errors
    /// If the file cannot be read. The model is then unchanged.
    #[track_caller]
    pub fn load_what_fits(&mut self, model: &mut dyn Parameters) -> Result<LoadReport, FileError> {
        let ParameterFile { path, tensors, numbers } = self;
        let mismatches = differences(model, "", tensors);
        let mut read = |wanted: &[bool]| numbers.read(tensors, wanted);
        // no closure around it, which would hide the caller's line
        let loaded = match duplicates(tensors) {
            Ok(()) => put_fitting(&mut read, tensors, model, &mismatches),
            Err(twice) => Err(twice),
        };
        let loaded = loaded.map_err(|reason| FileError::of(path.as_deref(), reason))?;
        Ok(LoadReport { loaded, mismatches })
    }
}

impl fmt::Debug for ParameterFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.as_deref().unwrap_or(Path::new("in memory"));
        write!(f, "ParameterFile {{ {}, {} tensors }}", path.display(), self.tensors().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::Folder;
    use crate::prelude::*;

    type Parts = (Linear<3, 2>, BatchNorm1d<2>, Linear<2, 4, f64>);

    fn model(seed: u64) -> Parts {
        Parts::init(&mut StdRng::seed_from_u64(seed))
    }

    fn bytes(model: &Parts) -> Vec<u8> {
        model.to_safetensors().unwrap()
    }

    fn saved(folder: &Folder) -> ParameterFile {
        model(0).save(folder.path().join("model")).unwrap();
        ParameterFile::open(folder.path().join("model")).unwrap()
    }

    #[test]
    fn renamed_or_not_everything_is_loaded() {
        let folder = Folder::new();
        let mut new = model(1);
        saved(&folder).load(&mut new).unwrap();
        assert!(bytes(&new) == bytes(&model(0)));
        let mut new = model(1);
        let mut renamed = saved(&folder).rename(|name| Some(format!("module.{name}")));
        let error = renamed.load(&mut new).unwrap_err();
        assert!(error.mismatches().len() == 16 && bytes(&new) == bytes(&model(1)), "{error}");
        renamed.without_prefix("module.").load(&mut new).unwrap();
        assert!(bytes(&new) == bytes(&model(0)));
    }

    #[test]
    fn several_parts_or_none_of_them() {
        let folder = Folder::new();
        let (first, _, last) = model(0);
        let mut new = model(1);
        let mut file = saved(&folder);
        // the same part may be wanted twice
        let mut again = model(2).0;
        file.load_parts(&mut [("2", &mut new.2), ("0", &mut new.0), ("0", &mut again)]).unwrap();
        assert_eq!((new.0.weight.value(), new.2.bias.value()), (first.weight.value(), last.bias.value()));
        assert_eq!(again.bias.value(), first.bias.value());
        let (mut good, mut bad) = (model(3).0, Linear::<5, 2>::init(&mut StdRng::seed_from_u64(0)));
        let before = good.weight.value().clone();
        let error = file.load_parts(&mut [("0", &mut good), ("0", &mut bad)]).unwrap_err();
        assert_eq!(
            error.mismatches(),
            [Mismatch::Shape { name: "0.weight".into(), model: vec![2, 5], file: vec![2, 3] }]
        );
        assert_eq!(*good.weight.value(), before);
    }

    #[test]
    fn bytes_are_as_good_as_a_file() {
        let mut new = model(1);
        let mut file = ParameterFile::from_safetensors(bytes(&model(0))).unwrap();
        file.load(&mut new).unwrap();
        assert!(bytes(&new) == bytes(&model(0)));
        // again, and from memory that lives as long as the program
        let kept: &'static [u8] = bytes(&model(0)).leak();
        for mut file in [file, ParameterFile::from_safetensors(kept).unwrap()] {
            let mut last = model(2).2;
            file.load_parts(&mut [("2", &mut last)]).unwrap();
            file.part("2").load(&mut last).unwrap();
            assert_eq!(last.weight.value(), model(0).2.weight.value());
        }
        let error = ParameterFile::from_safetensors(&kept[..kept.len() - 1]).unwrap_err();
        assert!(error.path().is_none() && error.reason().contains("not a whole safetensors file"), "{error}");
    }

    #[test]
    fn a_part_is_what_is_under_its_name() {
        let folder = Folder::new();
        let mut part = saved(&folder).part("1");
        let names: Vec<&str> = part.tensors().map(|(name, _)| name).collect();
        assert_eq!(names, ["weight", "bias", "running_mean", "running_var"]);
        let mut norm = model(1).1;
        part.load(&mut norm).unwrap();
        assert_eq!(norm.to_safetensors().unwrap(), model(0).1.to_safetensors().unwrap());
        assert_eq!(saved(&folder).part("3").tensors().count(), 0);
        assert_eq!(saved(&folder).part("").tensors().count(), 8);
    }

    #[test]
    fn what_fits_and_a_report() {
        let folder = Folder::new();
        let mut rng = StdRng::seed_from_u64(5);
        let mut other = <(Linear<3, 2>, BatchNorm1d<2>, Linear<2, 5, f64>, Bias<5>)>::init(&mut rng);
        let untouched = other.2.weight.value().clone();
        let report = saved(&folder).without_part("1").load_what_fits(&mut other).unwrap();
        assert_eq!(report.loaded, ["0.weight", "0.bias"]);
        assert_eq!(other.0.weight.value(), model(0).0.weight.value());
        assert_eq!(*other.2.weight.value(), untouched);
        let missing = report.mismatches.iter().filter(|m| matches!(m, Mismatch::Missing { .. })).count();
        let shapes = report.mismatches.iter().filter(|m| matches!(m, Mismatch::Shape { .. })).count();
        assert_eq!((missing, shapes), (5, 2), "{report}");
        // an f32 in the file becomes an f64, but not the reverse
        let mut wide = <(Linear<3, 2, f64>, Linear<2, 4>)>::init(&mut rng);
        let mut file = saved(&folder).without_part("1").rename(|name| Some(name.replace("2.", "1.")));
        let report = file.load_what_fits(&mut wide).unwrap();
        assert_eq!(report.loaded, ["0.weight", "0.bias"]);
        assert!(report.mismatches.iter().all(|m| matches!(m, Mismatch::ElementType { .. })), "{report}");
        assert_eq!(wide.0.bias.value()[[0]], f64::from(model(0).0.bias.value()[[0]]));
    }

    #[test]
    fn two_names_that_become_one_are_refused() {
        let folder = Folder::new();
        let mut file = saved(&folder).rename(|_| Some("weight".to_string()));
        let mut new = model(1);
        for error in [file.load(&mut new).unwrap_err(), file.load_what_fits(&mut new).unwrap_err()] {
            assert!(error.reason().contains("two tensors have the name `weight`"), "{error}");
        }
        assert!(bytes(&new) == bytes(&model(1)));
    }
}
