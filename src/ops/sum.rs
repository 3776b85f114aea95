//! Sums and means: of everything, over one axis, or over several.
//!
//! y_i = sum_j x_ij; the gradient of each x_ij is that of y_i. The mean divides both by the number of terms; the mean
//! of no terms is NaN.

use crate::kernels::reduce;
use crate::memory::Storage;
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace, record};

/// The sizes before, of, and after a run of axes.
type Blocks = (usize, usize, usize);

/// The axes as runs of neighbours, the last run first, each seen in the sizes that the later ones left.
fn runs(sizes: &[usize], axes: &[usize]) -> Vec<Blocks> {
    let mut runs = Vec::new();
    let mut inner_kept = 1;
    let mut axis = sizes.len();
    while axis > 0 {
        if !axes.contains(&(axis - 1)) {
            inner_kept *= sizes[axis - 1];
            axis -= 1;
            continue;
        }
        let mut middle = 1;
        while axis > 0 && axes.contains(&(axis - 1)) {
            middle *= sizes[axis - 1];
            axis -= 1;
        }
        runs.push((sizes[..axis].iter().product(), middle, inner_kept));
    }
    runs
}

/// Adds up over the runs of axes, times `factor`.
#[track_caller]
fn reduce_runs<S: Shape, O: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    runs: Vec<Blocks>,
    factor: Option<E>,
) -> Tensor<O, E, T> {
    let (_, x, trace) = x.into_parts();
    let mut y = x;
    for &(outer, middle, inner) in &runs {
        let mut sums = Storage::scratch(outer * inner);
        reduce::sum_axis(y.as_slice(), (outer, middle, inner), sums.make_mut(), false);
        y = sums;
    }
    if let Some(factor) = factor {
        E::scale(y.make_mut(), factor);
    }
    let node = record([trace.node()], |_| {
        move |mut g: Storage<E>, parents: &mut Parents<'_, 1>| {
            if let Some(factor) = factor {
                E::scale(g.make_mut(), factor);
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

    /// The mean of all elements.
    #[track_caller]
    pub fn mean(self) -> Tensor<(), E, T> {
        let count = self.count();
        reduce_runs(self, (), vec![(1, count, 1)], Some(E::of(1.0 / count as f64)))
    }

    /// The sum over axis `A`, which disappears.
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

    /// The mean over axis `A`, which disappears.
    #[track_caller]
    pub fn mean_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.mean_axes::<Axis<A>>()
    }

    /// The sum over several axes, which disappear: `x.sum_axes::<(Axis<0>, Axis<2>)>()`.
    #[track_caller]
    pub fn sum_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        let runs = runs(self.shape().sizes().as_ref(), A::AXES);
        let shape = self.shape().reduced();
        reduce_runs(self, shape, runs, None)
    }

    /// The mean over several axes, which disappear.
    #[track_caller]
    pub fn mean_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        let sizes = self.shape().sizes();
        let terms: usize = A::AXES.iter().map(|&axis| sizes.as_ref()[axis]).product();
        let shape = self.shape().reduced();
        reduce_runs(self, shape, runs(sizes.as_ref(), A::AXES), Some(E::of(1.0 / terms as f64)))
    }
}
