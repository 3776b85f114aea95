//! When and how work is split over threads.
//!
//! Every split that a result depends on is fixed by the sizes alone, never by the number of threads, so results are the
//! same bits on any number of them. Each task treats denormals like the thread that waits for it ([`Mode`]).

use super::denormals::Mode;
use rayon::prelude::*;
use std::marker::PhantomData;

/// Below this many elements a cheap loop (an addition, a ReLU) is faster on one thread.
pub const CHEAP: usize = 1 << 17;
/// The same for loops that compute something like an exponential for each element.
pub const COSTLY: usize = 1 << 14;
/// The elements that one task takes: large enough to outweigh handing it over, small enough to stay in cache.
const CHUNK: usize = 1 << 14;

/// Whether there is more than one thread to use.
pub fn worthwhile(len: usize, threshold: usize) -> bool {
    len > threshold && rayon::current_num_threads() > 1
}

/// Runs `f(index, chunk)` over chunks of `size` of `out` in parallel.
#[inline(never)]
fn in_parallel<E: Send>(out: &mut [E], size: usize, f: &(dyn Fn(usize, &mut [E]) + Sync)) {
    let (len, out) = (out.len(), Entries::of(out));
    tasks(len.div_ceil(size), true, &|i| {
        // SAFETY: there are this many chunks, and each task has one of its own.
        #[allow(unsafe_code)]
        f(i, unsafe { out.chunk(i, size, len) });
    });
}

/// Runs `f(start, part)` over parts of `out`, in parallel if it is longer than `threshold`.
pub fn parts<E: Send>(out: &mut [E], threshold: usize, f: impl Fn(usize, &mut [E]) + Sync) {
    if worthwhile(out.len(), threshold) {
        in_parallel(out, CHUNK, &|i, part| f(i * CHUNK, part));
    } else {
        f(0, out);
    }
}

/// Runs `f(first_row, rows)` over groups of rows of `out`, each `width` long, in parallel if there are more than
/// `threshold` elements.
pub fn rows<E: Send>(out: &mut [E], width: usize, threshold: usize, f: impl Fn(usize, &mut [E]) + Sync) {
    if worthwhile(out.len(), threshold) && width > 0 {
        let group = CHUNK.div_ceil(width);
        in_parallel(out, group * width, &|i, part| f(i * group, part));
    } else {
        f(0, out);
    }
}

/// Runs `f(index, chunk)` over chunks of `size` of `out`, in parallel if `many`.
pub fn chunks<E: Send>(out: &mut [E], size: usize, many: bool, f: impl Fn(usize, &mut [E]) + Sync) {
    if out.is_empty() {
        return;
    }
    // one copy of the loop, whichever way it runs
    let f: &(dyn Fn(usize, &mut [E]) + Sync) = &f;
    if many {
        in_parallel(out, size, f);
    } else {
        out.chunks_mut(size).enumerate().for_each(|(i, chunk)| f(i, chunk));
    }
}

/// Runs `f(index, chunk of a, chunk of b)` over chunks of `sizes` of two arrays, in parallel if `many`.
pub fn chunks_of_two<A: Send, B: Send>(
    a: &mut [A],
    b: &mut [B],
    sizes: [usize; 2],
    many: bool,
    f: &(dyn Fn(usize, &mut [A], &mut [B]) + Sync),
) {
    if a.is_empty() || b.is_empty() {
        return;
    }
    let (lens, a, b) = ([a.len(), b.len()], Entries::of(a), Entries::of(b));
    let count = lens[0].div_ceil(sizes[0]).min(lens[1].div_ceil(sizes[1]));
    tasks(count, many, &|i| {
        // SAFETY: both arrays have this many chunks, and each task has its own of each.
        #[allow(unsafe_code)]
        let (a, b) = unsafe { (a.chunk(i, sizes[0], lens[0]), b.chunk(i, sizes[1], lens[1])) };
        f(i, a, b);
    });
}

/// Runs `f(index)` for each index below `count`, in parallel if `many`.
///
/// All that is cut into pieces goes through here, with the work behind a pointer, so that rayon's machinery is compiled
/// once, and not for each loop or element type: it used to be two thirds of the crate's machine code.
pub fn tasks(count: usize, many: bool, f: &(dyn Fn(usize) + Sync)) {
    fn in_pool(count: usize, f: &(dyn Fn(usize) + Sync)) {
        let mode = Mode::current();
        (0..count).into_par_iter().for_each(|i| {
            let _guard = mode.enter();
            f(i);
        });
    }
    // a pointer: rustc looks for recursion in what each generic function calls, and would look through rayon
    let in_pool: fn(usize, &(dyn Fn(usize) + Sync)) = in_pool;
    if many && count > 1 { in_pool(count, f) } else { (0..count).for_each(f) }
}

/// `f(index)` for each index below `count`, in order, computed in parallel if `many`.
pub fn each<R: Clone + Default + Send>(count: usize, many: bool, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let mut results = vec![R::default(); count];
    chunks(&mut results, 1, many, |i, result| result[0] = f(i));
    results
}

/// Runs `f(start, parts)` over parts of several arrays of one length, the same part of each, in parallel. The arrays
/// given are themselves the part that begins at `start`.
///
/// Behind a pointer, as in [`tasks`].
pub fn together<E: Send>(arrays: &mut [&mut [E]], start: usize, f: &(dyn Fn(usize, &mut [&mut [E]]) + Sync)) {
    let len = arrays.first().map_or(0, |array| array.len());
    if len <= CHUNK {
        return f(start, arrays);
    }
    let middle = (len / 2).next_multiple_of(CHUNK);
    let (mut left, mut right): (Vec<_>, Vec<_>) = arrays.iter_mut().map(|array| array.split_at_mut(middle)).unzip();
    let mode = Mode::current();
    let part = |arrays: &mut [&mut [E]], start| {
        let _guard = mode.enter();
        together(arrays, start, f);
    };
    rayon::join(|| part(&mut left, start), || part(&mut right, start + middle));
}

/// The entries of an array that several threads write, each its own.
pub struct Entries<'a, E>(*mut E, PhantomData<&'a mut [E]>);
// SAFETY: it only provides a pointer, and whoever writes through it ensures that no two threads write the same entry.
#[allow(unsafe_code)]
unsafe impl<E: Send> Sync for Entries<'_, E> {}
impl<'a, E> Entries<'a, E> {
    pub fn of(array: &'a mut [E]) -> Self {
        Entries(array.as_mut_ptr(), PhantomData)
    }

    /// # Safety
    /// The entry must exist.
    #[allow(unsafe_code)]
    pub unsafe fn at(&self, index: usize) -> *mut E {
        // SAFETY: guaranteed by the caller.
        unsafe { self.0.add(index) }
    }

    /// Chunk `index` of the array, which has `len` entries, cut into chunks of `size`.
    ///
    /// # Safety
    /// The chunk must exist, and nothing else may refer to its entries.
    #[allow(unsafe_code)]
    unsafe fn chunk(&self, index: usize, size: usize, len: usize) -> &'a mut [E] {
        let start = index * size;
        // SAFETY: guaranteed by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.at(start), size.min(len - start)) }
    }
}
