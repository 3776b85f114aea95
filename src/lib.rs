//! taut: deep learning in which a tensor's shape is part of its type.

#![deny(unsafe_code)]
#![warn(missing_docs)]

// the derive macros name `::taut`, here too
extern crate self as taut;

pub mod data;
pub mod io;
mod kernels;
pub mod loss;
#[allow(unsafe_code)]
pub mod memory;
pub mod models;
pub mod nn;
pub mod ops;
pub mod optim;
mod random;
pub mod shape;
pub mod tensor;
pub mod trace;

// At the root, too: the compiler's errors name a type by the shortest path that leads to it.
#[doc(no_inline)]
pub use prelude::*;
pub use rand::Rng as RandomSource;
pub use random::{Rng, RngState};

/// Everything that most programs use: `use taut::prelude::*;`.
pub mod prelude {
    pub use crate::data::Dataset;
    pub use crate::io::{Checkpoint, Persist};
    pub use crate::loss::{CrossEntropy, Each, Mean, Reduction, Sum};
    pub use crate::nn::*;
    pub use crate::ops::Join;
    pub use crate::optim::*;
    pub use crate::shape::{
        Axis, Channels, Const, Dim, Features, Rank0, Rank1, Rank2, Rank3, Rank4, Rank5, Rank6, Shape,
    };
    pub use crate::tensor::{Element, Float, Tensor};
    pub use crate::trace::{
        Gradients, Inference, NoTrace, Tape, Trace, Traced, Training, check_gradients, check_parameter_gradients,
        custom,
    };
    pub use rand::SeedableRng;
    pub use rand::rngs::StdRng;
}
