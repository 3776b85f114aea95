//! The two 16-bit floats, as bits. Both convert to f32 exactly; in the other direction, numbers are rounded to the
//! nearest, ties to even. By hand, because it is forty lines that exhaustive tests cover, and the crate `half` would be
//! built by everybody.

/// The largest number of binary16.
const LARGEST_F16: f32 = 65_504.0;
/// Numbers at least halfway from [`LARGEST_F16`] to the next one, 2^16, become infinite.
const FIRST_INFINITE_F16: f32 = LARGEST_F16 + 16.0;
/// The least normal number of binary16, 2^-14. Those below are multiples of 2^-24.
const LEAST_NORMAL_F16: f32 = 1.0 / 16_384.0;
const SUBNORMALS_IN_ONE: f32 = 16_777_216.0;
/// The bias of the exponent is 15 in binary16, and 127 in an f32.
const BIAS: u32 = 127 - 15;

/// IEEE 754 binary16 as f32.
pub fn from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10) & 0x1F;
    let fraction = u32::from(bits & 0x3FF);
    let magnitude = match exponent {
        // zero and subnormal numbers
        0 => (fraction as f32 / SUBNORMALS_IN_ONE).to_bits(),
        // infinity and NaN
        31 => 0xFF << 23 | fraction << 13,
        _ => (exponent + BIAS) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// The nearest number of IEEE 754 binary16.
pub fn to_f16(x: f32) -> u16 {
    let sign = (x.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = x.abs();
    let bits = if magnitude.is_nan() {
        0x7E00
    } else if magnitude >= FIRST_INFINITE_F16 {
        0x7C00
    } else if magnitude < LEAST_NORMAL_F16 {
        // if this rounds up to 2^10, those are the bits of the least normal number
        (magnitude * SUBNORMALS_IN_ONE).round_ties_even() as u16
    } else {
        (nearest(magnitude.to_bits(), 13) - (BIAS << 10)) as u16
    };
    sign | bits
}

/// bfloat16, the upper half of an f32, as f32.
pub fn from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The nearest bfloat16.
pub fn to_bf16(x: f32) -> u16 {
    if x.is_nan() {
        // it must remain one even if all set bits are in the lower half
        return (x.to_bits() >> 16) as u16 | 0x40;
    }
    nearest(x.to_bits(), 16) as u16
}

/// Bits without the last `places`, rounded; a carry goes into the exponent, as it should.
fn nearest(bits: u32, places: u32) -> u32 {
    let is_odd = bits >> places & 1;
    (bits + (1 << (places - 1)) - 1 + is_odd) >> places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::Generator;
    use rand::RngExt;

    /// The value of the bits of a format with this many fraction bits and this bias.
    fn formula(bits: u16, fraction_bits: u32, bias: i32) -> f64 {
        let exponent_bits = 15 - fraction_bits;
        let exponent = i32::from(bits >> fraction_bits & ((1 << exponent_bits) - 1));
        let fraction = f64::from(bits & ((1 << fraction_bits) - 1)) / f64::from(1 << fraction_bits);
        let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
        sign * match exponent {
            0 => fraction * 2.0_f64.powi(1 - bias),
            _ if exponent == (1 << exponent_bits) - 1 => {
                if fraction == 0.0 {
                    f64::INFINITY
                } else {
                    f64::NAN
                }
            }
            _ => (1.0 + fraction) * 2.0_f64.powi(exponent - bias),
        }
    }

    struct Format {
        from: fn(u16) -> f32,
        to: fn(f32) -> u16,
        fraction_bits: u32,
        bias: i32,
    }

    const FORMATS: [Format; 2] = [
        Format { from: from_f16, to: to_f16, fraction_bits: 10, bias: 15 },
        Format { from: from_bf16, to: to_bf16, fraction_bits: 7, bias: 127 },
    ];

    #[test]
    fn every_number_is_its_formula_and_comes_back() {
        for Format { from, to, fraction_bits, bias } in FORMATS {
            for bits in 0..=u16::MAX {
                let (found, expected) = (from(bits), formula(bits, fraction_bits, bias));
                assert_eq!(found.is_sign_negative(), bits >> 15 == 1);
                if expected.is_nan() {
                    assert!(found.is_nan() && from(to(found)).is_nan(), "{bits:#x}");
                    assert_eq!(from(to(found)).is_sign_negative(), found.is_sign_negative());
                } else {
                    assert_eq!((f64::from(found), to(found)), (expected, bits));
                }
            }
        }
    }

    /// Between neighbours: halfway goes to the even one, and what is next to halfway to its own side.
    #[test]
    fn the_nearest_is_taken_and_ties_go_to_even() {
        for Format { from, to, fraction_bits, .. } in FORMATS {
            let infinity = ((1 << (15 - fraction_bits)) - 1) << fraction_bits;
            for bits in 0..infinity {
                // the number after the largest would have the distance of those before
                let (low, step) = (f64::from(from(bits)), f64::from(from(bits + 1)) - f64::from(from(bits)));
                let step = if step.is_finite() { step } else { f64::from(from(bits)) - f64::from(from(bits - 1)) };
                let halfway = (low + step / 2.0) as f32;
                let even = if bits % 2 == 0 { bits } else { bits + 1 };
                for sign in [0, 0x8000] {
                    let signed = |x: f32| if sign == 0 { x } else { -x };
                    assert_eq!(to(signed(halfway)), even | sign, "halfway after {bits:#x}");
                    assert_eq!(to(signed(halfway.next_down())), bits | sign);
                    assert_eq!(to(signed(halfway.next_up())), (bits + 1) | sign);
                }
            }
            assert_eq!((to(f32::INFINITY), to(f32::NEG_INFINITY)), (infinity, infinity | 0x8000));
            assert!([f32::NAN, -f32::NAN, f32::from_bits(0x7F80_0001)].iter().all(|&x| from(to(x)).is_nan()));
        }
    }

    #[test]
    fn random_numbers_are_as_near_as_any() {
        let mut rng = Generator::new(0);
        for Format { from, to, .. } in FORMATS {
            for _ in 0..100_000 {
                let x = f32::from_bits(rng.random());
                let bits = to(x);
                let distance = |bits: u16| (f64::from(from(bits)) - f64::from(x)).abs();
                if x.is_finite() && from(bits).is_finite() {
                    let around = [bits.saturating_sub(1), bits.saturating_add(1)].map(distance);
                    let farther = |other: f64| other.is_nan() || other >= distance(bits);
                    assert!(around.into_iter().all(farther), "{x} became {}", from(bits));
                }
            }
        }
    }
}
