//! Elements by individual indices along an axis, here axis 1 of three:
//!
//! gather: y_ijk = x_i,index(ijk),k. The gradient of y is scattered back: added to the gradient of x at the same
//! places.
//!
//! scatter_add: y = x, then y_i,index(ijk),k += s_ijk. The gradient of x is that of y, and the gradient of s is
//! gathered from it.

use super::index_select::check_indices;
use super::moving::{Blocks, blocks, move_runs};
use crate::kernels::elementwise;
use crate::kernels::runs::Runs;
use crate::memory::Storage;
use crate::shape::shapes_differ;
use crate::shape::{HasAxis, SameExcept, Shape};
use crate::tape::record;
use crate::tensor::{Element, Float, Tensor};
use crate::trace::{Merge, Merged, Parents, Trace};

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// For each index, the element of this tensor at the same position but with this index along axis `A`.
    ///
    /// `indices` has the shape of this tensor, except for the size of axis `A`, and so does the result.
    ///
    /// # Panics
    /// If an index is not below the size of the axis, or run-time dimensions of the other axes disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let y = x.gather::<1, _>(&Tensor::from([[2, 0], [1, 1]]));
    /// assert_eq!(y.to_array(), [[3.0, 1.0], [5.0, 5.0]]);
    /// ```
    #[track_caller]
    pub fn gather<const A: usize, I: SameExcept<A, S>>(self, indices: &Tensor<I, usize>) -> Tensor<I, E, T>
    where
        S: HasAxis<A>,
    {
        if self.shape().removed() != indices.shape().removed() {
            shapes_differ("gather: tensor and indices", self.shape(), indices.shape());
        }
        let (x, i) = (blocks(self.shape()), blocks(indices.shape()));
        check_indices("gather", indices, A, x.1);
        let runs = gathered(x, i, indices.storage().clone());
        move_runs(self, indices.shape(), None, runs)
    }

    /// The element that each index selects along axis `A`, which is removed: from each row of scores, the score of its
    /// label.
    ///
    /// # Panics
    /// If an index is not below the size of the axis, or run-time dimensions of the other axes disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let scores = Tensor::from([[0.1, 0.9], [0.8, 0.2]]);
    /// assert_eq!(scores.pick::<1>(&Tensor::from([1, 0])).to_array(), [0.9, 0.8]);
    /// ```
    #[track_caller]
    pub fn pick<const A: usize>(self, indices: &Tensor<S::Removed, usize>) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        if self.shape().removed() != indices.shape() {
            shapes_differ("pick: tensor and indices", self.shape(), indices.shape());
        }
        let (outer, middle, inner) = blocks(self.shape());
        check_indices("pick", indices, A, middle);
        let runs = gathered((outer, middle, inner), (outer, 1, inner), indices.storage().clone());
        move_runs(self, indices.shape(), None, runs)
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// This tensor with each element of `source` added at its position, except that `indices` gives the index along
    /// axis `A`. Several elements may be added at the same place.
    ///
    /// `indices` and `source` have the same shape: that of this tensor, except for the size of axis `A`.
    ///
    /// # Panics
    /// If an index is not below the size of the axis, or run-time dimensions disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let histogram = Tensor::<Rank1<3>>::zeros();
    /// let counted = histogram.scatter_add::<0, _, _>(&Tensor::from([2, 0, 2, 2]), Tensor::<Rank1<4>>::ones());
    /// assert_eq!(counted.to_array(), [1.0, 0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn scatter_add<const A: usize, I: SameExcept<A, S>, R: Trace>(
        self,
        indices: &Tensor<I, usize>,
        source: Tensor<I, E, R>,
    ) -> Tensor<S, E, Merged<T, R>>
    where
        S: HasAxis<A>,
        T: Merge<R>,
    {
        if indices.shape() != source.shape() {
            shapes_differ("scatter_add: indices and source", indices.shape(), source.shape());
        }
        if self.shape().removed() != indices.shape().removed() {
            shapes_differ("scatter_add: tensor and indices", self.shape(), indices.shape());
        }
        let (x, i) = (blocks(self.shape()), blocks(indices.shape()));
        check_indices("scatter_add", indices, A, x.1);
        let runs = gathered(x, i, indices.storage().clone());
        let (shape, mut y, left) = self.into_parts();
        runs.add_back(source.as_slice(), y.make_mut());
        let (source, right) = source.into_untraced();
        let node = record([left.node(), right.node()], |_| {
            let count = source.count();
            move |g: Storage<E>, parents: &mut Parents<'_, 2>| {
                parents.write(1, count, |out, store| {
                    if store.adds() {
                        let mut picked = Storage::scratch(count);
                        runs.fill(g.as_slice(), picked.make_mut());
                        elementwise::add_assign(out, picked.as_slice());
                    } else {
                        runs.fill(g.as_slice(), out);
                    }
                });
                parents.add(0, g);
            }
        });
        Tensor::from_parts(shape, y, Merged::<T, R>::from_node(node))
    }
}

/// Runs of single elements: for each position of the indices, the element of x with the index there.
pub(crate) fn gathered(
    (_, middle, inner): Blocks,
    (outer, count, _): Blocks,
    indices: Storage<usize>,
) -> Runs<impl Fn(usize) -> (usize, usize)> {
    let from = move |i: usize| {
        let before = i / (count * inner);
        (before * middle + indices.as_slice()[i]) * inner + i % inner
    };
    Runs { count: outer * count * inner, length: 1, uses: count, place: move |i| (from(i), i) }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;
    use crate::shape::HasAxis;

    /// Random indices below `limit`, of the shape of `S` with `count` along axis 1; none if there is nothing to select.
    fn indices<S: HasAxis<1>>(shape: S, count: usize, rng: &mut StdRng) -> Tensor<S::With<usize>, usize> {
        let limit = shape.sizes().as_ref()[1];
        let shape = shape.with(if limit == 0 { 0 } else { count });
        Tensor::from_fn_with(shape, |_| rand::Rng::next_u32(rng) as usize % limit)
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize), (usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                let chosen = indices(shape, 3, rng);
                check_gradients(|x| x.gather::<1, _>(&chosen), x.clone()).unwrap();
                let source = random(chosen.shape(), -2.0, 2.0, rng);
                check_gradients(|(x, s)| x.scatter_add::<1, _, _>(&chosen, s.clone() * s), (x.clone(), source))
                    .unwrap();
                if shape.sizes()[1] > 0 {
                    let one = indices(shape, 1, rng).squeeze::<1>();
                    check_gradients(|x| x.pick::<1>(&one), x).unwrap();
                }
            }
        );
    }

    #[test]
    fn the_first_and_a_middle_axis() {
        let x = Tensor::<Rank3<2, 3, 2>, usize>::from_fn(|[i, j, k]| 100 * i + 10 * j + k);
        let chosen = Tensor::<Rank3<1, 3, 2>, usize>::from_fn(|[_, j, k]| (j + k) % 2);
        assert_eq!(x.clone().gather::<0, _>(&chosen).to_array(), [[[0, 101], [110, 11], [20, 121]]]);
        assert_eq!(x.pick::<1>(&Tensor::from([[2, 0], [1, 1]])).to_array(), [[20, 1], [110, 111]]);
    }

    #[test]
    #[should_panic(expected = "gather: index 2 at position (1, 0) is outside axis 1 of size 2")]
    fn an_index_outside_is_named() {
        let _ = Tensor::<Rank2<2, 2>>::ones().gather::<1, _>(&Tensor::from([[0], [2]]));
    }

    #[test]
    #[should_panic(expected = "pick: tensor and indices: the shapes (2, 3) and (3,) do not fit")]
    fn other_axes_must_agree() {
        let x = Tensor::<(usize, Const<3>)>::ones_with((2, Const));
        let _ = x.pick::<1>(&Tensor::<(usize,), usize>::zeros_with((3,)));
    }
}
