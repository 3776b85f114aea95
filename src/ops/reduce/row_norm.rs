//! Normalising each row on its own: layer norm and group norm.
//!
//! With m and v the mean and the (biased) variance of one row of x:
//!
//! n = (x - m) / sqrt(v + epsilon), y = gamma n + beta
//!
//! With g the gradient of y, h = g gamma, and means over the row:
//!
//! - gradient of gamma: the sum of g n over the rows that use it; of beta: the sum of g
//! - gradient of x: (h - mean(h) - n mean(h n)) / sqrt(v + epsilon)
//!
//! Saved: x, and m and 1 / sqrt(v + epsilon) of each row. Ba, Kiros and Hinton, "Layer Normalization", 2016; Wu and He,
//! "Group Normalization", 2018.

use crate::kernels::normalize::{self, Normal, Rows};
use crate::memory::Storage;
use crate::shape::Shape;
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// Normalises the rows of `x`, and scales and shifts them by `affine`, gamma and beta.
#[track_caller]
pub(crate) fn row_norm<S: Shape, C: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    [gamma, beta]: [Tensor<C, E, T>; 2],
    epsilon: f64,
    rows: Rows,
) -> Tensor<S, E, T> {
    let (shape, x, trace) = x.into_parts();
    let (_, gamma, gamma_trace) = gamma.into_parts();
    let (_, beta, beta_trace) = beta.into_parts();
    let mut y = Storage::scratch(x.len());
    let mut normals = vec![Normal::default(); x.len() / rows.width.max(1)];
    let affine = [gamma.as_slice(), beta.as_slice()];
    normalize::normalize_rows(rows, x.as_slice(), affine, epsilon, y.make_mut(), &mut normals);
    let node = record([trace.node(), gamma_trace.node(), beta_trace.node()], |_| {
        move |mut g: Storage<E>, parents: &mut Parents<'_, 3>| {
            let affine = parents.needs(1) || parents.needs(2);
            let (x, gamma) = (x.as_slice(), gamma.as_slice());
            let [d_gamma, d_beta] = normalize::normalize_rows_backward(rows, x, &normals, gamma, g.make_mut(), affine);
            parents.add(0, g);
            if affine {
                parents.add(1, d_gamma);
                parents.add(2, d_beta);
            }
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}
