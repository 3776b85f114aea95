//! Matrix products: y_ij = sum_k a_ik b_kj. The products of two vectors, inner and outer, are special cases.
//!
//! Shapes: see [`MatMul`]. With g the gradient of y:
//!
//! - gradient of a: g b^T, summed over the batch if the whole batch shares a;
//! - gradient of b: a^T g, likewise.

use crate::kernels::gemm::{self, Matrix};
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::shape::shapes_differ;
use crate::shape::{Const, MatMul, ProductSizes, Shape, VectorAxis};
use crate::tape::{note_multiply_adds, record};
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Parents, Trace};

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The product of two matrices, of a vector and a matrix, of batches of matrices, or of two vectors (the sum of
    /// the products of their numbers, as [`dot`](Tensor::dot)).
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
    #[doc(alias = "bmm")]
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
        let mut y = Storage::scratch(shape.count());
        note_multiply_adds(y.len().saturating_mul(sizes.k));
        forward(sizes, a.as_slice(), b.as_slice(), y.make_mut());
        let node = record([left.node(), right.node()], |needs| {
            // the gradient of one operand is computed from the other
            let a = needs[1].then_some(a);
            let b = needs[0].then_some(b);
            move |g: Storage<E>, parents: &mut Parents<'_, 2>| {
                let g = g.as_slice();
                if let Some(b) = b {
                    let len = sizes.m * sizes.k * if sizes.left_shared { 1 } else { sizes.batch };
                    parents.write(0, len, |out, store| left_gradient(sizes, g, b.as_slice(), out, store));
                }
                if let Some(a) = a {
                    let len = sizes.k * sizes.n * if sizes.right_shared { 1 } else { sizes.batch };
                    parents.write(1, len, |out, store| right_gradient(sizes, g, a.as_slice(), out, store));
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
        Store::Overwrite,
    );
}

/// g b^T
fn left_gradient<E: Float>(sizes: ProductSizes, g: &[E], b: &[E], out: &mut [E], store: Store) {
    let ProductSizes { batch, m, k, n, left_shared, right_shared } = sizes;
    let g = |i| Matrix::rows(of_batch(g, false, i, m * n), n);
    let b = |i| Matrix::transposed(of_batch(b, right_shared, i, k * n), n);
    if left_shared {
        clear_if_empty(out, batch, store);
        (0..batch).for_each(|i| gemm::gemm(m, n, k, g(i), b(i), out, Store::adding(store.adds() || i > 0)));
    } else {
        gemm::batched((m, n, k), g, b, out, store);
    }
}

/// a^T g
fn right_gradient<E: Float>(sizes: ProductSizes, g: &[E], a: &[E], out: &mut [E], store: Store) {
    let ProductSizes { batch, m, k, n, left_shared, right_shared } = sizes;
    let a = |i| Matrix::transposed(of_batch(a, left_shared, i, m * k), k);
    let g = |i| Matrix::rows(of_batch(g, false, i, m * n), n);
    if right_shared {
        clear_if_empty(out, batch, store);
        (0..batch).for_each(|i| gemm::gemm(k, m, n, a(i), g(i), out, Store::adding(store.adds() || i > 0)));
    } else {
        gemm::batched((k, m, n), a, g, out, store);
    }
}

/// A sum over an empty batch is zero.
fn clear_if_empty<E: Float>(out: &mut [E], batch: usize, store: Store) {
    if batch == 0 && !store.adds() {
        out.fill(E::zero());
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The inner product of two vectors: sum_k a_k b_k.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1.0, 2.0]).dot(Tensor::from([3.0, 4.0])).item(), 11.0);
    /// ```
    #[track_caller]
    pub fn dot<R: Trace>(self, right: Tensor<S, E, R>) -> Tensor<(), E, Merged<T, R>>
    where
        S: VectorAxis,
        T: Merge<R>,
    {
        if self.shape() != right.shape() {
            shapes_differ("dot", self.shape(), right.shape());
        }
        let (left, right_shape) = (self.shape().axis(), right.shape().axis());
        self.in_shape((left,)).matmul(right.in_shape((right_shape,)))
    }

    /// The outer product of two vectors: y_ij = a_i b_j.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let y = Tensor::from([1.0, 2.0]).outer(Tensor::from([3.0, 4.0, 5.0]));
    /// assert_eq!(y.to_array(), [[3.0, 4.0, 5.0], [6.0, 8.0, 10.0]]);
    /// ```
    #[track_caller]
    pub fn outer<Q: VectorAxis, R: Trace>(
        self,
        right: Tensor<Q, E, R>,
    ) -> Tensor<(S::Length, Q::Length), E, Merged<T, R>>
    where
        S: VectorAxis,
        T: Merge<R>,
    {
        let (rows, columns) = (self.shape().axis(), right.shape().axis());
        self.in_shape((rows, Const::<1>)).matmul(right.in_shape((Const::<1>, columns)))
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    /// Sizes of products, with a 1 and a 0 at each place.
    const SIZES: [[usize; 4]; 7] =
        [[2, 3, 4, 2], [1, 3, 4, 2], [2, 1, 4, 2], [2, 3, 1, 1], [2, 0, 3, 2], [0, 3, 2, 2], [2, 3, 2, 0]];

    #[test]
    fn gradients_agree_with_finite_differences() {
        let rng = &mut StdRng::seed_from_u64(0);
        for [m, k, n, b] in SIZES {
            let mut operands = |left: &[usize], right: &[usize]| {
                let numbers = |sizes: &[usize], rng: &mut StdRng| random((sizes.iter().product(),), -2.0, 2.0, rng);
                (numbers(left, rng), numbers(right, rng))
            };
            let product = |(a, b): (Watched<(usize,)>, Watched<(usize,)>)| a.matmul(b.reshape_with((k, n)));
            check_gradients(product, operands(&[k], &[k, n])).unwrap();
            let product = |(a, b): (Watched<(usize,)>, Watched<_>)| a.reshape_with((m, k)).matmul(b);
            check_gradients(product, operands(&[m, k], &[k])).unwrap();
            let product =
                |(a, b): (Watched<(usize,)>, Watched<(usize,)>)| a.reshape_with((m, k)).matmul(b.reshape_with((k, n)));
            check_gradients(product, operands(&[m, k], &[k, n])).unwrap();
            // left, right and both in batches, of one and of two axes; the last twice, so that gradients are summed
            let product = |(x, y): (Watched<(usize,)>, Watched<(usize,)>)| {
                x.reshape_with((b, m, k)).matmul(y.reshape_with((k, n)))
            };
            check_gradients(product, operands(&[b, m, k], &[k, n])).unwrap();
            let product = |(x, y): (Watched<(usize,)>, Watched<(usize,)>)| {
                x.reshape_with((m, k)).matmul(y.reshape_with((b, k, n)))
            };
            check_gradients(product, operands(&[m, k], &[b, k, n])).unwrap();
            let product = |(x, y): (Watched<(usize,)>, Watched<(usize,)>)| {
                x.reshape_with((m, k)).matmul(y.reshape_with((b, 2, k, n)))
            };
            check_gradients(product, operands(&[m, k], &[b, 2, k, n])).unwrap();
            let product = |(x, y): (Watched<(usize,)>, Watched<(usize,)>)| {
                let (x, y) = (x.reshape_with((b, 2, m, k)), y.reshape_with((b, 2, k, n)));
                x.clone().matmul(y.clone()) + x.matmul(y)
            };
            check_gradients(product, operands(&[b, 2, m, k], &[b, 2, k, n])).unwrap();
            check_gradients(|(a, b): (Watched<(usize,)>, _)| a.dot(b), operands(&[k], &[k])).unwrap();
            check_gradients(|(a, b): (Watched<(usize,)>, Watched<(usize,)>)| a.outer(b), operands(&[m], &[n])).unwrap();
        }
    }

    /// Every row of the table gives what the plain sums give, up to the largest batch.
    #[test]
    fn batches_are_products_of_their_matrices() {
        let rng = &mut StdRng::seed_from_u64(0);
        let a = Tensor::<Rank6<2, 1, 2, 3, 2, 3>>::randn(rng);
        let b = Tensor::<Rank6<2, 1, 2, 3, 3, 2>>::randn(rng);
        let (one_a, one_b) = (Tensor::<Rank2<2, 3>>::randn(rng), Tensor::<Rank2<3, 2>>::randn(rng));
        let both: Tensor<Rank6<2, 1, 2, 3, 2, 2>> = a.clone().matmul(b.clone());
        let left: Tensor<Rank6<2, 1, 2, 3, 2, 2>> = a.clone().matmul(one_b.clone());
        let right: Tensor<Rank6<2, 1, 2, 3, 2, 2>> = one_a.clone().matmul(b.clone());
        for (i, j, k) in [(0, 0, 0), (1, 1, 2), (0, 1, 1)] {
            let matrix_a = a.clone().slice(i).slice(0).slice(j).slice(k);
            let matrix_b = b.clone().slice(i).slice(0).slice(j).slice(k);
            for row in 0..2 {
                for column in 0..2 {
                    let sum = |x: &Tensor<Rank2<2, 3>>, y: &Tensor<Rank2<3, 2>>| -> f32 {
                        (0..3).map(|inner| x[[row, inner]] * y[[inner, column]]).sum()
                    };
                    let place = [i, 0, j, k, row, column];
                    assert!((both[place] - sum(&matrix_a, &matrix_b)).abs() < 1e-5);
                    assert!((left[place] - sum(&matrix_a, &one_b)).abs() < 1e-5);
                    assert!((right[place] - sum(&one_a, &matrix_b)).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "matmul: the shapes (2, 3) and (4, 5) do not fit")]
    fn run_time_sizes_must_fit() {
        let a = Tensor::<(usize, usize)>::ones_with((2, 3));
        let _ = a.matmul(Tensor::<(usize, usize)>::ones_with((4, 5)));
    }

    #[test]
    #[should_panic(expected = "matmul: the shapes (2, 2, 3) and (4, 3, 5) do not fit")]
    fn run_time_batches_must_be_the_same() {
        let a = Tensor::<(usize, usize, usize)>::ones_with((2, 2, 3));
        let _ = a.matmul(Tensor::<(usize, usize, usize)>::ones_with((4, 3, 5)));
    }

    #[test]
    #[should_panic(expected = "dot: the shapes (2,) and (3,) do not fit")]
    fn vectors_must_be_of_one_length() {
        let _ = Tensor::<(usize,)>::ones_with((2,)).dot(Tensor::ones_with((3,)));
    }
}
