//! Making batches in another thread, ahead of their use.

use rayon::ThreadPoolBuilder;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// The items of an iterator, computed in another thread while the previous ones are used. The order is kept.
///
/// Parallel work of the iterator runs in its own pool with a single thread, as in the workers of PyTorch's
/// `DataLoader`: so it never waits for a thread that waits for its items, and can be used inside rayon tasks.
///
/// A panic in the thread is resumed here, when its item would have been due. The thread ends with the iterator, or soon
/// after this is dropped.
///
/// ```
/// use taut::data::{Prefetch, digits};
/// use taut::prelude::*;
/// let batches = digits().batches::<64>(&mut StdRng::seed_from_u64(0));
/// for (images, labels) in Prefetch::new(batches, 2) {
///     let images: Tensor<Rank2<64, 64>> = images;
/// }
/// ```
#[derive(Debug)]
pub struct Prefetch<T> {
    /// `None` when the iterator has ended.
    running: Option<(Receiver<T>, JoinHandle<()>)>,
    /// The iterator's size hint, minus the items received.
    left: (usize, Option<usize>),
}

impl<T: Send + 'static> Prefetch<T> {
    /// Starts the thread; at most `ahead` items are ready in advance (besides the one in progress).
    ///
    /// # Panics
    /// If `ahead` is above 65,536: their places are there from the beginning.
    #[track_caller]
    pub fn new<I>(items: I, ahead: usize) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        assert!(ahead <= 1 << 16, "Prefetch: `ahead` must be at most 65536 items, and is {ahead}");
        let items = items.into_iter();
        let left = items.size_hint();
        let (sender, receiver) = sync_channel(ahead);
        let thread = std::thread::spawn(move || {
            // rayon's common pool may have no thread left: each may be waiting for an item
            let pool = ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be started");
            pool.install(|| {
                for item in items {
                    if sender.send(item).is_err() {
                        break; // the receiver is gone
                    }
                }
            });
        });
        Prefetch { running: Some((receiver, thread)), left }
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let (receiver, _) = self.running.as_ref()?;
        if let Ok(item) = receiver.recv() {
            self.left = (self.left.0.saturating_sub(1), self.left.1.map(|most| most.saturating_sub(1)));
            return Some(item);
        }
        let (_, thread) = self.running.take()?;
        self.left = (0, Some(0));
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left
    }
}

impl<T> Drop for Prefetch<T> {
    /// Waits for the thread, which stops at its next item. A panic in an item that was never requested is not passed
    /// on.
    fn drop(&mut self) {
        if let Some((receiver, thread)) = self.running.take() {
            drop(receiver);
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;
    use crate::prelude::*;
    use rayon::prelude::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[test]
    fn prefetched_batches_are_the_plain_ones() {
        let batches = || digits().batches_of(100, &mut StdRng::seed_from_u64(3));
        for ahead in [0, 1, 4] {
            let mut count = 0;
            for ((x, y), (plain_x, plain_y)) in Prefetch::new(batches(), ahead).zip(batches()) {
                assert_eq!((x, y), (plain_x, plain_y));
                count += 1;
            }
            assert_eq!(count, 18);
        }
        assert_eq!(Prefetch::new(batches(), 2).size_hint(), (18, Some(18)));
    }

    #[test]
    fn the_thread_waits_and_stops_when_dropped() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let endless = std::iter::repeat_with(move || counter.fetch_add(1, SeqCst));
        let mut prefetch = Prefetch::new(endless, 3);
        assert_eq!((prefetch.next(), prefetch.next()), (Some(0), Some(1)));
        drop(prefetch); // joins: the thread has ended
        assert!(made.load(SeqCst) <= 7, "two used, three waiting, one on its way");
        assert_eq!(Arc::strong_count(&made), 1, "the iterator is dropped");
    }

    #[test]
    fn a_panic_comes_after_the_items_before_it() {
        let mut prefetch = Prefetch::new((0..5).map(|i| if i == 2 { panic!("item {i} is broken") } else { i }), 8);
        assert_eq!((prefetch.next(), prefetch.next()), (Some(0), Some(1)));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| prefetch.next())).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), "item 2 is broken");
        assert_eq!(prefetch.next(), None);
    }

    /// Fails the test if it hangs.
    fn within_a_minute(work: impl FnOnce() + Send + 'static) {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            work();
            sender.send(()).unwrap();
        });
        receiver.recv_timeout(std::time::Duration::from_secs(60)).expect("no dead-lock, and no panic");
    }

    /// Every thread of a pool waits for items that need a pool to be made.
    #[test]
    fn in_tasks_of_pools_of_any_size() {
        for threads in [1, 2, 3, 5] {
            within_a_minute(move || {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let items = |task: usize| {
                    (0..5_usize).map(move |i| (0..1_000_usize).into_par_iter().map(|j| i * j + task).sum::<usize>())
                };
                let expected: Vec<Vec<usize>> = (0..8).map(|task| items(task).collect()).collect();
                let found: Vec<Vec<usize>> = pool.install(|| {
                    (0..8_usize).into_par_iter().map(|task| Prefetch::new(items(task), task % 3).collect()).collect()
                });
                assert_eq!(found, expected);
                // made outside of the pool, used inside, and dropped early
                let made: Vec<_> = (0..8).map(|task| Prefetch::new(items(task), 1)).collect();
                pool.install(|| made.into_par_iter().for_each(|mut prefetch| assert!(prefetch.next().is_some())));
                let (mut left, mut right) = (Prefetch::new(items(0), 0), Prefetch::new(items(1), 0));
                let sums =
                    pool.install(|| rayon::join(|| left.by_ref().sum::<usize>(), || right.by_ref().sum::<usize>()));
                assert_eq!(sums, (expected[0].iter().sum(), expected[1].iter().sum()));
            });
        }
    }

    #[test]
    fn one_within_another() {
        within_a_minute(|| {
            let inner = Prefetch::new((0..10).map(|i| (0..i).into_par_iter().sum::<i32>()), 2);
            let outer = Prefetch::new(inner.map(|i| (0..100).into_par_iter().map(|j| i * j).sum::<i32>()), 2);
            assert_eq!(
                rayon::join(|| outer.sum::<i32>(), || ()).0,
                (0..10).map(|i| i * (i - 1) / 2 * 4950).sum::<i32>()
            );
        });
    }

    #[test]
    fn errors_pass_as_items() {
        let read: Result<Vec<_>, _> = Prefetch::new([Ok(1), Err("gone"), Ok(3)], 1).collect();
        assert_eq!(read, Err("gone"));
    }
}
