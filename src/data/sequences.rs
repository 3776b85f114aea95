//! Sequences of different lengths.

use super::Dataset;
use super::dataset::expect_indices;
use crate::memory::Storage;
use crate::shape::{Dim, Shape};
use crate::tensor::Tensor;
use std::sync::Arc;

/// Sequences of indices, of different lengths: the letters of names, the words of sentences.
///
/// A batch is the indices (B, L), where L is the length of its longest sequence and shorter ones are padded with 0, and
/// the lengths (B). Recurrent layers take the lengths and ignore the padding.
///
/// ```
/// use taut::prelude::*;
/// use taut::data::Sequences;
/// let words = Sequences::new([vec![3, 1, 2], vec![4], vec![5, 6]]);
/// let (indices, lengths) = words.gather(Const::<2>, &[2, 0]);
/// assert_eq!(indices.to_vec(), [5, 6, 0, 3, 1, 2]);
/// assert_eq!(lengths.to_array(), [2, 3]);
/// ```
#[derive(Clone, Debug)]
pub struct Sequences {
    /// All indices, concatenated.
    indices: Arc<[usize]>,
    /// The start of each sequence, and the end of the last one.
    bounds: Arc<[usize]>,
}

impl Sequences {
    /// A dataset of these sequences.
    pub fn new<S: AsRef<[usize]>>(sequences: impl IntoIterator<Item = S>) -> Self {
        let (mut indices, mut bounds) = (Vec::new(), vec![0]);
        for sequence in sequences {
            indices.extend_from_slice(sequence.as_ref());
            bounds.push(indices.len());
        }
        Sequences { indices: indices.into(), bounds: bounds.into() }
    }

    /// The sequence with this index.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn get(&self, sequence: usize) -> &[usize] {
        assert!(sequence < self.len(), "get: sequence {sequence} is not one of {}", self.len());
        &self.indices[self.bounds[sequence]..self.bounds[sequence + 1]]
    }
}

impl Dataset for Sequences {
    type Batch<B: Dim> = (Tensor<(B, usize), usize>, Tensor<(B,), usize>);

    fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    fn gather<B: Dim>(&self, batch: B, indices: &[usize]) -> Self::Batch<B> {
        expect_indices(batch, indices, self.len());
        let lengths: Vec<usize> = indices.iter().map(|&index| self.get(index).len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let shape = (batch, longest);
        let mut padded = Storage::scratch(shape.count());
        for (row, &index) in padded.make_mut().chunks_exact_mut(longest.max(1)).zip(indices) {
            let sequence = self.get(index);
            let (there, padding) = row.split_at_mut(sequence.len());
            there.copy_from_slice(sequence);
            padding.fill(0);
        }
        let lengths = Tensor::from_vec(lengths, (batch,)).expect("one length for each sequence");
        (Tensor::from_storage(shape, padded), lengths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn a_batch_is_as_long_as_its_longest_sequence() {
        let sequences = Sequences::new([&[1, 2][..], &[], &[3], &[4, 5, 6, 7]]);
        assert_eq!(sequences.len(), 4);
        assert_eq!(sequences.get(3), [4, 5, 6, 7]);
        let (indices, lengths) = sequences.gather(3, &[0, 1, 2]);
        assert_eq!(indices.shape(), (3, 2));
        assert_eq!(indices.to_vec(), [1, 2, 0, 0, 3, 0]);
        assert_eq!(lengths.to_vec(), [2, 0, 1]);
        let (indices, lengths) = sequences.gather(2, &[1, 1]);
        assert_eq!((indices.shape(), lengths.to_vec()), ((2, 0), vec![0, 0]));
        assert!(Sequences::new(Vec::<Vec<usize>>::new()).is_empty());
    }

    #[test]
    fn padding_changes_neither_the_result_nor_the_gradients() {
        let mut rng = StdRng::seed_from_u64(0);
        let model = (Embedding::<9, 4>::init(&mut rng), Lstm::<4, 3>::init(&mut rng));
        let sequences = Sequences::new([&[1, 2, 8][..], &[3, 4, 5, 6, 7]]);
        let run = |which: &[usize]| {
            let tape = Tape::inference();
            let (letters, lengths) = sequences.gather(which.len(), which);
            let (_, [state]) = model.1.forward((model.0.forward(tape.trace(letters)), lengths));
            let first = state.hidden.slice(0);
            (first.detach(), first.square().sum().backward())
        };
        let ((alone, alone_gradients), (padded, padded_gradients)) = (run(&[0]), run(&[0, 1]));
        assert!(alone.is_close(&padded, 1e-6, 1e-6));
        let weights = |gradients: &Gradients| gradients.of(&model.0.weight);
        assert!(weights(&alone_gradients).is_close(&weights(&padded_gradients), 1e-5, 1e-6));
    }

    #[test]
    #[should_panic(expected = "sample 2 is not one of 2")]
    fn a_sequence_that_is_not_there_panics() {
        let _ = Sequences::new([[1], [2]]).gather(1, &[2]);
    }

    #[test]
    #[should_panic(expected = "get: sequence 2 is not one of 2")]
    fn getting_a_sequence_that_is_not_there_panics() {
        let _ = Sequences::new([vec![1, 2], vec![]]).get(2);
    }
}
