//! The angle of a point (x, y) of the plane, and its distance from the origin.
//!
//! | result | d/dy | d/dx |
//! | --- | --- | --- |
//! | atan2(y, x) | x / (x^2 + y^2) | -y / (x^2 + y^2) |
//! | hypot(y, x) = sqrt(x^2 + y^2) | y / hypot | x / hypot |
//!
//! Neither has a derivative at the origin: the gradient there is 0. Gradients are computed from x / m and y / m, with m
//! the larger of |x| and |y|, so that no square overflows.

use super::binary::binary;
use crate::kernels::elementwise::Binary;
use crate::kernels::parallel;
use crate::ops::BinaryOp;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Trace};

/// y / m, x / m, the sum of their squares, and m.
#[inline(always)]
fn scaled<E: Float>(y: E, x: E) -> [E; 4] {
    let m = if y.abs() > x.abs() { y.abs() } else { x.abs() };
    let (v, u) = if m.is_infinite() {
        // infinity / infinity counts as 1 or -1, and a finite number beside an infinity as 0
        let part = |x: E| if x.is_infinite() { x.signum() } else { x * E::zero() };
        (part(y), part(x))
    } else {
        (y / m, x / m)
    };
    // at the origin, 0 is divided by 1
    if m == E::zero() { [E::zero(), E::zero(), E::one(), E::one()] } else { [v, u, v * v + u * u, m] }
}

struct Atan2;
impl Binary for Atan2 {
    const SAVES: bool = true;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<E: Float>(y: E, x: E) -> E {
        y.atan2(x)
    }
    #[inline(always)]
    fn left<E: Float>(g: E, y: E, x: E) -> E {
        let [_, x, squares, m] = scaled(y, x);
        g * (x / squares) / m
    }
    #[inline(always)]
    fn right<E: Float>(g: E, y: E, x: E) -> E {
        let [y, _, squares, m] = scaled(y, x);
        -g * (y / squares) / m
    }
}
static ATAN2: BinaryOp = BinaryOp::of::<Atan2>("atan2");

struct Hypot;
impl Binary for Hypot {
    const SAVES: bool = true;
    const PARALLEL_ABOVE: usize = parallel::COSTLY;
    #[inline(always)]
    fn forward<E: Float>(y: E, x: E) -> E {
        y.hypot(x)
    }
    #[inline(always)]
    fn left<E: Float>(g: E, y: E, x: E) -> E {
        let [y, _, squares, _] = scaled(y, x);
        g * (y / squares.sqrt())
    }
    #[inline(always)]
    fn right<E: Float>(g: E, y: E, x: E) -> E {
        let [_, x, squares, _] = scaled(y, x);
        g * (x / squares.sqrt())
    }
}
static HYPOT: BinaryOp = BinaryOp::of::<Hypot>("hypot");

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The angle, from -pi to pi, of the points (x, y), with `self` as y.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let (x, y) = (Tensor::from([-1.0, 0.0]), Tensor::from([0.0, 2.0]));
    /// assert_eq!(y.atan2(x).to_array(), [std::f32::consts::PI, std::f32::consts::FRAC_PI_2]);
    /// ```
    #[track_caller]
    pub fn atan2<R: Trace>(self, x: Tensor<S, E, R>) -> Tensor<S, E, Merged<T, R>>
    where
        T: Merge<R>,
    {
        binary(self, x, &ATAN2)
    }

    /// sqrt(x^2 + y^2), which does not overflow if only the squares would.
    ///
    /// # Panics
    /// If run-time dimensions of the two disagree.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([3.0, 3e30]).hypot(Tensor::from([4.0, 4e30])).to_array(), [5.0, 5e30]);
    /// ```
    #[track_caller]
    pub fn hypot<R: Trace>(self, x: Tensor<S, E, R>) -> Tensor<S, E, Merged<T, R>>
    where
        T: Merge<R>,
    {
        binary(self, x, &HYPOT)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            // away from the origin, and from the negative x axis, where the angle jumps
            let (y, x) = (random(shape, 0.5, 3.0, rng), random(shape, -3.0, 3.0, rng));
            check_function_of_two(|(y, x)| y.atan2(x), y.clone(), x.clone());
            check_function_of_two(|(y, x)| (-y).atan2(x), y.clone(), x.clone());
            check_function_of_two(|(y, x)| y.hypot(x), y, x);
        });
    }
}
