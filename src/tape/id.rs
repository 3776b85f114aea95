//! The numbers of nodes and tapes, and hash tables keyed by them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The number of a node on its tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// A value that is on the tape but needs no gradient, and so has no node.
    pub const CONSTANT: NodeId = NodeId(u32::MAX);

    /// The number of the entry at this place.
    ///
    /// # Panics
    /// If there are 2^32 or more.
    pub fn of_index(index: usize) -> Self {
        let id = u32::try_from(index).ok().filter(|&id| id != u32::MAX);
        NodeId(id.expect("a tape holds fewer than 2^32 operations"))
    }

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A number higher than all that this thread has received before.
pub fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

/// Ids count up from 0, so one multiplication hashes them well: too little code for a crate such as `rustc-hash`.
#[derive(Clone, Copy, Default)]
pub struct NoHash;
pub struct IdHasher(u64);
impl std::hash::BuildHasher for NoHash {
    type Hasher = IdHasher;
    fn build_hasher(&self) -> IdHasher {
        IdHasher(0)
    }
}
impl std::hash::Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 << 8) | u64::from(byte);
        }
    }
    fn write_u64(&mut self, id: u64) {
        // Fibonacci hashing: the table uses the high bits as well as the low ones
        self.0 = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
