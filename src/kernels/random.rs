//! Random masks that are not stored: each number is computed from a seed and its position.

use super::{parallel, vectorized};
use crate::numbers::Float;
use std::sync::Arc;

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

/// The mask of a batch: one for all its numbers, or one for each sample, which the sample's number decides.
#[derive(Clone, Debug)]
pub struct BatchMask {
    mask: Mask,
    /// The samples' numbers in the dataset, and how many numbers of the batch each has.
    samples: Option<(Arc<[usize]>, usize)>,
}

impl BatchMask {
    /// The mask of `len` numbers, which lie sample by sample. Numbers that cannot belong to the samples in equal parts
    /// have the mask of the first sample together.
    pub fn new(mask: Mask, samples: Option<Arc<[usize]>>, len: usize) -> Self {
        let samples = samples.filter(|samples| !samples.is_empty() && len > 0).map(|samples| {
            let each = if len.is_multiple_of(samples.len()) { len / samples.len() } else { len };
            (samples, each)
        });
        BatchMask { mask, samples }
    }

    /// Drops numbers by the mask, and multiplies the others by 1 / (1 - probability), so that expected sums are
    /// unchanged.
    pub fn drop<E: Float>(&self, values: &mut [E]) {
        parallel::parts(values, parallel::CHEAP, |start, part| self.drop_from(start, part));
    }

    /// The same for numbers of which the first is at place `start` of the batch, on this thread.
    pub fn drop_from<E: Float>(&self, start: usize, mut values: &mut [E]) {
        let Some((samples, each)) = &self.samples else { return drop_from(self.mask, start, values) };
        let mut place = start;
        while !values.is_empty() {
            let (sample, within) = (place / each, place % each);
            let count = (each - within).min(values.len());
            let (part, rest) = values.split_at_mut(count);
            let seed = mixed(self.mask.seed, samples[sample]);
            drop_from(Mask { seed, ..self.mask }, within, part);
            place += part.len();
            values = rest;
        }
    }
}

/// Drops numbers of which the first is at place `start`.
fn drop_from<E: Float>(mask: Mask, start: usize, values: &mut [E]) {
    // the mixed number's high 53 bits are uniform below 2^53
    let below = (mask.probability * (1_u64 << 53) as f64) as u64;
    let scale = if mask.probability < 1.0 { E::of(1.0 / (1.0 - mask.probability)) } else { E::zero() };
    drop_part(mask.seed, below, mask.run, scale, start, values);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: usize = 3 * parallel::CHEAP / 2;

    fn dropped(mask: Mask, len: usize) -> Vec<f32> {
        let mut values = vec![1.0; len];
        BatchMask::new(mask, None, len).drop(&mut values);
        values
    }

    #[test]
    fn the_mask_of_a_sample_is_its_own_in_every_batch_and_place() {
        let mask = Mask { seed: 5, probability: 0.5, run: 1 };
        let dropped = |samples: &[usize], each: usize| {
            let mut values = vec![1.0_f32; samples.len() * each];
            BatchMask::new(mask, Some(samples.into()), values.len()).drop(&mut values);
            values.chunks(each).map(<[f32]>::to_vec).collect::<Vec<_>>()
        };
        // one task, and several, whose borders are within a sample
        for each in [1, 33, 10_000] {
            let all: Vec<usize> = (0..20).collect();
            let whole = dropped(&all, each);
            assert_eq!(dropped(&[3, 17, 4], each), [3, 17, 4].map(|sample| whole[sample].clone()));
            assert!(each == 1 || (0..20).all(|i| (0..i).all(|j| whole[i] != whole[j])));
        }
        let mut odd = vec![1.0_f32; 100];
        BatchMask::new(mask, Some([1, 2, 3].into()), 100).drop(&mut odd);
        assert_eq!(odd, dropped(&[1], 100)[0]);
    }

    #[test]
    fn as_many_are_dropped_as_the_probability_says_and_the_mean_stays() {
        for probability in [0.1, 0.5, 0.9] {
            let values = dropped(Mask { seed: 3, probability, run: 1 }, LONG);
            let share = values.iter().filter(|&&x| x == 0.0).count() as f64 / LONG as f64;
            // six standard deviations
            let spread = 6.0 * (probability * (1.0 - probability) / LONG as f64).sqrt();
            assert!((share - probability).abs() < spread, "{share} of {probability}");
            let kept = (1.0 / (1.0 - probability)) as f32;
            assert!(values.iter().all(|&x| x == 0.0 || x == kept));
        }
        let all = |probability| dropped(Mask { seed: 3, probability, run: 1 }, 1_000);
        assert!(all(0.0).iter().all(|&x| x == 1.0) && all(1.0).iter().all(|&x| x == 0.0));
    }

    #[test]
    fn runs_are_dropped_together_and_the_place_alone_decides() {
        let mask = Mask { seed: 5, probability: 0.5, run: 7 };
        let values = dropped(mask, 7 * 300 + 4);
        assert!(values.chunks(7).all(|run| run.iter().all(|x| x == &run[0])));
        assert!(values.contains(&0.0) && values.contains(&2.0));
        let mut part = vec![1.0; 100];
        drop_from(mask, 50, &mut part);
        assert_eq!(part, values[50..150]);
        assert_ne!(dropped(Mask { seed: 6, ..mask }, values.len()), values);
    }
}
