//! The loops: slices and plain sizes in, slices out. Nothing here knows about shapes, layers or tapes.
//!
//! Each loop is compiled in this crate, once for each element type and instruction set, and selected at run time: a
//! model with new shapes recompiles no kernel, and `cargo build --release` needs no `target-cpu`.

pub mod caches;
pub mod convert;
pub mod convolution;
pub mod denormals;
pub mod elementwise;
pub mod gemm;
pub mod instructions;
pub mod integer;
pub mod lines;
pub mod mask;
pub mod moments;
pub mod normalize;
pub mod pair_loss;
pub mod parallel;
pub mod pooling;
mod prefetch;
pub mod prelu;
pub mod random;
pub mod recurrent;
pub mod reduce;
pub mod resample;
pub mod row_loss;
pub mod runs;
pub mod softmax;
pub mod sparse;
pub mod store;
#[cfg(test)]
pub mod testing;
pub mod transpose;
pub mod update;
mod vectorized;
pub mod window;
pub mod word2vec;

pub(crate) use vectorized::vectorized;
