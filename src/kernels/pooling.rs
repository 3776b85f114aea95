//! Maxima and means over patches of planes.
//!
//! A plane is one channel of one image. Which patch each output sees is given for the two axes separately, as ranges:
//! windows that move evenly and the uneven patches of adaptive pooling are the same to these loops.

use super::{parallel, vectorized};
use crate::tensor::Float;
use rayon::prelude::*;
use std::ops::Range;

/// The patches of a plane: those of output (i, j) are the rows `down[i]` and the columns `across[j]`, not empty.
#[derive(Clone, Debug)]
pub struct Patches {
    /// Height and width of a plane.
    pub size: [usize; 2],
    pub down: Vec<Range<usize>>,
    pub across: Vec<Range<usize>>,
}

impl Patches {
    fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    fn outputs(&self) -> usize {
        self.down.len() * self.across.len()
    }
}

vectorized! {
    /// The largest number under each window of `kernel` numbers, `stride` apart, of a line, and where it is, starting
    /// from what `best` and `place` already hold.
    fn max_line [E: Float] [E] (line: &[E], start: usize, across: &[Range<usize>], best: &mut [E], place: &mut [usize]) {
        for ((range, best), place) in across.iter().zip(best).zip(place) {
            for column in range.clone() {
                let x = line[column];
                // a NaN wins, and the first of equals stays
                if x > *best || x.is_nan() {
                    *best = x;
                    *place = start + column;
                }
            }
        }
    }
}

/// The maximum of each patch and its index in the plane.
pub fn max<E: Float>(patches: &Patches, x: &[E], y: &mut [E], indices: &mut [usize]) {
    let (pixels, outputs, width) = (patches.pixels(), patches.outputs(), patches.size[1]);
    if y.is_empty() {
        return;
    }
    let plane = |((x, y), indices): ((&[E], &mut [E]), &mut [usize])| {
        let lines = y.chunks_exact_mut(patches.across.len()).zip(indices.chunks_exact_mut(patches.across.len()));
        for ((best, place), rows) in lines.zip(&patches.down) {
            best.fill(E::neg_infinity());
            for (place, columns) in place.iter_mut().zip(&patches.across) {
                *place = rows.start * width + columns.start;
            }
            for row in rows.clone() {
                max_line(&x[row * width..(row + 1) * width], row * width, &patches.across, best, place);
            }
        }
    };
    if parallel::worthwhile(x.len(), parallel::COSTLY) {
        let planes = x.par_chunks_exact(pixels).zip(y.par_chunks_exact_mut(outputs));
        planes.zip(indices.par_chunks_exact_mut(outputs)).for_each(plane);
    } else {
        let planes = x.chunks_exact(pixels).zip(y.chunks_exact_mut(outputs));
        planes.zip(indices.chunks_exact_mut(outputs)).for_each(plane);
    }
}

/// Adds each number of `y`, planes of `outputs`, to the place in its plane of `x`, of `pixels`, that `indices` names.
pub fn scatter<E: Float>(y: &[E], indices: &[usize], outputs: usize, x: &mut [E], pixels: usize) {
    if y.is_empty() {
        return;
    }
    let planes = x.chunks_exact_mut(pixels).zip(y.chunks_exact(outputs)).zip(indices.chunks_exact(outputs));
    for ((x, y), indices) in planes {
        indices.iter().zip(y).for_each(|(&index, &y)| x[index] += y);
    }
}

/// For each number of `y`, the number of `x` at the place that `indices` names: the reverse of [`scatter`].
pub fn gather<E: Float>(x: &[E], pixels: usize, indices: &[usize], outputs: usize, y: &mut [E]) {
    if y.is_empty() {
        return;
    }
    let planes = x.chunks_exact(pixels).zip(y.chunks_exact_mut(outputs)).zip(indices.chunks_exact(outputs));
    for ((x, y), indices) in planes {
        indices.iter().zip(y).for_each(|(&index, y)| *y = x[index]);
    }
}

/// What a mean divides by: a fixed number, padding included, or the number of pixels in each patch.
fn factor<E: Float>(divisor: Option<usize>, rows: &Range<usize>, columns: &Range<usize>) -> E {
    E::one() / E::of(divisor.unwrap_or(rows.len() * columns.len()) as f64)
}

/// The mean of each patch.
pub fn mean<E: Float>(patches: &Patches, divisor: Option<usize>, x: &[E], y: &mut [E]) {
    let (pixels, outputs, width) = (patches.pixels(), patches.outputs(), patches.size[1]);
    if y.is_empty() {
        return;
    }
    let plane = |(x, y): (&[E], &mut [E])| {
        for (y, rows) in y.chunks_exact_mut(patches.across.len()).zip(&patches.down) {
            y.fill(E::zero());
            for row in rows.clone() {
                let line = &x[row * width..(row + 1) * width];
                for (y, columns) in y.iter_mut().zip(&patches.across) {
                    line[columns.clone()].iter().for_each(|&x| *y += x);
                }
            }
            for (y, columns) in y.iter_mut().zip(&patches.across) {
                *y *= factor(divisor, rows, columns);
            }
        }
    };
    if parallel::worthwhile(x.len(), parallel::COSTLY) {
        x.par_chunks_exact(pixels).zip(y.par_chunks_exact_mut(outputs)).for_each(plane);
    } else {
        x.chunks_exact(pixels).zip(y.chunks_exact_mut(outputs)).for_each(plane);
    }
}

/// The gradient of [`mean`]: adds to `dx`.
pub fn mean_backward<E: Float>(patches: &Patches, divisor: Option<usize>, g: &[E], dx: &mut [E]) {
    let (pixels, outputs, width) = (patches.pixels(), patches.outputs(), patches.size[1]);
    if g.is_empty() {
        return;
    }
    let plane = |(g, dx): (&[E], &mut [E])| {
        for (g, rows) in g.chunks_exact(patches.across.len()).zip(&patches.down) {
            for row in rows.clone() {
                let line = &mut dx[row * width..(row + 1) * width];
                for (&g, columns) in g.iter().zip(&patches.across) {
                    let share = g * factor(divisor, rows, columns);
                    line[columns.clone()].iter_mut().for_each(|x| *x += share);
                }
            }
        }
    };
    if parallel::worthwhile(dx.len(), parallel::COSTLY) {
        g.par_chunks_exact(outputs).zip(dx.par_chunks_exact_mut(pixels)).for_each(plane);
    } else {
        g.chunks_exact(outputs).zip(dx.chunks_exact_mut(pixels)).for_each(plane);
    }
}
