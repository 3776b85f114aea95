//! Models as [ONNX](https://onnx.ai) files, for onnxruntime and other programs that run networks.
//!
//! [`ToOnnx::export_onnx`] writes any model of taut's layers; a module written by hand implements [`ExportOnnx`]. The
//! graph is the model in inference, made of operators that onnxruntime has had since 2022 (version 17 of ONNX's
//! operators); its outputs agree with taut's to 1e-5, which is tested for every layer.
//!
//! ```
//! use taut::prelude::*;
//! # fn main() -> Result<(), taut::files::FileError> {
//! # let folder = std::env::temp_dir().join(format!("taut-doc-onnx-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let path = folder.join("mlp.onnx");
//! type Mlp = ((Linear<784, 128>, Relu), Linear<128, 10>);
//! let model = Mlp::init(&mut StdRng::seed_from_u64(0));
//! model.export_onnx::<Tensor<(usize, Const<784>)>>(&path)?; // "mlp.onnx", for batches of any size
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! # Sizes
//!
//! The input's type says which sizes are fixed: `Tensor<Rank2<1, 784>>` makes a graph for one image, and
//! `Tensor<(usize, Const<784>)>` one for any number. [`Signature`] describes the names of inputs, outputs, and sizes
//! that are not fixed.
//!
//! # Parameters
//!
//! Parameters have the names of [safetensors files](crate::io). If the operator needs them in another order (the gates
//! of recurrent layers), or a [`SpectralNorm`](crate::nn::SpectralNorm) divides them, the name says so.
//!
//! # Kinds of numbers
//!
//! Models of `f64` are valid files, but some of onnxruntime's operators accept only `f32`, convolutions and LSTMs among
//! them. Attributes (epsilons, slopes) are `f32` in the format. Indices and lengths are 64-bit integers.

mod export;
mod graph;
mod layers;
mod messages;
mod signature;
#[cfg(test)]
mod tests;
mod value;

pub use export::{ExportOnnx, ToOnnx};
pub use graph::{Attribute, Graph, Node};
pub use layers::ExportedCell;
pub use signature::Signature;
pub use value::Value;
