//! Padding the ends of an axis with a constant. The gradient of the tensor is cut out of the result's gradient; the
//! constant has none.

use super::moving::{Blocks, blocks, move_runs};
use crate::kernels::runs::Runs;
use crate::shape::{Dim, HasAxis, Padded, Shape};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The tensor with axis `A` padded by `BEFORE` zeros at its start and `AFTER` at its end.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0], [2.0]]);
    /// assert_eq!(x.pad::<1, 2, 1>().to_array(), [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 2.0, 0.0]]);
    /// ```
    #[track_caller]
    pub fn pad<const A: usize, const BEFORE: usize, const AFTER: usize>(
        self,
    ) -> Tensor<S::With<<S::Length as Padded<BEFORE, AFTER>>::Out>, E, T>
    where
        S: HasAxis<A>,
        S::Length: Padded<BEFORE, AFTER>,
    {
        self.pad_with::<A, BEFORE, AFTER>(E::default())
    }

    /// The tensor with axis `A` padded by `BEFORE` times `value` at its start and `AFTER` times at its end.
    #[track_caller]
    pub fn pad_with<const A: usize, const BEFORE: usize, const AFTER: usize>(
        self,
        value: E,
    ) -> Tensor<S::With<<S::Length as Padded<BEFORE, AFTER>>::Out>, E, T>
    where
        S: HasAxis<A>,
        S::Length: Padded<BEFORE, AFTER>,
    {
        let padded = self.shape().length().padded();
        let shape = self.shape().with(padded);
        let runs = placed(blocks(self.shape()), BEFORE, padded.size());
        move_runs(self, shape, Some(value), runs)
    }
}

/// The middle of the blocks, placed in a middle of `padded` cells, after `before` of them.
pub(crate) fn placed(
    (outer, middle, inner): Blocks,
    before: usize,
    padded: usize,
) -> Runs<impl Fn(usize) -> (usize, usize)> {
    let row = middle * inner;
    Runs { count: outer, length: row, uses: 1, place: move |i| (i * row, (i * padded + before) * inner) }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize), (usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -2.0, 2.0, rng);
                check_gradients(|x| x.pad::<0, 1, 0>(), x.clone()).unwrap();
                check_gradients(|x| x.pad_with::<1, 2, 3>(7.0), x).unwrap();
            }
        );
    }

    #[test]
    fn nothing_is_padded_to_the_constant() {
        let nothing = Tensor::<Rank2<2, 0>>::zeros();
        assert_eq!(nothing.pad_with::<1, 1, 1>(5.0).to_array(), [[5.0, 5.0], [5.0, 5.0]]);
        assert_eq!(Tensor::from([true]).pad::<0, 1, 1>().to_array(), [false, true, false]);
        let y: Tensor<Rank4<1, 1, 4, 4>> = Tensor::<Rank4<1, 1, 2, 2>>::ones().pad::<2, 1, 1>().pad::<3, 1, 1>();
        assert_eq!((y.clone().sum().item(), y[[0, 0, 1, 1]], y[[0, 0, 0, 1]]), (4.0, 1.0, 0.0));
    }
}
