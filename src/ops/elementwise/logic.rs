//! Boolean operations on masks: `&`, `|`, `^`, `!`, any, all and count.

use crate::kernels::mask::{self, Logic};
use crate::shape::Shape;
use crate::shape::shapes_differ;
use crate::tensor::Tensor;
use crate::trace::Trace;
use std::ops::{BitAnd, BitOr, BitXor, Not};

#[track_caller]
fn combine<S: Shape, T: Trace, R: Trace>(
    operator: &str,
    logic: Logic,
    left: Tensor<S, bool, T>,
    right: &Tensor<S, bool, R>,
) -> Tensor<S, bool> {
    if left.shape() != right.shape() {
        shapes_differ(operator, left.shape(), right.shape());
    }
    let (shape, mut values, _) = left.into_parts();
    mask::combine(logic, values.make_mut(), right.as_slice());
    Tensor::from_storage(shape, values)
}

impl<S: Shape, T: Trace, R: Trace> BitAnd<Tensor<S, bool, R>> for Tensor<S, bool, T> {
    type Output = Tensor<S, bool>;
    /// Where both are true.
    #[track_caller]
    fn bitand(self, right: Tensor<S, bool, R>) -> Self::Output {
        combine("&", Logic::And, self, &right)
    }
}
impl<S: Shape, T: Trace, R: Trace> BitOr<Tensor<S, bool, R>> for Tensor<S, bool, T> {
    type Output = Tensor<S, bool>;
    /// Where one or both are true.
    #[track_caller]
    fn bitor(self, right: Tensor<S, bool, R>) -> Self::Output {
        combine("|", Logic::Or, self, &right)
    }
}
impl<S: Shape, T: Trace, R: Trace> BitXor<Tensor<S, bool, R>> for Tensor<S, bool, T> {
    type Output = Tensor<S, bool>;
    /// Where exactly one is true.
    #[track_caller]
    fn bitxor(self, right: Tensor<S, bool, R>) -> Self::Output {
        combine("^", Logic::ExclusiveOr, self, &right)
    }
}
impl<S: Shape, T: Trace> Not for Tensor<S, bool, T> {
    type Output = Tensor<S, bool>;
    /// Where this is false.
    fn not(self) -> Self::Output {
        let (shape, mut values, _) = self.into_parts();
        mask::invert(values.make_mut());
        Tensor::from_storage(shape, values)
    }
}

impl<S: Shape, T: Trace> Tensor<S, bool, T> {
    /// Whether at least one element is true. `false` if there are no elements.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::from([0.5, -1.0, 2.0]);
    /// assert!(x.gt(0.0).any() && !x.gt(0.0).all());
    /// assert_eq!((x.gt(0.0) & x.lt(1.0)).to_array(), [true, false, false]);
    /// assert_eq!((!x.gt(0.0)).count_true(), 1);
    /// ```
    pub fn any(&self) -> bool {
        self.as_slice().contains(&true)
    }

    /// Whether all elements are true. `true` if there are no elements.
    pub fn all(&self) -> bool {
        !self.as_slice().contains(&false)
    }

    /// The number of true elements.
    pub fn count_true(&self) -> usize {
        mask::count_true(self.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn truth_tables() {
        let (a, b) = (Tensor::from([false, false, true, true]), Tensor::from([false, true, false, true]));
        assert_eq!((a.clone() & b.clone()).to_array(), [false, false, false, true]);
        assert_eq!((a.clone() | b.clone()).to_array(), [false, true, true, true]);
        assert_eq!((a.clone() ^ b.clone()).to_array(), [false, true, true, false]);
        assert_eq!((!a.clone()).to_array(), [true, true, false, false]);
        assert_eq!(a.to_array(), [false, false, true, true], "a clone is not written to");
    }

    #[test]
    fn questions_about_all_elements() {
        let none = Tensor::<Rank1<0>, bool>::zeros();
        let some = Tensor::from([[true, false], [false, false]]);
        let every = Tensor::<Rank2<2, 2>, bool>::full(true);
        assert_eq!([none.any(), some.any(), every.any()], [false, true, true]);
        assert_eq!([none.all(), some.all(), every.all()], [true, false, true]);
        assert_eq!([none.count_true(), some.count_true(), every.count_true()], [0, 1, 4]);
    }

    #[test]
    #[should_panic(expected = "&: the shapes (2,) and (3,) do not fit")]
    fn run_time_sizes_that_differ_panic() {
        let _ = Tensor::<_, bool>::zeros_with((2,)) & Tensor::zeros_with((3,));
    }
}
