//! The parametric ReLU, with one slope for each channel.

use super::reduce::sum_axis;
use super::{parallel, vectorized};
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::numbers::Float;

vectorized! {
    fn scale_part [E: Float] [E] (values: &mut [E], x: Option<&[E]>, slope: E) {
        let scaled = |value, x| if x > E::zero() { value } else { value * slope };
        match x {
            Some(x) => values.iter_mut().zip(x).for_each(|(value, &x)| *value = scaled(*value, x)),
            None => values.iter_mut().for_each(|value| *value = scaled(*value, *value)),
        }
    }
}

/// Multiplies each value with the slope of its channel where x is not positive; without `x`, the values are x. They
/// lie as (outer, channels, inner).
pub fn scale_negative<E: Float>(values: &mut [E], x: Option<&[E]>, slopes: &[E], inner: usize) {
    let group = slopes.len() * inner;
    parallel::rows(values, group, parallel::CHEAP, |row, values| {
        for (i, run) in values.chunks_mut(inner.max(1)).enumerate() {
            let start = row * group + i * inner;
            scale_part(run, x.map(|x| &x[start..start + run.len()]), slopes[i % slopes.len()]);
        }
    });
}

vectorized! {
    fn product_part [E: Float] [E] (out: &mut [E], g: &[E], x: &[E]) {
        for ((out, &g), &x) in out.iter_mut().zip(g).zip(x) {
            *out = if x > E::zero() { E::zero() } else { g * x };
        }
    }
}

/// The gradient of the slopes: for each channel the sum of g x where x is not positive.
pub fn slope_gradient<E: Float>(g: &[E], x: &[E], inner: usize, out: &mut [E], store: Store) {
    let channels = out.len();
    let mut products = Storage::scratch(g.len());
    parallel::parts(products.make_mut(), parallel::CHEAP, |start, out| {
        let end = start + out.len();
        product_part(out, &g[start..end], &x[start..end]);
    });
    let outer = g.len().checked_div(channels * inner).unwrap_or(0);
    let mut sums = Storage::scratch(outer * channels);
    sum_axis(products.as_slice(), (outer * channels, inner, 1), sums.make_mut(), Store::Overwrite);
    sum_axis(sums.as_slice(), (1, outer, channels), out, store);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_arrays_find_the_slopes_of_their_channels() {
        // large enough for several threads
        let (outer, slopes, inner) = (30, [0.5_f64, -2.0, 0.0], 2_048);
        let x: Vec<f64> = (0..outer * slopes.len() * inner).map(|i| (i % 11) as f64 - 5.0).collect();
        let channel = |i: usize| i / inner % slopes.len();
        let mut y = x.clone();
        scale_negative(&mut y, None, &slopes, inner);
        assert!((0..x.len()).all(|i| y[i] == if x[i] > 0.0 { x[i] } else { x[i] * slopes[channel(i)] }));
        let mut gradient = [1.0; 3];
        slope_gradient(&y, &x, inner, &mut gradient, Store::Add);
        for (c, found) in gradient.into_iter().enumerate() {
            let own = (0..x.len()).filter(|&i| channel(i) == c && x[i] <= 0.0);
            assert_eq!(found, 1.0 + own.map(|i| x[i] * y[i]).sum::<f64>());
        }
    }
}
