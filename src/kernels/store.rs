//! Whether a result overwrites its place or is added to it.

use num_traits::Float;

/// Whether a result replaces the previous value or, as gradients do, is added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Overwrite,
    Add,
}

impl Store {
    /// `Add` if so.
    #[inline(always)]
    pub fn adding(adds: bool) -> Self {
        if adds { Store::Add } else { Store::Overwrite }
    }

    #[inline(always)]
    pub fn adds(self) -> bool {
        self == Store::Add
    }

    /// Sets `out` to zero if the result replaces it: before loops that only add.
    #[inline(always)]
    pub fn clear<E: Float>(self, out: &mut [E]) {
        if !self.adds() {
            out.fill(E::zero());
        }
    }

    /// What stands there afterwards.
    #[inline(always)]
    pub fn result<E: Float>(self, before: E, new: E) -> E {
        if self.adds() { before + new } else { new }
    }
}
