//! What the tests of the kernels share: they compare slices with naive loops in f64.

use crate::numbers::Float;
use crate::numbers::Generator;
use rand::RngExt as _;

/// Numbers between -1 and 1.
pub fn random<E: Float>(len: usize, rng: &mut Generator) -> Vec<E> {
    (0..len).map(|_| E::of(rng.random_range(-1.0..1.0))).collect()
}

/// Numbers in f64.
pub fn wide<E: Float>(values: &[E]) -> Vec<f64> {
    values.iter().map(|x| x.as_f64()).collect()
}

/// Compares, to a few roundings of numbers about 1 in sums of `terms`.
#[track_caller]
pub fn assert_close<E: Float>(found: &[E], expected: &[f64], terms: usize) {
    let tolerance = E::epsilon().as_f64() * (terms + 8) as f64;
    approx::assert_relative_eq!(wide(found)[..], *expected, epsilon = tolerance, max_relative = tolerance);
}
