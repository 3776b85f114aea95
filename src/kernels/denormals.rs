//! Denormals: the numbers smaller in magnitude than the smallest number with full precision, 1.2e-38 in f32. Processors
//! compute with them more slowly, some by a factor of over a hundred, so there is a switch that flushes them to 0.
//!
//! The switch is two bits of a thread's MXCSR register. Parallel tasks set them as in the thread that waits for them,
//! and restore them afterwards: results do not depend on which thread computed them.

use std::marker::PhantomData;

/// Runs `f` with denormals treated as 0, in operands and results, on x86-64; on other processors, it just runs `f`.
///
/// Training that slows down late, when gradients and moments have become tiny, needs this: a multiplication with a
/// denormal takes two to four times as long as others on an AMD EPYC of 2024, and more than a hundred times on other
/// processors. Off by default, because it changes results: 1e-30 times 1e-10 is 0, and so is x - y of tiny numbers that
/// differ. A program gives the same bits with it on any number of threads, but not the same as without it.
///
/// It holds for all operations, optimizers and backward passes within `f`, on every thread that the library uses for
/// them. Threads that `f` starts itself, and closures that it passes to rayon, must call this function themselves.
/// Afterwards, even after a panic, the thread is as before.
///
/// ```
/// use taut::ops::flush_denormals;
/// use taut::prelude::*;
/// let tiny = Tensor::from([1e-30_f32, 1.0]);
/// let product = flush_denormals(|| &tiny * 1e-10);
/// if cfg!(target_arch = "x86_64") {
///     assert_eq!(product.to_array(), [0.0, 1e-10]);
/// }
/// assert_ne!((tiny * 1e-10).to_array()[0], 0.0);
/// ```
#[doc(alias = "set_flush_denormal")]
pub fn flush_denormals<R>(f: impl FnOnce() -> R) -> R {
    let _guard = Mode::FLUSH.enter();
    f()
}

/// How a thread computes with denormals: the two bits of MXCSR.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mode(u32);

impl Mode {
    /// Results that are denormal become 0 (bit 15), and so do operands (bit 6).
    const FLUSH: Mode = Mode(1 << 15 | 1 << 6);

    /// The mode of this thread.
    #[inline]
    pub fn current() -> Self {
        Mode(register() & Self::FLUSH.0)
    }

    /// Changes the mode of this thread until the guard is dropped.
    #[inline]
    pub fn enter(self) -> Guard {
        let before = Self::current();
        if before != self {
            set(self);
        }
        Guard { before, now: self, thread: PhantomData }
    }
}

/// Restores the [`Mode`] of a thread.
#[must_use]
pub struct Guard {
    before: Mode,
    now: Mode,
    /// The register belongs to one thread, so the guard must stay there.
    thread: PhantomData<*const ()>,
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        if self.before != self.now {
            set(self.before);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn register() -> u32 {
    let mut value = 0_u32;
    // SAFETY: the instruction, which every x86-64 processor has, writes four bytes, those of `value`.
    #[allow(unsafe_code)]
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags));
    }
    value
}

#[cfg(target_arch = "x86_64")]
fn set(mode: Mode) {
    let value = register() & !Mode::FLUSH.0 | mode.0;
    // SAFETY: the instruction reads four bytes, those of `value`, which is what the register held but for the two bits,
    // so that no reserved bit is set and no exception is let through. Compiled code may assume that denormals are kept:
    // it may compute with constants when compiling, or move an operation on numbers across this line. Either changes
    // whether a denormal is 0, and nothing else; no memory is reached by way of it. As the block may touch all memory
    // (`nomem` is not given), loads and stores of tensors, which is what kernels compute on, are not moved.
    #[allow(unsafe_code)]
    unsafe {
        std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack));
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn register() -> u32 {
    0
}

#[cfg(not(target_arch = "x86_64"))]
fn set(_: Mode) {}
