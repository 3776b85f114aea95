//! Parameters as constants, while a frozen part of a model runs.
//!
//! A frozen part takes inputs of any type, and a parameter that joins a tape knows only that tape. So the thread
//! remembers which tapes are frozen: those that were made before the frozen part began. A mere flag per thread would
//! not do: while a product waits for other threads of rayon's pool, its thread may start another job, perhaps a pass of
//! another model, in the middle of the frozen part. But a tape never leaves its thread, so that job makes its own tape,
//! which is younger than the frozen part it interrupts. Whatever runs on an older tape belongs to the frozen part.

use super::id::next_number;
use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    /// Tapes with a lower number are frozen.
    static FROZEN_BEFORE: Cell<u64> = const { Cell::new(0) };
}

/// While this lives, parameters are constants on the tapes that existed when it was made.
pub struct FrozenHere {
    outer: u64,
    stays_in_its_thread: PhantomData<*const ()>,
}

impl FrozenHere {
    pub fn new() -> Self {
        // tapes and frozen parts are numbered together, so that a number says which came first
        FrozenHere { outer: FROZEN_BEFORE.replace(next_number()), stays_in_its_thread: PhantomData }
    }
}

impl Drop for FrozenHere {
    fn drop(&mut self) {
        FROZEN_BEFORE.set(self.outer);
    }
}

/// Whether a parameter that joins the tape with this number now is a constant.
#[inline]
pub fn is_frozen(tape: u64) -> bool {
    tape < FROZEN_BEFORE.get()
}
