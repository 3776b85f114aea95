//! Repeating an axis as a whole: (a, b) becomes (a, b, a, b). The gradients of the repetitions add up.

use super::moving::{Blocks, blocks, move_runs};
use crate::kernels::runs::Runs;
use crate::shape::{Const, HasAxis, Product, Shape};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;

/// The shape `S` with axis `A` repeated `N` times.
pub type Repeated<S, const A: usize, const N: usize> =
    <S as HasAxis<A>>::With<<(<S as HasAxis<A>>::Length, Const<N>) as Product>::Out>;

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The tensor repeated `N` times along axis `A`, like NumPy's `tile`.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.repeat::<1, 2>().to_array(), [[1.0, 2.0, 1.0, 2.0], [3.0, 4.0, 3.0, 4.0]]);
    /// ```
    #[track_caller]
    pub fn repeat<const A: usize, const N: usize>(self) -> Tensor<Repeated<S, A, N>, E, T>
    where
        S: HasAxis<A>,
        (S::Length, Const<N>): Product,
    {
        let shape = self.shape().with((self.shape().length(), Const::<N>).product());
        let runs = repeated(blocks(self.shape()), N);
        move_runs(self, shape, None, runs)
    }
}

/// The middle of the blocks, repeated `times` times.
fn repeated((outer, middle, inner): Blocks, times: usize) -> Runs<impl Fn(usize) -> (usize, usize)> {
    let row = middle * inner;
    Runs { count: outer * times, length: row, uses: times, place: move |i| (i / times * row, i * row) }
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
                check_gradients(|x| x.repeat::<0, 3>(), x.clone()).unwrap();
                check_gradients(|x| x.repeat::<1, 2>(), x.clone()).unwrap();
                check_gradients(|x| x.repeat::<1, 0>(), x).unwrap();
            }
        );
    }
}
