//! Parts of a tensor: one index of an axis, a range of it, or equal parts of it.
//!
//! The gradient of a part goes back to where it was cut out; the rest has a gradient of zero.

use super::moving::{Blocks, blocks, move_runs};
use crate::kernels::runs::Runs;
use crate::shape::{Const, Dim, DivisibleBy, HasAxis, Holds, Shape, show};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;
use std::ops::Range;

/// The shape of one of `N` equal parts of axis `A` of the shape `S`.
pub type OneOf<S, const A: usize, const N: usize> =
    <S as HasAxis<A>>::With<<<S as HasAxis<A>>::Length as DivisibleBy<N>>::Quotient>;

/// The cells `start .. start + length` of axis `A`.
#[track_caller]
fn cut<const A: usize, S: HasAxis<A>, O: Shape, E: Element, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    start: usize,
    length: usize,
) -> Tensor<O, E, T> {
    let runs = range(blocks(x.shape()), start, length);
    move_runs(x, shape, None, runs)
}

/// The cells `start .. start + length` of the middle of the blocks.
fn range((outer, middle, inner): Blocks, start: usize, length: usize) -> Runs<impl Fn(usize) -> (usize, usize)> {
    Runs {
        count: outer,
        length: length * inner,
        uses: 1,
        place: move |i| ((i * middle + start) * inner, i * length * inner),
    }
}

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The part at `index` of axis 0, which is removed: a row of a matrix, an image of a batch.
    ///
    /// # Panics
    /// If `index` is outside the axis.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.slice(1).to_array(), [3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn slice(self, index: usize) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<0>,
    {
        self.slice_at::<0>(index)
    }

    /// The part at `index` of axis `A`, which is removed: `x.slice_at::<1>(2)` is column 2 of a matrix.
    ///
    /// # Panics
    /// If `index` is outside the axis.
    #[track_caller]
    pub fn slice_at<const A: usize>(self, index: usize) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        let shape = self.shape();
        if index >= shape.length().size() {
            panic!("slice: index {index} is outside axis {A} of shape {}", show(shape));
        }
        cut::<A, _, _, _, _>(self, shape.removed(), index, 1)
    }

    /// The `LENGTH` cells of axis `A` from `START` on.
    ///
    /// # Panics
    /// If a run-time dimension is too short.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank1<6>>::arange();
    /// assert_eq!(x.slice_axis::<0, 2, 3>().to_array(), [2.0, 3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn slice_axis<const A: usize, const START: usize, const LENGTH: usize>(
        self,
    ) -> Tensor<S::With<Const<LENGTH>>, E, T>
    where
        S: HasAxis<A>,
        S::Length: Holds<START, LENGTH>,
    {
        self.shape().length().check_slice();
        let shape = self.shape().with(Const::<LENGTH>);
        cut::<A, _, _, _, _>(self, shape, START, LENGTH)
    }

    /// The cells of axis `A` in `range`; the size of the axis becomes a run-time size.
    ///
    /// # Panics
    /// If the range does not lie in the axis.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank2<2, 6>>::ones();
    /// assert_eq!(x.slice_range::<1>(2..5).shape(), (Const::<2>, 3));
    /// ```
    #[doc(alias = "narrow")]
    #[track_caller]
    pub fn slice_range<const A: usize>(self, range: Range<usize>) -> Tensor<S::With<usize>, E, T>
    where
        S: HasAxis<A>,
    {
        let Range { start, end } = range;
        if start > end || end > self.shape().length().size() {
            panic!("slice_range: {start}..{end} does not lie in axis {A} of shape {}", show(self.shape()));
        }
        let shape = self.shape().with(end - start);
        cut::<A, _, _, _, _>(self, shape, start, end - start)
    }

    /// Splits axis `A` into `N` equal parts.
    ///
    /// # Panics
    /// If `N` does not divide a run-time dimension.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let gates = Tensor::<Rank2<3, 8>>::ones();
    /// let [input, forget, cell, output]: [Tensor<Rank2<3, 2>>; 4] = gates.split::<1, 4>();
    /// ```
    #[doc(alias = "chunk")]
    #[track_caller]
    pub fn split<const A: usize, const N: usize>(self) -> [Tensor<OneOf<S, A, N>, E, T>; N]
    where
        S: HasAxis<A>,
        S::Length: DivisibleBy<N>,
    {
        let part = self.shape().length().quotient();
        let shape = self.shape().with(part);
        // not `array::from_fn`: a panic would name the standard library's line
        let mut parts = Vec::with_capacity(N);
        for i in 0..N {
            parts.push(cut::<A, _, _, _, _>(self.clone(), shape, i * part.size(), part.size()));
        }
        parts.try_into().unwrap_or_else(|_| unreachable!("N parts were made"))
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn parts_are_where_they_should_be() {
        let x = Tensor::<Rank3<2, 4, 3>, usize>::from_fn(|[a, b, c]| 100 * a + 10 * b + c);
        assert_eq!(x.clone().slice(1).to_array(), [[100, 101, 102], [110, 111, 112], [120, 121, 122], [130, 131, 132]]);
        assert_eq!(x.clone().slice_at::<1>(2).to_array(), [[20, 21, 22], [120, 121, 122]]);
        assert_eq!(x.clone().slice_at::<2>(0).to_array(), [[0, 10, 20, 30], [100, 110, 120, 130]]);
        assert_eq!(x.clone().slice_axis::<1, 1, 2>().slice(0).to_array(), [[10, 11, 12], [20, 21, 22]]);
        assert_eq!(x.clone().slice_range::<1>(1..3).to_vec(), x.clone().slice_axis::<1, 1, 2>().to_vec());
        let [first, second] = x.clone().split::<1, 2>();
        assert_eq!((first, second), (x.clone().slice_axis::<1, 0, 2>(), x.slice_axis::<1, 2, 2>()));
        assert_eq!(Tensor::from([true, false, true]).slice_axis::<0, 1, 2>().to_array(), [false, true]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize), (usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                let sizes = shape.sizes();
                check_gradients(|x| x.slice_range::<1>(sizes[1] / 3..sizes[1] - sizes[1] / 4), x.clone()).unwrap();
                if sizes[0] > 0 {
                    check_gradients(|x| x.slice(sizes[0] - 1), x.clone()).unwrap();
                }
                if sizes[1] > 0 {
                    check_gradients(|x| x.slice_at::<1>(sizes[1] / 2), x.clone()).unwrap();
                    check_gradients(|x| x.slice_axis::<1, 0, 1>(), x.clone()).unwrap();
                }
                if sizes[0].is_multiple_of(2) {
                    let unequal = |x: Watched<_>| {
                        let [a, b] = x.split::<0, 2>();
                        a.clone() * b * a
                    };
                    check_gradients(unequal, x).unwrap();
                }
            }
        );
    }

    #[test]
    #[should_panic(expected = "slice: index 2 is outside axis 1 of shape (3, 2)")]
    fn an_index_outside_is_named() {
        let _ = Tensor::<Rank2<3, 2>>::ones().slice_at::<1>(2);
    }

    #[test]
    #[should_panic(expected = "slice_range: 1..5 does not lie in axis 0 of shape (4,)")]
    fn a_range_outside_is_named() {
        let _ = Tensor::<Rank1<4>>::ones().slice_range::<0>(1..5);
    }

    #[test]
    #[should_panic(expected = "a slice of 3 from 2 on does not fit dimension 4")]
    fn a_run_time_axis_too_short_is_named() {
        let _ = Tensor::<(usize,)>::ones_with((4,)).slice_axis::<0, 2, 3>();
    }

    #[test]
    #[should_panic(expected = "3 does not divide 4 exactly")]
    fn unequal_parts_are_refused() {
        let _ = Tensor::<(usize,)>::ones_with((4,)).split::<0, 3>();
    }
}
