//! The order of the steps: batches are stored sequence by sequence, but a recurrent layer computes step by step.

use crate::kernels::parallel;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::tensor::Float;
use std::sync::Arc;

/// How the steps of the sequences of a batch follow each other.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    pub batch: usize,
    /// The steps of the longest sequence.
    pub steps: usize,
    /// Whether each sequence runs from its last step to its first.
    pub reverse: bool,
    /// The length of each sequence, if they differ; the rest is padding.
    pub lengths: Option<Arc<[usize]>>,
}

impl Times {
    /// The position in the sequence of the step that is computed at `time`; `None` if the sequence has ended. This
    /// mapping is its own inverse.
    fn position(&self, sequence: usize, time: usize) -> Option<usize> {
        let length = self.lengths.as_ref().map_or(self.steps, |lengths| lengths[sequence]);
        (time < length).then(|| if self.reverse { length - 1 - time } else { time })
    }

    /// (batch, steps, width) as (steps, batch, width), in the order of computation, with zeros for padding.
    #[track_caller]
    pub fn by_step<E: Float>(&self, x: &[E], width: usize) -> Storage<E> {
        let mut out = Storage::scratch(x.len());
        parallel::rows(out.make_mut(), width, parallel::CHEAP, |first, rows| {
            for (row, out) in (first..).zip(rows.chunks_exact_mut(width.max(1))) {
                let (time, sequence) = (row / self.batch, row % self.batch);
                match self.position(sequence, time) {
                    Some(position) => out.copy_from_slice(&x[(sequence * self.steps + position) * width..][..width]),
                    None => out.fill(E::zero()),
                }
            }
        });
        out
    }

    /// The inverse of [`by_step`](Self::by_step), stored in `out`.
    pub fn by_sequence<E: Float>(&self, x: &[E], width: usize, out: &mut [E], store: Store) {
        parallel::rows(out, width, parallel::CHEAP, |first, rows| {
            for (row, out) in (first..).zip(rows.chunks_exact_mut(width.max(1))) {
                let (sequence, position) = (row / self.steps, row % self.steps);
                match self
                    .position(sequence, position)
                    .map(|time| &x[(time * self.batch + sequence) * width..][..width])
                {
                    Some(x) if store.adds() => out.iter_mut().zip(x).for_each(|(out, &x)| *out += x),
                    Some(x) => out.copy_from_slice(x),
                    None if store.adds() => {}
                    None => out.fill(E::zero()),
                }
            }
        });
    }
}
