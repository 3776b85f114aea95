//! Parameters as constants, for the time that a frozen part of a model runs.
//!
//! A frozen part takes inputs of any type, and a parameter that joins a tape knows that tape only. So what is
//! remembered is which tapes are frozen: those that were made before the frozen part began. The flag of the thread
//! alone would not do: while a product waits for other threads of rayon's pool, its thread takes up another job,
//! another pass of another model perhaps, in the midst of the frozen part. But a tape never leaves its thread, so that
//! job makes a tape of its own, which is younger than the frozen part that it interrupts. What runs a frozen part on an
//! older tape *is* that part.

use super::id::next_number;
use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    /// Tapes with a lower number are frozen.
    static FROZEN_BEFORE: Cell<u64> = const { Cell::new(0) };
}

/// While this lives, parameters are constants on the tapes that were there when it was made.
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

/// Whether a parameter that joins the tape of this number now is a constant.
#[inline]
pub fn is_frozen(tape: u64) -> bool {
    tape < FROZEN_BEFORE.get()
}
