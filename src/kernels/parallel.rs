//! When and how work is split over threads.
//!
//! Every split that a result depends on is fixed by the sizes alone, never by the number of threads, so results are the
//! same bits on any number of them. Each task treats denormals like the thread that waits for it ([`Mode`]).

use super::denormals::Mode;
use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};

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
/// The calling thread starts at once, and threads of rayon's pool join it as they come: it waits for tasks that another
/// thread has begun, but never for a thread to wake up, which takes as long as a short loop. Should none come, it has
/// done all of them itself.
pub fn tasks(count: usize, many: bool, f: &(dyn Fn(usize) + Sync)) {
    let threads = if many { rayon::current_num_threads().min(count) } else { 1 };
    if threads > 1 { shared(count, threads - 1, f) } else { (0..count).for_each(f) }
}

/// Tasks that several threads take from. Each has a share of neighbouring ones, and takes from those of others when it
/// is done: threads that write neighbouring chunks of an array by turns are half as fast.
struct Tasks {
    /// Lives until all tasks are done, for the thread that gave it waits for that.
    work: *const (dyn Fn(usize) + Sync),
    count: usize,
    /// The next task of each share.
    next: Vec<AtomicUsize>,
    done: AtomicUsize,
    /// How many threads have joined, and how many more may be asked to.
    joined: AtomicUsize,
    others: AtomicUsize,
    mode: Mode,
    /// Who waits for them.
    waiting: Thread,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}
// SAFETY: all but the pointer is `Send` and `Sync`, and what it points to is `Sync`; `Tasks::run` says when it is used.
#[allow(unsafe_code)]
unsafe impl Send for Tasks {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for Tasks {}

impl Tasks {
    /// The first task behind a share.
    fn end(&self, share: usize) -> usize {
        end_of_share(self.count, share, self.next.len())
    }

    fn are_taken(&self) -> bool {
        (0..self.next.len()).all(|share| self.next[share].load(Ordering::Relaxed) >= self.end(share))
    }

    /// Does tasks until all have been taken.
    fn run(&self) {
        let own = self.joined.fetch_add(1, Ordering::Relaxed);
        let mut done = 0;
        for share in (0..self.next.len()).map(|offset| (own + offset) % self.next.len()) {
            let end = self.end(share);
            loop {
                let task = self.next[share].fetch_add(1, Ordering::Relaxed);
                if task >= end {
                    break;
                }
                // SAFETY: this task is not done, so the thread that gave the work still waits and has it.
                #[allow(unsafe_code)]
                let work = unsafe { &*self.work };
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(task))) {
                    *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                }
                done += 1;
            }
        }
        if done > 0 && self.done.fetch_add(done, Ordering::AcqRel) + done == self.count {
            self.waiting.unpark();
        }
    }

    fn are_done(&self) -> bool {
        self.done.load(Ordering::Acquire) == self.count
    }
}

/// The first task behind share `share` of `shares`.
fn end_of_share(count: usize, share: usize, shares: usize) -> usize {
    // as many in each, but for the first ones, which may have one more
    (share + 1) * (count / shares) + (share + 1).min(count % shares)
}

/// Asks for two more threads of the pool, each of which asks for two others: no thread wakes up all of them.
fn invite(tasks: &Arc<Tasks>) {
    /// At most so many jobs wait in pools, whose threads may all be busy with something else.
    const MOST_QUEUED: usize = 1 << 8;
    static QUEUED: AtomicUsize = AtomicUsize::new(0);

    for _ in 0..2 {
        if tasks.are_taken() || QUEUED.load(Ordering::Relaxed) >= MOST_QUEUED {
            return;
        }
        let fewer = |others: usize| others.checked_sub(1);
        if tasks.others.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_err() {
            return;
        }
        QUEUED.fetch_add(1, Ordering::Relaxed);
        let tasks = tasks.clone();
        rayon::spawn(move || {
            QUEUED.fetch_sub(1, Ordering::Relaxed);
            invite(&tasks);
            let _guard = tasks.mode.enter();
            tasks.run();
        });
    }
}

/// Runs the tasks on this thread and as many `others` of the pool as come in time.
fn shared(count: usize, others: usize, f: &(dyn Fn(usize) + Sync)) {
    /// How often a thread looks whether the others are done before it sleeps: the time of a short task.
    const LOOKS: usize = 1 << 10;

    let work: *const (dyn Fn(usize) + Sync + '_) = f;
    // SAFETY: only the lifetime changes; below, this function waits until nobody will use the pointer any more.
    #[allow(unsafe_code)]
    let work =
        unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), *const (dyn Fn(usize) + Sync)>(work) };
    let first = |before| end_of_share(count, before, others + 1);
    let tasks = Arc::new(Tasks {
        work,
        count,
        next: std::iter::once(0).chain((0..others).map(first)).map(AtomicUsize::new).collect(),
        done: AtomicUsize::new(0),
        joined: AtomicUsize::new(0),
        others: AtomicUsize::new(others),
        mode: Mode::current(),
        waiting: thread::current(),
        panic: Mutex::new(None),
    });
    invite(&tasks);
    tasks.run();
    for _ in 0..LOOKS {
        if tasks.are_done() {
            break;
        }
        std::hint::spin_loop();
    }
    while !tasks.are_done() {
        thread::park();
    }
    let panic = tasks.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
}

/// `f(index)` for each index below `count`, in order, computed in parallel if `many`.
pub fn each<R: Clone + Default + Send>(count: usize, many: bool, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let mut results = vec![R::default(); count];
    chunks(&mut results, 1, many, |i, result| result[0] = f(i));
    results
}

/// Runs `f(start, parts)` over parts of several arrays of one length, the same part of each, in parallel.
pub fn together<E: Send>(arrays: &mut [&mut [E]], f: &(dyn Fn(usize, &mut [&mut [E]]) + Sync)) {
    let len = arrays.first().map_or(0, |array| array.len());
    assert!(arrays.iter().all(|array| array.len() == len));
    let arrays: Vec<_> = arrays.iter_mut().map(|array| Entries::of(array)).collect();
    tasks(len.div_ceil(CHUNK), true, &|i| {
        // SAFETY: each array has so many chunks, and each task has its own of each.
        #[allow(unsafe_code)]
        let mut parts: Vec<_> = arrays.iter().map(|array| unsafe { array.chunk(i, CHUNK, len) }).collect();
        f(i * CHUNK, &mut parts);
    });
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

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;
    use std::sync::atomic::AtomicU32;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    /// How often each task is run.
    fn runs(count: usize) -> Vec<u32> {
        let runs: Vec<_> = (0..count).map(|_| AtomicU32::new(0)).collect();
        tasks(count, true, &|i| {
            // tasks within tasks, some of which take longer
            tasks(i % 5, true, &|j| {
                (0..i * j % 100).for_each(|_| std::hint::spin_loop());
                runs[i].fetch_add(1, Ordering::Relaxed);
            });
        });
        runs.into_iter().map(AtomicU32::into_inner).collect()
    }

    #[test]
    fn each_task_is_run_once_from_inside_a_pool_and_outside() {
        for count in [0, 1, 2, 3, 64, 300] {
            let expected: Vec<u32> = (0..count).map(|i| i as u32 % 5).collect();
            assert_eq!(runs(count), expected);
            for threads in [1, 2, 5] {
                pool(threads).install(|| {
                    assert_eq!(runs(count), expected, "{threads} threads");
                    (0..40).into_par_iter().for_each(|_| assert_eq!(runs(count), expected, "{threads} threads"));
                });
            }
        }
    }

    #[test]
    fn a_panic_is_passed_on_when_all_tasks_are_done() {
        for threads in [1, 3] {
            let done = AtomicUsize::new(0);
            let result = pool(threads).install(|| {
                catch_unwind(AssertUnwindSafe(|| {
                    tasks(100, true, &|i| {
                        assert!(i != 99, "the last");
                        done.fetch_add(1, Ordering::Relaxed);
                    });
                }))
            });
            assert_eq!(result.unwrap_err().downcast_ref::<&str>(), Some(&"the last"));
            assert_eq!(done.into_inner(), 99);
        }
    }

    #[test]
    fn threads_that_are_busy_are_not_waited_for() {
        let pool = pool(2);
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let receiver = Mutex::new(receiver);
        pool.scope(|scope| {
            // the other thread, or this one, does nothing until the sender is dropped
            scope.spawn(|_| assert!(receiver.lock().unwrap().recv().is_err()));
            scope.spawn(|_| {
                (0..1000).for_each(|_| assert_eq!(runs(10), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]));
                drop(sender);
            });
        });
    }

    #[test]
    fn parts_of_several_arrays_belong_together() {
        for len in [0, 1, CHUNK, 3 * CHUNK + 7] {
            let (mut a, mut b) = ((0..len).collect::<Vec<_>>(), vec![0; len]);
            together(&mut [&mut a, &mut b], &|start, arrays| {
                let [a, b] = arrays else { unreachable!() };
                for (i, (a, b)) in a.iter_mut().zip(&mut **b).enumerate() {
                    assert_eq!(*a, start + i);
                    (*a, *b) = (0, *a);
                }
            });
            assert!(a.iter().all(|&a| a == 0) && b.iter().copied().eq(0..len));
        }
    }
}
