//! Several threads without any order: they read and write one table at the same time.
//!
//! Two threads that move a row at once may lose a movement, or part of one, which hardly matters as rows are many and
//! movements small: Recht, Re, Wright and Niu, "Hogwild!: A Lock-Free Approach to Parallelizing Stochastic Gradient
//! Descent", 2011. In Rust this is not undefined behaviour, as the numbers are atomic; relaxed loads and stores of them
//! are the same instructions as plain ones.

use super::learner::{Learner, Table, Task};
use super::parts::Parts;
use super::{Progress, TrainingError};
use crate::kernels::word2vec::{LANES, Lanes};
use rayon::ThreadPoolBuilder;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The number of words that a thread takes at once.
const PART: usize = 10_000;

/// The bits of a register's numbers.
type Shared = [AtomicU32; LANES];

/// A table that all threads use, and this thread's copy of its current rows.
struct SharedTable<'a> {
    table: &'a [Shared],
    width: usize,
    rows: Vec<u32>,
    vectors: Vec<Lanes>,
}

impl Table for SharedTable<'_> {
    fn fetch(&mut self, rows: &[u32], places: &mut Vec<u32>) {
        places.clear();
        places.extend(0..rows.len() as u32);
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        self.vectors.clear();
        for &row in rows {
            let shared = &self.table[row as usize * self.width..][..self.width];
            let load = |lanes: &Shared| Lanes(std::array::from_fn(|i| f32::from_bits(lanes[i].load(Relaxed))));
            self.vectors.extend(shared.iter().map(load));
        }
    }
    fn vectors(&self) -> &[Lanes] {
        &self.vectors
    }
    fn move_by(&mut self, places: &[u32], movements: &[Lanes], _: f32) {
        let movements = movements.chunks_exact(self.width).cycle();
        for (&place, movement) in places.iter().zip(movements) {
            let shared = &self.table[self.rows[place as usize] as usize * self.width..][..self.width];
            for (shared, movement) in shared.iter().zip(movement) {
                for (number, by) in shared.iter().zip(movement.0) {
                    number.store((f32::from_bits(number.load(Relaxed)) + by).to_bits(), Relaxed);
                }
            }
        }
    }
}

/// Learns from all parts.
pub fn train(
    task: &Task,
    parts: Parts<'_>,
    tables: &mut [Vec<Lanes>; 2],
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), TrainingError> {
    let share = |lanes: &Lanes| lanes.0.map(|number| AtomicU32::new(number.to_bits()));
    let shared: [Vec<Shared>; 2] = [0, 1].map(|table: usize| tables[table].iter().map(share).collect());
    let source = Mutex::new(parts);
    let listener = Mutex::new((0, progress));
    let learn = |_: rayon::BroadcastContext<'_>| -> Result<(), TrainingError> {
        let mut learner = Learner::default();
        let table = |table: usize| SharedTable {
            table: &shared[table],
            width: task.width,
            rows: Vec::new(),
            vectors: Vec::new(),
        };
        let (mut inputs, mut outputs) = (table(0), table(1));
        // a lock is poisoned by a thread that panicked, which ends the training
        while let Some(part) = source.lock().unwrap_or_else(PoisonError::into_inner).next(PART)? {
            let loss = learner.learn(task, &part, &mut inputs, &mut outputs);
            let (words, progress) = &mut *listener.lock().unwrap_or_else(PoisonError::into_inner);
            *words += part.words.len() as u64;
            progress(task.progress(*words, [loss]));
        }
        Ok(())
    };
    // A separate pool: its threads wait for each other at the locks, under which the caller's `progress` and the
    // reading of the corpus run. A thread of the common pool would take other jobs meanwhile, perhaps one that waits
    // for this one.
    let pool = ThreadPoolBuilder::new().num_threads(rayon::current_num_threads()).build();
    let pool = pool.map_err(|error| TrainingError::Setting(format!("word2vec: no threads can be started: {error}")))?;
    pool.broadcast(learn).into_iter().collect::<Result<(), _>>()?;
    for (table, shared) in tables.iter_mut().zip(shared) {
        let unshare = |lanes: Shared| Lanes(lanes.map(|number| f32::from_bits(number.into_inner())));
        *table = shared.into_iter().map(unshare).collect();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;
    use crate::text::Corpus;
    use crate::text::word2vec::{Config, Parallel, train};
    use rayon::prelude::*;
    use std::time::Duration;

    /// Several trainings on one pool, whose callers compute in parallel when they are told of the progress and when
    /// their corpus is read.
    #[test]
    fn callers_may_use_the_pool() {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for threads in [1, 2, 4] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    (0..4_u64).into_par_iter().for_each(|seed| {
                        let busy = || (0..1_000_u64).into_par_iter().map(|i| i ^ seed).sum::<u64>();
                        let lines = move || -> Result<crate::text::LineSource, _> {
                            Ok(Box::new((0..600).map(move |i| {
                                let sum = (0..50_u64).into_par_iter().map(|j| j + i).sum::<u64>();
                                Ok("a b c d e f g h i j ".repeat(4) + &sum.to_string())
                            })))
                        };
                        let corpus = Corpus::from_lines(lines, Default::default());
                        let config =
                            Config { dimension: 8, epochs: 2, parallel: Parallel::Hogwild, ..Default::default() };
                        let vocabulary = corpus.vocabulary(Default::default()).unwrap();
                        let mut told = 0;
                        let progress = |_| told += usize::from(busy() > 0);
                        train(&corpus, vocabulary, &config, &mut StdRng::seed_from_u64(seed), progress).unwrap();
                        assert!(told > 0);
                    });
                });
            }
            sender.send(()).unwrap();
        });
        receiver.recv_timeout(Duration::from_secs(100)).expect("no dead-lock, and no panic");
    }
}
