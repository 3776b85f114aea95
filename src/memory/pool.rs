//! The pool: free blocks of memory by size class.
//!
//! Four classes for each power of two, so at most a quarter of a block is unused. The pool keeps at most as much as
//! the program had in use at its peak, and never less than [`ALWAYS_KEPT`]: when a request finds no block of its
//! class and the total would grow beyond that, all free blocks go back to the system first.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

/// The alignment of every block and of the data in it.
pub(super) const ALIGNMENT: usize = 64;
/// Free blocks up to this total are kept, whatever the peak.
const ALWAYS_KEPT: usize = 64 << 20;
/// From 2^5 bytes on; up to 2^47, or to half of a smaller address space: no block is larger.
const CLASSES: usize = 4 * (if usize::BITS > 47 { 47 } else { usize::BITS as usize - 1 } - 5);

/// What precedes the data of each block; the data begins [`ALIGNMENT`] bytes after its start.
#[repr(C, align(64))]
pub(super) struct Header {
    pub references: AtomicUsize,
    pub pool: &'static Pool,
    pub class: usize,
}

/// A free block, owned by whoever holds this.
struct Free(NonNull<Header>);
// SAFETY: a free block has no other owner, and its header and data may be used from any thread.
unsafe impl Send for Free {}

/// One pool for each element type: memory that held one type is never read as another.
pub struct Pool {
    classes: [Mutex<Vec<Free>>; CLASSES],
    /// The bytes of all blocks, free or not.
    allocated: AtomicUsize,
    /// The most bytes that were in use at once. Updated only when a block is allocated, since only then can it rise;
    /// taking and giving back free blocks costs no more than the lock of a class.
    peak: AtomicUsize,
}

/// The class of a size, and the size of its blocks, in bytes of data; `None` for more than can be addressed.
fn class_of(bytes: usize) -> Option<(usize, usize)> {
    if bytes > size_of_class(CLASSES - 1) {
        return None;
    }
    let bytes = bytes.max(ALIGNMENT);
    // the largest power of two that is at most `bytes - 1`, cut in four
    let octave = (bytes - 1).ilog2() as usize;
    let quarter = 1_usize << (octave - 2);
    let part = (bytes - 1 - (1 << octave)) / quarter;
    Some(((octave - 5) * 4 + part, (1 << octave) + (part + 1) * quarter))
}

/// The layout of a block for this much data, or `None` for more than can be addressed.
fn layout(data: usize) -> Option<Layout> {
    Layout::from_size_align(data.checked_add(ALIGNMENT)?, ALIGNMENT).ok()
}

impl Pool {
    pub(super) const fn new() -> Self {
        Pool {
            classes: [const { Mutex::new(Vec::new()) }; CLASSES],
            allocated: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }
    }

    fn class(&self, class: usize) -> MutexGuard<'_, Vec<Free>> {
        // nothing panics while a class is locked, so the state cannot be broken
        self.classes[class].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A block for at least `bytes` of data with one reference, and whether the data is fresh (all zero); `None` if the
    /// system has no such block.
    pub(super) fn take(&'static self, bytes: usize) -> Option<(NonNull<Header>, bool)> {
        let (class, size) = class_of(bytes)?;
        let layout = layout(size)?;
        let block = self.class(class).pop();
        if let Some(Free(block)) = block {
            // SAFETY: a block in the pool is allocated, has a valid header, and nobody else refers to it.
            unsafe { block.as_ref() }.references.store(1, Relaxed);
            return Some((block, false));
        }
        let allocated = self.allocated.fetch_add(size, Relaxed) + size;
        let used = allocated.saturating_sub(self.free());
        if allocated > self.peak.fetch_max(used, Relaxed).max(used).max(ALWAYS_KEPT) {
            self.release();
        }
        // SAFETY: the layout's size is at least ALIGNMENT, so not zero.
        let memory = unsafe { alloc_zeroed(layout) }.cast::<Header>();
        let Some(block) = NonNull::new(memory) else {
            self.allocated.fetch_sub(size, Relaxed);
            return None;
        };
        // SAFETY: the block is large enough for a header (ALIGNMENT bytes come before the data), and aligned for it.
        unsafe { block.write(Header { references: AtomicUsize::new(1), pool: self, class }) };
        Some((block, true))
    }

    /// Takes back a block.
    ///
    /// # Safety
    /// The block came from [`Pool::take`] of this pool, and nobody refers to it any more.
    pub(super) unsafe fn give_back(&self, block: NonNull<Header>) {
        // SAFETY: the caller says that the block is ours, so its header is valid.
        let class = unsafe { block.as_ref() }.class;
        self.class(class).push(Free(block));
    }

    /// The bytes of all free blocks.
    pub(super) fn free(&self) -> usize {
        (0..CLASSES).map(|class| self.class(class).len() * size_of_class(class)).sum()
    }

    /// Gives all free blocks to the system.
    pub(super) fn release(&self) {
        for class in 0..CLASSES {
            let blocks = std::mem::take(&mut *self.class(class));
            let size = size_of_class(class);
            self.allocated.fetch_sub(size * blocks.len(), Relaxed);
            let layout = layout(size);
            for Free(block) in blocks {
                let layout = layout.expect("there is a block of this layout");
                // SAFETY: the block was allocated by `take` with exactly this layout, and was in the pool: it is free.
                unsafe { dealloc(block.as_ptr().cast(), layout) };
            }
        }
    }
}

fn size_of_class(class: usize) -> usize {
    let (octave, part) = (class / 4 + 5, class % 4);
    (1 << octave) + (part + 1) * (1 << (octave - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    // the next two use sizes of a 64-bit address space
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn a_class_holds_its_sizes_and_wastes_little() {
        let mut last = 0;
        for bytes in (1..5_000).chain([1 << 20, (1 << 20) + 1, (1 << 30) - 1, 1 << 40, 1 << 47]) {
            let (class, size) = class_of(bytes).unwrap();
            assert!(size >= bytes, "{bytes} in {size}");
            assert!(bytes < 64 || size <= bytes + bytes / 4 + 1, "{bytes} in {size}");
            assert_eq!(size, size_of_class(class));
            assert!(class >= last);
            last = class;
        }
        assert_eq!(last, CLASSES - 1);
        for bytes in [(1 << 47) + 1, 1 << 50, isize::MAX as usize, usize::MAX] {
            assert_eq!(class_of(bytes), None);
        }
    }

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn what_the_system_refuses_is_not_counted() {
        static POOL: Pool = Pool::new();
        for bytes in [(1 << 47) - 1, 1 << 47, usize::MAX] {
            assert!(POOL.take(bytes).is_none());
            assert_eq!(POOL.allocated.load(Relaxed), 0);
        }
    }

    #[test]
    fn blocks_come_back_and_can_be_released() {
        static POOL: Pool = Pool::new();
        let (first, fresh) = POOL.take(1_000).unwrap();
        assert!(fresh);
        // SAFETY: the block is from this pool and nobody else has it.
        unsafe { POOL.give_back(first) };
        let (second, fresh) = POOL.take(1_010).unwrap();
        assert!(!fresh, "the same class takes the same block");
        assert_eq!(first, second);
        // SAFETY: as above.
        unsafe { POOL.give_back(second) };
        assert_eq!(
            (POOL.free(), POOL.allocated.load(Relaxed)),
            (class_of(1_000).unwrap().1, class_of(1_000).unwrap().1)
        );
        POOL.release();
        assert_eq!((POOL.free(), POOL.allocated.load(Relaxed)), (0, 0));
    }

    #[test]
    fn no_more_is_kept_than_was_ever_used() {
        static POOL: Pool = Pool::new();
        // three quarters of what is always kept: two blocks of different classes are more than that
        let (small, large) = (ALWAYS_KEPT / 4 * 3, ALWAYS_KEPT);
        let (first, _) = POOL.take(small).unwrap();
        // SAFETY: the block is from this pool and nobody else has it.
        unsafe { POOL.give_back(first) };
        let (second, _) = POOL.take(large).unwrap();
        assert_eq!(POOL.allocated.load(Relaxed), large, "the first went back to the system");
        let (third, _) = POOL.take(small).unwrap();
        // SAFETY: as above.
        unsafe {
            POOL.give_back(second);
            POOL.give_back(third);
        }
        assert_eq!(POOL.free(), small + large, "as much as was in use at once is kept");
        POOL.release();
    }
}
