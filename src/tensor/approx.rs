//! Comparisons of the crate `approx` (feature `approx`): `assert_abs_diff_eq!`, `assert_relative_eq!`,
//! `assert_ulps_eq!`.
//!
//! Tensors are close if their shapes are equal and each pair of elements is close. A gradient or a value on a tape
//! compares with a plain tensor.

use super::{Float, Tensor};
use crate::shape::Shape;
use crate::trace::Trace;
use approx::{AbsDiffEq, RelativeEq, UlpsEq};

fn all_close<S: Shape, E: Float, T: Trace, U: Trace>(
    left: &Tensor<S, E, T>,
    right: &Tensor<S, E, U>,
    close: impl Fn(&E, &E) -> bool,
) -> bool {
    left.shape() == right.shape() && left.as_slice().iter().zip(right.as_slice()).all(|(a, b)| close(a, b))
}

/// ```
/// use approx::{assert_abs_diff_eq, assert_abs_diff_ne};
/// use taut::prelude::*;
/// let x = Tensor::from([1.0, 2.0]);
/// assert_abs_diff_eq!(x.clone().sqrt().square(), x, epsilon = 1e-6);
/// assert_abs_diff_ne!(x.clone() + 1e-3, x, epsilon = 1e-6);
/// ```
impl<S: Shape, E: Float + AbsDiffEq<Epsilon = E>, T: Trace, U: Trace> AbsDiffEq<Tensor<S, E, U>> for Tensor<S, E, T> {
    type Epsilon = E;
    fn default_epsilon() -> E {
        E::default_epsilon()
    }
    fn abs_diff_eq(&self, other: &Tensor<S, E, U>, epsilon: E) -> bool {
        all_close(self, other, |a, b| a.abs_diff_eq(b, epsilon))
    }
}

/// ```
/// use approx::assert_relative_eq;
/// use taut::prelude::*;
/// let x = Tensor::from([1e-8, 2e8]);
/// assert_relative_eq!(x.clone() * 1.0001, x, max_relative = 1e-3);
/// ```
impl<S: Shape, E: Float + RelativeEq<Epsilon = E>, T: Trace, U: Trace> RelativeEq<Tensor<S, E, U>> for Tensor<S, E, T> {
    fn default_max_relative() -> E {
        E::default_max_relative()
    }
    fn relative_eq(&self, other: &Tensor<S, E, U>, epsilon: E, max_relative: E) -> bool {
        all_close(self, other, |a, b| a.relative_eq(b, epsilon, max_relative))
    }
}

/// ```
/// use approx::assert_ulps_eq;
/// use taut::prelude::*;
/// let x = Tensor::from([0.3, 0.7]);
/// assert_ulps_eq!(x.clone().exp().ln(), x, max_ulps = 8);
/// ```
impl<S: Shape, E: Float + UlpsEq<Epsilon = E>, T: Trace, U: Trace> UlpsEq<Tensor<S, E, U>> for Tensor<S, E, T> {
    fn default_max_ulps() -> u32 {
        E::default_max_ulps()
    }
    fn ulps_eq(&self, other: &Tensor<S, E, U>, epsilon: E, max_ulps: u32) -> bool {
        all_close(self, other, |a, b| a.ulps_eq(b, epsilon, max_ulps))
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;
    use approx::{assert_abs_diff_eq, assert_abs_diff_ne, assert_relative_eq, assert_relative_ne, assert_ulps_eq};

    #[test]
    fn one_element_that_is_far_off_makes_a_tensor_differ() {
        let x = Tensor::<Rank2<3, 4>, f64>::randn(&mut StdRng::seed_from_u64(0));
        let mut y = x.clone();
        assert_ulps_eq!(x, y);
        y.as_mut_slice()[7] += 1e-3;
        assert_abs_diff_eq!(x, y, epsilon = 2e-3);
        assert_abs_diff_ne!(x, y, epsilon = 5e-4);
        assert_relative_ne!(x, y, max_relative = 1e-9);
        y.as_mut_slice()[7] = f64::NAN;
        assert_abs_diff_ne!(x, y, epsilon = f64::INFINITY);
    }

    #[test]
    fn run_time_shapes_must_be_equal() {
        let tensor = |rows: usize, columns: usize| Tensor::from_vec(vec![1.0_f32; 6], (rows, columns)).unwrap();
        assert_relative_eq!(tensor(2, 3), tensor(2, 3));
        assert_relative_ne!(tensor(2, 3), tensor(3, 2));
    }

    #[test]
    fn a_value_on_a_tape_compares_with_a_plain_one() {
        let tape = Tape::inference();
        let x = Tensor::from([1.0, 2.0]);
        assert_abs_diff_eq!(tape.watch(x.clone()) * 1.0, x);
    }
}
