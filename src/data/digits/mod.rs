//! The embedded digits.
//!
//! # Source
//! E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998: its
//! test set of 1,797 digits, as scikit-learn 1.9.1 ships it (`sklearn/datasets/data/digits.csv.gz`, SHA-256 09f66e6d
//! ebdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22), under the BSD 3-Clause licence.
//!
//! # Format
//! `digits.bin`, written by `make.py`, has for each digit, without separators:
//!
//! - one byte: the label, 0 to 9;
//! - eight bytes, one for each row from the top: the bit of a pixel is set if it is not 0, the leftmost pixel the
//!   highest bit;
//! - four bits for each pixel that is not 0, in reading order, the high half of a byte first: the pixel, 1 to 16, less
//!   one. The last byte is filled up with zeros.

use super::{Images, Labels};
use crate::shape::Rank1;
use crate::tensor::Tensor;

const PACKED: &[u8] = include_bytes!("digits.bin");
/// The largest pixel value.
const WHITE: u8 = 16;

/// 1,797 handwritten digits of 8x8 pixels, with labels. No file is needed: they are part of the library.
///
/// They are small but real: a first model learns them in seconds. E. Alpaydin and C. Kaynak, "Optical Recognition of
/// Handwritten Digits", UCI Machine Learning Repository, 1998, as distributed with scikit-learn (BSD 3-Clause).
///
/// ```
/// use taut::data::digits;
/// use taut::prelude::*;
/// let (images, labels) = digits().first(3).whole();
/// assert_eq!(labels.to_vec(), [0, 1, 2]);
/// assert_eq!(images[[0, 3]], 13.0 / 16.0);
/// ```
pub fn digits() -> (Images<Rank1<64>>, Labels) {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let mut rest = PACKED;
    while let [label, inked @ ..] = rest {
        labels.push(usize::from(*label));
        rest = unpack(inked, &mut pixels);
    }
    let images = Images::new(pixels, WHITE, Rank1::<64>::default()).expect("each digit has 64 pixels");
    (images, Tensor::from(labels))
}

/// Appends the 64 pixels of one digit to `pixels` and returns the remaining bytes.
fn unpack<'a>(packed: &'a [u8], pixels: &mut Vec<u8>) -> &'a [u8] {
    let (rows, rest) = packed.split_at(8);
    let mut nibbles = rest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    for row in rows {
        for column in 0..8 {
            let inked = row >> (7 - column) & 1 == 1;
            pixels.push(if inked { 1 + nibbles.next().expect("a half byte for each pixel") } else { 0 });
        }
    }
    let inked: u32 = rows.iter().map(|row| row.count_ones()).sum();
    &rest[inked.div_ceil(2) as usize..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;

    #[test]
    fn the_digits_are_those_of_scikit_learn() {
        let (images, labels) = digits().whole();
        assert_eq!((images.shape().0, labels.count()), (1797, 1797));
        let counts: Vec<usize> = (0..10).map(|digit| labels.iter().filter(|&label| label == digit).count()).collect();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        // sums over load_digits(): of all pixels, and of pixel * (its number % 97) as a check of their order
        let pixels: Vec<u64> = images.iter().map(|x| (x * 16.0) as u64).collect();
        assert_eq!(pixels.iter().sum::<u64>(), 561_718);
        assert_eq!(pixels.iter().enumerate().map(|(i, x)| x * (i as u64 % 97)).sum::<u64>(), 26_999_818);
    }
}
