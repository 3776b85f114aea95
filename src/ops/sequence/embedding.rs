//! Rows of a table by their indices, each on its own or summed: y_i = W_{k_i}, or y_b = sum_j W_{k_bj}.
//!
//! Shapes: W (V, D); the indices k of any shape; y with the axis D after it, or in place of the last. With g the
//! gradient of y, the gradient of row W_v is the sum of all g_i with k_i = v. The gradient holds only the rows that
//! were looked up; rows that are `skipped` have none.

use crate::kernels::parallel;
use crate::kernels::reduce::sum_of_rows;
use crate::memory::Storage;
use crate::ops::movement::index_select::check_indices;
use crate::shape::{Append, Const, Dim, LastAxis, Rank2, Shape};
use crate::tape::{Rows, record};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// The row of `table` for each index.
#[track_caller]
pub(crate) fn embedding<S: Append, const V: usize, const D: usize, E: Float, T: Trace>(
    table: Tensor<Rank2<V, D>, E, T>,
    indices: Tensor<S, usize, T>,
    skipped: Option<usize>,
) -> Tensor<S::Appended<Const<D>>, E, T> {
    let (indices, _) = indices.into_untraced();
    check_indices("Embedding", &indices, 0, V);
    let shape = indices.shape().appended(Const::<D>);
    let indices = indices.into_storage();
    let mut y = Storage::scratch(indices.len() * D);
    let (from, of) = (table.as_slice(), indices.as_slice());
    parallel::rows(y.make_mut(), D, parallel::CHEAP, |first, rows| {
        for (row, &index) in rows.chunks_exact_mut(D.max(1)).zip(&of[first..]) {
            row.copy_from_slice(&from[index * D..][..D]);
        }
    });
    let node = record([table.trace().node()], |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 1>| {
            parents.add_rows(0, Rows::sum(V, D, used(indices.as_slice(), skipped), g.as_slice(), 1));
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// For each line of indices along the last axis, the sum of the rows that are not skipped, times `factor` of their
/// number.
#[track_caller]
pub(crate) fn embedding_bag<S: LastAxis, const V: usize, const D: usize, E: Float, T: Trace>(
    table: Tensor<Rank2<V, D>, E, T>,
    indices: Tensor<S, usize, T>,
    skipped: Option<usize>,
    factor: fn(usize) -> f64,
) -> Tensor<S::WithLast<Const<D>>, E, T> {
    let (indices, _) = indices.into_untraced();
    check_indices("EmbeddingBag", &indices, 0, V);
    let shape = indices.shape().with_last(Const::<D>);
    let (bags, length) = (indices.shape().rows().count(), indices.shape().last().size());
    let indices = indices.into_storage();
    let mut y = Storage::scratch(bags * D);
    let (from, of) = (table.as_slice(), indices.as_slice());
    parallel::rows(y.make_mut(), D, parallel::CHEAP, |first, rows| {
        for (number, sum) in (first..).zip(rows.chunks_exact_mut(D.max(1))) {
            let bag = &of[number * length..][..length];
            sum_of_rows(used(bag, skipped).flatten().map(|row| &from[row * D..][..D]), sum);
            let factor = E::of(factor(used(bag, skipped).flatten().count()));
            sum.iter_mut().for_each(|sum| *sum *= factor);
        }
    });
    let node = record([table.trace().node()], |_| {
        move |mut g: Storage<E>, parents: &mut Parents<'_, 1>| {
            // each row of a bag gets the bag's gradient times its factor
            for (number, g) in g.make_mut().chunks_exact_mut(D.max(1)).enumerate() {
                let bag = &indices.as_slice()[number * length..][..length];
                let factor = E::of(factor(used(bag, skipped).flatten().count()));
                g.iter_mut().for_each(|g| *g *= factor);
            }
            parents.add_rows(0, Rows::sum(V, D, used(indices.as_slice(), skipped), g.as_slice(), length));
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// The indices, with `None` for those that are skipped.
fn used(indices: &[usize], skipped: Option<usize>) -> impl Iterator<Item = Option<usize>> {
    indices.iter().map(move |&index| Some(index).filter(|_| Some(index) != skipped))
}
