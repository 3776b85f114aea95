//! Drawing from a distribution in constant time.

use rand::{Rng, RngExt};

/// A discrete distribution, sampled with two look-ups: Vose, "A Linear Algorithm for Generating Random Numbers
/// with a Given Distribution", 1991.
///
/// Each of n equally likely columns holds its own number up to some height, and another one, its alias, above.
pub struct AliasTable {
    columns: Vec<Column>,
}

#[derive(Clone, Copy)]
struct Column {
    /// Of 2^32.
    height: u32,
    alias: u32,
}

impl AliasTable {
    /// Number i is drawn with a probability proportional to `weights[i]`. At least one weight is positive.
    pub fn new(weights: &[f64]) -> Self {
        let scale = weights.len() as f64 / weights.iter().sum::<f64>();
        let mut heights: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
        let mut columns: Vec<Column> =
            (0..weights.len() as u32).map(|i| Column { height: u32::MAX, alias: i }).collect();
        let (mut low, mut high): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|&i| heights[i] < 1.0);
        // what a low column lacks is taken from a high one; any left over by rounding have height 1
        while let (Some(&small), Some(&large)) = (low.last(), high.last()) {
            low.pop();
            columns[small] = Column { height: (heights[small] * 4_294_967_296.0) as u32, alias: large as u32 };
            heights[large] -= 1.0 - heights[small];
            if heights[large] < 1.0 {
                high.pop();
                low.push(large);
            }
        }
        AliasTable { columns }
    }

    /// Draws a number.
    pub fn draw(&self, rng: &mut impl Rng) -> u32 {
        let random: u64 = rng.random();
        let (column, height) = (random >> 32, random as u32);
        let column = ((column * self.columns.len() as u64) >> 32) as usize;
        let Column { height: own, alias } = self.columns[column];
        if height < own { column as u32 } else { alias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::Generator;

    #[test]
    fn numbers_are_drawn_as_often_as_their_weights_say() {
        let weights = [0.0, 5.0, 1.0, 0.1, 3.0, 0.0, 20.0, 0.9];
        let table = AliasTable::new(&weights);
        let mut rng = Generator::new(0);
        let draws = 200_000;
        let mut counts = [0; 8];
        (0..draws).for_each(|_| counts[table.draw(&mut rng) as usize] += 1);
        for (count, weight) in counts.into_iter().zip(weights) {
            let expected = weight / weights.iter().sum::<f64>() * f64::from(draws);
            // five standard deviations of the binomial distribution
            assert!((f64::from(count) - expected).abs() <= 5.0 * expected.sqrt(), "{count} of weight {weight}");
        }
    }

    #[test]
    fn one_number_is_always_drawn() {
        let table = AliasTable::new(&[0.3]);
        let mut rng = Generator::new(0);
        assert!((0..1000).all(|_| table.draw(&mut rng) == 0));
    }
}
