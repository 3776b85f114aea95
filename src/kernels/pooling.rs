//! Maxima and means over patches of planes.
//!
//! A plane is one channel of one image. Which patch each output sees is given for the two axes separately, as ranges:
//! windows that move evenly and the uneven patches of adaptive pooling are the same to these loops.

use super::reduce::sum_f64;
use super::{parallel, vectorized};
use crate::memory::Storage;
use crate::numbers::Float;
use std::ops::Range;

/// The patches of a plane: those of output (i, j) are the rows `down[i]` and the columns `across[j]`, not empty.
#[derive(Clone, Debug)]
pub struct Patches {
    /// Height and width of a plane.
    pub size: [usize; 2],
    pub down: Vec<Range<usize>>,
    pub across: Vec<Range<usize>>,
    /// How a window moves across, if the columns are those that it sees.
    pub moves: Option<Moves>,
}

/// How windows move along an axis.
#[derive(Clone, Copy, Debug)]
pub struct Moves {
    pub kernel: usize,
    pub stride: usize,
    /// How far the first one lies outside.
    pub padding: usize,
}

impl Moves {
    /// The outputs whose windows see a pixel of the plane under the tap given, and the pixel of the first of them.
    fn inside(&self, tap: usize, size: usize, outputs: usize) -> (Range<usize>, usize) {
        let first = self.padding.saturating_sub(tap).div_ceil(self.stride);
        let end = (size + self.padding).saturating_sub(tap).div_ceil(self.stride).min(outputs);
        (first.min(end)..end, (first * self.stride + tap).saturating_sub(self.padding))
    }
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
    /// The largest of each square of 2 x 2 in two lines, and its index; `corner` is that of the first square. Returns
    /// whether there was a NaN: then the results are invalid.
    fn max_of_squares [E: Float] [E]
        (top: &[[E; 2]], bottom: &[[E; 2]], width: usize, corner: usize, best: &mut [E], place: &mut [usize]) -> bool {
        let mut nan = false;
        for (i, (((a, b), best), place)) in top.iter().zip(bottom).zip(best).zip(place).enumerate() {
            // the first of equals is kept
            let (above, below) = (a[1] > a[0], b[1] > b[0]);
            let (upper, lower) = (if above { a[1] } else { a[0] }, if below { b[1] } else { b[0] });
            let wins = lower > upper;
            *best = if wins { lower } else { upper };
            *place = corner + 2 * i + if wins { width + usize::from(below) } else { usize::from(above) };
            // without the branches of `||`, which would keep the loop from being vectorised
            nan |= a[0].is_nan() | a[1].is_nan() | b[0].is_nan() | b[1].is_nan();
        }
        nan
    }
}

vectorized! {
    /// Takes those numbers that are larger than the best so far, or NaN, and notes for them that they are of this tap.
    fn take_larger [E: Float] [E] (x: &[E], tap: u32, best: &mut [E], taps: &mut [u32]) {
        for ((&x, best), taps) in x.iter().zip(best).zip(taps) {
            let wins = (x > *best) | x.is_nan();
            *best = if wins { x } else { *best };
            *taps = if wins { tap } else { *taps };
        }
    }
}

/// The largest number of each window in a row of them, and its place: tap by tap, for all windows at once.
///
/// `offsets` says how far the pixel under each tap is from that under the first. `lines` has room for a line of the
/// plane, and `taps` for a row of outputs.
fn max_of_windows<E: Float>(
    patches: &Patches,
    moves: Moves,
    rows: &Range<usize>,
    x: &[E],
    (best, places): (&mut [E], &mut [usize]),
    offsets: &[usize],
    (lines, taps): (&mut [E], &mut [u32]),
) {
    let (width, outputs) = (patches.size[1], best.len());
    best.fill(E::neg_infinity());
    // numbers that are not larger than that leave the first of the patch
    for (output, (tap, columns)) in taps.iter_mut().zip(&patches.across).enumerate() {
        *tap = (columns.start + moves.padding - output * moves.stride) as u32;
    }
    for (down, row) in rows.clone().enumerate() {
        let line = &x[row * width..(row + 1) * width];
        let apart = width.div_ceil(moves.stride);
        // every stride-th pixel next to each other
        if moves.stride > 1 {
            for (phase, apart) in lines.chunks_exact_mut(apart).enumerate() {
                let pixels = line[phase..].iter().step_by(moves.stride);
                apart.iter_mut().zip(pixels).for_each(|(to, &x)| *to = x);
            }
        }
        for tap in 0..moves.kernel {
            let (inside, pixel) = moves.inside(tap, width, outputs);
            if inside.is_empty() {
                continue;
            }
            let seen = if moves.stride > 1 {
                &lines[pixel % moves.stride * apart + pixel / moves.stride..]
            } else {
                &line[pixel..]
            };
            let seen = &seen[..inside.len()];
            take_larger(seen, (down * moves.kernel + tap) as u32, &mut best[inside.clone()], &mut taps[inside]);
        }
    }
    let corner = rows.start * width;
    for (output, (place, &tap)) in places.iter_mut().zip(&*taps).enumerate() {
        *place = corner + output * moves.stride + offsets[tap as usize] - moves.padding;
    }
}

/// The largest number of a patch and its place. A NaN wins, and the first of equals is kept.
#[inline(always)]
fn max_of_patch<E: Float>(x: &[E], width: usize, rows: &Range<usize>, columns: &Range<usize>) -> (E, usize) {
    let mut best = (E::neg_infinity(), rows.start * width + columns.start);
    for row in rows.clone() {
        let line = row * width + columns.start;
        for (i, &x) in x[line..line + columns.len()].iter().enumerate() {
            if (x > best.0) | x.is_nan() {
                best = (x, line + i);
            }
        }
    }
    best
}

/// The pixels of a window at most for which it is worth while to look at all windows of a row tap by tap.
const MANY: usize = 1 << 10;

/// The maximum of each patch and its index in the plane.
pub fn max<E: Float>(patches: &Patches, x: &[E], y: &mut [E], indices: &mut [usize]) {
    let (pixels, outputs, width) = (patches.pixels(), patches.outputs(), patches.size[1]);
    if y.is_empty() {
        return;
    }
    // the number of leading patches that are two adjacent columns: all, for the most common pooling
    let pairs = (0..patches.across.len()).take_while(|&i| patches.across[i] == (2 * i..2 * i + 2)).count();
    let tallest = patches.down.iter().map(Range::len).max().unwrap_or(0);
    // windows that see a few pixels, so that their numbers fit a u32
    let moves = patches
        .moves
        .filter(|moves| pairs < patches.across.len() && moves.kernel.checked_mul(tallest).is_some_and(|n| n <= MANY));
    let offsets: Vec<usize> = moves.map_or(Vec::new(), |Moves { kernel, .. }| {
        (0..tallest * kernel).map(|tap| tap / kernel * width + tap % kernel).collect()
    });
    let many = parallel::worthwhile(x.len(), parallel::COSTLY);
    parallel::chunks_of_two(y, indices, [outputs; 2], many, &|i, y, indices| {
        let x = &x[i * pixels..(i + 1) * pixels];
        // of a stride beyond the width there are no more phases than pixels
        let apart = moves.filter(|moves| moves.stride > 1);
        let apart = apart.map_or(0, |Moves { stride, .. }| width.div_ceil(stride) * stride.min(width));
        let mut line = Storage::scratch(apart);
        let mut taps = vec![0; if moves.is_some() { patches.across.len() } else { 0 }];
        let lines = y.chunks_exact_mut(patches.across.len()).zip(indices.chunks_exact_mut(patches.across.len()));
        for ((y, places), rows) in lines.zip(&patches.down) {
            if let Some(moves) = moves {
                max_of_windows(patches, moves, rows, x, (y, places), &offsets, (line.make_mut(), &mut taps));
                continue;
            }
            let mut done = 0;
            if rows.len() == 2 {
                let corner = rows.start * width;
                let line = |row: usize| x[row * width..(row + 1) * width].as_chunks::<2>().0;
                let (top, bottom) = (&line(rows.start)[..pairs], &line(rows.start + 1)[..pairs]);
                let nan = max_of_squares(top, bottom, width, corner, &mut y[..pairs], &mut places[..pairs]);
                done = if nan { 0 } else { pairs };
            }
            for ((y, place), columns) in y.iter_mut().zip(places).zip(&patches.across).skip(done) {
                (*y, *place) = max_of_patch(x, width, rows, columns);
            }
        }
    });
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

/// For each number of `y`, the number of `x` at the place that `indices` names: the transpose of [`scatter`].
pub fn gather<E: Float>(x: &[E], pixels: usize, indices: &[usize], outputs: usize, y: &mut [E]) {
    if y.is_empty() {
        return;
    }
    let planes = x.chunks_exact(pixels).zip(y.chunks_exact_mut(outputs)).zip(indices.chunks_exact(outputs));
    for ((x, y), indices) in planes {
        indices.iter().zip(y).for_each(|(&index, y)| *y = x[index]);
    }
}

/// The divisor of a mean: a fixed number, padding included, or the number of pixels in each patch.
fn factor<E: Float>(divisor: Option<usize>, rows: &Range<usize>, columns: &Range<usize>) -> E {
    E::one() / E::of(divisor.unwrap_or(rows.len() * columns.len()) as f64)
}

/// The pixels of a patch that are added up one after the other, at most.
const FEW: usize = 32;

/// The sum of a patch of more pixels than that.
fn sum_of_patch<E: Float>(x: &[E], width: usize, rows: &Range<usize>, columns: &Range<usize>) -> f64 {
    if columns.len() == width {
        return sum_f64(&x[rows.start * width..rows.end * width]);
    }
    let line = |row: usize| &x[row * width..][columns.clone()];
    if columns.len() > FEW {
        return rows.clone().map(|row| sum_f64(line(row))).sum();
    }
    rows.clone().map(|row| line(row).iter().fold(E::zero(), |sum, &x| sum + x).as_f64()).sum()
}

/// The mean of each patch.
pub fn mean<E: Float>(patches: &Patches, divisor: Option<usize>, x: &[E], y: &mut [E]) {
    let (pixels, outputs, width) = (patches.pixels(), patches.outputs(), patches.size[1]);
    if y.is_empty() {
        return;
    }
    let many = parallel::worthwhile(x.len(), parallel::COSTLY);
    parallel::chunks(y, outputs, many, |i, y| {
        let x = &x[i * pixels..(i + 1) * pixels];
        for (y, rows) in y.chunks_exact_mut(patches.across.len()).zip(&patches.down) {
            if rows.len() * patches.across.iter().map(Range::len).max().unwrap_or(0) > FEW {
                for (y, columns) in y.iter_mut().zip(&patches.across) {
                    let count = divisor.unwrap_or(rows.len() * columns.len());
                    *y = E::of(sum_of_patch(x, width, rows, columns) / count as f64);
                }
                continue;
            }
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
    });
}

/// The gradient of [`mean`]: adds to `dx`.
pub fn mean_backward<E: Float>(patches: &Patches, divisor: Option<usize>, g: &[E], dx: &mut [E]) {
    let (pixels, outputs, width) = (patches.pixels(), patches.outputs(), patches.size[1]);
    if g.is_empty() {
        return;
    }
    let many = parallel::worthwhile(dx.len(), parallel::COSTLY);
    parallel::chunks(dx, pixels, many, |i, dx| {
        let g = &g[i * outputs..(i + 1) * outputs];
        for (g, rows) in g.chunks_exact(patches.across.len()).zip(&patches.down) {
            for row in rows.clone() {
                let line = &mut dx[row * width..(row + 1) * width];
                for (&g, columns) in g.iter().zip(&patches.across) {
                    let share = g * factor(divisor, rows, columns);
                    line[columns.clone()].iter_mut().for_each(|x| *x += share);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of `kernel` pixels, `stride` apart, cut off at the border.
    fn windows(size: usize, kernel: usize, stride: usize, padding: usize) -> Vec<Range<usize>> {
        let count = (size + 2 * padding - kernel) / stride + 1;
        let clipped = |place: usize| place.saturating_sub(padding).min(size);
        (0..count).map(|i| clipped(i * stride)..clipped(i * stride + kernel)).collect()
    }

    #[test]
    fn maxima_are_the_first_of_the_largest() {
        // times the rows of an image it is out of range
        const LONG: usize = 1 << (usize::BITS - 2);
        for (kernel, stride, padding) in [
            (2, 2, 0),
            (2, 2, 1),
            (2, 1, 0),
            (3, 1, 1),
            (3, 2, 1),
            (3, 3, 0),
            (2, 3, 0),
            (4, 3, 2),
            (1, 2, 0),
            (4, 5, 1),
            (1, 40, 0),
            (3, LONG, 1),
            (LONG, 40, LONG / 2),
        ] {
            for size in [[4, 4], [5, 7], [7, 38]] {
                let across = windows(size[1], kernel, stride, padding);
                let moves = Some(Moves { kernel, stride, padding });
                let patches = Patches { size, down: windows(size[0], kernel, stride, padding), across, moves };
                for of_nan in [1, 13] {
                    // few different numbers, so that many are equal; some are NaN
                    let number = |i: usize| match i * 31 % 100 {
                        place if place < of_nan - 1 => f32::NAN,
                        // rows of the smallest number there is
                        place if of_nan == 1 && place < 60 => f32::NEG_INFINITY,
                        _ => (i * 7919 % 5) as f32,
                    };
                    let x: Vec<f32> = (0..2 * patches.pixels()).map(number).collect();
                    let mut y = vec![0.0; 2 * patches.outputs()];
                    let mut places = vec![0; y.len()];
                    max(&patches, &x, &mut y, &mut places);
                    let mut found = y.iter().zip(&places);
                    for plane in x.chunks(patches.pixels()) {
                        for rows in &patches.down {
                            for columns in &patches.across {
                                let places = rows.clone().flat_map(|i| columns.clone().map(move |j| i * size[1] + j));
                                let nan = places.clone().rfind(|&place| plane[place].is_nan());
                                let largest = places.rev().max_by(|&a, &b| plane[a].total_cmp(&plane[b])).unwrap();
                                let expected = nan.unwrap_or(largest);
                                let (y, &place) = found.next().unwrap();
                                assert_eq!(place, expected, "{kernel} {stride} {padding} {size:?}");
                                assert_eq!(y.to_bits(), plane[expected].to_bits());
                            }
                        }
                    }
                }
            }
        }
    }
}
