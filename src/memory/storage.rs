//! A reference-counted, pooled array of elements.

use super::pool::{ALIGNMENT, Header, Pool};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::fence;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for usize {}
    impl Sealed for bool {}
}

/// The types whose arrays the pool holds: plain numbers and `bool`, for all of which zero bytes are valid.
pub trait Pooled: sealed::Sealed + Copy + Send + Sync + 'static {
    #[doc(hidden)]
    fn pool() -> &'static Pool;
    /// What scratch memory is filled with in debug builds, so that reading it before writing becomes visible.
    #[doc(hidden)]
    const POISON: Self;
}

static POOLS: [Pool; 4] = [const { Pool::new() }; 4];

pub(super) fn pools() -> &'static [Pool] {
    &POOLS
}

impl Pooled for f32 {
    const POISON: f32 = f32::NAN;
    fn pool() -> &'static Pool {
        &POOLS[0]
    }
}
impl Pooled for f64 {
    const POISON: f64 = f64::NAN;
    fn pool() -> &'static Pool {
        &POOLS[1]
    }
}
impl Pooled for usize {
    const POISON: usize = usize::MAX;
    fn pool() -> &'static Pool {
        &POOLS[2]
    }
}
impl Pooled for bool {
    const POISON: bool = true;
    fn pool() -> &'static Pool {
        &POOLS[3]
    }
}

/// An array of elements. Cloning is O(1) and shares the array; writing to a shared array copies it first.
pub struct Storage<E> {
    block: NonNull<Header>,
    len: usize,
    elements: PhantomData<E>,
}

// SAFETY: shared storage is only read (`as_slice`); it is written only while this is the one reference (`unique`),
// and the count is atomic. Elements are `Send` and `Sync` themselves (`Pooled`).
unsafe impl<E: Send + Sync> Send for Storage<E> {}
// SAFETY: as above.
unsafe impl<E: Send + Sync> Sync for Storage<E> {}

impl<E: Pooled + std::fmt::Debug> std::fmt::Debug for Storage<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl<E: Pooled> Storage<E> {
    #[track_caller]
    fn take(len: usize) -> (Self, bool) {
        // a pointer: rustc looks for recursion in what each generic function calls, and would look through the pool
        let take: fn(&'static Pool, usize) -> Option<(NonNull<Header>, bool)> = Pool::take;
        let block = len.checked_mul(size_of::<E>()).and_then(|bytes| take(E::pool(), bytes));
        let Some((block, fresh)) = block else { out_of_memory::<E>(len) };
        (Storage { block, len, elements: PhantomData }, fresh)
    }

    /// `len` elements of unspecified value, to be overwritten.
    #[track_caller]
    pub fn scratch(len: usize) -> Self {
        let (mut storage, _) = Self::take(len);
        if cfg!(debug_assertions) {
            storage.unique().fill(E::POISON);
        }
        storage
    }

    /// `len` zeros (or `false`).
    #[track_caller]
    pub fn zeros(len: usize) -> Self
    where
        E: Default,
    {
        let (mut storage, fresh) = Self::take(len);
        if !fresh {
            storage.unique().fill(E::default());
        }
        storage
    }

    #[track_caller]
    pub fn filled(len: usize, value: E) -> Self {
        let (mut storage, _) = Self::take(len);
        storage.unique().fill(value);
        storage
    }

    #[track_caller]
    pub fn from_slice(values: &[E]) -> Self {
        let (mut storage, _) = Self::take(values.len());
        storage.unique().copy_from_slice(values);
        storage
    }

    /// `len` elements, each computed from its index.
    #[track_caller]
    pub fn from_fn(len: usize, value: impl FnMut(usize) -> E) -> Self {
        let (mut storage, _) = Self::take(len);
        let mut value = value;
        for (index, element) in storage.unique().iter_mut().enumerate() {
            *element = value(index);
        }
        storage
    }

    /// For writing: copies the elements first if they are shared.
    #[inline]
    pub fn make_mut(&mut self) -> &mut [E] {
        if !self.is_unique() {
            *self = Self::from_slice(self.as_slice());
        }
        self.unique()
    }

    /// This array for overwriting if it is not shared, otherwise a new one of the same length.
    #[inline]
    pub fn reuse(self) -> Self {
        if self.is_unique() { self } else { Self::scratch(self.len) }
    }
}

/// Says what was asked for. Panics where the standard library aborts: one tensor that is too large does not mean that
/// memory is exhausted.
#[track_caller]
#[cold]
fn out_of_memory<E>(len: usize) -> ! {
    let bytes = len as u128 * size_of::<E>() as u128;
    let element = std::any::type_name::<E>();
    panic!("out of memory: {len} elements of type {element} take {bytes} bytes, which the system does not have")
}

impl<E> Storage<E> {
    /// The elements, for writing. Only for storage just made, or seen to be unique.
    #[inline]
    fn unique(&mut self) -> &mut [E] {
        debug_assert!(self.is_unique());
        // SAFETY: the block has room for `len` initialised elements ALIGNMENT bytes after its start, aligned for any
        // element; `&mut self` and the only reference make the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.data(), self.len) }
    }

    #[inline]
    fn data(&self) -> *mut E {
        // SAFETY: every block is larger than ALIGNMENT bytes.
        unsafe { self.block.as_ptr().byte_add(ALIGNMENT).cast() }
    }

    #[inline]
    pub fn as_slice(&self) -> &[E] {
        // SAFETY: as in `unique`; while a shared borrow lives nobody writes, as writing needs `&mut` and uniqueness.
        unsafe { std::slice::from_raw_parts(self.data(), self.len) }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the elements are not shared.
    #[inline]
    pub fn is_unique(&self) -> bool {
        // SAFETY: a storage holds one reference, so its block is alive and its header valid.
        let references = &unsafe { self.block.as_ref() }.references;
        // Acquire pairs with the Release of a drop in another thread: what it read, it read before our writes.
        references.load(Acquire) == 1
    }
}

impl<E> Clone for Storage<E> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: as in `is_unique`. Relaxed suffices: a new reference comes from one that is held.
        let before = unsafe { self.block.as_ref() }.references.fetch_add(1, Relaxed);
        // As in std's `Arc`: forgetting clones in a loop must not wrap the count around to 0, and no other thread
        // can do so between this addition and the end.
        if before > isize::MAX as usize {
            std::process::abort();
        }
        Storage { block: self.block, len: self.len, elements: PhantomData }
    }
}

impl<E> Drop for Storage<E> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this reference is held until here.
        let header = unsafe { self.block.as_ref() };
        if header.references.fetch_sub(1, Release) == 1 {
            fence(Acquire);
            // SAFETY: that was the last reference, and the header names the pool that the block came from. Elements
            // are `Copy`, so there is nothing to drop.
            unsafe { header.pool.give_back(self.block) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cloning_shares_and_writing_copies() {
        let mut a = Storage::from_slice(&[1.0_f32, 2.0, 3.0]);
        let b = a.clone();
        assert_eq!(a.as_slice().as_ptr(), b.as_slice().as_ptr());
        a.make_mut()[0] = 9.0;
        assert_eq!((a.as_slice(), b.as_slice()), (&[9.0, 2.0, 3.0][..], &[1.0, 2.0, 3.0][..]));
        let place = a.as_slice().as_ptr();
        a.make_mut()[1] = 8.0;
        assert_eq!(a.as_slice().as_ptr(), place, "unique storage is written in place");
    }

    #[test]
    fn memory_is_aligned_and_zeros_are_zero_even_when_reused() {
        for len in [0, 1, 7, 16, 17, 1_000] {
            drop(Storage::filled(len, 7.0_f64));
            let zeros = Storage::<f64>::zeros(len);
            assert_eq!(zeros.as_slice().as_ptr() as usize % ALIGNMENT, 0);
            assert_eq!(zeros.len(), len);
            assert!(zeros.as_slice().iter().all(|&x| x == 0.0));
        }
        assert!(Storage::<bool>::zeros(3).as_slice().iter().all(|&x| !x));
    }

    #[test]
    fn what_does_not_fit_the_memory_is_said() {
        let message = |f: fn()| *std::panic::catch_unwind(f).unwrap_err().downcast::<String>().unwrap();
        assert!(message(|| drop(Storage::<f64>::scratch(usize::MAX))).contains("elements of type f64 take"));
        assert!(message(|| drop(Storage::<f32>::zeros(isize::MAX as usize))).contains("out of memory"));
        assert!(message(|| drop(Storage::<f32>::filled(isize::MAX as usize / 4, 1.0))).contains("out of memory"));
    }

    #[test]
    fn storage_crosses_threads() {
        let shared = Storage::from_fn(10_000, |i| i);
        let sums: Vec<usize> = std::thread::scope(|scope| {
            let work = |storage: Storage<usize>| scope.spawn(move || storage.as_slice().iter().sum::<usize>());
            let running: Vec<_> = (0..4).map(|_| work(shared.clone())).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(sums, [49_995_000; 4]);
        assert!(shared.is_unique());
    }
}
