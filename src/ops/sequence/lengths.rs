//! Sequences of different lengths in one batch: everything after the end of each is padding.
//!
//! Shapes: x and y (B, L, F), lengths (B). y is x up to the end of each sequence, and 0 after it, whatever x holds
//! there. The same goes for the gradient of x. Only the lengths are saved.

use crate::kernels::parallel;
use crate::memory::Storage;
use crate::shape::{Dim, SequenceAxes};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};
use std::sync::Arc;

/// The lengths of the sequences of a batch.
#[track_caller]
pub(crate) fn lengths<B: Dim>(name: &str, lengths: &Tensor<(B,), usize>, batch: B, steps: usize) -> Arc<[usize]> {
    if lengths.shape().0 != batch {
        panic!("{name}: the input has {} sequences, and there are {} lengths", batch.size(), lengths.count());
    }
    if let Some((sequence, length)) = lengths.iter().enumerate().find(|&(_, length)| length > steps) {
        panic!("{name}: the length {length} of sequence {sequence} is more than the {steps} steps of the input");
    }
    lengths.as_slice().into()
}

/// Sets padding to 0.
#[track_caller]
pub(crate) fn clear_padding<S: SequenceAxes, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    lengths: &Arc<[usize]>,
) -> Tensor<S, E, T> {
    let (shape, mut y, trace) = x.into_parts();
    let (_, steps, width) = shape.axes();
    let (steps, width) = (steps.size(), width.size());
    clear(y.make_mut(), steps, width, lengths);
    let node = record([trace.node()], |_| {
        let lengths = lengths.clone();
        move |mut g: Storage<E>, parents: &mut Parents<'_, 1>| {
            clear(g.make_mut(), steps, width, &lengths);
            parents.add(0, g);
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

fn clear<E: Float>(values: &mut [E], steps: usize, width: usize, lengths: &[usize]) {
    let many = parallel::worthwhile(values.len(), parallel::CHEAP);
    parallel::chunks(values, steps * width, many, |sequence, values| {
        values[lengths[sequence] * width..].fill(E::zero());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        let rng = &mut StdRng::seed_from_u64(0);
        for (shape, lengths) in
            [((3_usize, 2_usize, 2_usize), vec![2, 0, 1]), ((0, 3, 1), vec![]), ((2, 0, 3), vec![0, 0])]
        {
            let x = Tensor::<_, f64>::normal_with(shape, 0.0, 1.0, rng);
            let lengths: Arc<[usize]> = lengths.into();
            check_gradients(|x| clear_padding(x, &lengths), x.clone()).unwrap();
            check_gradients(|x| clear_padding(x.clone(), &lengths) * x, x).unwrap();
        }
    }

    #[test]
    fn what_padding_holds_is_gone() {
        let x = Tensor::from([[[1.0], [2.0]], [[3.0], [f32::NAN]]]);
        let y = clear_padding(x, &[2, 1].into());
        assert_eq!(y.to_array(), [[[1.0], [2.0]], [[3.0], [0.0]]]);
    }
}
