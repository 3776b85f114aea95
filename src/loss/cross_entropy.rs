//! Cross-entropy of softmax.
//!
//! For logits x of one sample and target probabilities t that sum to 1:
//!
//! loss = - sum_j t_j log(softmax(x)_j) = log(sum_j e^x_j) - sum_j t_j x_j
//!
//! and its gradient is softmax(x) - t exactly: for a class index, p - onehot. One operation, which saves the
//! probabilities only. The loss of a batch is the mean over its samples.

use crate::kernels::softmax::exponentials;
use crate::memory::Storage;
use crate::shape::{Dim, LastAxis, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace, record};

/// What logits of a batch of `B` and `C` classes can be compared with: class indices of shape (B), or probabilities
/// (one-hot or soft) of shape (B, C).
#[diagnostic::on_unimplemented(
    message = "labels `{Self}` do not fit logits of batch {B} and {C} classes",
    note = "labels are class indices, `Tensor<(B,), usize>`, or probabilities, `Tensor<(B, C)>`"
)]
pub trait Targets<B, C: Dim, E: Float> {
    #[doc(hidden)]
    fn sizes(&self) -> Vec<usize>;
    /// The term of one sample, - sum_j t_j x_j, and its targets subtracted from `probabilities`.
    #[doc(hidden)]
    fn rows(&self) -> Rows<'_, E>;
}

#[doc(hidden)]
pub enum Rows<'a, E> {
    Indices(&'a [usize]),
    Probabilities(&'a [E]),
}

impl<B: Dim, C: Dim, E: Float> Targets<B, C, E> for Tensor<(B,), usize> {
    fn sizes(&self) -> Vec<usize> {
        vec![self.shape().0.size()]
    }
    fn rows(&self) -> Rows<'_, E> {
        Rows::Indices(self.as_slice())
    }
}

impl<B: Dim, C: Dim, E: Float> Targets<B, C, E> for Tensor<(B, C), E> {
    fn sizes(&self) -> Vec<usize> {
        self.shape().sizes().to_vec()
    }
    fn rows(&self) -> Rows<'_, E> {
        Rows::Probabilities(self.as_slice())
    }
}

impl<B: Dim, C: Dim, E: Float, T: Trace> Tensor<(B, C), E, T> {
    /// The mean cross-entropy between softmax of these logits and the targets.
    ///
    /// # Panics
    /// If run-time dimensions disagree, or a class index is not below the number of classes.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let logits = Tensor::from([[0.0, 0.0], [0.0, 0.0]]);
    /// let loss = logits.cross_entropy(&Tensor::from([0, 1]));
    /// assert!((loss.item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    #[track_caller]
    pub fn cross_entropy<L: Targets<B, C, E>>(self, labels: &L) -> Tensor<(), E, T> {
        let (batch, classes) = (self.shape().0.size(), self.shape().last().size());
        let sizes = labels.sizes();
        if sizes[0] != batch || sizes.get(1).is_some_and(|&size| size != classes) {
            let found = crate::shape::show_sizes(&sizes);
            panic!("cross_entropy: labels of shape {found} do not fit logits of batch {batch} and {classes} classes");
        }
        let (_, logits, trace) = self.into_parts();
        let mut probabilities = logits;
        let p = probabilities.make_mut();
        let mut total = E::zero();
        for (i, row) in p.chunks_exact_mut(classes).enumerate() {
            let target = match labels.rows() {
                Rows::Indices(indices) => {
                    let index = indices[i];
                    if index >= classes {
                        panic!("cross_entropy: label {index} of sample {i} is not one of {classes} classes");
                    }
                    row[index]
                }
                Rows::Probabilities(t) => {
                    t[i * classes..(i + 1) * classes].iter().zip(&*row).map(|(&t, &x)| t * x).sum()
                }
            };
            let (max, sum) = exponentials(row);
            let factor = E::one() / sum;
            row.iter_mut().for_each(|x| *x *= factor);
            total += sum.ln() + max - target;
        }
        let scale = E::one() / E::of(batch as f64);
        let loss = Storage::filled(1, total * scale);
        let node = record([trace.node()], |_| {
            let mut gradient = probabilities;
            let g = gradient.make_mut();
            match labels.rows() {
                Rows::Indices(indices) => {
                    for (row, &index) in g.chunks_exact_mut(classes).zip(indices) {
                        row[index] -= E::one();
                    }
                }
                Rows::Probabilities(t) => g.iter_mut().zip(t).for_each(|(g, &t)| *g -= t),
            }
            move |upstream: Storage<E>, parents: &mut Parents<'_, 1>| {
                let mut gradient = gradient;
                E::scale(gradient.make_mut(), upstream.as_slice()[0] * scale);
                parents.add(0, gradient);
            }
        });
        Tensor::from_parts((), loss, T::from_node(node))
    }
}
