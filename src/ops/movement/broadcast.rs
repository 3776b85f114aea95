//! Repeating a tensor along new axes. The gradient is summed over them.
//!
//! The repetition is stored: to add a bias or scale features, layers have operations of their own, which are cheaper.

use super::moving::{Blocks, MoveBack, blocks_of, moved};
use crate::kernels::reduce;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::shape::{Axes, BroadcastTo, Dim, InsertAxis, Shape, show};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::Trace;

/// The repeated axes, as runs of neighbours in the result.
struct Back<R>(R);

impl<R: AsRef<[Blocks]> + 'static> MoveBack for Back<R> {
    fn move_back<E: Float>(&self, _: usize, gradient: &[E], out: &mut [E], store: Store) {
        let [first @ .., last] = self.0.as_ref() else { return };
        let mut summed: Option<Storage<E>> = None;
        for &(outer, middle, inner) in first {
            let mut sums = Storage::scratch(outer * inner);
            let wide = summed.as_ref().map_or(gradient, Storage::as_slice);
            reduce::sum_axis(wide, (outer, middle, inner), sums.make_mut(), Store::Overwrite);
            summed = Some(sums);
        }
        reduce::sum_axis(summed.as_ref().map_or(gradient, Storage::as_slice), *last, out, store);
    }
}

/// Repeats `x` along the middle of each of `runs`, the last first.
#[track_caller]
fn broadcast<S: Shape, O: Shape, E: Element, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    runs: impl AsRef<[Blocks]> + 'static,
) -> Tensor<O, E, T> {
    // panics if the shape is too large
    shape.count();
    let mut y = x.storage().clone();
    for &(outer, middle, inner) in runs.as_ref().iter().rev() {
        let mut wide = Storage::scratch(outer * middle * inner);
        reduce::repeat_axis(y.as_slice(), (outer, middle, inner), wide.make_mut());
        y = wide;
    }
    moved(x, shape, y, Back(runs))
}

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The tensor repeated along new axes `A`, one as `Axis<0>` or several as a tuple: removing them from `shape` must
    /// leave the shape of this tensor.
    ///
    /// # Panics
    /// If run-time dimensions of the two shapes disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let bias = Tensor::from([1.0, 2.0, 3.0]);
    /// let shape: Rank4<32, 3, 28, 28> = Default::default();
    /// let everywhere = bias.broadcast_to::<(Axis<0>, Axis<2>, Axis<3>), _>(shape);
    /// assert_eq!(everywhere[[7, 1, 5, 5]], 2.0);
    /// ```
    #[doc(alias = "expand")]
    #[track_caller]
    pub fn broadcast_to<A: Axes, O: Shape>(self, shape: O) -> Tensor<O, E, T>
    where
        S: BroadcastTo<O, A>,
    {
        let sizes = shape.sizes();
        let sizes = sizes.as_ref();
        let left = sizes.iter().enumerate().filter(|(axis, _)| !A::AXES.contains(axis)).map(|(_, size)| size);
        if !left.eq(self.shape().sizes().as_ref()) {
            let (from, to) = (show(self.shape()), show(shape));
            panic!("broadcast_to: shape {from} cannot be broadcast to {to} along the axes {:?}", A::AXES);
        }
        let runs = blocks_of::<A>(sizes);
        broadcast(self, shape, runs)
    }

    /// The tensor repeated along a new axis of size `dim`, which is axis `A` of the result.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([1.0, 2.0]);
    /// assert_eq!(x.clone().broadcast_axis::<0, _>(Const::<3>).to_array(), [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]);
    /// assert_eq!(x.broadcast_axis::<1, _>(2).to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn broadcast_axis<const A: usize, D: Dim>(self, dim: D) -> Tensor<S::Inserted<D>, E, T>
    where
        S: InsertAxis<A>,
    {
        let shape = self.shape().inserted(dim);
        let sizes = self.shape().sizes();
        let [outer, inner] = [&sizes.as_ref()[..A], &sizes.as_ref()[A..]].map(|sizes| sizes.iter().product());
        broadcast(self, shape, [(outer, dim.size(), inner)])
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn elements_are_repeated_along_the_named_axes() {
        let x = Tensor::<Rank2<2, 3>, usize>::from_fn(|[i, j]| 10 * i + j);
        let y = x.clone().broadcast_to::<(Axis<0>, Axis<2>, Axis<4>), _>(Rank5::<4, 2, 5, 3, 2>::default());
        assert_eq!(y, Tensor::<Rank5<4, 2, 5, 3, 2>, usize>::from_fn(|[_, i, _, j, _]| 10 * i + j));
        let y = x.clone().broadcast_to::<(Axis<0>, Axis<1>), _>(Rank4::<4, 5, 2, 3>::default());
        assert_eq!(y, Tensor::<Rank4<4, 5, 2, 3>, usize>::from_fn(|[_, _, i, j]| 10 * i + j));
        assert_eq!(
            x.broadcast_axis::<1, _>(Const::<2>),
            Tensor::<Rank3<2, 2, 3>, usize>::from_fn(|[i, _, j]| 10 * i + j)
        );
        assert_eq!(Tensor::from(true).broadcast_axis::<0, _>(Const::<2>).to_array(), [true, true]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(), (usize,), (usize, usize), (usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                check_gradients(|x| x.broadcast_axis::<0, _>(3), x.clone()).unwrap();
                check_gradients(|x| x.clone().broadcast_axis::<0, _>(2) * x.broadcast_axis::<0, _>(2), x.clone())
                    .unwrap();
                check_gradients(|x| x.broadcast_axis::<0, _>(0), x).unwrap();
            }
        );
        random_shapes!(
            [(usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                let (a, b) = shape;
                check_gradients(|x| x.broadcast_to::<Axis<1>, _>((a, 3, b)), x.clone()).unwrap();
                check_gradients(|x| x.broadcast_to::<(Axis<0>, Axis<2>, Axis<4>), _>((2, a, 3, b, 2)), x.clone())
                    .unwrap();
                let twice = |x: Watched<_>| {
                    x.clone().broadcast_to::<(Axis<1>, Axis<2>), _>((a, 2, 2, b))
                        * x.broadcast_axis::<1, _>(2).broadcast_axis::<1, _>(2)
                };
                check_gradients(twice, x).unwrap();
            }
        );
    }

    #[test]
    #[should_panic(expected = "shape (2, 3) cannot be broadcast to (2, 5, 4) along the axes [1]")]
    fn run_time_dimensions_must_agree() {
        let x = Tensor::<(Const<2>, usize)>::ones_with((Const, 3));
        let _ = x.broadcast_to::<Axis<1>, _>((Const::<2>, 5_usize, 4_usize));
    }
}
