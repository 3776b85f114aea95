//! taut: deep learning in which a tensor's shape is part of its type.
//!
//! A model that does not fit its data does not compile, and the compiler's error names the layer and both numbers. This
//! page is a tour; each section links to the module with the details.
//!
//! # A model is a type
//!
//! Layers carry their sizes as parameters. A tuple of layers runs them in order, and is a layer itself: up to 16, and
//! longer chains are nested.
//!
//! ```
//! use taut::prelude::*;
//!
//! type Mlp = ((Linear<784, 128>, Relu), Linear<128, 10>);
//!
//! let mut rng = StdRng::seed_from_u64(0);
//! let model = Mlp::init(&mut rng);
//! let x = Tensor::<Rank2<64, 784>>::randn(&mut rng);
//! let y: Tensor<Rank2<64, 10>> = model.forward(x);
//! ```
//!
//! With `Linear<129, 10>` this is an error at the call of `forward`: "expected `129`, found `Const<128>`: this layer
//! takes 129 features". To have it checked where the model is defined, see [`check`].
//!
//! A struct names its parts, and the saved parameters with them; a model that is not a chain implements [`Module`] by
//! hand. The layers are in [`nn`].
//!
//! ```
//! use taut::prelude::*;
//!
//! #[derive(Init, Module, Parameters)]
//! struct Mlp {
//!     hidden: (Linear<784, 128>, Relu),
//!     output: Linear<128, 10>,
//! }
//! # Mlp::init(&mut StdRng::seed_from_u64(0)).forward(Tensor::<Rank1<784>>::ones());
//! ```
//!
//! # Tensors
//!
//! A [`Tensor<S>`](Tensor) has the [shape] `S`, a tuple of dimensions: `Const<N>` is known to the compiler,
//! `usize` only at run time. `Rank2<3, 4>` is short for `(Const<3>, Const<4>)`. Numbers are `f32` unless
//! said otherwise; clones share their elements until one of them is written. The [operations](ops) are methods.
//!
//! ```
//! use taut::prelude::*;
//!
//! let a = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]); // Tensor<Rank2<2, 3>>
//! let b = Tensor::<Rank2<3, 4>>::ones();
//! let c = a.matmul(b); // Tensor<Rank2<2, 4>>
//! assert_eq!(c.mean_axis::<1>().to_array(), [6.0, 15.0]);
//!
//! let rows = 2; // known only at run time
//! let d = Tensor::from_vec(vec![1.0_f32; 6], (rows, Const::<3>)).unwrap();
//! assert_eq!(d.sum_axis::<1>().as_slice(), [3.0, 3.0]);
//! ```
//!
//! # Training
//!
//! Operations are recorded on a [tape](trace), for one forward and one backward pass. The resulting gradients go to an
//! [optimizer](optim), which alone changes the model.
//!
//! ```
//! use taut::prelude::*;
//!
//! let mut rng = StdRng::seed_from_u64(0);
//! let (train, test) = taut::data::digits().split(0.25, &mut rng);
//! let mut model = <((Linear<64, 32>, Relu), Linear<32, 10>)>::init(&mut rng);
//! let mut optimizer = Adam::new(AdamConfig { learning_rate: 1e-2, ..Default::default() });
//! for (images, labels) in train.batches::<32>(&mut rng) {
//!     let tape = Tape::training(&mut rng);
//!     let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
//!     let gradients = loss.backward();
//!     optimizer.step(&mut model, &gradients);
//! }
//! let (images, labels) = test.whole();
//! let accuracy = model.forward(images).accuracy(&labels); // no tape: nothing is recorded
//! assert!(accuracy > 0.5);
//! ```
//!
//! A function that trains any model for one kind of data needs one bound on the model, [`Trainable`], whose page shows
//! the recipe.
//!
//! Datasets and batches are in [`data`], losses in [`loss`], vocabularies and word vectors in [`text`]. Environments
//! and the building blocks of agents are in [`rl`].
//!
//! Metrics that stream over batches are in [`metrics`]; the folder that a run writes, with its curves and its best
//! model, is in [`record`]. Training with several processes or machines, with the same bits on any number of them, is in
//! [`distributed`].
//!
//! # Saving
//!
//! A model is [saved](io) as safetensors, under the names that PyTorch gives the same layers. Loading compares
//! everything before it changes anything. The features `pytorch` and `numpy` are for files of these, and `onnx` for
//! models that run in other programs.
//!
//! ```
//! use taut::prelude::*;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("taut-doc-tour-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("layer.safetensors");
//! let layer = Linear::<3, 2>::init(&mut StdRng::seed_from_u64(0));
//! layer.save(&path)?;
//! let again = Linear::<3, 2>::load(&path)?;
//! assert_eq!(again.weight.value(), layer.weight.value());
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What can go wrong
//!
//! * A shape known to be wrong at compile time is a compile error, in plain words. `docs/errors.md` in the source
//!   shows them all, with their meaning and how to fix them.
//! * A run-time dimension that does not fit panics at the caller's line, naming the operation and both shapes. So does
//!   misuse of a tape: recording on one that `backward` used up, or mixing two.
//! * Files, downloads and values from a program's user give `Result`s, whose errors say what is wrong, where, and what
//!   to do.
//!
//! # Reproducible
//!
//! Randomness comes from a generator that the caller passes, and results are the same bits whatever the number of
//! threads. They may differ between kinds of processors: products use fused multiply-adds where available. The
//! variable `TAUT_INSTRUCTIONS` (`portable`, `avx2` or `avx512`) selects instructions other than the widest that the
//! processor has. With `portable`, and on processors without AVX2, products of matrices are those of the crate
//! [matrixmultiply](https://docs.rs/matrixmultiply), which has kernels for NEON.
//!
//! `f32` convolutions with 3x3 windows and stride 1 are computed by Winograd's method where that is faster, with a
//! quarter of the multiplications. Its results differ from those of the direct sum by about a millionth of the largest,
//! and a NaN or an infinity makes all outputs of the 4x4 tiles that see it NaN. `TAUT_CONVOLUTION=direct` disables it;
//! `f64`, used for checking gradients, never uses it.

#![deny(unsafe_code)]
#![warn(missing_docs)]

// the derive macros name `::taut`, here too
extern crate self as taut;

pub mod data;
pub mod distributed;
pub mod distributions;
pub mod explain;
pub mod files;
pub mod io;
mod kernels;
pub mod loss;
#[allow(unsafe_code)]
pub mod memory;
pub mod metrics;
pub mod models;
pub mod nn;
mod numbers;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod ops;
pub mod optim;
pub mod params;
pub mod record;
pub mod rl;
pub mod shape;
mod tape;
pub mod tensor;
pub mod text;
pub mod trace;

// At the root, too: the compiler's errors name a type by its shortest path.
pub use numbers::{Generator, GeneratorState};
#[doc(no_inline)]
pub use prelude::*;
pub use rand::Rng as RandomSource;

/// What `#[derive(Module)]` adds for the feature `onnx`. The crate of the derives does not see the features of this
/// one.
#[cfg(feature = "onnx")]
#[doc(hidden)]
#[macro_export]
macro_rules! if_onnx {
    ($($item:item)*) => { $($item)* };
}
/// Nothing, without the feature.
#[cfg(not(feature = "onnx"))]
#[doc(hidden)]
#[macro_export]
macro_rules! if_onnx {
    ($($item:item)*) => {};
}

/// Everything that most programs use: `use taut::prelude::*;`.
pub mod prelude {
    pub use crate::data::Dataset;
    pub use crate::io::{Checkpoint, Persist};
    pub use crate::loss::CrossEntropy;
    pub use crate::nn::{
        AdaptiveAvgPool2d, AdaptiveMaxPool2d, Autoencoder, AvgPool1d, AvgPool2d, BatchNorm1d, BatchNorm1dNoAffine,
        BatchNorm2d, BatchNorm2dNoAffine, BiGru, BiLstm, BiRnn, Bias, CausalMask, ChannelPRelu, Conv1d, Conv2d,
        Conv2dNoBias, ConvTranspose2d, Dropout, Dropout2d, Elu, Embedding, EmbeddingBag, Eval, Flatten, Forward,
        Frozen, Gelu, GeluTanh, GlobalAvgPool2d, GlobalMaxPool2d, GroupNorm, GroupedConv2d, Gru, GruCell, Identity,
        Init, Lambda, LastStep, LayerNorm, LeakyRelu, LearnedPositionalEncoding, Linear, LinearNoBias, LogSoftmax,
        Lstm, LstmCell, LstmState, MaxPool1d, MaxPool2d, MaxUnpool2d, Module, MultiHeadAttention, NoBias, NoMask,
        PRelu, PixelShuffle, PositionalEncoding, RectangularConv2d, ReflectionPad2d, Relu, ReluRnn, ReluRnnCell,
        ReplicationPad2d, Reshape, Residual, Rnn, RnnCell, SameConv2d, Sigmoid, Silu, Softmax, Softplus, SpectralNorm,
        Summarize, Tanh, Trainable, TransformerEncoder, TransformerEncoderLayer, UpsampleBilinear2d, UpsampleNearest2d,
        ZeroPad2d, check, eval, frozen,
    };
    #[cfg(feature = "onnx")]
    pub use crate::onnx::ToOnnx;
    pub use crate::ops::Join;
    pub use crate::optim::{
        AdaGrad, AdaGradConfig, Adam, AdamConfig, Group, Momentum, Optimizer, RmsMomentum, RmsProp, RmsPropConfig, Sgd,
        SgdConfig, WeightDecay,
    };
    pub use crate::params::{Buffer, Ema, Pairs, Param, Parameters, check_gradients, check_parameter_gradients};
    pub use crate::shape::{Axis, Const, Dim, Rank0, Rank1, Rank2, Rank3, Rank4, Rank5, Rank6, Shape};
    pub use crate::tensor::{Element, Float, Tensor};
    pub use crate::trace::{Gradients, Inference, NoTrace, Tape, Trace, Traced, Training, custom};
    pub use rand::SeedableRng;
    pub use rand::rngs::StdRng;
}

// the README's programs are tested like the documentation's
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
#[cfg(doctest)]
#[doc = include_str!("../docs/errors.md")]
struct Errors;
