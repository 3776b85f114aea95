//! When and how work is split over threads.
//!
//! Every split is fixed by the sizes alone, never by the number of threads, so results are the same bits on any
//! number of them.

use rayon::prelude::*;

/// Below this many elements a cheap loop (an addition, a ReLU) is faster on one thread.
pub const CHEAP: usize = 1 << 17;
/// The same for loops that compute an exponential or so for each element.
pub const COSTLY: usize = 1 << 14;
/// The elements that one task takes: large enough to outweigh handing it over, small enough to stay in cache.
const CHUNK: usize = 1 << 14;

/// Whether there is more than one thread to use.
pub fn worthwhile(len: usize, threshold: usize) -> bool {
    len > threshold && rayon::current_num_threads() > 1
}

/// Runs `f(start, part)` over parts of `out`, in parallel if it is longer than `threshold`.
pub fn parts<E: Send>(out: &mut [E], threshold: usize, f: impl Fn(usize, &mut [E]) + Sync) {
    if worthwhile(out.len(), threshold) {
        out.par_chunks_mut(CHUNK).enumerate().for_each(|(i, part)| f(i * CHUNK, part));
    } else {
        f(0, out);
    }
}

/// Runs `f(first_row, rows)` over groups of rows of `out`, each `width` long, in parallel if there are more than
/// `threshold` elements.
pub fn rows<E: Send>(out: &mut [E], width: usize, threshold: usize, f: impl Fn(usize, &mut [E]) + Sync) {
    if worthwhile(out.len(), threshold) && width > 0 {
        let group = CHUNK.div_ceil(width);
        out.par_chunks_mut(group * width).enumerate().for_each(|(i, part)| f(i * group, part));
    } else {
        f(0, out);
    }
}

/// Runs `f(index, chunk)` over chunks of `size` of `out`, in parallel if `many`.
pub fn chunks<E: Send>(out: &mut [E], size: usize, many: bool, f: impl Fn(usize, &mut [E]) + Sync) {
    if out.is_empty() {
        return;
    }
    if many {
        out.par_chunks_mut(size).enumerate().for_each(|(i, chunk)| f(i, chunk));
    } else {
        out.chunks_mut(size).enumerate().for_each(|(i, chunk)| f(i, chunk));
    }
}
