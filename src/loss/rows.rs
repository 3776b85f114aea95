//! What all losses of class scores share: one operation, which computes the gradient in place of the scores and saves
//! nothing else.

use super::reduction::{Form, Reduction, chain, mean_factor};
use crate::kernels::row_loss::{RowLoop, RowSettings, RowTargets};
use crate::memory::Storage;
use crate::numbers::{Family, PerFloat};
use crate::shape::{Dim, LastAxis, Shape, show_sizes};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// The loops of one loss.
pub struct RowLossOp {
    pub name: &'static str,
    pub loops: PerFloat<RowLossOp>,
}

impl Family for RowLossOp {
    type Of<E: Float> = RowLoop<E>;
}

/// A shape of class scores: (classes), (batch, classes), (batch, time, classes), (batch, height, width, classes) and so
/// on. The classes are the last axis.
#[diagnostic::on_unimplemented(
    message = "shape {Self} is none of class scores",
    note = "class scores have the shape (classes), (batch, classes), (batch, time, classes) and so on: at least one \
            axis",
    note = "in generic code, write `Tensor<(B, C), ..>` for dimensions `B: Dim` and `C: Dim`"
)]
pub trait Logits: LastAxis {
    /// The samples, all but the last axis, as the compiler's messages call them.
    type Batch;
}

/// What class scores can be compared with: class indices, one for each sample, or the probability of each class for
/// each sample (one-hot or soft).
#[diagnostic::on_unimplemented(
    message = "labels `{Self}` do not fit logits of batch {B} and {C} classes",
    note = "labels are class indices, `Tensor<(B,), usize>`, or probabilities, `Tensor<(B, C)>`; \
            for logits of shape (B, T, C), `Tensor<(B, T), usize>` or `Tensor<(B, T, C)>`: classes are the last axis",
    note = "one column of labels, (B, 1): `labels.squeeze::<1>()`; indices that are floats: `labels.cast::<usize>()`",
    note = "logits (B, T, C) of a recurrent layer with one label for each sequence: `LastStep` after that layer"
)]
pub trait Targets<B, C: Dim, E: Float> {
    /// The size of each dimension.
    #[doc(hidden)]
    fn sizes(&self) -> impl AsRef<[usize]>;
    #[doc(hidden)]
    fn rows(&self) -> RowTargets<'_, E>;
}

/// Class indices, one for each sample.
#[diagnostic::on_unimplemented(
    message = "labels `{Self}` do not fit logits of batch {B}",
    note = "labels are class indices, `Tensor<(B,), usize>` for logits of shape (B, C), `Tensor<(B, T), usize>` for \
            logits of shape (B, T, C): classes are the last axis",
    note = "one column of labels, (B, 1): `labels.squeeze::<1>()`; indices that are floats: `labels.cast::<usize>()`",
    note = "logits (B, T, C) of a recurrent layer with one label for each sequence: `LastStep` after that layer"
)]
pub trait ClassIndices<B> {
    /// The shape of the labels.
    #[doc(hidden)]
    fn sizes(&self) -> impl AsRef<[usize]>;
    #[doc(hidden)]
    fn indices(&self) -> &[usize];
}

macro_rules! targets {
    ($($batch:ty: ($($dim:ident),*);)*) => { $(
        impl<$($dim: Dim,)* C: Dim> Logits for ($($dim,)* C,) {
            type Batch = $batch;
        }
        impl<$($dim: Dim),*> ClassIndices<$batch> for Tensor<($($dim,)*), usize> {
            fn sizes(&self) -> impl AsRef<[usize]> {
                self.shape().sizes()
            }
            fn indices(&self) -> &[usize] {
                self.as_slice()
            }
        }
        impl<$($dim: Dim,)* C: Dim, E: Float> Targets<$batch, C, E> for Tensor<($($dim,)*), usize> {
            fn sizes(&self) -> impl AsRef<[usize]> {
                self.shape().sizes()
            }
            fn rows(&self) -> RowTargets<'_, E> {
                RowTargets::Indices(self.as_slice())
            }
        }
        impl<$($dim: Dim,)* C: Dim, E: Float> Targets<$batch, C, E> for Tensor<($($dim,)* C,), E> {
            fn sizes(&self) -> impl AsRef<[usize]> {
                self.shape().sizes()
            }
            fn rows(&self) -> RowTargets<'_, E> {
                RowTargets::Probabilities(self.as_slice())
            }
        }
    )* };
}
targets! {
    (): ();
    B: (B);
    (B, N): (B, N);
    (B, N, M): (B, N, M);
    (B, N, M, L): (B, N, M, L);
    (B, N, M, L, K): (B, N, M, L, K);
}

/// What changes the targets, as in [`CrossEntropy`](super::CrossEntropy).
#[derive(Clone, Copy)]
pub struct Changes<'a, E> {
    pub smoothing: f64,
    pub weights: &'a [E],
    pub ignored: Option<usize>,
}

impl<E> Changes<'_, E> {
    pub const NONE: Self = Changes { smoothing: 0.0, weights: &[], ignored: None };
}

/// The losses of class scores.
///
/// With class weights, a mean over class indices is weighted by those of the samples' classes; ignored samples do not
/// count. Both are as in PyTorch, except that the mean over nothing is 0 here and NaN there.
#[track_caller]
pub fn row_loss<S: LastAxis, E: Float, T: Trace, R: Reduction<S::Rows>>(
    op: &'static RowLossOp,
    scores: Tensor<S, E, T>,
    label_sizes: &[usize],
    targets: RowTargets<'_, E>,
    changes: Changes<'_, E>,
    reduction: R,
) -> Tensor<R::Output, E, T> {
    let (shape, samples) = (scores.shape(), scores.shape().rows());
    let Changes { weights, ignored, .. } = changes;
    let smoothing = E::of(changes.smoothing);
    let (sizes, classes) = (samples.sizes(), shape.last().size());
    check_labels(op.name, sizes.as_ref(), classes, label_sizes, targets, ignored);
    let (_, mut gradient, trace) = scores.into_parts();

    let mut losses = Storage::scratch(samples.count());
    (E::pick(&op.loops))(gradient.make_mut(), RowSettings { targets, smoothing, weights, ignored }, losses.make_mut());
    let counted = |&&index: &&usize| Some(index) != ignored;
    let scale = match targets {
        RowTargets::Indices(indices) if !weights.is_empty() => {
            mean_factor(indices.iter().filter(counted).map(|&index| weights[index].as_f64()).sum())
        }
        RowTargets::Indices(indices) if ignored.is_some() => mean_factor(indices.iter().filter(counted).count() as f64),
        _ => mean_factor(losses.len() as f64),
    };
    let losses = match R::FORM {
        Form::Each => losses,
        Form::Sum => Storage::filled(1, crate::kernels::reduce::sum(losses.as_slice())),
        Form::Mean => Storage::filled(1, crate::kernels::reduce::sum(losses.as_slice()) * scale),
    };
    let node = record([trace.node()], |_| {
        move |upstream: Storage<E>, parents: &mut Parents<'_, 1>| {
            parents.add(0, chain(gradient, upstream.as_slice(), R::FORM, scale));
        }
    });
    Tensor::from_parts(reduction.output(samples), losses, T::from_node(node))
}

/// Panics if run-time sizes disagree, or a class index is out of range.
#[track_caller]
fn check_labels<E>(
    name: &str,
    samples: &[usize],
    classes: usize,
    labels: &[usize],
    targets: RowTargets<'_, E>,
    ignored: Option<usize>,
) {
    if labels[..samples.len()] != *samples || labels.get(samples.len()).is_some_and(|&size| size != classes) {
        let (found, batch) = (show_sizes(labels), batch(samples));
        panic!("{name}: labels of shape {found} do not fit logits of batch {batch} and {classes} classes");
    }
    let RowTargets::Indices(indices) = targets else {
        assert!(ignored.is_none(), "{name}: `ignored` is a class index, and these labels are probabilities");
        return;
    };
    if let Some(place) = indices.iter().position(|&index| index >= classes && Some(index) != ignored) {
        let sample = match samples {
            [] | [_] => place.to_string(),
            many => show_sizes(&position(place, many)),
        };
        let label = indices[place];
        panic!("{name}: label {label} of sample {sample} is not one of {classes} classes, which are counted from 0");
    }
}

/// The indices of an element that stands at `place` when those of all `sizes` stand in a row.
fn position(mut place: usize, sizes: &[usize]) -> Vec<usize> {
    let mut indices = sizes.to_vec();
    for index in indices.iter_mut().rev() {
        let size = *index;
        (*index, place) = (place % size, place / size);
    }
    indices
}

fn batch(samples: &[usize]) -> String {
    match samples {
        [one] => one.to_string(),
        many => show_sizes(many),
    }
}
