//! The buffers behind tensors, and the pool that recycles them.
//!
//! The sizes of a training step's buffers are the same in every step, and a freshly mapped page costs far more than
//! writing to one that is already there. So a buffer that is dropped goes back to a pool by size class, shared by all
//! threads, and the next step takes it from there: a steady training loop never asks the system for memory.
//!
//! Buffers are reference counted, aligned to 64 bytes (a cache line, and more than any vector register needs), and
//! always initialised: `Storage::scratch` returns old numbers, or NaN in debug builds, never
//! uninitialised memory.

mod pool;
mod storage;

pub use storage::Pooled;
pub(crate) use storage::Storage;

use pool::Pool;
use storage::pools;

/// Returns all memory that no tensor is using to the system.
///
/// The pool does so by itself when it would hold more than the program's peak use. Call this after a phase that needed
/// much more memory than what follows.
pub fn release_unused() {
    for pool in pools() {
        pool.release();
    }
}

/// The bytes held by the pool that no tensor is using.
pub fn retained_bytes() -> usize {
    pools().iter().map(Pool::free).sum()
}
