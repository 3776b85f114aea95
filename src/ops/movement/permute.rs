//! Reordering axes. The gradient is reordered back.

use super::moving::{MoveBack, moved};
use crate::kernels::elementwise;
use crate::kernels::store::Store;
use crate::kernels::transpose;
use crate::memory::Storage;
use crate::shape::{Permutation, Shape, Transpose};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::Trace;

/// The backward pass of a permutation: the sizes of its result, and for each old axis the new one.
struct Back {
    sizes: Vec<usize>,
    order: Vec<usize>,
}

impl MoveBack for Back {
    fn move_back<E: Float>(&self, _: usize, gradient: &[E], out: &mut [E], store: Store) {
        if store.adds() {
            let mut moved = Storage::scratch(out.len());
            transpose::permute(gradient, &self.sizes, &self.order, moved.make_mut());
            elementwise::add_assign(out, moved.as_slice());
        } else {
            transpose::permute(gradient, &self.sizes, &self.order, out);
        }
    }
}

/// Axis `order[i]` of `x` becomes axis i.
#[track_caller]
fn permute<S: Shape, O: Shape, E: Element, T: Trace>(x: Tensor<S, E, T>, shape: O, order: &[usize]) -> Tensor<O, E, T> {
    let mut y = Storage::scratch(x.count());
    transpose::permute(x.as_slice(), x.shape().sizes().as_ref(), order, y.make_mut());
    let mut inverse = vec![0; order.len()];
    order.iter().enumerate().for_each(|(new, &old)| inverse[old] = new);
    let sizes = shape.sizes().as_ref().to_vec();
    moved(x, shape, y, Back { sizes, order: inverse })
}

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The tensor with its last two axes swapped: the transpose of a matrix, or of each matrix of a batch.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.transpose().to_array(), [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
    /// ```
    #[track_caller]
    pub fn transpose<Q: Shape>(self) -> Tensor<Q, E, T>
    where
        S: Transpose<Transposed = Q>,
    {
        let shape = self.shape().transposed();
        let order = [0, 1, 2, 3, 4, 5];
        let mut order = order[..S::RANK].to_vec();
        order.swap(S::RANK - 2, S::RANK - 1);
        permute(self, shape, &order)
    }

    /// The tensor with its axes in another order: axis i of the result is the i-th of the list.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let image = Tensor::<Rank3<28, 32, 3>>::ones(); // height, width, channels
    /// let image: Tensor<Rank3<3, 28, 32>> = image.permute::<(Axis<2>, Axis<0>, Axis<1>)>();
    /// ```
    #[track_caller]
    pub fn permute<P: Permutation<S>>(self) -> Tensor<P::Permuted, E, T> {
        let shape = P::permuted(self.shape());
        permute(self, shape, P::ORDER)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn elements_are_where_the_axes_say() {
        let x = Tensor::<Rank3<2, 3, 4>, usize>::from_fn(|[i, j, k]| 100 * i + 10 * j + k);
        let y: Tensor<Rank3<4, 2, 3>, usize> = x.clone().permute::<(Axis<2>, Axis<0>, Axis<1>)>();
        assert_eq!(y, Tensor::<Rank3<4, 2, 3>, usize>::from_fn(|[k, i, j]| 100 * i + 10 * j + k));
        assert_eq!(x.clone().transpose(), Tensor::<Rank3<2, 4, 3>, usize>::from_fn(|[i, k, j]| 100 * i + 10 * j + k));
        assert_eq!(x.clone().permute::<(Axis<0>, Axis<1>, Axis<2>)>(), x);
        assert_eq!(Tensor::from([[true, false]]).transpose().to_array(), [[true], [false]]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                check_gradients(|x| x.permute::<(Axis<2>, Axis<0>, Axis<1>)>(), x.clone()).unwrap();
                // two uses, so that the second gradient is added to the first
                check_gradients(|x| x.clone().transpose() * (x.transpose() + 2.0), x).unwrap();
            }
        );
        random_shapes!(
            [(usize, usize, usize, usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                check_gradients(|x| x.permute::<(Axis<3>, Axis<0>, Axis<5>, Axis<1>, Axis<4>, Axis<2>)>(), x).unwrap();
            }
        );
        random_shapes!(
            [(usize, usize), (usize, usize, usize, usize), (usize, usize, usize, usize, usize, usize)] | shape,
            rng | {
                check_gradients(|x| x.transpose(), random(shape, -2.0, 2.0, rng)).unwrap();
            }
        );
    }
}
