//! Dropout: y = x k / (1 - p), where k is 0 with probability p and 1 otherwise.
//!
//! The mask is the same for the gradient: dx = g k / (1 - p). It is not saved: each k is computed from a seed, drawn
//! from the tape's generator, and its position; on a [tape of samples](crate::trace::Tape::training_of), from the seed,
//! the number of its sample, and its position in that sample. Srivastava et al., "Dropout: A Simple Way to Prevent
//! Neural Networks from Overfitting", 2014.

use crate::kernels::random::{BatchMask, Mask};
use crate::memory::Storage;
use crate::shape::Shape;
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};
use rand::Rng;

/// The mask for `len` numbers, stored sample by sample, with a seed from the generator of a training tape. `None`
/// elsewhere, and in a part of a model that [runs in inference mode](crate::nn::Eval) on a training tape.
pub(crate) fn mask<T: Trace>(trace: &T, probability: f64, run: usize, len: usize) -> Option<BatchMask> {
    if !T::TRAINING || probability == 0.0 {
        return None;
    }
    let mut state = trace.node()?.tape.state.borrow_mut();
    let seed = state.generator.as_mut()?.next_u64();
    Some(BatchMask::new(Mask { seed, probability, run }, state.samples.clone(), len))
}

/// On a training tape, drops numbers, each run of `run` neighbours together. Elsewhere, returns `x` unchanged.
#[track_caller]
pub(crate) fn dropout<S: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    probability: f64,
    run: usize,
) -> Tensor<S, E, T> {
    let Some(mask) = mask(x.trace(), probability, run, x.count()) else { return x };
    let (shape, mut y, trace) = x.into_parts();
    mask.drop(y.make_mut());
    let node = record([trace.node()], |_| {
        move |mut g: Storage<E>, parents: &mut Parents<'_, 1>| {
            mask.drop(g.make_mut());
            parents.add(0, g);
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}
