//! Losses of numbers: squared error, absolute error, Huber.
//!
//! With d = x - t for a prediction x and its target t:
//!
//! | | loss | derivative by x |
//! | --- | --- | --- |
//! | squared error | d^2 | 2 d |
//! | absolute error | \|d\| | sign(d), 0 at 0 |
//! | Huber, \|d\| <= delta | d^2 / 2 | d |
//! | Huber, \|d\| > delta | delta (\|d\| - delta / 2) | delta sign(d) |
//!
//! The target may be traced too: its derivative is the negative.

use super::pair::{PairLossOp, Target, pair_loss};
use super::{Mean, Reduction};
use crate::kernels::pair_loss::PairLoss;
use crate::numbers::math::Math;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Trace};

struct Squared;
impl PairLoss for Squared {
    #[inline(always)]
    fn loss<M: Math, E: Float>(x: E, target: E, _: E) -> (E, E) {
        let d = x - target;
        (d * d, d + d)
    }
}

struct Absolute;
impl PairLoss for Absolute {
    #[inline(always)]
    fn loss<M: Math, E: Float>(x: E, target: E, _: E) -> (E, E) {
        let d = x - target;
        // 0 and NaN stay as they are
        let sign = if d > E::zero() {
            E::one()
        } else if d < E::zero() {
            -E::one()
        } else {
            d
        };
        (d.abs(), sign)
    }
}

struct Huber;
impl PairLoss for Huber {
    #[inline(always)]
    fn loss<M: Math, E: Float>(x: E, target: E, delta: E) -> (E, E) {
        let d = x - target;
        let half = E::of(0.5);
        if d > delta {
            (delta * (d - half * delta), delta)
        } else if d < -delta {
            (delta * (-d - half * delta), -delta)
        } else {
            (half * d * d, d)
        }
    }
}

static SQUARED: PairLossOp = PairLossOp::of::<Squared>("squared_error");
static ABSOLUTE: PairLossOp = PairLossOp::of::<Absolute>("absolute_error");
static HUBER: PairLossOp = PairLossOp::of::<Huber>("huber");

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The mean of (x - t)^2 over all elements.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let loss = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).mean_squared_error(&Tensor::from([[1.0, 2.0], [3.0, 0.0]]));
    /// assert_eq!(loss.item(), 4.0);
    /// ```
    #[doc(alias = "mse_loss")]
    #[track_caller]
    pub fn mean_squared_error<U: Trace>(self, target: &impl Target<S, E, Trace = U>) -> Tensor<(), E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        self.mean_squared_error_with(target, Mean)
    }

    /// The [squared error](Tensor::mean_squared_error) (x - t)^2: the [`Mean`] or [`Sum`](super::Sum) over all
    /// elements, or [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn mean_squared_error_with<U: Trace, R: Reduction<S>>(
        self,
        target: &impl Target<S, E, Trace = U>,
        reduction: R,
    ) -> Tensor<R::Output, E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        let count = self.count();
        pair_loss(&SQUARED, self, target.tensor(), 0.0, count, reduction)
    }

    /// The mean of |x - t| over all elements.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let loss = Tensor::from([1.0, -2.0]).mean_absolute_error(&Tensor::from([0.0, 1.0]));
    /// assert_eq!(loss.item(), 2.0);
    /// ```
    #[doc(alias = "l1_loss")]
    #[track_caller]
    pub fn mean_absolute_error<U: Trace>(self, target: &impl Target<S, E, Trace = U>) -> Tensor<(), E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        self.mean_absolute_error_with(target, Mean)
    }

    /// The [absolute error](Tensor::mean_absolute_error) |x - t|: the [`Mean`] or [`Sum`](super::Sum) over all
    /// elements, or [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn mean_absolute_error_with<U: Trace, R: Reduction<S>>(
        self,
        target: &impl Target<S, E, Trace = U>,
        reduction: R,
    ) -> Tensor<R::Output, E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        let count = self.count();
        pair_loss(&ABSOLUTE, self, target.tensor(), 0.0, count, reduction)
    }

    /// The mean Huber loss over all elements: d^2 / 2 where |d| <= delta, and delta (|d| - delta / 2) beyond, for
    /// d = x - t. Outliers pull with a force of delta and no more. Huber, "Robust Estimation of a Location Parameter",
    /// 1964.
    ///
    /// PyTorch's smooth L1 loss of parameter beta is this loss with delta = beta, divided by beta.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree, or delta is not above 0.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let loss = Tensor::from([0.5, 3.0]).huber(&Tensor::from([0.0, 0.0]), 1.0);
    /// assert_eq!(loss.item(), (0.125 + 2.5) / 2.0);
    /// ```
    #[doc(alias = "smooth_l1_loss")]
    #[track_caller]
    pub fn huber<U: Trace>(self, target: &impl Target<S, E, Trace = U>, delta: f64) -> Tensor<(), E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        self.huber_with(target, delta, Mean)
    }

    /// The [Huber loss](Tensor::huber): the [`Mean`] or [`Sum`](super::Sum) over all elements, or
    /// [`Each`](super::Each).
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree, or delta is not above 0.
    #[track_caller]
    pub fn huber_with<U: Trace, R: Reduction<S>>(
        self,
        target: &impl Target<S, E, Trace = U>,
        delta: f64,
        reduction: R,
    ) -> Tensor<R::Output, E, Merged<T, U>>
    where
        T: Merge<U>,
    {
        assert!(delta > 0.0, "huber: `delta` must be above 0, and is {delta}");
        let count = self.count();
        pair_loss(&HUBER, self, target.tensor(), delta, count, reduction)
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::{Each, Sum};
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_of_predictions_and_targets_are_those_of_finite_differences() {
        random_shapes!(|shape, rng| {
            let t = random(shape, -1.0, 1.0, rng);
            // the differences avoid 0, where the absolute error has no derivative, and the kinks of the Huber loss
            let x = random_apart(shape, -2.0, 2.0, &[0.0, 0.7, -0.7], rng) + &t;
            let inputs = (x, t);
            check_gradients(|(x, t)| x.mean_squared_error_with(&t, Each), inputs.clone()).unwrap();
            check_gradients(|(x, t)| x.mean_absolute_error_with(&t, Each), inputs.clone()).unwrap();
            check_gradients(|(x, t)| x.huber_with(&t, 0.7, Each), inputs.clone()).unwrap();
            check_gradients(|(x, t)| x.mean_squared_error_with(&t, Sum), inputs.clone()).unwrap();
            if inputs.0.count() > 0 {
                check_gradients(|(x, t)| x.mean_squared_error(&t), inputs.clone()).unwrap();
                check_gradients(|(x, t)| x.huber(&t, 0.7), inputs).unwrap();
            }
        });
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let (x, t) = (Tensor::from([f32::NAN, 1.0]), Tensor::from([0.0, 0.0]));
        assert!(x.clone().mean_squared_error(&t).item().is_nan());
        assert!(x.clone().mean_absolute_error(&t).item().is_nan());
        assert!(x.clone().huber(&t, 1.0).item().is_nan());
        let tape = Tape::inference();
        let x = tape.watch(x);
        let gradient = x.clone().mean_absolute_error(&t).backward().of_input(&x);
        assert!(gradient[[0]].is_nan() && gradient[[1]] == 0.5);
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let mut rng = StdRng::seed_from_u64(3);
        let (x, t) = (Tensor::<Rank1<100_003>>::randn(&mut rng), Tensor::<Rank1<100_003>>::randn(&mut rng));
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| x.clone().mean_squared_error(&t).item().to_bits())
        };
        assert_eq!(run(1), run(3));
        let expected: f64 = x.iter().zip(t.iter()).map(|(x, t)| f64::from(x - t).powi(2)).sum::<f64>() / 100_003.0;
        assert!((f64::from(f32::from_bits(run(1))) - expected).abs() < 1e-6 * expected);
    }

    #[test]
    #[should_panic(expected = "squared_error: the shapes (3,) and (4,) do not fit")]
    fn run_time_shapes_that_differ_are_named() {
        let (x, t) = (Tensor::<(usize,)>::zeros_with((3,)), Tensor::<(usize,)>::zeros_with((4,)));
        let _ = x.mean_squared_error(&t);
    }

    #[test]
    #[should_panic(expected = "huber: `delta` must be above 0, and is -1")]
    fn a_negative_delta_is_refused() {
        let _ = Tensor::from([1.0]).huber(&Tensor::from([0.0]), -1.0);
    }
}
