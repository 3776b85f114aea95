//! Moving runs of neighbouring elements: what slices, joins, flips, gathers and repetitions have in common.

use super::elementwise;
use crate::numbers::Float;

/// Which elements go where: `count` runs of `length` elements; run i is taken from `place(i).0` and put at
/// `place(i).1`.
#[derive(Clone, Copy)]
pub struct Runs<P> {
    pub count: usize,
    pub length: usize,
    pub place: P,
}

impl<P: Fn(usize) -> (usize, usize)> Runs<P> {
    /// Copies each run of `x` to its place in `y`.
    pub fn copy<E: Copy>(&self, x: &[E], y: &mut [E]) {
        match self.length {
            // runs of nothing, or none, however many there would be
            _ if x.is_empty() || y.is_empty() => {}
            0 => {}
            1 => (0..self.count).map(&self.place).for_each(|(from, to)| y[to] = x[from]),
            length => (0..self.count)
                .map(&self.place)
                .for_each(|(from, to)| y[to..to + length].copy_from_slice(&x[from..from + length])),
        }
    }

    /// The reverse for gradients: adds each run of `y` to where it came from in `x`.
    pub fn add_back<E: Float>(&self, y: &[E], x: &mut [E]) {
        match self.length {
            _ if x.is_empty() || y.is_empty() => {}
            0 => {}
            1 => (0..self.count).map(&self.place).for_each(|(from, to)| x[from] += y[to]),
            length => (0..self.count)
                .map(&self.place)
                .for_each(|(from, to)| elementwise::add_assign(&mut x[from..from + length], &y[to..to + length])),
        }
    }
}
