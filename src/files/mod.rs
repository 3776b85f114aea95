//! What every reader and writer of files shares: one error type, opening, gzip within limits, and atomic writing.
//!
//! Only regular files are read and written: opening a FIFO would wait for its other end, perhaps forever. A name
//! ending in `.gz` means that a file is gzip-compressed.
//!
//! Gzip can expand a thousandfold, so readers have a [`Limit`].

mod atomic;
mod error;
mod lock;
mod open;
#[cfg(test)]
pub(crate) mod testing;

pub use atomic::ensure_writable;
pub(crate) use atomic::write_atomically;
pub(crate) use error::Reason;
pub use error::{FileError, Mismatch, Position};
pub(crate) use lock::Locked;
pub use open::Limit;
pub(crate) use open::{contents, plain_or_gzip, regular, unpacked};
