//! Several threads, and the same bits whatever their number.
//!
//! A block is a fixed number of parts of the corpus. Each part is processed separately, on copies of those rows of the
//! tables that it touches; at the end of the block the movements of the rows are added to the tables, in the order of
//! the parts. So nothing depends on which thread did what, or when.

use super::learner::{Learner, Loss, Table, Task};
use super::parts::{Part, Parts};
use super::{Progress, TrainingError};
use crate::kernels::parallel;
use crate::kernels::word2vec::{Lanes, add_rows, add_weighted, subtract};

/// The number of words in a part: the fewer, the less the parts learn without each other; the more, the fewer rows are
/// copied for each word.
const PART: u64 = 250;
/// The smallest number of blocks, whatever the size of the corpus.
const BLOCKS: u64 = 100;
/// Rows that all parts move often are moved in the same direction by each, and the sum would go too far (and the
/// training diverge). So the sum for a row with more steps than this in a block is weighted, but never below the mean
/// of the parts.
const MOST_STEPS: f32 = 4.0;
/// The number of ranges of rows, which are merged in parallel.
const RANGES: usize = 32;
/// Stands for the position of a copy that does not exist.
const NONE: u32 = u32::MAX;

/// Copies of some rows of a table.
struct Copies {
    width: usize,
    /// The position of each row's copy.
    places: Vec<u32>,
    vectors: Vec<Lanes>,
    /// The sum of the steps of each copy.
    steps: Vec<f32>,
    /// Rows and their copies' places, in ranges of rows.
    copied: [Vec<(u32, u32)>; RANGES],
}

impl Copies {
    fn new(rows: usize, width: usize) -> Self {
        Copies { width, places: vec![NONE; rows], vectors: Vec::new(), steps: Vec::new(), copied: Default::default() }
    }

    /// Replaces each copy by its difference from its row.
    fn subtract(&mut self, table: &[Lanes]) {
        for &(row, place) in self.copied.iter().flatten() {
            let copy = &mut self.vectors[place as usize * self.width..][..self.width];
            subtract(copy, &table[row as usize * self.width..][..self.width]);
        }
    }

    /// Forgets all copies.
    fn clear(&mut self) {
        for (row, _) in self.copied.iter_mut().flat_map(|range| range.drain(..)) {
            self.places[row as usize] = NONE;
        }
        self.vectors.clear();
        self.steps.clear();
    }
}

/// The rows of one range: how many there are.
fn range(rows: usize) -> usize {
    rows.div_ceil(RANGES)
}

/// A table whose rows are copied when they are first read.
struct CopyOnRead<'a> {
    table: &'a [Lanes],
    copies: &'a mut Copies,
}

impl Table for CopyOnRead<'_> {
    fn fetch(&mut self, rows: &[u32], places: &mut Vec<u32>) {
        places.clear();
        let Copies { width, places: known, vectors, steps, copied } = &mut *self.copies;
        let width = *width;
        let range = range(known.len());
        for &row in rows {
            let place = &mut known[row as usize];
            if *place == NONE {
                *place = (vectors.len() / width) as u32;
                steps.push(0.0);
                vectors.extend_from_slice(&self.table[row as usize * width..][..width]);
                copied[row as usize / range].push((row, *place));
            }
            places.push(*place);
        }
    }
    fn vectors(&self) -> &[Lanes] {
        &self.copies.vectors
    }
    fn move_by(&mut self, places: &[u32], movements: &[Lanes], step: f32) {
        places.iter().for_each(|&place| self.copies.steps[place as usize] += step);
        add_rows(&mut self.copies.vectors, places, self.copies.width, movements);
    }
}

/// One part of each block.
struct Shard {
    learner: Learner,
    /// Of the input and of the output vectors.
    copies: [Copies; 2],
    part: Part,
    loss: Loss,
}

/// The steps of a row in a block, and how many parts moved it.
#[derive(Clone, Copy, Default)]
struct Moved {
    steps: f32,
    parts: f32,
}

impl Moved {
    /// The weight of the sum of the parts' movements.
    fn weight(self) -> f32 {
        (MOST_STEPS / self.steps).clamp(1.0 / self.parts, 1.0)
    }
}

/// Learns from all parts, this many at the same time.
pub fn train(
    task: &Task,
    mut parts: Parts<'_>,
    shards: usize,
    tables: &mut [Vec<Lanes>; 2],
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), TrainingError> {
    let size = (task.total / (BLOCKS * shards as u64)).clamp(1, PART) as usize;
    let rows = tables[0].len() / task.width;
    let shard = |_| {
        let copies = [(); 2].map(|()| Copies::new(rows, task.width));
        Shard { learner: Learner::default(), copies, part: Part::default(), loss: Loss::default() }
    };
    let mut all: Vec<Shard> = (0..shards).map(shard).collect();
    let mut moved = vec![Moved::default(); rows];
    let mut block = parts.next_block(shards, size)?;
    while !block.is_empty() {
        let busy = &mut all[..block.len()];
        busy.iter_mut().zip(block).for_each(|(shard, part)| shard.part = part);
        // the next block is read meanwhile
        let (next, ()) = rayon::join(|| parts.next_block(shards, size), || learn_block(task, busy, tables, &mut moved));
        let words = busy[busy.len() - 1].part.end();
        progress(task.progress(words, busy.iter().map(|shard| shard.loss)));
        block = next?;
    }
    Ok(())
}

/// Each shard learns from its part, and the tables receive the movements of all.
fn learn_block(task: &Task, shards: &mut [Shard], tables: &mut [Vec<Lanes>; 2], moved: &mut [Moved]) {
    parallel::chunks(shards, 1, true, |_, shards| shards.iter_mut().for_each(|shard| shard.learn(task, tables)));
    let rows = range(moved.len());
    for (which, table) in tables.iter_mut().enumerate() {
        let copies: Vec<&Copies> = shards.iter().map(|shard| &shard.copies[which]).collect();
        let ranges = table.chunks_mut(rows * task.width).zip(moved.chunks_mut(rows)).enumerate();
        let ranges = ranges.map(|(number, (table, moved))| Range { number, first: number * rows, table, moved });
        let mut ranges: Vec<Range<'_>> = ranges.collect();
        parallel::chunks(&mut ranges, 1, true, |_, ranges| ranges.iter_mut().for_each(|range| range.add_up(&copies)));
    }
}

impl Shard {
    /// Learns from its part, and keeps the movement of each row.
    fn learn(&mut self, task: &Task, tables: &[Vec<Lanes>; 2]) {
        self.copies.iter_mut().for_each(Copies::clear);
        let [inputs, outputs] = &mut self.copies;
        let mut inputs = CopyOnRead { table: &tables[0], copies: inputs };
        let mut outputs = CopyOnRead { table: &tables[1], copies: outputs };
        self.loss = self.learner.learn(task, &self.part, &mut inputs, &mut outputs);
        self.copies.iter_mut().zip(tables).for_each(|(copies, table)| copies.subtract(table));
    }
}

/// Some rows of a table, from `first` on, and room for their [`Moved`], which is empty before and after.
struct Range<'a> {
    number: usize,
    first: usize,
    table: &'a mut [Lanes],
    moved: &'a mut [Moved],
}

impl Range<'_> {
    /// Adds the movements of the rows by the parts.
    fn add_up(&mut self, copies: &[&Copies]) {
        let Range { number, first, table, moved } = self;
        for copies in copies {
            for &(row, place) in &copies.copied[*number] {
                let moved = &mut moved[row as usize - *first];
                moved.steps += copies.steps[place as usize];
                moved.parts += 1.0;
            }
        }
        for Copies { width, vectors, copied, .. } in copies {
            for &(row, place) in &copied[*number] {
                let row = row as usize - *first;
                let weight = moved[row].weight();
                add_weighted(&mut table[row * width..][..*width], weight, &vectors[place as usize * width..][..*width]);
            }
        }
        for &(row, _) in copies.iter().flat_map(|copies| &copies.copied[*number]) {
            moved[row as usize - *first] = Moved::default();
        }
    }
}
