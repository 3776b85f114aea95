//! A random generator that can be saved.

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng};

/// A seedable generator whose state can be saved and restored: ChaCha with 8 rounds.
///
/// Everything accepts any `rand::Rng`. Use this one if its state should go into a checkpoint: the same seed
/// gives the same numbers on every machine and in every version.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = taut::Generator::new(7);
/// let first = Tensor::<Rank1<3>>::randn(&mut rng);
/// let saved = rng.state();
/// let second = Tensor::<Rank1<3>>::randn(&mut rng);
/// let again = Tensor::<Rank1<3>>::randn(&mut taut::Generator::from_state(&saved));
/// assert_eq!(second, again);
/// assert_ne!(first, second);
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Generator(ChaCha8Rng);

/// The state of a [`Generator`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneratorState {
    /// The seed that the generator started from.
    pub seed: [u8; 32],
    /// Its stream.
    pub stream: u64,
    /// Its position in the stream, in words of 32 bits.
    pub position: u128,
}

impl Generator {
    /// A generator for this seed.
    pub fn new(seed: u64) -> Self {
        Generator(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A generator for sample number `sample`, different for every pair of seed and number: what is drawn for a sample
    /// does not depend on which others are in its batch.
    pub fn of_sample(seed: u64, sample: usize) -> Self {
        // the seed chooses the key, the sample the stream: no two pairs share one
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(sample as u64);
        Generator(rng)
    }

    /// The state, to be saved.
    pub fn state(&self) -> GeneratorState {
        GeneratorState { seed: self.0.get_seed(), stream: self.0.get_stream(), position: self.0.get_word_pos() }
    }

    /// The generator of a saved state.
    pub fn from_state(state: &GeneratorState) -> Self {
        let mut rng = ChaCha8Rng::from_seed(state.seed);
        rng.set_stream(state.stream);
        rng.set_word_pos(state.position);
        Generator(rng)
    }
}

impl Clone for Generator {
    /// A generator that will return the same numbers as this one.
    fn clone(&self) -> Self {
        Generator::from_state(&self.state())
    }
}

impl rand::TryRng for Generator {
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

impl SeedableRng for Generator {
    type Seed = [u8; 32];
    fn from_seed(seed: [u8; 32]) -> Self {
        Generator(ChaCha8Rng::from_seed(seed))
    }
}
