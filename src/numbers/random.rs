//! The generator of random numbers that can be saved.

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng};

/// A seedable generator whose state can be saved and restored: ChaCha with 8 rounds.
///
/// Any `rand::Rng` is accepted where nothing is saved. Use this one for what a checkpoint should hold: the same seed
/// gives the same numbers on every machine and in every version.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = taut::Rng::from_seed_u64(7);
/// let first = Tensor::<Rank1<3>>::randn(&mut rng);
/// let saved = rng.state();
/// let second = Tensor::<Rank1<3>>::randn(&mut rng);
/// let again = Tensor::<Rank1<3>>::randn(&mut taut::Rng::from_state(&saved));
/// assert_eq!(second, again);
/// assert_ne!(first, second);
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Rng(ChaCha8Rng);

/// The state of an [`Rng`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngState {
    /// The seed that the generator started from.
    pub seed: [u8; 32],
    /// Its stream.
    pub stream: u64,
    /// Its position in the stream, in words of 32 bits.
    pub position: u128,
}

impl Rng {
    /// A generator for this seed.
    pub fn from_seed_u64(seed: u64) -> Self {
        Rng(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The state, to be saved.
    pub fn state(&self) -> RngState {
        RngState { seed: self.0.get_seed(), stream: self.0.get_stream(), position: self.0.get_word_pos() }
    }

    /// The generator of a saved state.
    pub fn from_state(state: &RngState) -> Self {
        let mut rng = ChaCha8Rng::from_seed(state.seed);
        rng.set_stream(state.stream);
        rng.set_word_pos(state.position);
        Rng(rng)
    }
}

impl Clone for Rng {
    /// A generator that will give the same numbers as this one.
    fn clone(&self) -> Self {
        Rng::from_state(&self.state())
    }
}

impl rand::TryRng for Rng {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.next_u64())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl SeedableRng for Rng {
    type Seed = [u8; 32];
    fn from_seed(seed: [u8; 32]) -> Self {
        Rng(ChaCha8Rng::from_seed(seed))
    }
}
