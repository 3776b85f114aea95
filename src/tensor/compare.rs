//! Equality, exact and approximate.

use super::{Element, Float, Tensor};
use crate::numbers::range::{at_least_zero, expect};
use crate::shape::Shape;
use crate::trace::Trace;

impl<S: Shape, E: Element, T: Trace, U: Trace> PartialEq<Tensor<S, E, U>> for Tensor<S, E, T> {
    /// Whether shapes and all elements are equal.
    fn eq(&self, other: &Tensor<S, E, U>) -> bool {
        self.shape() == other.shape() && self.as_slice() == other.as_slice()
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// Whether the shapes are equal and each pair of elements differs by at most `absolute + relative |other|`.
    /// NaN is close to nothing; equal infinities are close.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([1.0, 100.0]);
    /// assert!(x.is_close(&Tensor::from([1.0001, 100.01]), 1e-3, 0.0));
    /// assert!(!x.is_close(&Tensor::from([1.0001, 100.2]), 1e-3, 0.0));
    /// ```
    #[track_caller]
    pub fn is_close<U: Trace>(&self, other: &Tensor<S, E, U>, relative: f64, absolute: f64) -> bool {
        expect(
            at_least_zero("is_close", "relative", relative)
                .and_then(|()| at_least_zero("is_close", "absolute", absolute)),
        );
        let close = |(a, b): (&E, &E)| {
            let (a, b) = (a.as_f64(), b.as_f64());
            a == b || (a - b).abs() <= absolute + relative * b.abs()
        };
        self.shape() == other.shape() && self.as_slice().iter().zip(other.as_slice()).all(close)
    }
}
