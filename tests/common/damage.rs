//! Damaged copies of good files.

use rand::{Rng, RngExt};

/// A damaged copy: bits flipped, bytes replaced, cut off, left out, doubled, or with numbers that are too large.
pub fn damaged(bytes: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for _ in 0..rng.random_range(1..4) {
        if damaged.is_empty() {
            break;
        }
        let place = rng.random_range(0..damaged.len());
        let end = damaged.len().min(place + rng.random_range(1..9));
        match rng.random_range(0..7) {
            0 => damaged[place] ^= 1 << rng.random_range(0..8),
            1 => damaged[place] = rng.random(),
            2 => damaged.truncate(place),
            3 => drop(damaged.drain(place..end)),
            4 => {
                let again = damaged[place..end].to_vec();
                damaged.splice(place..place, again);
            }
            // the largest numbers, with and without a sign
            5 => damaged[place..end].fill(0xFF),
            _ => damaged[end - 1] = 0x7F,
        }
    }
    damaged
}
