//! Sums and means: of everything, over one axis, or over several.
//!
//! y_i = sum_j x_ij; the gradient of each x_ij is the gradient of y_i. The mean divides both by the number of terms;
//! the mean of no terms is NaN.

use crate::kernels::elementwise;
use crate::kernels::reduce;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::ops::elementwise::arithmetic::DIVIDE;
use crate::ops::movement::moving::{Blocks, blocks_of};
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// The sum over the runs of axes, divided by `divisor`.
#[track_caller]
fn reduce_runs<S: Shape, O: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    runs: Vec<Blocks>,
    divisor: Option<usize>,
) -> Tensor<O, E, T> {
    let (_, x, trace) = x.into_parts();
    let mut y = x;
    for &(outer, middle, inner) in &runs {
        let mut sums = Storage::scratch(outer * inner);
        reduce::sum_axis(y.as_slice(), (outer, middle, inner), sums.make_mut(), Store::Overwrite);
        y = sums;
    }
    if let Some(count) = divisor {
        // a division, so that the mean of equal numbers is that number
        E::pick(&DIVIDE.loops).forward(None, y.make_mut(), [E::of(count as f64); 2]);
    }
    let node = record([trace.node()], |_| {
        move |mut g: Storage<E>, parents: &mut Parents<'_, 1>| {
            if let Some(count) = divisor {
                elementwise::scale(g.make_mut(), E::of(1.0 / count as f64));
            }
            for &(outer, middle, inner) in runs.iter().rev() {
                let mut wide = Storage::scratch(outer * middle * inner);
                reduce::repeat_axis(g.as_slice(), (outer, middle, inner), wide.make_mut());
                g = wide;
            }
            parents.add(0, g);
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The sum of all elements.
    #[track_caller]
    pub fn sum(self) -> Tensor<(), E, T> {
        let count = self.count();
        reduce_runs(self, (), vec![(1, count, 1)], None)
    }

    /// The mean of all elements: NaN if there are none, as in PyTorch (but a loss over no elements is 0).
    #[track_caller]
    pub fn mean(self) -> Tensor<(), E, T> {
        let count = self.count();
        reduce_runs(self, (), vec![(1, count, 1)], Some(count))
    }

    /// The sum over axis `A`, which is removed.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.clone().sum_axis::<0>().to_array(), [4.0, 6.0]);
    /// assert_eq!(x.sum_axis::<1>().to_array(), [3.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn sum_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.sum_axes::<Axis<A>>()
    }

    /// The mean over axis `A`, which is removed: NaN if it has no elements.
    #[track_caller]
    pub fn mean_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.mean_axes::<Axis<A>>()
    }

    /// The sum over several axes, which are removed: `x.sum_axes::<(Axis<0>, Axis<2>)>()`.
    #[track_caller]
    pub fn sum_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        let runs = blocks_of::<A>(self.shape().sizes().as_ref());
        let shape = self.shape().reduced();
        reduce_runs(self, shape, runs, None)
    }

    /// The mean over several axes, which are removed: NaN if they have no elements.
    #[track_caller]
    pub fn mean_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        let sizes = self.shape().sizes();
        let terms: usize = A::AXES.iter().map(|&axis| sizes.as_ref()[axis]).product();
        let shape = self.shape().reduced();
        reduce_runs(self, shape, blocks_of::<A>(sizes.as_ref()), Some(terms))
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(|shape, rng| {
            let x = random(shape, -2.0, 2.0, rng);
            check_gradients(|x| x.sum(), x.clone()).unwrap();
            if x.count() > 0 {
                check_gradients(|x| x.mean(), x).unwrap();
            }
        });
        random_shapes!(
            [(usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                check_gradients(|x| x.sum_axis::<0>(), x.clone()).unwrap();
                check_gradients(|x| x.sum_axis::<1>(), x.clone()).unwrap();
                check_gradients(|x| x.sum_axes::<(Axis<0>, Axis<2>)>(), x.clone()).unwrap();
                check_gradients(|x| x.sum_axes::<(Axis<1>, Axis<2>)>(), x.clone()).unwrap();
                check_gradients(|x| x.sum_axes::<(Axis<0>, Axis<1>, Axis<2>)>(), x.clone()).unwrap();
                if x.count() > 0 {
                    check_gradients(|x| x.mean_axis::<2>(), x.clone()).unwrap();
                    check_gradients(|x| x.mean_axes::<(Axis<0>, Axis<2>)>(), x).unwrap();
                }
            }
        );
    }

    #[test]
    fn sums_over_axes_are_sums_of_the_elements() {
        let x = Tensor::<Rank3<2, 3, 4>>::from_fn(|[i, j, k]| (100 * i + 10 * j + k) as f32);
        assert_eq!(x.clone().sum_axes::<(Axis<0>, Axis<2>)>().to_array(), [412.0, 492.0, 572.0]);
        assert_eq!(x.clone().mean_axis::<1>().to_array(), [[10.0, 11.0, 12.0, 13.0], [110.0, 111.0, 112.0, 113.0]]);
        assert_eq!(x.clone().sum().item(), x.sum_axes::<(Axis<0>, Axis<1>, Axis<2>)>().item());
    }

    #[test]
    fn a_sum_of_nothing_is_zero_and_its_mean_no_number() {
        let nothing = Tensor::<Rank2<2, 0>>::zeros();
        assert_eq!(nothing.clone().sum_axis::<1>().to_array(), [0.0, 0.0]);
        assert_eq!(nothing.clone().sum().item(), 0.0);
        assert!(nothing.clone().mean().item().is_nan());
        assert!(nothing.mean_axis::<1>().to_array().iter().all(|x| x.is_nan()));
    }

    #[test]
    fn a_long_sum_keeps_its_digits() {
        let sum = Tensor::<(usize,)>::full_with((3_000_000,), 0.1).sum().item();
        // one running sum in f32 would be off by more than a thousandth
        assert!((sum / 300_000.0 - 1.0).abs() < 1e-5, "{sum}");
    }
}
