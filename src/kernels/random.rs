//! Random masks that are not stored: each number is computed from a seed and its place.

use super::{parallel, vectorized};
use crate::numbers::Float;

/// The output function of SplitMix64: a well-mixed number for each of 2^64 states. Steele, Lea and Flood, "Fast
/// Splittable Pseudorandom Number Generators", 2014.
#[inline(always)]
fn mixed(seed: u64, place: usize) -> u64 {
    let mut z = seed.wrapping_add((place as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Which numbers are dropped: a run of `run` neighbours together, with this probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mask {
    pub seed: u64,
    pub probability: f64,
    pub run: usize,
}

vectorized! {
    fn drop_part [E: Float] [E] (seed: u64, below: u64, run: usize, scale: E, start: usize, values: &mut [E]) {
        if run == 1 {
            for (i, value) in values.iter_mut().enumerate() {
                let keep = mixed(seed, start + i) >> 11 >= below;
                *value = if keep { *value * scale } else { E::zero() };
            }
        } else {
            for (i, value) in values.iter_mut().enumerate() {
                let keep = mixed(seed, (start + i) / run) >> 11 >= below;
                *value = if keep { *value * scale } else { E::zero() };
            }
        }
    }
}

/// Drops numbers by the mask, and multiplies the others by 1 / (1 - probability), so that sums stay in the mean.
pub fn drop<E: Float>(mask: Mask, values: &mut [E]) {
    parallel::parts(values, parallel::CHEAP, |start, part| drop_from(mask, start, part));
}

/// The same for numbers of which the first is at place `start`, on this thread.
pub fn drop_from<E: Float>(mask: Mask, start: usize, values: &mut [E]) {
    // the mixed number's high 53 bits are uniform below 2^53
    let below = (mask.probability * (1_u64 << 53) as f64) as u64;
    let scale = if mask.probability < 1.0 { E::of(1.0 / (1.0 - mask.probability)) } else { E::zero() };
    drop_part(mask.seed, below, mask.run, scale, start, values);
}
