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
        let mut sums = vec![0.0; width];
        for (g, rows) in g.chunks_exact(across.len()).zip(down) {
            for (row, vertical) in rows {
                for (&g, columns) in g.iter().zip(across) {
                    for (column, horizontal) in columns {
                        sums[*column] += part(*vertical * *horizontal, g).as_f64();
                    }
                }
                // a pixel is seen by many outputs
                for (x, sum) in dx[row * width..(row + 1) * width].iter_mut().zip(&mut sums) {
                    *x += E::of(std::mem::take(sum));
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_close, random};
    use crate::numbers::Generator;
    use rand::RngExt as _;

    fn taps(outputs: usize, inputs: usize, rng: &mut Generator) -> Vec<Taps<f64>> {
        let mut tap = || (rng.random_range(0..inputs), rng.random_range(-1.0..1.0));
        (0..outputs).map(|_| [tap(), tap()]).collect()
    }

    #[test]
    fn outputs_are_sums_of_taps_and_going_back_is_the_transpose() {
        let mut rng = Generator::new(0);
        for ([height, width], [rows, columns], planes) in [
            ([1, 1], [1, 1], 1),
            ([3, 5], [4, 2], 3),
            ([2, 3], [9, 7], 2),
            ([4, 4], [0, 3], 2),
            ([40, 50], [80, 99], 20),
        ] {
            let (down, across) = (taps(rows, height, &mut rng), taps(columns, width, &mut rng));
            let x: Vec<f64> = random(planes * height * width, &mut rng);
            let g: Vec<f64> = random(planes * rows * columns, &mut rng);
            let (mut expected, mut gradient) = (vec![0.0; g.len()], vec![0.25; x.len()]);
            let mut dx = gradient.clone();
            for plane in 0..planes {
                for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                    let out = (plane * rows + i) * columns + j;
                    for ((row, a), (column, b)) in down[i].iter().flat_map(|a| across[j].map(|b| (*a, b))) {
                        let pixel = (plane * height + row) * width + column;
                        expected[out] += a * b * x[pixel];
                        gradient[pixel] += a * b * g[out];
                    }
                }
            }
            let mut y = vec![f64::NAN; g.len()];
            resample([height, width], &down, &across, &x, &mut y);
            assert_close(&y, &expected, 8);
            resample_backward([height, width], &down, &across, &g, &mut dx);
            assert_close(&dx, &gradient, rows * columns * 4);
        }
    }

    #[test]
    fn pixels_of_weight_zero_are_not_seen() {
        let x = [f64::INFINITY, 2.0];
        let mut y = [f64::NAN];
        resample([1, 2], &[[(0, 1.0), (0, 0.0)]], &[[(0, 0.0), (1, 1.0)]], &x, &mut y);
        assert_eq!(y, [2.0]);
    }
}
