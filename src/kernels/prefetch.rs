//! Asking for memory before it is needed.

/// The bytes that the processor fetches at once.
pub const LINE: usize = 64;

/// Asks the processor to fetch what lies at `place`, which need not exist. Where the compiler has no stable name for
/// this, nothing happens.
#[inline(always)]
pub fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    for offset in (0..size_of::<T>()).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: this is a hint: nothing is read, and an address that is not mapped raises no fault.
        #[allow(unsafe_code)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(place.cast::<i8>().wrapping_add(offset));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (place, LINE);
}
