//! Planes whose every output is a weighted sum of input pixels, separately down and across: padding, scaling up.

use super::parallel;
use crate::numbers::Float;

/// For one output along an axis: two inputs and their weights.
pub type Taps<E> = [(usize, E); 2];

/// `weight x`, and 0 for a weight of 0 also where x is infinite or NaN: such a pixel is not seen.
#[inline(always)]
fn part<E: Float>(weight: E, x: E) -> E {
    if weight == E::zero() { E::zero() } else { weight * x }
}

/// y_ij = sum over the taps of row i and column j of weight x. Planes of `size` become planes of (down, across).
pub fn resample<E: Float>(size: [usize; 2], down: &[Taps<E>], across: &[Taps<E>], x: &[E], y: &mut [E]) {
    let (pixels, width) = (size[0] * size[1], size[1]);
    let outputs = down.len() * across.len();
    if outputs == 0 || pixels == 0 {
        return y.fill(E::zero());
    }
    let many = parallel::worthwhile(y.len(), parallel::COSTLY);
    parallel::chunks(y, outputs, many, |i, y| {
        let x = &x[i * pixels..(i + 1) * pixels];
        for (y, rows) in y.chunks_exact_mut(across.len()).zip(down) {
            let [(a, top), (b, bottom)] = *rows;
            let (a, b) = (&x[a * width..(a + 1) * width], &x[b * width..(b + 1) * width]);
            for (y, [(left, l), (right, r)]) in y.iter_mut().zip(across) {
                let (above, below) =
                    (part(*l, a[*left]) + part(*r, a[*right]), part(*l, b[*left]) + part(*r, b[*right]));
                *y = part(top, above) + part(bottom, below);
            }
        }
    });
}

/// The transpose of [`resample`]: adds to `dx`.
pub fn resample_backward<E: Float>(size: [usize; 2], down: &[Taps<E>], across: &[Taps<E>], g: &[E], dx: &mut [E]) {
    let (pixels, width) = (size[0] * size[1], size[1]);
    let outputs = down.len() * across.len();
    if outputs == 0 || pixels == 0 {
        return;
    }
    let many = parallel::worthwhile(dx.len(), parallel::COSTLY);
    parallel::chunks(dx, pixels, many, |i, dx| {
        let g = &g[i * outputs..(i + 1) * outputs];
        for (g, rows) in g.chunks_exact(across.len()).zip(down) {
            for (row, vertical) in rows {
                let line = &mut dx[row * width..(row + 1) * width];
                for (&g, columns) in g.iter().zip(across) {
                    for (column, horizontal) in columns {
                        line[*column] += part(*vertical * *horizontal, g);
                    }
                }
            }
        }
    });
}
