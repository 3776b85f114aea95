//! Tensors of random numbers.

use super::{Float, Tensor};
use crate::memory::Storage;
use crate::numbers::range::{expect, finite, not_negative};
use crate::shape::{Shape, StaticShape};
use rand::Rng;

/// A number from the uniform distribution over 0 .. 1, with 53 random bits.
pub(crate) fn unit<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// Two independent numbers from the standard normal distribution. Box and Muller, "A Note on the Generation of Random
/// Normal Deviates", 1958. By hand because the ziggurat of `rand_distr` draws a varying number of random numbers for
/// each result; here every pair takes exactly two.
pub(crate) fn normal_pair<R: Rng + ?Sized>(rng: &mut R) -> [f64; 2] {
    // 1 - u is in (0, 1], so the logarithm is finite
    let radius = (-2.0 * (1.0 - unit(rng)).ln()).sqrt();
    let (sin, cos) = (std::f64::consts::TAU * unit(rng)).sin_cos();
    [radius * cos, radius * sin]
}

/// Where an interval lies in the standard normal distribution: it decides how numbers are drawn from it, so that one in
/// five draws at least is taken. Robert, "Simulation of Truncated Normal Variables", 1995, with an exponential
/// distribution that is cut off at the end of the interval.
#[derive(Clone, Copy)]
enum Truncated {
    /// Around the mean or near to it, and not narrow: normal numbers, until one lies in it.
    Middle,
    /// The mean is in it, and it is narrow: uniform numbers, taken by their density.
    Narrow { from: f64, width: f64 },
    /// Beyond the mean, from this distance on.
    Above { from: f64, width: f64 },
    /// Below the mean, likewise.
    Below { from: f64, width: f64 },
}

impl Truncated {
    fn new(low: f64, high: f64) -> Self {
        let width = high - low;
        // how far from the mean it begins; negative if the mean is in it
        let from = low.max(-high);
        if from < 0.5 && width >= 1.0 {
            Truncated::Middle
        } else if from < 0.0 {
            Truncated::Narrow { from: low, width }
        } else if low >= 0.0 {
            Truncated::Above { from, width }
        } else {
            Truncated::Below { from, width }
        }
    }
}

/// A number from the standard normal distribution in an interval that holds 0 and is at most 1 wide.
fn narrow<R: Rng + ?Sized>(from: f64, width: f64, rng: &mut R) -> f64 {
    loop {
        let x = from + width * unit(rng);
        if unit(rng) <= (-0.5 * x * x).exp() {
            return x;
        }
    }
}

/// How far beyond `from`, which is not negative, a number from the standard normal distribution lies, if it lies in an
/// interval of this width that begins there. The density at `from + t` is proportional to exp(-from t) exp(-t^2 / 2): t
/// is drawn by the first factor, and taken by the second.
fn tail<R: Rng + ?Sized>(from: f64, width: f64, rng: &mut R) -> f64 {
    if !from.is_finite() {
        return 0.0;
    }
    loop {
        let u = unit(rng);
        let mass = from * width;
        // the exponential distribution of rate `from` cut off at `width`; uniform where it does not fall on the way
        let t = if mass < 1e-12 { u * width } else { -(u * (-mass).exp_m1()).ln_1p() / from };
        if unit(rng) <= (-0.5 * t * t).exp() {
            return t.min(width);
        }
    }
}

impl<S: Shape, E: Float> Tensor<S, E> {
    /// Independent numbers from the uniform distribution over `low .. high`; `low` where the two are equal.
    ///
    /// # Panics
    /// If not `low <= high`, or one of them is infinite or NaN.
    #[track_caller]
    pub fn uniform_with<R: Rng + ?Sized>(shape: S, low: E, high: E, rng: &mut R) -> Self {
        let (first, width) = (low.as_f64(), high.as_f64() - low.as_f64());
        expect(finite("uniform", "low", first).and_then(|()| finite("uniform", "high", high.as_f64())));
        assert!(width >= 0.0, "uniform: `low`, {low}, must not be above `high`, {high}");
        assert!(width.is_finite(), "uniform: the interval {low} .. {high} is wider than the largest number");
        let number = |_| loop {
            // rounding may reach the end, which is not in the interval
            let x = E::of(first + width * unit(rng));
            if x < high || low == high {
                return x;
            }
        };
        Tensor::from_storage(shape, Storage::from_fn(shape.count(), number))
    }

    /// Independent numbers from the normal distribution.
    ///
    /// # Panics
    /// If the deviation is negative, or one of the two is infinite or NaN.
    #[track_caller]
    pub fn normal_with<R: Rng + ?Sized>(shape: S, mean: E, deviation: E, rng: &mut R) -> Self {
        let (mean, deviation) = (mean.as_f64(), deviation.as_f64());
        expect(finite("normal", "mean", mean).and_then(|()| not_negative("normal", "deviation", deviation)));
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

    /// Independent numbers from the normal distribution under the condition that they lie in `low ..= high`, wherever
    /// that is. One end of the interval may be infinite, or both. With a deviation of 0, the number of the interval
    /// that is nearest to the mean.
    ///
    /// # Panics
    /// If not `low < high`, the deviation is negative, or it or the mean is infinite or NaN.
    #[track_caller]
    pub fn truncated_normal_with<R: Rng + ?Sized>(
        shape: S,
        mean: E,
        deviation: E,
        (low, high): (E, E),
        rng: &mut R,
    ) -> Self {
        assert!(low < high, "truncated_normal: the interval {low} ..= {high} is empty");
        let (center, scale) = (mean.as_f64(), deviation.as_f64());
        let name = "truncated_normal";
        expect(finite(name, "mean", center).and_then(|()| not_negative(name, "deviation", scale)));
        let interval = Truncated::new((low.as_f64() - center) / scale, (high.as_f64() - center) / scale);
        let number = |_| match interval {
            _ if scale == 0.0 => mean.max(low).min(high),
            // asked of rounded numbers, so that the interval holds them
            Truncated::Middle => loop {
                let [x, _] = normal_pair(rng);
                let x = E::of(center + scale * x);
                if x >= low && x <= high {
                    return x;
                }
            },
            Truncated::Narrow { from, width } => E::of(center + scale * narrow(from, width, rng)).max(low).min(high),
            Truncated::Above { from, width } => E::of(low.as_f64() + scale * tail(from, width, rng)).min(high),
            Truncated::Below { from, width } => E::of(high.as_f64() - scale * tail(from, width, rng)).max(low),
        };
        Tensor::from_storage(shape, Storage::from_fn(shape.count(), number))
    }
}

// The bounds on the shape stand at the methods, for the sake of the compiler's errors.
impl<S: Shape, E: Float> Tensor<S, E> {
    /// Independent numbers from the uniform distribution over `low .. high`; `low` where the two are equal.
    ///
    /// # Panics
    /// If not `low <= high`, or one of them is infinite or NaN.
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
    ///
    /// # Panics
    /// If the deviation is negative, or one of the two is infinite or NaN.
    #[track_caller]
    pub fn normal<R: Rng + ?Sized>(mean: E, deviation: E, rng: &mut R) -> Self
    where
        S: StaticShape,
    {
        Self::normal_with(S::default(), mean, deviation, rng)
    }

    /// Independent numbers from the normal distribution under the condition that they lie in the interval. See
    /// [`truncated_normal_with`](Tensor::truncated_normal_with).
    ///
    /// # Panics
    /// If the interval is empty, the deviation is negative, or it or the mean is infinite or NaN.
    #[track_caller]
    pub fn truncated_normal<R: Rng + ?Sized>(mean: E, deviation: E, interval: (E, E), rng: &mut R) -> Self
    where
        S: StaticShape,
    {
        Self::truncated_normal_with(S::default(), mean, deviation, interval, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    fn rng() -> StdRng {
        StdRng::seed_from_u64(0)
    }

    #[test]
    fn uniform_numbers_never_reach_the_end() {
        // an interval of two steps of f32: a quarter of the numbers would be rounded to its end
        let high = 1.0 + 2.0 * f32::EPSILON;
        let x = Tensor::<_>::uniform_with((1_000,), 1.0, high, &mut rng());
        assert!(x.iter().all(|x| (1.0..high).contains(&x)));
        let x = Tensor::<_>::uniform_with((1_000,), f32::MIN, f32::MAX, &mut rng());
        assert!(x.iter().all(|x| (f32::MIN..f32::MAX).contains(&x)));
        assert_eq!(Tensor::<Rank1<2>>::uniform(3.0, 3.0, &mut rng()).to_array(), [3.0; 2]);
        // a generator whose numbers are the largest there are, now and then
        struct Ends(u64);
        impl rand::TryRng for Ends {
            type Error = std::convert::Infallible;
            fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
                Ok(0)
            }
            fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
                self.0 += 1;
                Ok(if self.0.is_multiple_of(3) { 0 } else { u64::MAX })
            }
            fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
                Ok(())
            }
        }
        assert!(Tensor::<Rank1<9>>::uniform(0.0, 1.0, &mut Ends(0)).iter().all(|x| x < 1.0));
    }

    #[test]
    fn numbers_lie_in_the_interval_wherever_it_is() {
        let ends =
            [f64::NEG_INFINITY, -1e300, -40.0, -3.0, -0.6, -0.4, -1e-9, 0.0, 1e-300, 0.3, 0.7, 5.0, 1e9, f64::INFINITY];
        for (i, &low) in ends.iter().enumerate() {
            for &high in &ends[i + 1..] {
                for (mean, deviation) in
                    [(0.0, 1.0), (0.0, 0.0), (7.0, 0.0), (-2.0, 1e-200), (1e200, 3.0), (0.1, 1e200)]
                {
                    let x = Tensor::<_, f64>::truncated_normal_with((20,), mean, deviation, (low, high), &mut rng());
                    assert!(x.iter().all(|x| x >= low && x <= high), "{mean} {deviation} {low} {high}: {x}");
                    let (mean, deviation, low, high) = (mean as f32, deviation as f32, low as f32, high as f32);
                    if low < high && mean.is_finite() && deviation.is_finite() {
                        let x = Tensor::<_>::truncated_normal_with((20,), mean, deviation, (low, high), &mut rng());
                        assert!(x.iter().all(|x| x >= low && x <= high), "{mean} {deviation} {low} {high}: {x}");
                    }
                }
            }
        }
    }

    #[test]
    fn truncated_numbers_have_the_mean_of_the_distribution() {
        // (phi(a) - phi(b)) / (Phi(b) - Phi(a)), by a sum over the interval
        for (low, high) in [(-1.0, 1.0), (-0.2, 0.3), (-0.1, 4.0), (0.2, 0.6), (1.0, 1.5), (3.0, 9.0), (-9.0, -3.0)] {
            let places = (0..20_000).map(|i| low + (high - low) * (f64::from(i) + 0.5) / 20_000.0);
            let (mass, moment) = places.fold((0.0, 0.0), |(mass, moment), x| {
                let density = (-0.5 * x * x).exp();
                (mass + density, moment + density * x)
            });
            let x = Tensor::<_, f64>::truncated_normal_with(
                (40_000,),
                5.0,
                2.0,
                (5.0 + 2.0 * low, 5.0 + 2.0 * high),
                &mut rng(),
            );
            let found = (x.mean().item() - 5.0) / 2.0;
            // five deviations of a mean of 40,000 numbers that lie at most so far apart
            let allowed = 5.0 * (high - low).min(1.0) / 200.0;
            assert!((found - moment / mass).abs() < allowed, "{low} .. {high}: {found}, {}", moment / mass);
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let refused = |name: &str, f: &dyn Fn()| {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_err();
            let message = panic.downcast::<String>().unwrap();
            assert!(message.contains(name), "{message}");
        };
        let uniform = |low, high| move || drop(Tensor::<Rank1<2>>::uniform(low, high, &mut rng()));
        refused("uniform: `low`, 1, must not be above `high`, 0", &uniform(1.0, 0.0));
        refused("uniform: `low` must be a finite number, and is NaN", &uniform(f32::NAN, 0.0));
        refused("uniform: `high` must be a finite number, and is inf", &uniform(0.0, f32::INFINITY));
        refused("wider than the largest", &|| drop(Tensor::<Rank1<2>, f64>::uniform(f64::MIN, f64::MAX, &mut rng())));
        let normal = |mean, deviation| move || drop(Tensor::<Rank1<2>>::normal(mean, deviation, &mut rng()));
        refused("normal: `deviation` must be a finite number of at least 0, and is -1", &normal(0.0, -1.0));
        refused("normal: `deviation` must be a finite number of at least 0, and is NaN", &normal(0.0, f32::NAN));
        refused("normal: `mean` must be a finite number, and is NaN", &normal(f32::NAN, 1.0));
        let truncated = |deviation, interval| {
            move || drop(Tensor::<Rank1<2>>::truncated_normal(0.0, deviation, interval, &mut rng()))
        };
        refused("truncated_normal: the interval 1 ..= -1 is empty", &truncated(1.0, (1.0, -1.0)));
        refused("truncated_normal: the interval NaN ..= 1 is empty", &truncated(1.0, (f32::NAN, 1.0)));
        refused("truncated_normal: `deviation` must be", &truncated(-1.0, (-1.0, 1.0)));
    }
}
