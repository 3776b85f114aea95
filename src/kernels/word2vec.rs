//! One step of word2vec: a few input vectors against a few output vectors.
//!
//! With the inputs X (m x d), the outputs W (k x d) and their labels y (1 for the output that belongs to the inputs, 0
//! for the others), the loss is the sum over all pairs of -ln sigmoid(x w) where y = 1 and of -ln sigmoid(-x w)
//! where y = 0. Its gradient is one small matrix, and the updates of the vectors are two small products:
//!
//! - G = rate (y - sigmoid(X W^T)), (m x k)
//! - dX = G W, dW = G^T X
//!
//! Because all inputs share the outputs, dot products become matrix products: Ji, Satish, Li and Dubey, "Parallelizing
//! Word2Vec in Shared and Distributed Memory", 2016.

use super::reduce::total;
use super::vectorized;
use crate::numbers::math::Math;

/// How many numbers are computed together: a vector register.
pub const LANES: usize = 8;

/// A register's numbers. A vector is a row of these, padded with zeros.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
#[repr(C, align(32))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// `self += x y`
    #[inline(always)]
    fn add_product(&mut self, x: &Lanes, y: &Lanes) {
        for ((sum, x), y) in self.0.iter_mut().zip(&x.0).zip(&y.0) {
            *sum += x * y;
        }
    }

    /// `self += weight x`
    #[inline(always)]
    fn add_weighted(&mut self, weight: f32, x: &Lanes) {
        for (sum, x) in self.0.iter_mut().zip(&x.0) {
            *sum += weight * x;
        }
    }
}

/// Rows that are picked from a table.
#[derive(Clone, Copy)]
pub struct Picked<'a> {
    pub table: &'a [Lanes],
    pub rows: &'a [u32],
    /// Of a row, in registers.
    pub width: usize,
}

impl<'a> Picked<'a> {
    #[inline(always)]
    fn row(&self, i: usize) -> &'a [Lanes] {
        &self.table[self.rows[i] as usize * self.width..][..self.width]
    }
}

/// The results of a step.
#[derive(Default)]
pub struct Movement {
    /// G in row-major order, padded with zeros to a whole number of groups.
    weights: Vec<f32>,
    /// The update of each input.
    pub inputs: Vec<Lanes>,
    /// The update of each output.
    pub outputs: Vec<Lanes>,
}

/// The probabilities of this many pairs are multiplied before the logarithm of their product is taken: even of the
/// least probabilities, [`LEAST`], `GROUP / LANES` do not underflow.
const GROUP: usize = 5 * LANES;
const LEAST: f32 = 1e-7;

/// Computes the updates of all inputs and outputs, and returns the loss before them.
pub fn step(inputs: Picked<'_>, outputs: Picked<'_>, labels: &[f32], rate: f32, movement: &mut Movement) -> f32 {
    assert!(inputs.width == outputs.width && outputs.rows.len() == labels.len());
    let pairs = inputs.rows.len() * outputs.rows.len();
    movement.weights.clear();
    movement.weights.resize(pairs.next_multiple_of(GROUP), 0.0);
    movement.inputs.resize(inputs.rows.len() * inputs.width, Lanes::default());
    movement.outputs.resize(outputs.rows.len() * outputs.width, Lanes::default());
    step_in_place(inputs, outputs, labels, rate, movement)
}

vectorized! {
    fn step_in_place [] [] (
        inputs: Picked<'_>,
        outputs: Picked<'_>,
        labels: &[f32],
        rate: f32,
        movement: &mut Movement,
    ) -> f32 {
        let (m, k, width) = (inputs.rows.len(), outputs.rows.len(), inputs.width);
        let weights = &mut movement.weights;
        let mut i = 0;
        while i + 3 <= m {
            products::<3>(inputs, outputs, i, weights);
            i += 3;
        }
        match m - i {
            2 => products::<2>(inputs, outputs, i, weights),
            1 => products::<1>(inputs, outputs, i, weights),
            _ => {}
        }
        let loss = errors::<M>(weights, m * k, labels, rate);
        for i in 0..m {
            let row = &mut movement.inputs[i * width..][..width];
            combine(row, k, |j| weights[i * k + j], |j| outputs.row(j));
        }
        for j in 0..k {
            let row = &mut movement.outputs[j * width..][..width];
            combine(row, m, |i| weights[i * k + j], |i| inputs.row(i));
        }
        loss
    }
}

/// The rows `first .. first + A` of X W^T.
#[inline(always)]
fn products<const A: usize>(inputs: Picked<'_>, outputs: Picked<'_>, first: usize, weights: &mut [f32]) {
    let k = outputs.rows.len();
    let mut j = 0;
    while j + 3 <= k {
        tile::<A, 3>(inputs, outputs, first, j, weights);
        j += 3;
    }
    match k - j {
        2 => tile::<A, 2>(inputs, outputs, first, j, weights),
        1 => tile::<A, 1>(inputs, outputs, first, j, weights),
        _ => {}
    }
}

/// `A` rows and `B` columns of X W^T, from (i, j) on: each number that is read is used several times.
#[inline(always)]
fn tile<const A: usize, const B: usize>(
    inputs: Picked<'_>,
    outputs: Picked<'_>,
    i: usize,
    j: usize,
    weights: &mut [f32],
) {
    let (k, width) = (outputs.rows.len(), inputs.width);
    let x: [&[Lanes]; A] = std::array::from_fn(|a| &inputs.row(i + a)[..width]);
    let w: [&[Lanes]; B] = std::array::from_fn(|b| &outputs.row(j + b)[..width]);
    let mut sums = [[Lanes::default(); B]; A];
    for place in 0..width {
        let w: [Lanes; B] = std::array::from_fn(|b| w[b][place]);
        for a in 0..A {
            let x = x[a][place];
            for b in 0..B {
                sums[a][b].add_product(&x, &w[b]);
            }
        }
    }
    for a in 0..A {
        for b in 0..B {
            weights[(i + a) * k + j + b] = total(sums[a][b].0);
        }
    }
}

/// Turns X W^T, of this many pairs, into G, and returns the loss.
#[inline(always)]
fn errors<M: Math>(weights: &mut [f32], pairs: usize, labels: &[f32], rate: f32) -> f32 {
    let mut loss = 0.0;
    let mut label = 0;
    for (group, weights) in weights.chunks_exact_mut(GROUP).enumerate() {
        let used = GROUP.min(pairs - group * GROUP);
        // padding of the group has no error, and so no loss
        let mut wanted = [1.0; GROUP];
        for wanted in &mut wanted[..used] {
            *wanted = labels[label];
            label = if label + 1 == labels.len() { 0 } else { label + 1 };
        }
        for unused in &mut weights[used..] {
            *unused = f32::INFINITY;
        }
        let mut likelihood = [1.0_f32; LANES];
        for (weights, wanted) in weights.as_chunks_mut::<LANES>().0.iter_mut().zip(wanted.as_chunks::<LANES>().0) {
            for lane in 0..LANES {
                let error = wanted[lane] - M::logistic(weights[lane]);
                let probability = 1.0 - error.abs();
                likelihood[lane] *= if probability < LEAST { LEAST } else { probability };
                weights[lane] = rate * error;
            }
        }
        for lane in &mut likelihood {
            *lane = M::ln(*lane);
        }
        loss -= total(likelihood);
    }
    loss
}

/// `out` = the sum of this many rows, each times its weight.
#[inline(always)]
fn combine<'a>(out: &mut [Lanes], count: usize, weight: impl Fn(usize) -> f32, row: impl Fn(usize) -> &'a [Lanes]) {
    let (blocks, rest) = out.as_chunks_mut::<4>();
    let rest_at = 4 * blocks.len();
    for (block, out) in blocks.iter_mut().enumerate() {
        *out = combine_part(4 * block, count, &weight, &row);
    }
    for (place, out) in rest.iter_mut().enumerate() {
        [*out] = combine_part(rest_at + place, count, &weight, &row);
    }
}

/// A few registers of the sum, from one place on.
#[inline(always)]
fn combine_part<'a, const N: usize>(
    at: usize,
    count: usize,
    weight: &impl Fn(usize) -> f32,
    row: &impl Fn(usize) -> &'a [Lanes],
) -> [Lanes; N] {
    let mut sums = [Lanes::default(); N];
    for i in 0..count {
        let g = weight(i);
        let row: &[Lanes; N] = row(i)[at..].first_chunk().expect("as wide as the sum");
        for n in 0..N {
            sums[n].add_weighted(g, &row[n]);
        }
    }
    sums
}

vectorized! {
    /// `out` = the mean of the rows.
    pub fn mean [] [] (rows: Picked<'_>, out: &mut [Lanes]) {
        let part = 1.0 / rows.rows.len() as f32;
        combine(out, rows.rows.len(), |_| part, |i| rows.row(i));
    }
}

vectorized! {
    /// `table[row] += movement` for each of the rows; the updates are reused cyclically if there are fewer than rows.
    pub fn add_rows [] [] (table: &mut [Lanes], rows: &[u32], width: usize, movements: &[Lanes]) {
        let mut at = 0;
        for &row in rows {
            let row = &mut table[row as usize * width..][..width];
            for (row, movement) in row.iter_mut().zip(&movements[at..][..width]) {
                row.add_weighted(1.0, movement);
            }
            at = if at + width == movements.len() { 0 } else { at + width };
        }
    }
}

vectorized! {
    /// `out += weight more`
    pub fn add_weighted [] [] (out: &mut [Lanes], weight: f32, more: &[Lanes]) {
        for (out, more) in out.iter_mut().zip(more) {
            out.add_weighted(weight, more);
        }
    }
}

vectorized! {
    /// `out -= less`
    pub fn subtract [] [] (out: &mut [Lanes], less: &[Lanes]) {
        for (out, less) in out.iter_mut().zip(less) {
            out.add_weighted(-1.0, less);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::Generator;
    use rand::RngExt;

    /// The sum over all pairs of -ln sigmoid(x w) or -ln sigmoid(-x w), for vectors of `length` numbers one after
    /// another.
    fn loss(x: &[f64], w: &[f64], labels: &[f32], length: usize) -> f64 {
        let mut sum = 0.0;
        for x in x.chunks_exact(length) {
            for (w, &label) in w.chunks_exact(length).zip(labels) {
                let product: f64 = x.iter().zip(w).map(|(x, w)| x * w).sum();
                let margin = if label == 1.0 { product } else { -product };
                sum += (-margin).exp().ln_1p();
            }
        }
        sum
    }

    fn numbers(lanes: &[Lanes]) -> Vec<f64> {
        lanes.iter().flat_map(|lanes| lanes.0).map(f64::from).collect()
    }

    fn picked(table: &[Lanes], rows: &[u32], width: usize) -> Vec<f64> {
        rows.iter().flat_map(|&row| numbers(&table[row as usize * width..][..width])).collect()
    }

    #[test]
    fn vectors_move_against_the_gradient_of_the_loss() {
        let mut rng = Generator::new(0);
        for case in 0..40 {
            // 1 to 10 inputs, 1 to 20 outputs: all remainders of the tiles and groups
            let (m, k, width) = (case % 10 + 1, case * 7 % 20 + 1, case % 3 + 1);
            let rows = 12;
            let mut table = || -> Vec<Lanes> {
                (0..rows * width).map(|_| Lanes(std::array::from_fn(|_| rng.random_range(-0.7..0.7)))).collect()
            };
            let (x, w) = (table(), table());
            let mut pick = |count: usize| (0..count).map(|_| rng.random_range(0..rows as u32)).collect::<Vec<_>>();
            let (x_rows, w_rows) = (pick(m), pick(k));
            let labels: Vec<f32> = (0..k).map(|j| if j % 3 == 0 { 1.0 } else { 0.0 }).collect();
            let rate = 0.25;
            let mut movement = Movement::default();
            let inputs = Picked { table: &x, rows: &x_rows, width };
            let outputs = Picked { table: &w, rows: &w_rows, width };
            let found = step(inputs, outputs, &labels, rate, &mut movement);

            let (mut x, mut w) = (picked(&x, &x_rows, width), picked(&w, &w_rows, width));
            let length = width * LANES;
            let expected = loss(&x, &w, &labels, length);
            assert!((f64::from(found) - expected).abs() < 1e-5 * expected, "{found} for {expected}, case {case}");
            let (moved_x, moved_w) = (numbers(&movement.inputs), numbers(&movement.outputs));
            assert_eq!((moved_x.len(), moved_w.len()), (x.len(), w.len()));
            let h = 1e-5;
            for (moved, of_x) in [(moved_x, true), (moved_w, false)] {
                for (i, moved) in moved.iter().enumerate() {
                    let mut change = |by: f64| {
                        (if of_x { &mut x } else { &mut w })[i] += by;
                        loss(&x, &w, &labels, length)
                    };
                    let slope = (change(h) - change(-2.0 * h)) / (2.0 * h);
                    change(h);
                    let wanted = -f64::from(rate) * slope;
                    assert!((moved - wanted).abs() < 1e-5 * (1.0 + wanted.abs()), "{moved} for {wanted}, case {case}");
                }
            }
        }
    }

    #[test]
    fn products_beyond_all_bounds_give_finite_movements() {
        let x = [Lanes([3e18; LANES])];
        for sign in [1.0, -1.0] {
            let w = [Lanes([sign * 1e19; LANES])];
            for label in [0.0, 1.0] {
                let mut movement = Movement::default();
                let (inputs, outputs) =
                    (Picked { table: &x, rows: &[0], width: 1 }, Picked { table: &w, rows: &[0], width: 1 });
                let loss = step(inputs, outputs, &[label], 0.1, &mut movement);
                assert!(loss.is_finite() && movement.inputs[0].0.iter().all(|x| x.is_finite()), "{sign} {label}");
            }
        }
    }

    #[test]
    fn rows_are_averaged_and_moved() {
        let table: Vec<Lanes> = (0..6).map(|i| Lanes(std::array::from_fn(|lane| (i * LANES + lane) as f32))).collect();
        let mut out = [Lanes::default(); 2];
        mean(Picked { table: &table, rows: &[2, 0, 2], width: 2 }, &mut out);
        for (i, x) in numbers(&out).iter().enumerate() {
            assert!((x - (i as f64 + 64.0 / 3.0)).abs() < 1e-5);
        }
        let mut moved = table.clone();
        add_rows(&mut moved, &[1, 1, 0], 2, &[Lanes([1.0; LANES]), Lanes([2.0; LANES])]);
        let by: Vec<f64> = numbers(&moved).iter().zip(numbers(&table)).map(|(after, before)| after - before).collect();
        assert_eq!((by[0], by[8], by[16], by[24], by[32]), (1.0, 2.0, 2.0, 4.0, 0.0));
        add_weighted(&mut moved, 0.5, &[Lanes([2.0; LANES])]);
        subtract(&mut moved, &table);
        assert_eq!(moved[..2], [Lanes([2.0; LANES]), Lanes([2.0; LANES])]);
    }
}
