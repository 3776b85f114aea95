//! The product of numbers: y = prod_j x_j.
//!
//! The gradient of x_j is the product of all the others: those before it times those after it, which is right even if
//! an x_j is 0. The product of no numbers is 1.
//!
//! No partial product overflows or underflows, whatever the order of the numbers: (1e300, 1e300, 1e-300, 1e-300) has
//! the product 1.

use super::fold::{fold_all, fold_axes};
use crate::kernels::lines::{Fold, FoldOp};
use crate::numbers::math::Math;
use crate::shape::{Axes, Axis, HasAxis, Reduce, Shape};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Independent running products.
const LANES: usize = 8;

struct Product;
impl Fold for Product {
    #[inline(always)]
    fn forward<M: Math, E: Float>(line: &[E], _: E) -> E {
        if !stays_in_range(line) {
            return E::of(line.iter().fold(Scaled::ONE, |product, x| product.times(x.as_f64())).value());
        }
        let (chunks, rest) = line.as_chunks::<LANES>();
        let mut lanes = [1.0; LANES];
        for chunk in chunks {
            for lane in 0..LANES {
                lanes[lane] *= chunk[lane].as_f64();
            }
        }
        E::of(rest.iter().fold(lanes.iter().product(), |product, x| product * x.as_f64()))
    }
    #[inline(always)]
    fn backward<M: Math, E: Float>(line: &mut [E], _: E, gradient: E, _: E) {
        if stays_in_range(line) {
            products_of_others(line, 1.0, |product, x| product * x, |before, after| gradient * E::of(before * after));
        } else {
            let one = Scaled::ONE;
            products_of_others(line, one, Scaled::times, |before, after| {
                E::of(before.times_scaled(after).times(gradient.as_f64()).value())
            });
        }
    }
}

/// Replaces each number by `joined` of the product of those before it and the product of those after it.
#[inline(always)]
fn products_of_others<E: Float, P: Copy>(
    line: &mut [E],
    one: P,
    times: impl Fn(P, f64) -> P,
    joined: impl Fn(P, P) -> E,
) {
    let mut after = one;
    let mut products = vec![one; line.len()];
    for (product, &x) in products.iter_mut().zip(&*line).rev() {
        *product = after;
        after = times(after, x.as_f64());
    }
    let mut before = one;
    for (x, &after) in line.iter_mut().zip(&products) {
        let factor = x.as_f64();
        *x = joined(before, after);
        before = times(before, factor);
    }
}

/// Whether no product of some of these numbers can leave the range of f64.
#[inline(always)]
fn stays_in_range<E: Float>(line: &[E]) -> bool {
    // 2^-10 <= |x| <= 2^10 for a hundred numbers, and correspondingly for others
    let room = (1000 / line.len().max(1)) as i32;
    let (low, high) = (E::of(2_f64.powi(-room)), E::of(2_f64.powi(room)));
    let mut within = true;
    for x in line {
        within &= x.abs() >= low && x.abs() <= high;
    }
    within
}

/// m 2^e, with 1 <= |m| < 2 (or m 0, infinite or NaN), which does not overflow or underflow.
#[derive(Clone, Copy)]
struct Scaled {
    m: f64,
    e: i64,
}

impl Scaled {
    const ONE: Scaled = Scaled { m: 1.0, e: 0 };

    fn of(x: f64) -> Scaled {
        const BITS: u64 = 52;
        const BIAS: i64 = 1023;
        if x == 0.0 || !x.is_finite() {
            return Scaled { m: x, e: 0 };
        }
        // subnormal numbers are made normal first
        let (x, shift) = if x.is_normal() { (x, 0) } else { (x * 2_f64.powi(64), -64) };
        let exponent = (x.to_bits() >> BITS & 0x7FF) as i64;
        let m = f64::from_bits(x.to_bits() & !(0x7FF << BITS) | (BIAS as u64) << BITS);
        Scaled { m, e: exponent - BIAS + shift }
    }

    fn times_scaled(self, other: Scaled) -> Scaled {
        let product = Scaled::of(self.m * other.m);
        Scaled { m: product.m, e: self.e + other.e + product.e }
    }

    fn times(self, x: f64) -> Scaled {
        self.times_scaled(Scaled::of(x))
    }

    /// The value, rounded only once: the first of the two multiplications is exact.
    fn value(self) -> f64 {
        let e = self.e.clamp(-1200, 1200) as i32;
        self.m * 2_f64.powi(e / 2) * 2_f64.powi(e - e / 2)
    }
}

static PRODUCT: FoldOp = FoldOp::of::<Product>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// The product of all elements.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([2.0, 3.0, 4.0]).product().item(), 24.0);
    /// ```
    #[track_caller]
    pub fn product(self) -> Tensor<(), E, T> {
        fold_all(self, &PRODUCT, E::zero())
    }

    /// The product along axis `A`, which is removed.
    #[track_caller]
    pub fn product_axis<const A: usize>(self) -> Tensor<S::Removed, E, T>
    where
        S: HasAxis<A>,
    {
        self.product_axes::<Axis<A>>()
    }

    /// The product along several axes, which are removed.
    #[track_caller]
    pub fn product_axes<A: Axes>(self) -> Tensor<S::Reduced, E, T>
    where
        S: Reduce<A>,
    {
        fold_axes::<A, _, _, _>(self, &PRODUCT, E::zero())
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_reduction!(product, product_axis, product_axes, |shape, rng| random(shape, 0.5, 1.5, rng));
        // no zero, one, and two of them
        let x = Tensor::<_, f64>::of([[1.5, 2.0, -0.5], [0.0, 2.0, 3.0], [0.0, 2.0, 0.0]]);
        check_gradients(|x| x.product_axis::<1>(), x).unwrap();
        assert_eq!(Tensor::<Rank2<2, 0>>::zeros().product_axis::<1>().to_array(), [1.0, 1.0]);
    }
}
