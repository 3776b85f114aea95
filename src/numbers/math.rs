//! exp, ln, tanh and the like without branches, so that the compiler can vectorise loops over them.
//!
//! Each function is reduced to a polynomial near 0 as in fdlibm (Sun Microsystems, 1993), and every special case to a
//! selection at the end. Only `+ - * /`, [`multiply_add`](Math::multiply_add) and shifts of the bits are used, so the
//! results are bitwise the same on all machines with fused multiply-adds, and on all without. They are within 2 units
//! in the last place (ulp) of the true value, denormals included; only those of the [`normal`](Math::normal)
//! distribution, and without fused multiply-adds of [`times_normal_tanh`](Math::times_normal_tanh), may be farther off.
//! NaN stays NaN, infinities give the limits.

use num_traits::{Float, NumAssign};

/// What the formulas need to know about a floating-point format, and their constants in it.
pub trait Format: Float + NumAssign + 'static {
    /// Adding this rounds to an integer, which then stands in the lowest bits: 1.5 times 2 to the number of fraction
    /// bits.
    const ROUNDER: Self;
    /// The exponent of 1 as it is stored.
    const BIAS: Self;
    /// n and 2^-n: of every denormal number 2^m, 2^(m + n) is none.
    const SCALE_DOWN: [Self; 2];
    /// e^x is infinity above ...
    const EXP_OVERFLOW: Self;
    /// ... and 0 below.
    const EXP_UNDERFLOW: Self;
    /// e^x - 1 is -1 below.
    const EXP_M1_MINUS_ONE: Self;
    /// 1 / ln 2
    const LOG2_E: Self;
    /// ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
    const LN_2: [Self; 2];
    /// e^x = 1 + x + x^2 (P0 + P1 x + ..) for |x| < ln(2) / 2; for f32 of least error relative to e^x - 1.
    const EXP: &'static [Self];
    /// ln((1 + s) / (1 - s)) = 2 s + s^3 (P0 + P1 s^2 + ..) for (1 + s) / (1 - s) in sqrt(1/2) .. sqrt(2).
    const LN: &'static [Self];
    /// From here on, tanh is computed from e^(2 x).
    const TANH_SPLIT: Self;
    /// Where tanh(x) becomes 1.
    const TANH_ONE: Self;
    /// tanh(x) = x + x^3 (P0 + P1 x^2 + ..) up to there.
    const TANH: &'static [Self];
    /// From here on, erf is computed as 1 - e^p(x).
    const ERF_SPLIT: Self;
    /// Where erf becomes 1.
    const ERF_ONE: Self;
    /// erf(x) = x + x (P0 + P1 x^2 + ..) up to there.
    const ERF_SMALL: &'static [Self];
    /// ln(1 - erf(x)) = P0 + P1 x + .. from there on.
    const ERF_LARGE: &'static [Self];
    /// 2^n for an integer n that is the exponent of a normal number, from the sum of n, [`Format::BIAS`] and
    /// [`Format::ROUNDER`].
    fn power_of_two(sum: Self) -> Self;
    /// e and m with x = 2^e m, m in sqrt(1/2) .. sqrt(2); x is positive, finite, and not denormal.
    fn split(self) -> (Self, Self);
    /// Where e^(-x^2 / 2) becomes 0.
    const NORMAL_ZERO: Self;
    /// 2 (x + 1) P(-x) e^(x^2 / 2) = 1 + x (P0 + P1 x + ..) / (Q0 + Q1 x + ..) for the probability P(-x) that a
    /// standard normal number is below -x <= 0. It is within 0.8 .. 1.1, so errors of the quotient hardly matter.
    const NORMAL: [&'static [Self]; 2];
    /// x e^x is 0 below minus this.
    const TIMES_LOGISTIC_ZERO: Self;
    /// 2 u = x (A + B x^2) of GELU's form with tanh: A and B, each in two parts. The first part of A is a multiple of
    /// 2^-19.
    const NORMAL_TANH: [[Self; 2]; 2];
    /// 1.5 * 2^4 times 2^19 spacings of numbers there: adding it to B x^2 rounds to a multiple of 2^-19, and twice that
    /// from 8 on.
    const NORMAL_TANH_ROUNDER: Self;
    /// Where x / (1 + e^(2 u)) becomes 0.
    const NORMAL_TANH_ZERO: Self;
    /// A power of two that makes every denormal a normal number, and its exponent.
    const SCALE_UP: [Self; 2];
}

/// As many as any polynomial below has, and more.
const MOST_COEFFICIENTS: usize = 32;

impl Format for f32 {
    const ROUNDER: f32 = 12_582_912.0;
    const BIAS: f32 = 127.0;
    const SCALE_DOWN: [f32; 2] = [64.0, 5.421_011e-20];
    const EXP_OVERFLOW: f32 = 89.0;
    const EXP_UNDERFLOW: f32 = -105.0;
    const EXP_M1_MINUS_ONE: f32 = -20.0;
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN_2: [f32; 2] = [6.931_457_5e-1, 1.428_606_8e-6];
    const EXP: &'static [f32] = &[0.499_999_97, 1.666_654_5e-1, 4.166_746e-2, 8.366_433e-3, 1.386_844_1e-3];
    const LN: &'static [f32] = &[0.666_666_6, 0.400_009_73, 0.284_987_87, 0.242_790_79];
    const TANH_SPLIT: f32 = 0.625;
    const TANH_ONE: f32 = 10.0;
    const TANH: &'static [f32] = &[-3.333_328e-1, 1.333_144_2e-1, -5.373_971_6e-2, 2.063_909e-2, -5.704_988_7e-3];
    const ERF_SPLIT: f32 = 0.927_734_4;
    const ERF_ONE: f32 = 4.0;
    const ERF_SMALL: &'static [f32] =
        &[1.283_791_7e-1, -3.761_253_4e-1, 1.128_199_3e-1, -2.676_813_5e-2, 4.991_194_2e-3, -5.967_617e-4];
    const ERF_LARGE: &'static [f32] = &[
        0.0,
        -1.128_717_5,
        -6.348_467e-1,
        -1.067_778_8e-1,
        2.425_462_2e-2,
        -3.883_964_4e-3,
        3.831_971_3e-4,
        -1.728_534_7e-5,
    ];
    const NORMAL_ZERO: f32 = 14.5;
    const NORMAL: [&'static [f32]; 2] = [
        &[2.021_156_2e-1, 4.588_789e-2, -2.122_445_2e-2, -1.292_075_7e-2, -2.424_881_6e-3],
        &[1.0, 1.700_885_8, 1.243_783_7, 4.973_591_6e-1, 1.112_718_2e-1, 1.199_787_4e-2],
    ];
    const TIMES_LOGISTIC_ZERO: f32 = 109.0;
    const NORMAL_TANH: [[f32; 2]; 2] = [[1.595_769_9, -7.605_964_4e-7], [7.135_481_4e-2, 2.398_832_5e-9]];
    const NORMAL_TANH_ROUNDER: f32 = 24.0;
    const NORMAL_TANH_ZERO: f32 = 11.0;
    const SCALE_UP: [f32; 2] = [33_554_432.0, 25.0];

    #[inline(always)]
    fn power_of_two(sum: f32) -> f32 {
        f32::from_bits(sum.to_bits() << 23)
    }
    #[inline(always)]
    fn split(self) -> (f32, f32) {
        const ROOT_HALF: u32 = 0x3f35_04f3;
        // counted from sqrt(1/2), so that the exponent changes there
        let bits = self.to_bits().wrapping_add(0x3f80_0000 - ROOT_HALF);
        // an integer in the fraction bits of 2^23 is that many more
        let exponent = f32::from_bits((bits >> 23) | 0x4b00_0000) - (8_388_608.0 + 127.0);
        (exponent, f32::from_bits((bits & 0x007f_ffff) + ROOT_HALF))
    }
}

impl Format for f64 {
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    const BIAS: f64 = 1023.0;
    const SCALE_DOWN: [f64; 2] = [512.0, 7.458_340_731_200_207e-155];
    const EXP_OVERFLOW: f64 = 710.0;
    const EXP_UNDERFLOW: f64 = -746.0;
    const EXP_M1_MINUS_ONE: f64 = -40.0;
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    // Taylor's: the next one would add less than 1e-18
    const EXP: &'static [f64] = &[
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5040.0,
        1.0 / 40320.0,
        1.0 / 362880.0,
        1.0 / 3628800.0,
        1.0 / 39916800.0,
        1.0 / 479001600.0,
        1.0 / 6227020800.0,
        1.0 / 87178291200.0,
    ];
    const LN: &'static [f64] = &[
        6.666_666_666_666_735e-1,
        3.999_999_999_940_942e-1,
        2.857_142_874_366_239e-1,
        2.222_219_843_214_978_4e-1,
        1.818_357_216_161_805e-1,
        1.531_383_769_920_937_3e-1,
        1.479_819_860_511_658_6e-1,
    ];
    const TANH_SPLIT: f64 = 0.625;
    const TANH_ONE: f64 = 20.0;
    const TANH: &'static [f64] = &[
        -3.333_333_333_333_330_4e-1,
        1.333_333_333_332_908e-1,
        -5.396_825_396_583e-2,
        2.186_948_846_429_223_3e-2,
        -8.863_234_259_693_879e-3,
        3.592_113_586_087_748e-3,
        -1.455_723_767_678_106_8e-3,
        5.894_440_019_930_098e-4,
        -2.369_930_659_866_951e-4,
        9.152_977_218_121_334e-5,
        -3.016_175_070_226_435e-5,
        6.032_484_947_898_515e-6,
    ];
    const ERF_SPLIT: f64 = 1.0;
    const ERF_ONE: f64 = 6.0;
    const ERF_SMALL: &'static [f64] = &[
        1.283_791_670_955_125_7e-1,
        -3.761_263_890_318_355e-1,
        1.128_379_167_094_523_7e-1,
        -2.686_617_064_327_379_8e-2,
        5.223_977_607_404_376e-3,
        -8.548_325_988_816_883e-4,
        1.205_529_529_517_856e-4,
        -1.492_474_419_501_525_2e-5,
        1.644_751_210_707_632_8e-6,
        -1.620_913_473_003_855_7e-7,
        1.372_280_410_259_694_4e-8,
        -7.800_877_874_790_73e-10,
    ];
    const ERF_LARGE: &'static [f64] = &[
        -5.174_123_910_997_036e-7,
        -1.128_373_953_744_132,
        -6.366_442_152_612_034e-1,
        -1.027_018_740_740_548_2e-1,
        1.898_729_858_795_259e-2,
        4.145_084_136_322_346_5e-4,
        -1.919_907_027_694_694_8e-3,
        7.737_781_071_956_597e-4,
        -1.369_938_012_190_673e-4,
        -1.931_697_814_047_084e-5,
        2.245_671_666_769_2e-5,
        -8.556_748_576_917_285e-6,
        2.109_876_137_811_015_5e-6,
        -3.687_333_929_164_63e-7,
        4.583_054_216_702_366e-8,
        -3.881_296_623_227_205e-9,
        2.015_797_088_498_076_8e-10,
        -4.854_138_103_956_346_6e-12,
    ];
    const NORMAL_ZERO: f64 = 38.7;
    const NORMAL: [&'static [f64]; 2] = [
        &[
            2.021_154_391_971_344_8e-1,
            1.979_274_371_543_442_4e-1,
            7.235_885_447_801_493e-2,
            -1.351_851_615_710_608_6e-3,
            -1.288_404_026_835_667e-2,
            -6.387_988_026_569_135e-3,
            -1.791_971_220_791_123e-3,
            -3.302_994_105_323_768e-4,
            -4.048_103_639_192_919e-5,
            -3.074_446_929_845_505e-6,
            -1.130_579_971_626_231_5e-7,
        ],
        &[
            1.0,
            2.453_112_933_513_258,
            2.815_543_660_621_154,
            1.999_816_715_887_538_2,
            9.790_036_783_771_402e-1,
            3.478_107_705_253_169e-1,
            9.181_007_253_367_228e-2,
            1.808_019_489_750_894e-2,
            2.616_652_668_162_264_4e-3,
            2.668_451_275_796_801e-4,
            1.741_956_146_718_335_8e-5,
            5.593_733_839_029_36e-7,
        ],
    ];
    const TIMES_LOGISTIC_ZERO: f64 = 752.0;
    const NORMAL_TANH: [[f64; 2]; 2] =
        [[1.595_769_882_202_148_4, -7.605_964_177_257_403e-7], [7.135_481_627_260_025e-2, -6.175_149_918_155_315e-19]];
    const NORMAL_TANH_ROUNDER: f64 = 12_884_901_888.0;
    const NORMAL_TANH_ZERO: f64 = 21.7;
    const SCALE_UP: [f64; 2] = [18_014_398_509_481_984.0, 54.0];

    #[inline(always)]
    fn power_of_two(sum: f64) -> f64 {
        f64::from_bits(sum.to_bits() << 52)
    }
    #[inline(always)]
    fn split(self) -> (f64, f64) {
        const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
        let bits = self.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - ROOT_HALF);
        let exponent = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
        (exponent, f64::from_bits((bits & 0x000f_ffff_ffff_ffff) + ROOT_HALF))
    }
}

/// Functions of one number, and how they multiply and add: the loops of `kernels` are compiled with [`Fused`] where the
/// processor does both in one instruction, and with [`Separate`] elsewhere.
pub trait Math: Sized + 'static {
    /// a b + c
    fn multiply_add<F: Format>(a: F, b: F, c: F) -> F;

    /// e^x
    #[inline(always)]
    fn exp<F: Format>(x: F) -> F {
        let x = clamped(x, F::EXP_UNDERFLOW, F::EXP_OVERFLOW);
        // 2^n in two factors: it may be beyond the largest or the smallest normal number
        let (n, factor) = if x < F::zero() { (F::SCALE_DOWN[0], F::SCALE_DOWN[1]) } else { (-F::one(), two::<F>()) };
        let (r, power) = reduced::<Self, F>(x, F::one(), n);
        exp_near_0::<Self, F>(r, F::one()) * power * factor
    }

    /// e^x for an x that is not above 1, or NaN.
    #[inline(always)]
    fn exp_of_negative<F: Format>(x: F) -> F {
        let (r, power) = reduced::<Self, F>(clamped_below(x, F::EXP_UNDERFLOW), F::one(), F::SCALE_DOWN[0]);
        exp_near_0::<Self, F>(r, F::one()) * power * F::SCALE_DOWN[1]
    }

    /// e^x - 1
    #[inline(always)]
    fn exp_m1<F: Format>(x: F) -> F {
        let x_within = clamped(x, F::EXP_M1_MINUS_ONE, F::EXP_OVERFLOW);
        let (r, power) = reduced::<Self, F>(x_within, F::one(), -F::one());
        // 2^n (e^r - 1) + (2^n - 1), of half of it all, for 2^n may be beyond the largest number
        let y = Self::multiply_add(power, exp_m1_near_0::<Self, F>(r, F::one()), power - half()) * two();
        // half of a denormal would lose a bit; and -0 stays -0
        if x.abs() < F::min_positive_value() { x } else { y }
    }

    /// The natural logarithm.
    #[inline(always)]
    fn ln<F: Format>(x: F) -> F {
        let denormal = x < F::min_positive_value();
        let (e, m) = if denormal { x * F::SCALE_UP[0] } else { x }.split();
        let y = ln_of_parts::<Self, F>(if denormal { e - F::SCALE_UP[1] } else { e }, m, F::zero());
        let y = if x < F::infinity() { y } else { x };
        let y = if x == F::zero() { F::neg_infinity() } else { y };
        if x < F::zero() { F::nan() } else { y }
    }

    /// ln(1 + x)
    #[inline(always)]
    fn ln_1p<F: Format>(x: F) -> F {
        let u = F::one() + x;
        let (e, m) = u.split();
        // what the sum lost, relative to it
        let lost = if x > F::one() { F::one() - (u - x) } else { x - (u - F::one()) };
        let y = ln_of_parts::<Self, F>(e, m, lost / u);
        let y = if x < F::infinity() { y } else { x };
        let y = if u == F::zero() { F::neg_infinity() } else { y };
        let y = if x == F::zero() { x } else { y };
        if u < F::zero() { F::nan() } else { y }
    }

    /// The hyperbolic tangent: a polynomial near 0, and 1 - 2 / (e^(2 |x|) + 1) with the sign of x elsewhere.
    #[inline(always)]
    fn tanh<F: Format>(x: F) -> F {
        let magnitude = x.abs();
        let square = x * x;
        let small = Self::multiply_add(x * square, polynomial::<Self, F>(square, F::TANH), x);
        let (r, power) = reduced::<Self, F>(clamped_above(magnitude, F::TANH_ONE), two(), F::zero());
        let exponential = exp_near_0::<Self, F>(r, two()) * power;
        let large = F::one() - two::<F>() / (exponential + F::one());
        // of 0 too
        (if magnitude < F::TANH_SPLIT { small } else { large }).copysign(x)
    }

    /// 1 / (1 + e^-x)
    #[inline(always)]
    fn logistic<F: Format>(x: F) -> F {
        // e^-|x| cannot overflow
        let e = Self::exp_of_negative(-x.abs());
        let sum = F::one() + e;
        let y = (if x < F::zero() { e } else { F::one() }) / sum;
        // what rounding the sum lost, which matters where it is near 1
        let lost = e - (sum - F::one());
        Self::multiply_add(-lost, y, y)
    }

    /// x / (1 + e^-x)
    #[inline(always)]
    fn times_logistic<F: Format>(x: F) -> F {
        let magnitude = clamped_above(x.abs(), F::TIMES_LOGISTIC_ZERO);
        let (n, scaled) = multiple_of_ln_2::<Self, F>(-magnitude, F::one(), F::SCALE_DOWN[0]);
        let r = [Self::multiply_add(-n, F::LN_2[0], -magnitude), -n * F::LN_2[1]];
        times_logistic_of_parts::<Self, F>(x, magnitude, r, scaled)
    }

    /// x (1 + tanh u) / 2 = x / (1 + e^(-2 u)) with u = sqrt(2 / pi) (x + 0.044715 x^3). Without [`Fused`], the error
    /// grows far below 0, as that of [`normal`](Math::normal).
    #[inline(always)]
    fn times_normal_tanh<F: Format>(x: F) -> F {
        let [[a, a_low], [b, b_low]] = F::NORMAL_TANH;
        let magnitude = clamped_above(x.abs(), F::NORMAL_TANH_ZERO);
        let square = magnitude * magnitude;
        let square_low = Self::multiply_add(magnitude, magnitude, -square);
        // A + B x^2 in two parts, for e^(-2 u) is as far off relative to itself as 2 u absolutely; the first is exact
        let rounded = Self::multiply_add(b, square, F::NORMAL_TANH_ROUNDER) - F::NORMAL_TANH_ROUNDER;
        let high = rounded + a;
        let low = Self::multiply_add(b, square, -rounded)
            + Self::multiply_add(b, square_low, Self::multiply_add(b_low, square, a_low));
        let (n, power) = multiple_of_ln_2::<Self, F>(magnitude * high, -F::one(), F::SCALE_DOWN[0]);
        let r = [
            Self::multiply_add(-magnitude, high, -n * F::LN_2[0]),
            Self::multiply_add(-magnitude, low, -n * F::LN_2[1]),
        ];
        times_logistic_of_parts::<Self, F>(x, magnitude, r, power)
    }

    /// The error function, 2 / sqrt(pi) times the integral of e^(-t^2) over 0 .. x.
    #[inline(always)]
    fn erf<F: Format>(x: F) -> F {
        let magnitude = x.abs();
        let square = x * x;
        let small = Self::multiply_add(x, polynomial::<Self, F>(square, F::ERF_SMALL), x);
        let exponent = polynomial::<Self, F>(clamped(magnitude, F::zero(), F::ERF_ONE), F::ERF_LARGE);
        let large = F::one() - exp_within::<Self, F>(exponent);
        (if magnitude < F::ERF_SPLIT { small } else { large }).copysign(x)
    }

    /// The probability that a standard normal number is below x, accurate relative to itself on both sides; and e^(-x^2
    /// / 2), which its derivative has. The error is up to 2.3 ulp, and without [`Fused`] grows far out, by x^2 / 4.
    #[inline(always)]
    fn normal<F: Format>(x: F) -> (F, F) {
        let magnitude = clamped_above(x.abs(), F::NORMAL_ZERO);
        let (bell, power) = bell_minus_one::<Self, F>(magnitude);
        let reciprocal = F::one() / (magnitude + F::one());
        let lost = Self::multiply_add(-magnitude, reciprocal, F::one() - reciprocal);
        let correction = Self::multiply_add(magnitude, tail_rest::<Self, F>(magnitude), lost);
        let tail = tail::<Self, F>(F::one(), reciprocal, reciprocal, correction, bell) * power * half_scale_down();
        let bell = (F::one() + bell) * power * F::SCALE_DOWN[1];
        (if x < F::zero() { tail } else { F::one() - tail }, bell)
    }

    /// x times the probability that a standard normal number is below x. The error is up to 2 ulp, and without
    /// [`Fused`] grows as that of [`normal`](Math::normal).
    #[inline(always)]
    fn times_normal<F: Format>(x: F) -> F {
        let magnitude = clamped_above(x.abs(), F::NORMAL_ZERO);
        let (bell, power) = bell_minus_one::<Self, F>(magnitude);
        let reciprocal = F::one() / (magnitude + F::one());
        let quotient = magnitude * reciprocal;
        let lost = Self::multiply_add(magnitude, F::one() - quotient, -quotient);
        let correction = Self::multiply_add(magnitude * magnitude, tail_rest::<Self, F>(magnitude), lost);
        let product = tail::<Self, F>(magnitude, reciprocal, quotient, correction, bell);
        Self::multiply_add(-product * power, half_scale_down(), clamped_below(x, F::zero()))
    }
}

/// A product is rounded before a number is added to it.
#[allow(dead_code, reason = "a target may need only one of the two")]
pub struct Separate;
impl Math for Separate {
    #[inline(always)]
    fn multiply_add<F: Format>(a: F, b: F, c: F) -> F {
        a * b + c
    }
}

/// Only the result is rounded. In a function whose processor has no such instruction, this is a call, and very slow.
#[allow(dead_code, reason = "a target may need only one of the two")]
pub struct Fused;
impl Math for Fused {
    #[inline(always)]
    fn multiply_add<F: Format>(a: F, b: F, c: F) -> F {
        a.mul_add(b, c)
    }
}

/// For code that is compiled only for the crate's target.
#[cfg(any(target_arch = "aarch64", target_feature = "fma"))]
pub type Native = Fused;
/// For code that is compiled for the target of the crate only.
#[cfg(not(any(target_arch = "aarch64", target_feature = "fma")))]
pub type Native = Separate;

/// P0 + P1 x + P2 x^2 + .., as (P0 + P1 x) + x^2 ((P2 + P3 x) + x^2 (..)): each step waits for the one before, and with
/// pairs of coefficients there are half as many.
#[inline(always)]
fn polynomial<M: Math, F: Format>(x: F, coefficients: &[F]) -> F {
    let square = x * x;
    let mut sum = F::zero();
    for i in (0..coefficients.len().div_ceil(2)).rev() {
        let pair = match coefficients[2 * i..] {
            [constant, slope, ..] => M::multiply_add(slope, x, constant),
            [constant] => constant,
            [] => F::zero(),
        };
        sum = if 2 * i + 2 < coefficients.len() { M::multiply_add(sum, square, pair) } else { pair };
    }
    sum
}

/// r and 2^(n + m) with x factor = n ln 2 + r factor, |r factor| <= ln(2) / 2. The factor is a power of two.
#[inline(always)]
fn reduced<M: Math, F: Format>(x: F, factor: F, m: F) -> (F, F) {
    let (n, power) = multiple_of_ln_2::<M, F>(x, factor, m);
    let r = M::multiply_add(-n, F::LN_2[0] / factor, x);
    (M::multiply_add(-n, F::LN_2[1] / factor, r), power)
}

/// The integer n for which n ln 2 is nearest to x factor, and 2^(n + m).
#[inline(always)]
fn multiple_of_ln_2<M: Math, F: Format>(x: F, factor: F, m: F) -> (F, F) {
    let rounder = F::ROUNDER + (F::BIAS + m);
    let sum = M::multiply_add(x, F::LOG2_E * factor, rounder);
    (sum - rounder, F::power_of_two(sum))
}

/// e^(r factor) for |r factor| <= ln(2) / 2. The factor is a power of two.
#[inline(always)]
fn exp_near_0<M: Math, F: Format>(r: F, factor: F) -> F {
    M::multiply_add(M::multiply_add(exp_rest::<M, F>(r, factor), r, factor), r, F::one())
}

/// e^(r factor) - 1 for |r factor| <= ln(2) / 2. The factor is a power of two.
#[inline(always)]
fn exp_m1_near_0<M: Math, F: Format>(r: F, factor: F) -> F {
    M::multiply_add(r * r, exp_rest::<M, F>(r, factor), r * factor)
}

/// (e^(r factor) - 1 - r factor) / r^2
#[inline(always)]
fn exp_rest<M: Math, F: Format>(r: F, factor: F) -> F {
    // the compiler multiplies the coefficients
    let mut power = factor * factor;
    let mut coefficients = [F::zero(); MOST_COEFFICIENTS];
    for (i, &c) in F::EXP.iter().enumerate() {
        coefficients[i] = c * power;
        power *= factor;
    }
    polynomial::<M, F>(r, &coefficients[..F::EXP.len()])
}

/// e^x, which is a normal number.
#[inline(always)]
fn exp_within<M: Math, F: Format>(x: F) -> F {
    let (r, power) = reduced::<M, F>(x, F::one(), F::zero());
    exp_near_0::<M, F>(r, F::one()) * power
}

/// q and a power of two with e^(-x^2 / 2) = (1 + q) power times the second of [`Format::SCALE_DOWN`], |q| < 1/2, for x
/// within 0 ..= [`Format::NORMAL_ZERO`].
#[inline(always)]
fn bell_minus_one<M: Math, F: Format>(x: F) -> (F, F) {
    let factor = -half::<F>();
    let square = x * x;
    let (n, power) = multiple_of_ln_2::<M, F>(square, factor, F::SCALE_DOWN[0]);
    // exact
    let high = M::multiply_add(-n, F::LN_2[0] / factor, square);
    // fused, the second part of the square; the rest of the product
    let low = M::multiply_add(-n, F::LN_2[1] / factor, M::multiply_add(x, x, -square));
    (exp_m1_near_0::<M, F>(high + low, factor), power)
}

/// The quotient in [`Format::NORMAL`].
#[inline(always)]
fn tail_rest<M: Math, F: Format>(x: F) -> F {
    polynomial::<M, F>(x, F::NORMAL[0]) / polynomial::<M, F>(x, F::NORMAL[1])
}

/// (u + c) / s (1 + q) from the rounded 1 / s and u / s; `correction` is c and what the second lost, times s.
/// Everything but the quotient u / s is small beside it, so the rounding of the last sum is nearly the only one that
/// counts.
///
/// For the normal distribution, s is x + 1, c is u x times [`tail_rest`], and q that of [`bell_minus_one`].
#[inline(always)]
fn tail<M: Math, F: Format>(u: F, reciprocal: F, quotient: F, correction: F, q: F) -> F {
    M::multiply_add(reciprocal, M::multiply_add(u + correction, q, correction), quotient)
}

/// x / (1 + e^-v) for a v with the sign of x, from e^-|v| = 2^-n (1 + q): above 0 it is x / (1 + 2^-n + 2^-n q), and
/// below, where 1 + q' stands for the reciprocal of 1 + q, 2^-n x / (1 + 2^-n + q'). So each term but the first is
/// small beside the sum of all, or exact.
///
/// `r` and `scaled` are those of [`reduced`] from -|v|, for the first of [`Format::SCALE_DOWN`]; r in two parts, so
/// that q need not have its rounding error. `magnitude` is |x|, or less where the result is 0 below 0.
#[inline(always)]
fn times_logistic_of_parts<M: Math, F: Format>(x: F, magnitude: F, r: [F; 2], scaled: F) -> F {
    let negative = x < F::zero();
    let power = scaled * F::SCALE_DOWN[1];
    let [high, low] = r.map(|r| if negative { -r } else { r });
    let r = high + low;
    let q = M::multiply_add(r * r, exp_rest::<M, F>(r, F::one()), low) + high;
    let sum = F::one() + power;
    // what rounding the sum lost
    let lost = power - (sum - F::one());
    let sum = M::multiply_add(if negative { F::one() } else { power }, q + lost, sum);
    let y = (if negative { -magnitude } else { x }) / sum;
    // scaled last, and rounded once: it may be denormal
    if negative { y * scaled * F::SCALE_DOWN[1] } else { y }
}

/// Half the second of [`Format::SCALE_DOWN`].
#[inline(always)]
fn half_scale_down<F: Format>() -> F {
    half::<F>() * F::SCALE_DOWN[1]
}

#[inline(always)]
fn two<F: Format>() -> F {
    F::one() + F::one()
}

#[inline(always)]
fn half<F: Format>() -> F {
    F::one() / two()
}

/// Within `low ..= high`; NaN stays NaN.
#[inline(always)]
fn clamped<F: Format>(x: F, low: F, high: F) -> F {
    clamped_above(clamped_below(x, low), high)
}

#[inline(always)]
fn clamped_below<F: Format>(x: F, low: F) -> F {
    if x < low { low } else { x }
}

#[inline(always)]
fn clamped_above<F: Format>(x: F, high: F) -> F {
    if x > high { high } else { x }
}

/// ln(2^e m (1 + c)) for e and m of [`Format::split`] and a small c.
#[inline(always)]
fn ln_of_parts<M: Math, F: Format>(e: F, m: F, c: F) -> F {
    let f = m - F::one();
    let s = f / (two::<F>() + f);
    let square = s * s;
    let rest = square * polynomial::<M, F>(square, F::LN);
    let half_square = half::<F>() * f * f;
    let low = M::multiply_add(s, half_square + rest, M::multiply_add(e, F::LN_2[1], c));
    M::multiply_add(e, F::LN_2[0], low - half_square + f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum of positive terms: erf(x) = 2 / sqrt(pi) e^(-x^2) sum_n 2^n x^(2n + 1) / (1 3 5 .. (2n + 1))
    fn erf_series(x: f64) -> f64 {
        if x.abs() > 6.0 || x.is_nan() {
            return x.clamp(-1.0, 1.0);
        }
        let (mut term, mut sum, mut n) = (x, x, 1.0);
        while term.abs() > sum.abs() * 1e-18 {
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
            n += 1.0;
        }
        std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
    }

    /// A continued fraction beyond 1/2: P(-x) = e^(-x^2 / 2) / sqrt(2 pi) / (x + 1 / (x + 2 / (x + ..)))
    fn normal_f64(x: f64) -> f64 {
        if x.abs() < 0.5 || x.is_nan() {
            return 0.5 * (1.0 + erf_series(x * std::f64::consts::FRAC_1_SQRT_2));
        }
        let fraction = (1..=2000).rev().fold(x.abs(), |fraction, n| x.abs() + f64::from(n) / fraction);
        // the square in two parts, of which the first is exact
        let x = x.clamp(-1e3, 1e3);
        let high = f64::from(x as f32);
        let bell = (-0.5 * high * high).exp() * (-0.5 * (x - high) * (x + high)).exp();
        let density = 0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2 * bell;
        if x < 0.0 { density / fraction } else { 1.0 - density / fraction }
    }

    fn times_normal_f64(x: f64) -> f64 {
        if x == f64::NEG_INFINITY { 0.0 } else { x * normal_f64(x) }
    }

    fn logistic_f64(x: f64) -> f64 {
        if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
    }

    /// Every 65,537th f32: all exponents, both signs, denormals, infinities and NaN.
    fn sweep(name: &str, function: fn(f32) -> f32, reference: fn(f64) -> f64, limit: f64) {
        let ends = [0.0, -0.0, 1.0, -1.0, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 88.722_83];
        for x in (0..=u16::MAX).map(|i| f32::from_bits(u32::from(i) * 65_537)).chain(ends) {
            let (y, expected) = (function(x), reference(f64::from(x)));
            let rounded = expected as f32;
            if rounded.is_finite() && rounded != 0.0 {
                let exponent = (rounded.abs().max(f32::MIN_POSITIVE).to_bits() >> 23) as i32;
                let ulp = 2.0_f64.powi(exponent - 150);
                let error = (f64::from(y) - expected).abs() / ulp;
                assert!(error <= limit, "{name}({x:e}) = {y:e}, and {expected:e} is {error:.2} ulp away");
            } else {
                // exact, with the sign of a zero; a denormal may round either way where zero is the nearest
                let same = y == rounded && y.is_sign_negative() == rounded.is_sign_negative();
                assert!(same || (y.is_nan() && rounded.is_nan()), "{name}({x:e}) = {y:e}, not {rounded:e}");
            }
        }
    }

    #[test]
    fn f32_functions_are_near_the_true_value_over_the_whole_range() {
        sweeps::<Separate>(128.0);
        sweeps::<Fused>(2.0);
    }

    /// `tail`: how far off the far tail of the normal distribution may be, whose exponent is a rounded square.
    fn sweeps<M: Math>(tail: f64) {
        sweep("exp", M::exp, f64::exp, 2.0);
        sweep("exp_of_negative", |x| M::exp_of_negative(-x.abs()), |x| (-x.abs()).exp(), 2.0);
        sweep("exp_m1", M::exp_m1, f64::exp_m1, 2.0);
        sweep("ln", M::ln, f64::ln, 2.0);
        sweep("ln_1p", M::ln_1p, f64::ln_1p, 2.0);
        sweep("tanh", M::tanh, f64::tanh, 2.0);
        sweep("logistic", M::logistic, logistic_f64, 2.0);
        sweep("times_logistic", M::times_logistic, |x| times_logistic_f64(x, x), 2.0);
        sweep("times_normal_tanh", M::times_normal_tanh, gelu_tanh_f64, tail);
        sweep("erf", M::erf, erf_series, 2.0);
        sweep("bell", |x| M::normal(x).1, |x| (-0.5 * x * x).exp(), tail.max(4.0) / 2.0);
        sweep("normal", |x| M::normal(x).0, normal_f64, tail.max(2.3));
        // 0 of either sign
        sweep(
            "times_normal",
            |x| M::times_normal(x) + 0.0,
            |x| match times_normal_f64(x) {
                y if y as f32 == 0.0 => 0.0,
                y => y,
            },
            tail,
        );
    }

    /// -0, and not NaN, at -infinity; the exponentials of smaller numbers are 0, too.
    fn times_logistic_f64(x: f64, v: f64) -> f64 {
        if v < -200.0 { -0.0 } else { x * logistic_f64(v) }
    }

    fn gelu_tanh_f64(x: f64) -> f64 {
        let factor = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::SQRT_2;
        times_logistic_f64(x, factor * (x + 0.044_715 * x * x * x))
    }

    #[test]
    fn half_of_the_normal_distribution_is_below_zero() {
        fn halves<M: Math>() {
            assert_eq!((M::normal(0.0_f32), M::normal(-0.0_f32)), ((0.5, 1.0), (0.5, 1.0)));
            assert_eq!((M::normal(0.0_f64), M::normal(-0.0_f64)), ((0.5, 1.0), (0.5, 1.0)));
        }
        halves::<Separate>();
        halves::<Fused>();
    }

    /// The references are not exact themselves: the standard library's are within 1 ulp, the formulas above within 4.
    fn compare(name: &str, function: fn(f64) -> f64, reference: fn(f64) -> f64, reference_ulp: f64) {
        for i in -6_000..=6_000 {
            let x = (f64::from(i) * 0.002).sinh() * 0.01;
            let (y, expected) = (function(x), reference(x));
            if expected.is_finite() && expected != 0.0 {
                let error = (y - expected).abs() / expected.abs().max(f64::MIN_POSITIVE) / (f64::EPSILON / 2.0);
                // in units of half the spacing of numbers just above a power of two
                assert!(error <= 2.0 * (2.0 + reference_ulp), "{name}({x:e}) = {y:e}, not {expected:e}: {error:.2}");
            } else {
                assert!(y == expected || (y.is_nan() && expected.is_nan()), "{name}({x:e}) = {y:e}, not {expected:e}");
            }
        }
    }

    #[test]
    fn f64_functions_are_as_accurate() {
        comparisons::<Separate>(800.0);
        comparisons::<Fused>(16.0);
    }

    fn comparisons<M: Math>(tail: f64) {
        compare("exp", M::exp, f64::exp, 1.0);
        compare("exp_m1", M::exp_m1, f64::exp_m1, 1.0);
        compare("ln", M::ln, f64::ln, 1.0);
        compare("ln_1p", M::ln_1p, f64::ln_1p, 1.0);
        compare("tanh", M::tanh, f64::tanh, 1.0);
        compare("logistic", M::logistic, logistic_f64, 4.0);
        // below, the reference is 0 too early
        compare(
            "times_logistic",
            |x| M::times_logistic(x.max(-700.0)),
            |x| x.max(-700.0) * logistic_f64(x.max(-700.0)),
            5.0,
        );
        // the reference is exact enough only where e^v is not yet far off
        compare("times_normal_tanh", |x| M::times_normal_tanh(x.max(-5.0)), |x| gelu_tanh_f64(x.max(-5.0)), 64.0);
        compare("erf", M::erf, erf_series, 8.0);
        compare("normal", |x| M::normal(x).0, normal_f64, tail);
        // below, the reference is 0 too early
        compare("times_normal", |x| M::times_normal(x.max(-38.0)), |x| times_normal_f64(x.max(-38.0)), tail);
        let extremes =
            [f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324, -0.0, 709.78, -745.0, 710.0, -746.0];
        for x in extremes {
            assert_eq!(M::exp(x), x.exp(), "exp({x:e})");
            assert_eq!(M::exp_m1(x), x.exp_m1(), "exp_m1({x:e})");
            assert_eq!(M::tanh(x), x.tanh(), "tanh({x:e})");
            let expected = if x > 1.0 { x } else { 0.0 };
            assert_eq!(M::times_normal_tanh(x), expected, "times_normal_tanh({x:e})");
            if !(-f64::TIMES_LOGISTIC_ZERO..0.0).contains(&x) {
                assert_eq!(M::times_logistic(x), expected, "times_logistic({x:e})");
            }
            let (y, expected) = (M::ln(x), x.ln());
            assert!(y == expected || (y.is_nan() && expected.is_nan()), "ln({x:e}) = {y:e}, not {expected:e}");
        }
    }
}
