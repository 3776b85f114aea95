//! Several tensors in one `.npz` file, as `numpy.savez` writes them: a zip archive of `.npy` files.

use super::archive::Archive;
use super::npy::{NpyElement, not_saved, read_tensor, write_tensor};
use super::source::Source;
use crate::files::{FileError, Limit, Reason, write_atomically};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::io::{self, Cursor, Seek, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An open `.npz` file, as `numpy.savez` and `numpy.savez_compressed` write them. With the feature `numpy`.
///
/// For the conversion of elements, see [`npy`](super::npy).
///
/// ```
/// use taut::io::{NpzFile, NpzWriter};
/// use taut::prelude::*;
/// # fn main() -> Result<(), taut::files::FileError> {
/// # let path = std::env::temp_dir().join(format!("taut-doc-npz-{}.npz", std::process::id()));
/// let (x, labels) = (Tensor::<Rank2<3, 4>>::ones(), Tensor::from([0, 2, 1]));
/// NpzWriter::new().with("x", &x).with("labels", &labels).save(&path)?; // in Python: np.load("data.npz")["x"]
///
/// let mut file = NpzFile::open(&path)?; // in Python: np.savez("data.npz", x=x, labels=labels)
/// let x: Tensor<(usize, Const<4>)> = file.tensor("x")?;
/// let labels: Tensor<(usize,), usize> = file.tensor("labels")?;
/// # assert_eq!((x.count(), labels.to_vec()), (12, vec![0, 2, 1]));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
#[must_use = "tensors are read from it one by one"]
pub struct NpzFile {
    path: Option<PathBuf>,
    archive: Archive,
}

impl NpzFile {
    /// Opens a file and reads the list of its arrays. Each may unpack to 64 times the size of the file.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a zip archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::open_with(path, Limit::default())
    }

    /// The same with another limit on the size of an unpacked array: some, of zeros for example, compress very well.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, limit: Limit) -> Result<Self, FileError> {
        let path = path.as_ref();
        let (source, length) = Source::open(path)?;
        let archive =
            Archive::read(source, limit.of_gzip(length)).map_err(|reason| FileError::of(Some(path), reason))?;
        Ok(NpzFile { path: Some(path.to_path_buf()), archive })
    }

    /// The same for a file in memory.
    ///
    /// # Errors
    /// If it is no zip archive.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, FileError> {
        let (source, length) = Source::of(bytes.into());
        let archive =
            Archive::read(source, Limit::default().of_gzip(length)).map_err(|reason| FileError::of(None, reason))?;
        Ok(NpzFile { path: None, archive })
    }

    /// The names of the arrays. Those given to `savez` without a name are called `arr_0`, `arr_1`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.archive.names().iter().filter_map(|name| name.strip_suffix(".npy"))
    }

    /// Reads an array.
    ///
    /// # Errors
    /// If there is no array of this name, it is damaged, unpacks to more than the limit, or has another shape or
    /// elements that the tensor cannot hold without loss.
    pub fn tensor<S: Shape, E: NpyElement>(&mut self, name: &str) -> Result<Tensor<S, E>, FileError> {
        if !self.names().any(|found| found == name) {
            let names: Vec<&str> = self.names().collect();
            let reason = Reason::Text(format!("there is no array `{name}` in this file, which holds {names:?}"));
            return Err(FileError::of(self.path.as_deref(), reason));
        }
        let entry = self.archive.contents(&format!("{name}.npy"));
        let read = entry.and_then(|bytes| {
            read_tensor(&mut bytes.as_slice(), bytes.len() as u64).map_err(|reason| match reason {
                Reason::Text(text) => Reason::Text(format!("`{name}`: {text}")),
                reason => reason,
            })
        });
        read.map_err(|reason| FileError::of(self.path.as_deref(), reason))
    }
}

impl std::fmt::Debug for NpzFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.as_deref().unwrap_or(Path::new("in memory"));
        write!(f, "NpzFile {{ {}, {} arrays }}", path.display(), self.names().count())
    }
}

/// Tensors that will be written to an `.npz` file. See [`NpzFile`]. With the feature `numpy`.
#[must_use = "nothing is in a file until `save` has written it"]
#[derive(Default)]
pub struct NpzWriter<'a> {
    is_compressed: bool,
    tensors: Vec<(String, WriteArray<'a>)>,
}

/// Writes one array.
type WriteArray<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + 'a>;

impl fmt::Debug for NpzWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.tensors.iter().map(|(name, _)| name).collect();
        write!(f, "NpzWriter {{ is_compressed: {}, tensors: {names:?} }}", self.is_compressed)
    }
}

impl<'a> NpzWriter<'a> {
    /// No tensors yet.
    #[doc(alias = "savez")]
    pub fn new() -> Self {
        Self::default()
    }

    /// Compresses the arrays.
    #[doc(alias = "savez_compressed")]
    pub fn compressed(self) -> Self {
        NpzWriter { is_compressed: true, ..self }
    }

    /// Adds a tensor under a name.
    pub fn with<S: Shape, E: NpyElement>(mut self, name: &str, tensor: &'a Tensor<S, E>) -> Self {
        self.tensors.push((name.to_string(), Box::new(|out| write_tensor(out, tensor))));
        self
    }

    /// Writes the file. An existing one is kept until the new one is complete.
    ///
    /// # Errors
    /// If the file cannot be written, two tensors have the same name, or a `usize` is 2^63 or above.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        write_atomically(path.as_ref(), |out| self.write(out))
    }

    /// The bytes that [`save`](Self::save) writes.
    ///
    /// # Errors
    /// If two tensors have the same name, or a `usize` is 2^63 or above.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FileError> {
        let mut bytes = Cursor::new(Vec::new());
        self.write(&mut bytes).map_err(not_saved)?;
        Ok(bytes.into_inner())
    }

    fn write(&self, out: impl Write + Seek) -> io::Result<()> {
        let method = if self.is_compressed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        // sizes of more than four gigabytes have a place, as in NumPy's files
        let options = SimpleFileOptions::default().compression_method(method).large_file(true);
        let mut zip = ZipWriter::new(out);
        let mut names = HashSet::new();
        for (name, write) in &self.tensors {
            if !names.insert(name) {
                let text = format!("two tensors have the name `{name}`");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
            zip.start_file(format!("{name}.npy"), options)?;
            write(&mut zip)?;
        }
        zip.finish().map(|_| ()).map_err(io::Error::from)
    }
}
