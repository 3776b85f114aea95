//! Tensors of random numbers.

use super::{Float, Tensor};
use crate::memory::Storage;
use crate::shape::{Shape, StaticShape};
use rand::Rng;

/// A number from the uniform distribution over 0 .. 1, with 53 random bits.
pub(crate) fn unit<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// Two independent numbers from the standard normal distribution. Box and Muller, "A Note on the Generation of Random
/// Normal Deviates", 1958.
pub(crate) fn normal_pair<R: Rng + ?Sized>(rng: &mut R) -> [f64; 2] {
    // 1 - u is in (0, 1], so the logarithm is finite
    let radius = (-2.0 * (1.0 - unit(rng)).ln()).sqrt();
    let (sin, cos) = (std::f64::consts::TAU * unit(rng)).sin_cos();
    [radius * cos, radius * sin]
}

impl<S: Shape, E: Float> Tensor<S, E> {
    /// Independent numbers from the uniform distribution over `low .. high`.
    #[track_caller]
    pub fn uniform_with<R: Rng + ?Sized>(shape: S, low: E, high: E, rng: &mut R) -> Self {
        let (low, width) = (low.as_f64(), high.as_f64() - low.as_f64());
        Tensor::from_storage(shape, Storage::from_fn(shape.count(), |_| E::of(low + width * unit(rng))))
    }

    /// Independent numbers from the normal distribution.
    #[track_caller]
    pub fn normal_with<R: Rng + ?Sized>(shape: S, mean: E, deviation: E, rng: &mut R) -> Self {
        let (mean, deviation) = (mean.as_f64(), deviation.as_f64());
        let mut second = None;
        let number = |_| {
            let standard = second.take().unwrap_or_else(|| {
                let [first, next] = normal_pair(rng);
                second = Some(next);
                first
            });
            E::of(mean + deviation * standard)
        };
        Tensor::from_storage(shape, Storage::from_fn(shape.count(), number))
    }

    /// Independent numbers from the normal distribution, drawn again where they lie outside `low ..= high`.
    ///
    /// # Panics
    /// If not `low < high`.
    #[track_caller]
    pub fn truncated_normal_with<R: Rng + ?Sized>(
        shape: S,
        mean: E,
        deviation: E,
        (low, high): (E, E),
        rng: &mut R,
    ) -> Self {
        assert!(low < high, "truncated_normal: the interval {low} ..= {high} is empty");
        let number = |_| {
            loop {
                let [x, _] = normal_pair(rng);
                let x = E::of(mean.as_f64() + deviation.as_f64() * x);
                if x >= low && x <= high {
                    return x;
                }
            }
        };
        Tensor::from_storage(shape, Storage::from_fn(shape.count(), number))
    }
}

// The bounds on the shape stand at the methods, for the sake of the compiler's errors.
impl<S: Shape, E: Float> Tensor<S, E> {
    /// Independent numbers from the uniform distribution over `low .. high`.
    #[track_caller]
    pub fn uniform<R: Rng + ?Sized>(low: E, high: E, rng: &mut R) -> Self
    where
        S: StaticShape,
    {
        Self::uniform_with(S::default(), low, high, rng)
    }

    /// Independent numbers from the standard normal distribution.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank2<100, 100>>::randn(&mut StdRng::seed_from_u64(0));
    /// assert!(x.mean().item().abs() < 0.05);
    /// ```
    #[track_caller]
    pub fn randn<R: Rng + ?Sized>(rng: &mut R) -> Self
    where
        S: StaticShape,
    {
        Self::normal(E::zero(), E::one(), rng)
    }

    /// Independent numbers from the normal distribution.
    #[track_caller]
    pub fn normal<R: Rng + ?Sized>(mean: E, deviation: E, rng: &mut R) -> Self
    where
        S: StaticShape,
    {
        Self::normal_with(S::default(), mean, deviation, rng)
    }

    /// Independent numbers from the normal distribution, drawn again where they lie outside `interval`.
    ///
    /// # Panics
    /// If the interval is empty.
    #[track_caller]
    pub fn truncated_normal<R: Rng + ?Sized>(mean: E, deviation: E, interval: (E, E), rng: &mut R) -> Self
    where
        S: StaticShape,
    {
        Self::truncated_normal_with(S::default(), mean, deviation, interval, rng)
    }
}
