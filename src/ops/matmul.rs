//! Products of matrices: y_ij = sum_k a_ik b_kj.
//!
//! Shapes: see [`MatMul`]. With g the gradient of y:
//!
//! - gradient of a: g b^T, summed over the batch if a is one matrix for all of it;
//! - gradient of b: a^T g, likewise.

use super::shapes_differ;
use crate::kernels::gemm::{self, Matrix};
use crate::memory::Storage;
use crate::shape::{MatMul, ProductSizes, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Parents, Trace, note_multiply_adds, record};

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The product of two matrices, of a vector and a matrix, or of batches of matrices.
    ///
    /// # Panics
    /// If run-time dimensions of the two do not fit.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let b = Tensor::from([[5.0], [6.0]]);
    /// assert_eq!(a.matmul(b).to_array(), [[17.0], [39.0]]);
    /// ```
    #[track_caller]
    pub fn matmul<Q: Shape, R: Trace>(self, right: Tensor<Q, E, R>) -> Tensor<S::Out, E, Merged<T, R>>
    where
        S: MatMul<Q>,
        T: Merge<R>,
    {
        let shape = self.shape().product_shape(right.shape());
        let Some(sizes) = self.shape().product_sizes(right.shape()) else {
            shapes_differ("matmul", self.shape(), right.shape());
        };
        let (_, a, left) = self.into_parts();
        let (_, b, right) = right.into_parts();
        note_multiply_adds(sizes.batch * sizes.m * sizes.k * sizes.n);
        let mut y = Storage::scratch(shape.count());
        forward(sizes, a.as_slice(), b.as_slice(), y.make_mut());
        let node = record([left.node(), right.node()], |needs| {
            // the gradient of one operand is computed from the other
            let a = needs[1].then_some(a);
            let b = needs[0].then_some(b);
            move |g: Storage<E>, parents: &mut Parents<'_, 2>| {
                let g = g.as_slice();
                if let Some(b) = b {
                    let len = sizes.m * sizes.k * if sizes.left_shared { 1 } else { sizes.batch };
                    parents.write(0, len, |out, add| left_gradient(sizes, g, b.as_slice(), out, add));
                }
                if let Some(a) = a {
                    let len = sizes.k * sizes.n * if sizes.right_shared { 1 } else { sizes.batch };
                    parents.write(1, len, |out, add| right_gradient(sizes, g, a.as_slice(), out, add));
                }
            }
        });
        Tensor::from_parts(shape, y, Merged::<T, R>::from_node(node))
    }
}

/// Matrix number `i` of a batch, or the one that the whole batch shares.
fn of_batch<E>(values: &[E], shared: bool, i: usize, count: usize) -> &[E] {
    if shared { values } else { &values[i * count..(i + 1) * count] }
}

fn forward<E: Float>(sizes: ProductSizes, a: &[E], b: &[E], y: &mut [E]) {
    let ProductSizes { m, k, n, left_shared, right_shared, .. } = sizes;
    gemm::batched(
        (m, k, n),
        |i| Matrix::rows(of_batch(a, left_shared, i, m * k), k),
        |i| Matrix::rows(of_batch(b, right_shared, i, k * n), n),
        y,
        false,
    );
}

/// g b^T
fn left_gradient<E: Float>(sizes: ProductSizes, g: &[E], b: &[E], out: &mut [E], add: bool) {
    let ProductSizes { batch, m, k, n, left_shared, right_shared } = sizes;
    let g = |i| Matrix::rows(of_batch(g, false, i, m * n), n);
    let b = |i| Matrix::transposed(of_batch(b, right_shared, i, k * n), n);
    if left_shared {
        clear_if_empty(out, batch, add);
        (0..batch).for_each(|i| gemm::gemm(m, n, k, g(i), b(i), out, add || i > 0));
    } else {
        gemm::batched((m, n, k), g, b, out, add);
    }
}

/// a^T g
fn right_gradient<E: Float>(sizes: ProductSizes, g: &[E], a: &[E], out: &mut [E], add: bool) {
    let ProductSizes { batch, m, k, n, left_shared, right_shared } = sizes;
    let a = |i| Matrix::transposed(of_batch(a, left_shared, i, m * k), k);
    let g = |i| Matrix::rows(of_batch(g, false, i, m * n), n);
    if right_shared {
        clear_if_empty(out, batch, add);
        (0..batch).for_each(|i| gemm::gemm(k, m, n, a(i), g(i), out, add || i > 0));
    } else {
        gemm::batched((k, m, n), a, g, out, add);
    }
}

/// A sum over no batch at all is zero.
fn clear_if_empty<E: Float>(out: &mut [E], batch: usize, add: bool) {
    if batch == 0 && !add {
        out.fill(E::zero());
    }
}
