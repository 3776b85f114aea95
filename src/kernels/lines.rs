//! Functions of lines: from all elements along an axis to one number, or to as many.
//!
//! A shape is seen as (outer, middle, inner), and a line is the `middle` elements of one outer and one inner index.
//! Where they are not contiguous (inner > 1), a few neighbouring lines are gathered first, reading whole cache lines,
//! so that functions are written only for contiguous lines.

use super::elementwise;
use super::vectorized::wide_pays;
use super::{parallel, vectorized};
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::numbers::math::Math;
use crate::numbers::{Family, Float, PerFloat};

type Blocks = (usize, usize, usize);

/// The number of neighbouring lines gathered at once: a cache line of f32.
const GROUP: usize = 16;
/// About how many elements one task takes.
const TASK: usize = 1 << 14;
/// About how many elements are copied before a function is applied to the copy.
const COPIED: usize = 1 << 10;

/// A function from a line to a number. `p` is a parameter that few have.
pub trait Fold: 'static {
    /// Whether it computes something like an exponential for each element, so that wider instructions pay off.
    const COSTLY: bool = false;
    fn forward<M: Math, E: Float>(line: &[E], p: E) -> E;
    /// Replaces the line x by the gradient of x, from y = forward(x) and its gradient.
    fn backward<M: Math, E: Float>(line: &mut [E], y: E, gradient: E, p: E);
}

/// The loops of one [`Fold`] over contiguous lines, for one element type: pointers, so that the methods, which find the
/// lines and split the work, are compiled once per element type.
pub struct FoldLoops<E: 'static> {
    forward: fn(x: &[E], width: usize, out: &mut [E], p: E),
    backward: fn(lines: &mut [E], width: usize, y: &[E], gradient: &[E], p: E),
}

/// What the backward loop of a [`Fold`] works on.
pub struct FoldBackward<'a, E> {
    pub x: &'a [E],
    pub y: &'a [E],
    pub gradient: &'a [E],
    pub store: Store,
}

/// The loops of one [`Fold`] for both types.
pub type FoldOp = PerFloat<Folds>;
pub struct Folds;
impl Family for Folds {
    type Of<E: Float> = FoldLoops<E>;
}
impl FoldOp {
    pub const fn of<F: Fold>() -> Self {
        PerFloat { f32: FoldLoops::of::<F>(), f64: FoldLoops::of::<F>() }
    }
}

impl<E: Float> FoldLoops<E> {
    const fn of<F: Fold>() -> Self {
        FoldLoops { forward: fold_rows::<F, E>, backward: fold_back_rows::<F, E> }
    }

    /// `out` = the function of each line of `x`.
    pub fn forward(&self, x: &[E], (outer, middle, inner): Blocks, out: &mut [E], p: E) {
        assert_eq!((x.len(), out.len()), (outer * middle * inner, outer * inner));
        let many = parallel::worthwhile(x.len(), parallel::COSTLY);
        if inner == 1 {
            let rows_of_task = TASK.div_ceil(middle.max(1));
            parallel::chunks(out, rows_of_task, many, |i, out| {
                (self.forward)(&x[i * rows_of_task * middle..], middle, out, p);
            });
            return;
        }
        parallel::chunks(out, inner, many, |o, out| {
            let block = &x[o * middle * inner..(o + 1) * middle * inner];
            parallel::chunks(out, GROUP, many, |i, out| {
                let mut lines = Storage::scratch(middle * out.len());
                gather(block, inner, i * GROUP, out.len(), lines.make_mut());
                (self.forward)(lines.as_slice(), middle, out, p);
            });
        });
    }

    /// Puts the gradient of x into `out`, or adds it.
    pub fn backward(
        &self,
        FoldBackward { x, y, gradient, store }: FoldBackward<'_, E>,
        (outer, middle, inner): Blocks,
        out: &mut [E],
        p: E,
    ) {
        assert_eq!((x.len(), y.len(), gradient.len()), (outer * middle * inner, outer * inner, outer * inner));
        if out.is_empty() {
            return;
        }
        let many = parallel::worthwhile(x.len(), parallel::COSTLY);
        if inner == 1 {
            let rows_of_task = TASK.div_ceil(middle);
            parallel::chunks(out, rows_of_task * middle, many, |i, out| {
                let first = i * rows_of_task;
                let x = &x[first * middle..first * middle + out.len()];
                if store.adds() {
                    let mut lines = Storage::from_slice(x);
                    (self.backward)(lines.make_mut(), middle, &y[first..], &gradient[first..], p);
                    elementwise::add_assign(out, lines.as_slice());
                } else {
                    out.copy_from_slice(x);
                    (self.backward)(out, middle, &y[first..], &gradient[first..], p);
                }
            });
            return;
        }
        parallel::chunks(out, middle * inner, many, |o, out| {
            let block = &x[o * middle * inner..(o + 1) * middle * inner];
            let mut buffer = Storage::scratch(middle * GROUP);
            for start in (0..inner).step_by(GROUP) {
                let count = GROUP.min(inner - start);
                let lines = &mut buffer.make_mut()[..middle * count];
                gather(block, inner, start, count, lines);
                (self.backward)(lines, middle, &y[o * inner + start..], &gradient[o * inner + start..], p);
                scatter(lines, out, inner, start, count, store);
            }
        });
    }
}

/// A function from a line to a line.
pub trait Map: 'static {
    /// As [`Fold::COSTLY`].
    const COSTLY: bool = true;
    /// In place.
    fn forward<M: Math, E: Float>(line: &mut [E]);
    /// Turns the gradient of y into that of x; `y` is the result.
    fn backward<M: Math, E: Float>(gradient: &mut [E], y: &[E]);
}

/// The loops of one [`Map`] over contiguous lines, for one element type; pointers, as in [`FoldLoops`].
pub struct MapLoops<E: 'static> {
    forward: fn(lines: &mut [E], width: usize),
    backward: fn(gradient: &mut [E], y: &[E], width: usize),
}

/// The loops of one [`Map`] for both types.
pub type MapOp = PerFloat<Maps>;
pub struct Maps;
impl Family for Maps {
    type Of<E: Float> = MapLoops<E>;
}
impl MapOp {
    pub const fn of<P: Map>() -> Self {
        PerFloat { f32: MapLoops::of::<P>(), f64: MapLoops::of::<P>() }
    }
}

impl<E: Float> MapLoops<E> {
    const fn of<P: Map>() -> Self {
        MapLoops { forward: map_rows::<P, E>, backward: map_back_rows::<P, E> }
    }

    /// Of the lines of `x`; without `x`, in place.
    pub fn forward(&self, x: Option<&[E]>, values: &mut [E], (outer, middle, inner): Blocks) {
        assert_eq!(values.len(), outer * middle * inner);
        if values.is_empty() {
            return;
        }
        let many = parallel::worthwhile(values.len(), parallel::COSTLY);
        if inner == 1 {
            let task = TASK.div_ceil(middle) * middle;
            // so few lines that they stay in the first-level cache
            let few = COPIED.div_ceil(middle) * middle;
            parallel::chunks(values, task, many, |i, lines| match x {
                None => (self.forward)(lines, middle),
                Some(x) => {
                    for (lines, x) in lines.chunks_mut(few).zip(x[i * task..].chunks(few)) {
                        lines.copy_from_slice(&x[..lines.len()]);
                        (self.forward)(lines, middle);
                    }
                }
            });
            return;
        }
        parallel::chunks(values, middle * inner, many, |i, block| {
            let mut buffer = Storage::scratch(middle * GROUP);
            for start in (0..inner).step_by(GROUP) {
                let count = GROUP.min(inner - start);
                let lines = &mut buffer.make_mut()[..middle * count];
                gather(x.map_or(&*block, |x| &x[i * block.len()..][..block.len()]), inner, start, count, lines);
                (self.forward)(lines, middle);
                scatter(lines, block, inner, start, count, Store::Overwrite);
            }
        });
    }

    /// Turns the gradient of y into that of x, in place.
    pub fn backward(&self, gradient: &mut [E], y: &[E], (outer, middle, inner): Blocks) {
        assert_eq!((gradient.len(), y.len()), (outer * middle * inner, outer * middle * inner));
        if gradient.is_empty() {
            return;
        }
        let many = parallel::worthwhile(y.len(), parallel::COSTLY);
        if inner == 1 {
            let task = TASK.div_ceil(middle) * middle;
            parallel::chunks(gradient, task, many, |i, gradient| {
                (self.backward)(gradient, &y[i * task..i * task + gradient.len()], middle);
            });
            return;
        }
        parallel::chunks(gradient, middle * inner, many, |o, gradient| {
            let y = &y[o * middle * inner..(o + 1) * middle * inner];
            let mut buffer = Storage::scratch(2 * middle * GROUP);
            for start in (0..inner).step_by(GROUP) {
                let count = GROUP.min(inner - start);
                let (lines, ys) = buffer.make_mut()[..2 * middle * count].split_at_mut(middle * count);
                gather(gradient, inner, start, count, lines);
                gather(y, inner, start, count, ys);
                (self.backward)(lines, ys, middle);
                scatter(lines, gradient, inner, start, count, Store::Overwrite);
            }
        });
    }
}

/// Copies `count` columns of `block`, `inner` wide, from column `start` on: each becomes a line of `lines`.
fn gather<E: Copy>(block: &[E], inner: usize, start: usize, count: usize, lines: &mut [E]) {
    let middle = lines.len() / count;
    for (i, row) in block.chunks_exact(inner).enumerate() {
        for (column, &x) in row[start..start + count].iter().enumerate() {
            lines[column * middle + i] = x;
        }
    }
}

/// The inverse of [`gather`].
fn scatter<E: Float>(lines: &[E], block: &mut [E], inner: usize, start: usize, count: usize, store: Store) {
    let middle = lines.len() / count;
    for (i, row) in block.chunks_exact_mut(inner).enumerate() {
        for (column, x) in row[start..start + count].iter_mut().enumerate() {
            let value = lines[column * middle + i];
            *x = store.result(*x, value);
        }
    }
}

vectorized! {
    wide(wide_pays::<E>(F::COSTLY))
    fn fold_rows [F: Fold, E: Float] [F, E] (x: &[E], width: usize, out: &mut [E], p: E) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = F::forward::<M, E>(&x[i * width..(i + 1) * width], p);
        }
    }
}

vectorized! {
    wide(wide_pays::<E>(F::COSTLY))
    fn fold_back_rows [F: Fold, E: Float] [F, E] (lines: &mut [E], width: usize, y: &[E], gradient: &[E], p: E) {
        for ((line, &y), &gradient) in lines.chunks_exact_mut(width).zip(y).zip(gradient) {
            F::backward::<M, E>(line, y, gradient, p);
        }
    }
}

vectorized! {
    wide(wide_pays::<E>(P::COSTLY)) fn map_rows [P: Map, E: Float] [P, E] (lines: &mut [E], width: usize) {
        for line in lines.chunks_exact_mut(width) {
            P::forward::<M, E>(line);
        }
    }
}

vectorized! {
    wide(wide_pays::<E>(P::COSTLY))
    fn map_back_rows [P: Map, E: Float] [P, E] (gradient: &mut [E], y: &[E], width: usize) {
        for (g, y) in gradient.chunks_exact_mut(width).zip(y.chunks_exact(width)) {
            P::backward::<M, E>(g, y);
        }
    }
}

/// Folds a line in several independent accumulators, which the processor works on at once. `start` must be neutral.
#[inline(always)]
pub fn fold_lanes<E: Float>(line: &[E], start: E, step: impl Fn(E, E) -> E, join: impl Fn(E, E) -> E) -> E {
    const LANES: usize = 32;
    // the remainder of a line is processed a register at a time: `step` may be an exponential
    const FEW: usize = 8;
    let chunks = line.chunks_exact(LANES);
    let few = chunks.remainder().chunks_exact(FEW);
    let mut tail = start;
    for &x in few.remainder() {
        tail = step(tail, x);
    }
    if line.len() < FEW {
        return tail;
    }
    let mut lanes = [start; LANES];
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = step(*lane, x);
        }
    }
    for (i, few) in few.enumerate() {
        for (lane, &x) in lanes[FEW * i..].iter_mut().zip(few) {
            *lane = step(*lane, x);
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = join(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    join(tail, lanes[0])
}

/// The sum of f over a line: short sums in the type of the line, their total in f64.
#[inline(always)]
pub fn sum_of<E: Float>(line: &[E], f: impl Fn(E) -> E) -> E {
    const BLOCK: usize = 1 << 11;
    let mut sum = 0.0;
    for block in line.chunks(BLOCK) {
        sum += fold_lanes(block, E::zero(), |sum, x| sum + f(x), |a, b| a + b).as_f64();
    }
    E::of(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::instructions::tests::{available, with};
    use crate::kernels::testing::{assert_close, random};
    use crate::numbers::Generator;

    /// sum x^2 + p
    struct Squares;
    impl Fold for Squares {
        fn forward<M: Math, E: Float>(line: &[E], p: E) -> E {
            sum_of(line, |x| x * x) + p
        }
        fn backward<M: Math, E: Float>(line: &mut [E], y: E, gradient: E, p: E) {
            // y - p is 0 of a line of zeros only: y and p belong to this line
            line.iter_mut().for_each(|x| *x = (*x + *x) * gradient + (y - p));
        }
    }

    /// The sums so far.
    struct Sums;
    impl Map for Sums {
        fn forward<M: Math, E: Float>(line: &mut [E]) {
            (1..line.len()).for_each(|i| line[i] += line[i - 1]);
        }
        fn backward<M: Math, E: Float>(gradient: &mut [E], y: &[E]) {
            gradient.iter_mut().zip(y).for_each(|(gradient, &y)| *gradient *= y);
        }
    }

    /// Lines next to each other, apart, more than one task takes, and of nothing.
    const SIZES: [Blocks; 8] =
        [(3, 5, 1), (2, 7, 3), (1, 9, 40), (3, 1, 17), (700, 70, 1), (5, 300, 33), (2, 3, 0), (0, 3, 2)];

    /// Where element `middle` of the line (outer, inner) is.
    fn places((outer, middle, inner): Blocks) -> Vec<Vec<usize>> {
        let line = move |o: usize, i: usize| (0..middle).map(|m| (o * middle + m) * inner + i).collect();
        (0..outer).flat_map(move |o| (0..inner).map(move |i| line(o, i))).collect()
    }

    fn folds<E: Float>() {
        let (op, rng, p) = (FoldLoops::<E>::of::<Squares>(), &mut Generator::new(1), E::of(0.5));
        for blocks in SIZES {
            let lines = places(blocks);
            let count = blocks.0 * blocks.1 * blocks.2;
            let (x, before): (Vec<E>, Vec<E>) = (random(count, rng), random(count, rng));
            let gradient: Vec<E> = random(lines.len(), rng);
            let at = |place: usize| x[place].as_f64();
            let squares = |line: &Vec<usize>| line.iter().map(|&place| at(place).powi(2)).sum::<f64>();
            let expected: Vec<f64> = lines.iter().map(|line| squares(line) + 0.5).collect();
            for instructions in available() {
                let mut y = vec![E::nan(); lines.len()];
                with(instructions, || op.forward(&x, blocks, &mut y, p));
                assert_close(&y, &expected, blocks.1);
                for store in [Store::Overwrite, Store::Add] {
                    let mut expected: Vec<f64> =
                        before.iter().map(|x| if store.adds() { x.as_f64() } else { 0.0 }).collect();
                    for (line, gradient) in lines.iter().zip(&gradient) {
                        let sum = squares(line);
                        line.iter().for_each(|&place| expected[place] += 2.0 * at(place) * gradient.as_f64() + sum);
                    }
                    let mut out = before.clone();
                    let input = FoldBackward { x: &x, y: &y, gradient: &gradient, store };
                    with(instructions, || op.backward(input, blocks, &mut out, p));
                    assert_close(&out, &expected, blocks.1);
                }
            }
        }
    }

    #[test]
    fn folds_are_those_of_each_line() {
        folds::<f32>();
        folds::<f64>();
    }

    fn maps<E: Float>() {
        let (op, rng) = (MapLoops::<E>::of::<Sums>(), &mut Generator::new(2));
        for blocks in SIZES {
            let lines = places(blocks);
            let count = blocks.0 * blocks.1 * blocks.2;
            let (x, g): (Vec<E>, Vec<E>) = (random(count, rng), random(count, rng));
            let mut expected = vec![0.0; count];
            for line in &lines {
                line.iter().fold(0.0, |sum, &place| {
                    expected[place] = sum + x[place].as_f64();
                    expected[place]
                });
            }
            for instructions in available() {
                let (mut y, mut in_place) = (vec![E::nan(); count], x.clone());
                with(instructions, || {
                    op.forward(Some(&x), &mut y, blocks);
                    op.forward(None, &mut in_place, blocks);
                });
                assert_close(&y, &expected, blocks.1);
                assert!(y == in_place);
                let mut gradient = g.clone();
                with(instructions, || op.backward(&mut gradient, &y, blocks));
                let product: Vec<f64> = g.iter().zip(&y).map(|(g, y)| g.as_f64() * y.as_f64()).collect();
                assert_close(&gradient, &product, 8);
            }
        }
    }

    #[test]
    fn maps_are_those_of_each_line() {
        maps::<f32>();
        maps::<f64>();
    }
}
