//! Files: models as [safetensors](https://github.com/huggingface/safetensors), and checkpoints of whole training runs.
//!
//! [`Persist`] saves any model and loads it again; [`Checkpoint`] holds what a run needs to resume as if it had never
//! stopped. Both write safetensors files, which PyTorch and other libraries read too.
//!
//! ```
//! use taut::prelude::*;
//! # fn main() -> Result<(), taut::files::FileError> {
//! # let folder = std::env::temp_dir().join(format!("taut-doc-io-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let path = folder.join("mlp.safetensors");
//! type Mlp = (Linear<784, 128>, Relu, Linear<128, 10>);
//! let model = Mlp::init(&mut StdRng::seed_from_u64(0));
//! model.save(&path)?; // "mlp.safetensors"
//! let same = Mlp::load(&path)?;
//! # let x = Tensor::<Rank2<1, 784>>::ones();
//! # assert_eq!(model.forward(x.clone()), same.forward(x));
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! # In memory, and in 16 bits
//!
//! What goes to a file also goes to bytes, and comes from them: [`Persist::to_safetensors`],
//! [`Persist::from_safetensors`], [`Checkpoint::to_safetensors`], [`ParameterFile::from_safetensors`]. [`Precision`]
//! says in how many bits numbers are saved.
//!
//! # PyTorch's files
//!
//! Names are those of a PyTorch `state_dict`, and so are the layouts of the weights. So what
//! `safetensors.torch.save_file(nn.Sequential(...).state_dict(), path)` writes loads into a tuple of the same layers,
//! and what `torch.save` writes, with the feature `pytorch`: `ParameterFile::open_pytorch`.
//!
//! # Other libraries
//!
//! The feature `serde` makes tensors `Serialize` and `Deserialize`, for your own settings and records. (For models, use
//! the files above: other libraries read them, and numbers are not turned into text.) The feature `ndarray` converts
//! tensors from and to arrays of that crate. Both check shapes. The feature `numpy` reads and writes NumPy's files: the
//! module `npy` one array, `NpzFile` and `NpzWriter` several.
//!
//! # What may happen while saving
//!
//! A file is written under another name in the same folder, flushed to disk, and then replaces the old one in one step.
//! A program that is killed, or a machine that loses power, leaves either the old file or the new one, complete. (And
//! perhaps the unfinished `.NAME.PROCESS.NUMBER.partial`, which the next save of the same file removes.)
//!
//! # What may be in a file
//!
//! Nothing in a file is trusted. A damaged file, or one of another model, is an error that says what is wrong and
//! where, and leaves the model unchanged.

#[cfg(any(feature = "numpy", feature = "pytorch"))]
mod archive;
mod checkpoint;
mod half;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "numpy")]
pub mod npy;
#[cfg(feature = "numpy")]
mod npz;
mod parameter_file;
mod persist;
mod precision;
#[cfg(feature = "pytorch")]
mod pytorch;
mod safetensors;
#[cfg(feature = "serde")]
mod serde;
mod source;
#[cfg(any(feature = "numpy", feature = "pytorch"))]
mod strided;

pub use checkpoint::Checkpoint;
#[cfg(feature = "numpy")]
pub use npz::{NpzFile, NpzWriter};
pub use parameter_file::{LoadReport, ParameterFile};
pub use persist::Persist;
pub use precision::Precision;
