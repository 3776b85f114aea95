//! Comparing elements with those of another tensor or with a number. The result is a mask.
//!
//! A mask has no gradient and is never traced: it is a constant of the computation. A comparison with NaN is false,
//! except `not_equal`. To compare whole tensors, use `==` or [`is_close`](Tensor::is_close).

use crate::kernels::mask;
use crate::kernels::mask::Comparison;
use crate::memory::Storage;
use crate::ops::TensorOrNumber;
use crate::shape::Shape;
use crate::tensor::{Element, Float, Tensor};
use crate::trace::Trace;

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    #[track_caller]
    fn compare(&self, name: &str, comparison: Comparison, right: impl TensorOrNumber<S, E>) -> Tensor<S, bool> {
        let right = right.into_elements();
        let right = right.source(name, self.shape());
        let mut mask = Storage::scratch(self.count());
        mask::compare(comparison, self.as_slice(), right, mask.make_mut());
        Tensor::from_storage(self.shape(), mask)
    }

    /// Where elements are equal to those of `right`, a tensor or a number.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let (predicted, labels) = (Tensor::from([3, 1, 2]), Tensor::from([3, 0, 2]));
    /// assert_eq!(predicted.equal(&labels).count_true(), 2);
    /// ```
    #[track_caller]
    pub fn equal(&self, right: impl TensorOrNumber<S, E>) -> Tensor<S, bool> {
        self.compare("equal", Comparison::Equal, right)
    }

    /// Where elements are not equal to those of `right`, a tensor or a number.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn not_equal(&self, right: impl TensorOrNumber<S, E>) -> Tensor<S, bool> {
        self.compare("not_equal", Comparison::NotEqual, right)
    }

    /// Where elements are less than those of `right`, a tensor or a number.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn lt(&self, right: impl TensorOrNumber<S, E>) -> Tensor<S, bool> {
        self.compare("lt", Comparison::Less, right)
    }

    /// Where elements are less than or equal to those of `right`, a tensor or a number.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn le(&self, right: impl TensorOrNumber<S, E>) -> Tensor<S, bool> {
        self.compare("le", Comparison::LessEqual, right)
    }

    /// Where elements are greater than those of `right`, a tensor or a number.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([0.5, -1.0, 2.0]);
    /// assert_eq!(x.gt(0.0).to_array(), [true, false, true]);
    /// assert_eq!(x.gt(Tensor::from([1.0, -2.0, 2.0])).to_array(), [false, true, false]);
    /// ```
    #[track_caller]
    pub fn gt(&self, right: impl TensorOrNumber<S, E>) -> Tensor<S, bool> {
        self.compare("gt", Comparison::Greater, right)
    }

    /// Where elements are greater than or equal to those of `right`, a tensor or a number.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    #[track_caller]
    pub fn ge(&self, right: impl TensorOrNumber<S, E>) -> Tensor<S, bool> {
        self.compare("ge", Comparison::GreaterEqual, right)
    }
}

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// Where elements are NaN.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([0.0, 1.0]);
    /// assert_eq!((&x / &x).is_nan().to_array(), [true, false]);
    /// ```
    pub fn is_nan(&self) -> Tensor<S, bool> {
        self.not_equal(self)
    }

    /// Where elements are finite.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([f32::NAN, f32::INFINITY, 3.0]).is_finite().to_array(), [false, false, true]);
    /// ```
    pub fn is_finite(&self) -> Tensor<S, bool> {
        self.detach().abs().lt(E::infinity())
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn comparisons_are_those_of_the_numbers() {
        random_shapes!(|shape, rng| {
            // few values, so that some are equal
            let [a, b] = std::array::from_fn(|_| random(shape, -2.0, 2.0, rng).round());
            let pairs = || a.iter().zip(b.iter());
            assert!(a.equal(&b).iter().eq(pairs().map(|(a, b)| a == b)));
            assert!(a.not_equal(&b).iter().eq(pairs().map(|(a, b)| a != b)));
            assert!(a.lt(&b).iter().eq(pairs().map(|(a, b)| a < b)));
            assert!(a.le(&b).iter().eq(pairs().map(|(a, b)| a <= b)));
            assert!(a.gt(&b).iter().eq(pairs().map(|(a, b)| a > b)));
            assert!(a.ge(&b).iter().eq(pairs().map(|(a, b)| a >= b)));
            assert!(a.ge(1.0).iter().eq(a.iter().map(|a| a >= 1.0)));
            assert!(a.lt(1.0).iter().eq(a.iter().map(|a| a < 1.0)));
        });
    }

    #[test]
    fn a_nan_compares_as_false() {
        let x = Tensor::from([f32::NAN, 1.0]);
        assert_eq!(x.equal(&x).to_array(), [false, true]);
        assert_eq!(x.not_equal(&x).to_array(), [true, false]);
        assert_eq!(x.le(f32::INFINITY).to_array(), [false, true]);
        let x = Tensor::<_, f64>::of([f64::NAN, -f64::INFINITY, f64::INFINITY, -1e300, 0.0]);
        assert_eq!(x.is_nan().to_array(), [true, false, false, false, false]);
        assert_eq!(x.is_finite().to_array(), [false, false, false, true, true]);
    }

    #[test]
    fn indices_masks_and_traced_values_are_compared_too() {
        assert_eq!(Tensor::from([3, 1, 2]).ge(2).to_array(), [true, false, true]);
        assert_eq!(Tensor::from([true, false]).equal(false).to_array(), [false, true]);
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([1.0, 2.0]));
        let mask: Tensor<Rank1<2>, bool> = x.gt(x.clone() * 2.0 - 1.5);
        assert_eq!(mask.to_array(), [true, false]);
        assert_eq!(Tensor::from([1.0, 3.0]).lt(&x).to_array(), [false, false]);
    }

    #[test]
    #[should_panic(expected = "lt: the shapes (2,) and (3,) do not fit")]
    fn run_time_sizes_that_differ_panic() {
        let _ = Tensor::<_, f32>::ones_with((2,)).lt(Tensor::ones_with((3,)));
    }
}
