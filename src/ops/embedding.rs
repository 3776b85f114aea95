//! Rows of a table by their indices, each on its own or added up: y_i = W_{k_i}, or y_b = sum_j W_{k_bj}.
//!
//! Shapes: W (V, D); the indices k of any shape; y with the axis D behind it, or in place of the last. With g the gradient
//! of y, that of row W_v is the sum of those g_i for which k_i = v. If the table has more rows than indices are looked up,
//! the gradient holds only the rows that were; rows that are `skipped` have none.

use super::index_select::check_indices;
use crate::kernels::parallel;
use crate::memory::Storage;
use crate::shape::{Append, Const, Dim, LastAxis, Rank2, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Rows, Trace, record};

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
            let used = indices.as_slice().iter().map(|&index| Some(index).filter(|_| Some(index) != skipped));
            add_to_table::<V, D, E>(used, g.as_slice(), parents);
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// For each run of indices along the last axis, the sum of their rows times `factor` of the number of them that are not
/// skipped.
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
    let used = move |index: usize| Some(index).filter(|_| Some(index) != skipped);
    let bag = move |indices: &Storage<usize>, bag: usize| -> (Vec<usize>, E) {
        let used: Vec<usize> =
            indices.as_slice()[bag * length..][..length].iter().filter_map(|&index| used(index)).collect();
        let factor = E::of(factor(used.len()));
        (used, factor)
    };
    let mut y = Storage::zeros(bags * D);
    for (i, row) in y.make_mut().chunks_exact_mut(D.max(1)).enumerate() {
        let (used, factor) = bag(&indices, i);
        for index in used {
            row.iter_mut().zip(&table.as_slice()[index * D..]).for_each(|(sum, &x)| *sum += x);
        }
        row.iter_mut().for_each(|sum| *sum *= factor);
    }
    let node = record([table.trace().node()], |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 1>| {
            // each use of a row gets the bag's gradient times its factor
            let mut spread = Storage::scratch(bags * length * D);
            for i in 0..bags {
                let (_, factor) = bag(&indices, i);
                for row in spread.make_mut()[i * length * D..][..length * D].chunks_exact_mut(D.max(1)) {
                    row.iter_mut().zip(&g.as_slice()[i * D..]).for_each(|(out, &g)| *out = g * factor);
                }
            }
            let used = indices.as_slice().iter().map(|&index| used(index));
            add_to_table::<V, D, E>(used, spread.as_slice(), parents);
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// Adds each row of `g` to the gradient of the row of the table that was used for it.
fn add_to_table<const V: usize, const D: usize, E: Float>(
    used: impl ExactSizeIterator<Item = Option<usize>>,
    g: &[E],
    parents: &mut Parents<'_, 1>,
) {
    if used.len() < V {
        return parents.add_rows(0, Rows::sum(V, D, used, g));
    }
    parents.write(0, V * D, |out: &mut [E], add| {
        if !add {
            out.fill(E::zero());
        }
        for (index, g) in used.zip(g.chunks_exact(D.max(1))) {
            let Some(index) = index else { continue };
            out[index * D..][..D].iter_mut().zip(g).for_each(|(out, &g)| *out += g);
        }
    });
}
