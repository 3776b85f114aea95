//! Reversing an axis. The gradient is reversed too.

use super::moving::{Blocks, blocks, move_runs};
use crate::kernels::runs::Runs;
use crate::shape::{HasAxis, Shape};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The tensor with axis `A` in reverse order.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.flip::<1>().to_array(), [[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]);
    /// ```
    #[track_caller]
    pub fn flip<const A: usize>(self) -> Self
    where
        S: HasAxis<A>,
    {
        let shape = self.shape();
        move_runs(self, shape, None, flipped(blocks(shape)))
    }
}

/// The middle of the blocks in reverse order.
fn flipped((outer, middle, inner): Blocks) -> Runs<impl Fn(usize) -> (usize, usize)> {
    let from = move |i| i / middle * middle + (middle - 1 - i % middle);
    Runs { count: outer * middle, length: inner, uses: 1, place: move |i| (from(i) * inner, i * inner) }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                check_function(|x| x.flip::<0>(), random(shape, -2.0, 2.0, rng));
                check_function(|x| x.flip::<1>(), random(shape, -2.0, 2.0, rng));
                check_function(|x| x.flip::<2>(), random(shape, -2.0, 2.0, rng));
            }
        );
    }

    #[test]
    fn twice_is_the_same_and_masks_can_be_flipped() {
        let x = Tensor::<Rank3<2, 3, 4>, usize>::from_fn(|[i, j, k]| 100 * i + 10 * j + k);
        let flipped = x.clone().flip::<1>();
        assert_eq!((flipped[[1, 0, 3]], flipped[[0, 2, 1]]), (123, 1));
        assert_eq!(flipped.flip::<1>(), x);
        assert_eq!(Tensor::from([true, false, false]).flip::<0>().to_array(), [false, false, true]);
    }
}
