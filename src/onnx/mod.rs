//! Models as [ONNX](https://onnx.ai) files, for onnxruntime and other programs that run networks.
//!
//! [`ToOnnx::export_onnx`] writes any model of taut's layers; [`ExportOnnx`] is what a module written by hand
//! implements. The graph is the model in inference, of operators that onnxruntime has had since 2022 (version 17 of
//! ONNX's operators); its outputs are taut's to 1e-5, which is tested for every layer.
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
//! `Tensor<(usize, Const<784>)>` one for any number. What its inputs and outputs are called, and the sizes that are not
//! fixed, is said at [`Signature`].
//!
//! # Parameters
//!
//! They have the names of [safetensors files](crate::io). Where the operator wants them in another order, a recurrent
//! layer's gates say, or a [`SpectralNorm`](crate::nn::SpectralNorm) divides them, the name says that, too.
//!
//! # Kinds of numbers
//!
//! Models of `f64` are valid files, but some of onnxruntime's operators take `f32` only: convolutions and LSTMs among
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
