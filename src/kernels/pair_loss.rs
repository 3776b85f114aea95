//! Losses that compare two arrays element by element.

use super::vectorized::wide_pays;
use super::{parallel, reduce, vectorized};
use crate::numbers::Float;
use crate::numbers::math::Math;
use std::sync::Mutex;

/// A loss of one prediction and its target. See `loss/pair.rs`.
pub trait PairLoss: 'static {
    /// The loss and its derivative by the prediction `x`; `p` is a parameter that few losses have.
    fn loss<M: Math, E: Float>(x: E, target: E, p: E) -> (E, E);
}

/// The loops of one [`PairLoss`] for one element type. Both overwrite the predictions with the derivatives.
pub struct PairLossLoops<E: 'static> {
    /// Returns the sum of the losses.
    pub sum: fn(&mut [E], &[E], E) -> E,
    /// Writes each loss to the last argument.
    pub each: fn(&mut [E], &[E], E, &mut [E]),
}

impl<E: Float> PairLossLoops<E> {
    pub const fn of<L: PairLoss>() -> Self {
        PairLossLoops { sum: sum::<L, E>, each: each::<L, E> }
    }
}

vectorized! {
    wide(wide_pays::<E>(true))
    fn part [L: PairLoss, E: Float] [L, E] (x: &mut [E], targets: &[E], p: E, losses: &mut [E]) {
        for ((x, &target), loss) in x.iter_mut().zip(targets).zip(losses) {
            (*loss, *x) = L::loss::<M, E>(*x, target, p);
        }
    }
}

/// The loop of one loss. Everything else takes it as a pointer, and so is compiled once per element type.
type Part<E> = fn(&mut [E], &[E], E, &mut [E]);

fn each<L: PairLoss, E: Float>(x: &mut [E], targets: &[E], p: E, losses: &mut [E]) {
    each_by(part::<L, E>, x, targets, p, losses);
}

fn each_by<E: Float>(part: Part<E>, x: &mut [E], targets: &[E], p: E, losses: &mut [E]) {
    assert!(x.len() == targets.len() && x.len() == losses.len());
    if parallel::worthwhile(x.len(), parallel::COSTLY) {
        parallel::together(&mut [x, losses], &|start, arrays| {
            let [x, losses] = arrays else { unreachable!("two arrays were given") };
            part(x, &targets[start..start + x.len()], p, losses);
        });
    } else {
        part(x, targets, p, losses);
    }
}

/// The number of losses in one partial sum: split by this number, never by the number of threads.
const CHUNK: usize = 1 << 14;
/// The number of losses buffered on the stack before they are added up.
const BLOCK: usize = 256;

fn sum<L: PairLoss, E: Float>(x: &mut [E], targets: &[E], p: E) -> E {
    sum_by(part::<L, E>, x, targets, p)
}

fn sum_by<E: Float>(part: Part<E>, x: &mut [E], targets: &[E], p: E) -> E {
    assert_eq!(x.len(), targets.len());
    let chunk = |start: usize, x: &mut [E]| {
        let mut losses = [E::zero(); BLOCK];
        let mut total = 0.0;
        for (x, targets) in x.chunks_mut(BLOCK).zip(targets[start..].chunks(BLOCK)) {
            let losses = &mut losses[..x.len()];
            part(x, &targets[..losses.len()], p, losses);
            total += reduce::sum_f64(losses);
        }
        total
    };
    if x.len() <= CHUNK {
        return E::of(chunk(0, x));
    }
    let many = parallel::worthwhile(x.len(), parallel::COSTLY);
    let partial = Mutex::new(vec![0.0; x.len().div_ceil(CHUNK)]);
    parallel::chunks(x, CHUNK, many, |i, x| {
        let sum = chunk(i * CHUNK, x);
        partial.lock().expect("no other chunk panicked")[i] = sum;
    });
    let partial = partial.into_inner().expect("no chunk panicked");
    E::of(reduce::sum_f64(&partial))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_close, random};
    use crate::numbers::Generator;

    /// p (x - t)^2
    struct Square;
    impl PairLoss for Square {
        fn loss<M: Math, E: Float>(x: E, target: E, p: E) -> (E, E) {
            (p * (x - target) * (x - target), E::of(2.0) * p * (x - target))
        }
    }

    fn compare<E: Float>(len: usize, rng: &mut Generator) {
        let loops = PairLossLoops::<E>::of::<Square>();
        let (x, t): (Vec<E>, Vec<E>) = (random(len, rng), random(len, rng));
        let difference = |i: usize| x[i].as_f64() - t[i].as_f64();
        let losses: Vec<f64> = (0..len).map(|i| 3.0 * difference(i).powi(2)).collect();
        let derivatives: Vec<f64> = (0..len).map(|i| 6.0 * difference(i)).collect();
        let (mut each, mut found) = (x.clone(), vec![E::nan(); len]);
        (loops.each)(&mut each, &t, E::of(3.0), &mut found);
        assert_close(&found, &losses, 8);
        assert_close(&each, &derivatives, 8);
        let mut summed = x.clone();
        let sum = (loops.sum)(&mut summed, &t, E::of(3.0));
        assert!(summed == each);
        assert_close(&[sum], &[losses.iter().sum()], 64);
    }

    #[test]
    fn losses_their_sum_and_their_derivatives_are_those_of_each_pair() {
        let mut rng = Generator::new(0);
        // around a register, a block, a chunk, and large enough for several threads
        for len in [0, 1, 7, 33, BLOCK - 1, BLOCK + 1, CHUNK + 3, 5 * CHUNK + 1] {
            compare::<f32>(len, &mut rng);
            compare::<f64>(len, &mut rng);
        }
    }
}
