//! Buffers behind tensors, and the pool that hands them out again.
//!
//! The sizes of a training step's buffers are the same in every step, and a freshly mapped page costs far more than
//! writing to one that is already there. So a buffer that is dropped goes back to a pool by size class, shared by all
//! threads, and the next step takes it from there: a steady training loop never asks the system for memory.
//!
//! Buffers are reference counted, aligned to 64 bytes (a cache line, and more than any vector register needs), and
//! always initialised: what `Storage::scratch` hands out holds old numbers, or NaN in debug builds, never
//! uninitialised memory.

mod pool;
mod storage;

pub use pool::{release_unused, retained_bytes};
pub use storage::Pooled;
pub(crate) use storage::Storage;
