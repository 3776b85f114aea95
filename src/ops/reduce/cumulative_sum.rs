//! Cumulative sums: y_j = x_0 + .. + x_j. The gradient of x_j is the sum of the gradients of y_j and all later ones.

use super::softmax::map_lines;
use crate::kernels::lines::{Map, MapOp};
use crate::numbers::math::Math;
use crate::ops::movement::moving::blocks;
use crate::shape::{HasAxis, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

struct CumulativeSum;
impl Map for CumulativeSum {
    const COSTLY: bool = false;
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &mut [E]) {
        // in f64, as the sum cannot be split if every partial sum is needed
        let mut sum = 0.0;
        for x in line {
            sum += x.as_f64();
            *x = E::of(sum);
        }
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(gradient: &mut [E], _: &[E]) {
        let mut sum = 0.0;
        for g in gradient.iter_mut().rev() {
            sum += g.as_f64();
            *g = E::of(sum);
        }
    }
}

static CUMULATIVE_SUM: MapOp = MapOp::of::<CumulativeSum>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The cumulative sums along axis `A`.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([1.0, 2.0, 3.0]).cumulative_sum::<0>().to_array(), [1.0, 3.0, 6.0]);
    /// ```
    #[doc(alias = "cumsum")]
    #[track_caller]
    pub fn cumulative_sum<const A: usize>(self) -> Self
    where
        S: HasAxis<A>,
    {
        let blocks = blocks(self.shape());
        map_lines(self, blocks, &CUMULATIVE_SUM)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                check_function(|x| x.cumulative_sum::<0>(), random(shape, -3.0, 3.0, rng));
                check_function(|x| x.cumulative_sum::<1>(), random(shape, -3.0, 3.0, rng));
                check_function(|x| x.cumulative_sum::<2>(), random(shape, -3.0, 3.0, rng));
            }
        );
    }
}
