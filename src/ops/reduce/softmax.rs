//! Softmax and its logarithm along any axis.
//!
//! y_j = e^x_j / sum_k e^x_k, with gradient y_j (g_j - sum_k g_k y_k);
//!
//! z_j = log y_j = x_j - log sum_k e^x_k, with gradient g_j - e^z_j sum_k g_k.
//!
//! The largest x is subtracted first, so that nothing overflows. Saved: the result only. Where all x are minus infinity
//! (everything is masked) the result is NaN, as in PyTorch.

use crate::kernels::lines::{Map, MapOp, fold_lanes, sum_of};
use crate::kernels::reduce::block_sums;
use crate::memory::Storage;
use crate::numbers::math::Math;
use crate::ops::movement::moving::{Blocks, blocks};
use crate::shape::{HasAxis, Shape};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

#[inline(always)]
fn max<E: Float>(line: &[E]) -> E {
    let larger = |max, x| if x > max { x } else { max };
    fold_lanes(line, E::neg_infinity(), larger, larger)
}

struct Softmax;
impl Map for Softmax {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &mut [E]) {
        let max = max(line);
        for x in line.iter_mut() {
            *x = M::exp_of_negative(*x - max);
        }
        let factor = sum_of(line, |x| x).recip();
        for x in line {
            *x *= factor;
        }
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(gradient: &mut [E], y: &[E]) {
        let [inner] = block_sums(gradient, y, |g, y| [g * y]).map(E::of);
        gradient.iter_mut().zip(y).for_each(|(g, &y)| *g = y * (*g - inner));
    }
}

struct LogSoftmax;
impl Map for LogSoftmax {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &mut [E]) {
        let max = max(line);
        let log = M::ln(sum_of(line, |x| M::exp_of_negative(x - max)));
        line.iter_mut().for_each(|x| *x = (*x - max) - log);
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(gradient: &mut [E], z: &[E]) {
        let sum = sum_of(gradient, |g| g);
        for (g, &z) in gradient.iter_mut().zip(z) {
            *g -= M::exp_of_negative(z) * sum;
        }
    }
}

pub(crate) static SOFTMAX: MapOp = MapOp::of::<Softmax>();
static LOG_SOFTMAX: MapOp = MapOp::of::<LogSoftmax>();

fn map_values<E: Float>(mut x: Storage<E>, blocks: Blocks, op: &MapOp) -> Storage<E> {
    if x.is_unique() {
        E::pick(op).forward(None, x.make_mut(), blocks);
        return x;
    }
    let mut y = Storage::scratch(x.len());
    E::pick(op).forward(Some(x.as_slice()), y.make_mut(), blocks);
    y
}

/// Applies a function of lines along the middle of the blocks; the backward pass uses its result.
#[track_caller]
pub(crate) fn map_lines<S: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    blocks: Blocks,
    op: &'static MapOp,
) -> Tensor<S, E, T> {
    let (shape, x, trace) = x.into_parts();
    let y = map_values(x, blocks, op);
    let node = record([trace.node()], |_| {
        let y = y.clone();
        move |mut g: Storage<E>, parents: &mut Parents<'_, 1>| {
            E::pick(op).backward(g.make_mut(), y.as_slice(), blocks);
            parents.add(0, g);
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// Softmax along axis `A`: positive numbers that sum to 1.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([[0.0, 0.0], [1.0, 2.0]]);
    /// let y = x.softmax::<1>();
    /// assert_eq!(y.slice(0).to_array(), [0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn softmax<const A: usize>(self) -> Self
    where
        S: HasAxis<A>,
    {
        let blocks = blocks(self.shape());
        map_lines(self, blocks, &SOFTMAX)
    }

    /// The logarithm of softmax along axis `A`, more accurate than the logarithm of its result.
    #[track_caller]
    pub fn log_softmax<const A: usize>(self) -> Self
    where
        S: HasAxis<A>,
    {
        let blocks = blocks(self.shape());
        map_lines(self, blocks, &LOG_SOFTMAX)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;
    use crate::shape::HasAxis;

    #[test]
    fn gradients_agree_with_finite_differences() {
        random_shapes!(
            [(usize, usize, usize), (usize, usize, usize, usize)] | shape,
            rng | {
                let x = random(shape, -3.0, 3.0, rng);
                check_function(|x| x.softmax::<0>(), x.clone());
                check_function(|x| x.softmax::<1>(), x.clone());
                check_function(|x| x.softmax::<2>(), x.clone());
                check_function(|x| x.log_softmax::<0>(), x.clone());
                check_function(|x| x.log_softmax::<1>(), x.clone());
                check_function(|x| x.log_softmax::<2>(), x);
            }
        );
        random_shapes!(
            [(usize,)] | shape,
            rng | {
                check_function(|x| x.softmax::<0>(), random(shape, -3.0, 3.0, rng));
                check_function(|x| x.log_softmax::<0>(), random(shape, -3.0, 3.0, rng));
            }
        );
    }

    #[test]
    fn every_axis_gives_what_the_last_one_gives() {
        // wide enough for several groups of columns, and for a part of one
        let x = Tensor::<Rank3<3, 37, 21>>::randn(&mut StdRng::seed_from_u64(0));
        let turned = x.clone().transpose().softmax::<2>().transpose();
        assert_eq!(x.clone().softmax::<1>(), turned);
        let logarithms = turned.iter().map(f32::ln).collect();
        assert!(x.clone().log_softmax::<1>().is_close(&Tensor::from_vec(logarithms, x.shape()).unwrap(), 1e-5, 1e-5));
    }

    #[test]
    fn a_tensor_that_others_hold_is_left_as_it_was_and_gives_the_same_bits() {
        fn check<const A: usize, S: HasAxis<A> + Default>() {
            let x = Tensor::<S>::normal_with(S::default(), 0.0, 1.0, &mut StdRng::seed_from_u64(0));
            let alone = || Tensor::<S>::from_vec(x.to_vec(), x.shape()).unwrap();
            assert_eq!(x.clone().softmax::<A>(), alone().softmax::<A>());
            assert_eq!(x.clone().log_softmax::<A>(), alone().log_softmax::<A>());
            assert_eq!(x, Tensor::normal_with(S::default(), 0.0, 1.0, &mut StdRng::seed_from_u64(0)));
        }
        // several groups of short rows, a row longer than a group, and lines that are gathered
        check::<1, Rank2<700, 57>>();
        check::<1, Rank2<3, 5000>>();
        check::<1, Rank3<5, 20, 33>>();
    }

    #[test]
    fn large_numbers_do_not_overflow() {
        let x = Tensor::from([1e4, 0.0, -1e4]);
        assert_eq!(x.clone().softmax::<0>().to_array(), [1.0, 0.0, 0.0]);
        assert_eq!(x.log_softmax::<0>().to_array(), [0.0, -1e4, -2e4]);
        assert_eq!(Tensor::from([0.0, f32::NEG_INFINITY]).softmax::<0>().to_array(), [1.0, 0.0]);
    }
}
