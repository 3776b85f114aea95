//! Parameters as constants, for the time that a frozen part of a model runs.

use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    // A tape stays in its thread, so a flag of the thread is a flag of the tapes that run in it; and a layer can be
    // frozen whatever the type of its input.
    static FROZEN: Cell<usize> = const { Cell::new(0) };
}

/// Whether a parameter that joins a tape now is a constant.
pub(crate) fn frozen_here() -> bool {
    FROZEN.get() > 0
}

/// While this lives, parameters are constants.
pub(crate) struct FrozenHere(PhantomData<*const ()>);

impl FrozenHere {
    pub(crate) fn new() -> Self {
        FROZEN.set(FROZEN.get() + 1);
        FrozenHere(PhantomData)
    }
}

impl Drop for FrozenHere {
    fn drop(&mut self) {
        FROZEN.set(FROZEN.get() - 1);
    }
}

/// Runs `f`, in which parameters are constants: no gradient is recorded for them. Gradients still pass through to the
/// inputs. This is what [`Frozen`](crate::nn::Frozen) does with its module.
pub fn while_frozen<R>(f: impl FnOnce() -> R) -> R {
    let _lowered_even_on_panic = FrozenHere::new();
    f()
}
