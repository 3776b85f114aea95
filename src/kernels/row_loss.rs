//! Losses of rows of class scores: cross-entropy, negative log-likelihood, multi-class hinge.

use super::reduce::block_sums;
use super::softmax::exponentials;
use super::{parallel, vectorized};
use crate::numbers::Float;

/// The targets of the rows.
#[derive(Clone, Copy)]
pub enum RowTargets<'a, E> {
    /// The class of each row. All are below the number of classes.
    Indices(&'a [usize]),
    /// The probability of each class in each row.
    Probabilities(&'a [E]),
}

/// The targets of some rows, and how they are changed.
#[derive(Clone, Copy)]
pub struct RowSettings<'a, E> {
    pub targets: RowTargets<'a, E>,
    /// s: t becomes (1 - s) t + s / classes.
    pub smoothing: E,
    /// A weight for each class, or nothing.
    pub weights: &'a [E],
    /// Rows with this class index have a loss and a gradient of 0.
    pub ignored: Option<usize>,
}

/// Replaces each row by the gradient of its loss, and writes the losses: (rows, settings, losses). The
/// number of classes is that of the scores for each loss.
pub type RowLoop<E> = fn(&mut [E], RowSettings<'_, E>, &mut [E]);

/// Below this many scores, threads cost more than they save.
const PARALLEL_ABOVE: usize = parallel::COSTLY;
/// About how many scores one task takes.
const CHUNK: usize = 1 << 14;

/// Runs `part` on groups of rows, split by the sizes alone.
fn groups<E: Float>(scores: &mut [E], settings: RowSettings<'_, E>, losses: &mut [E], part: RowPart<E>) {
    let rows = losses.len();
    if rows == 0 {
        return;
    }
    let classes = scores.len() / rows;
    if classes == 0 {
        // without classes no label has a probability: NaN, but ignored samples still have no loss
        let RowTargets::Indices(indices) = settings.targets else { return losses.fill(E::nan()) };
        let loss = |&index: &usize| if settings.ignored == Some(index) { E::zero() } else { E::nan() };
        return losses.iter_mut().zip(indices).for_each(|(out, index)| *out = loss(index));
    }
    if !parallel::worthwhile(scores.len(), PARALLEL_ABOVE) {
        return part(scores, classes, settings, losses);
    }
    let group = CHUNK.div_ceil(classes);
    parallel::chunks_of_two(scores, losses, [group * classes, group], true, &|i, scores, losses| {
        let rows = i * group..i * group + losses.len();
        let targets = match settings.targets {
            RowTargets::Indices(indices) => RowTargets::Indices(&indices[rows]),
            RowTargets::Probabilities(t) => RowTargets::Probabilities(&t[rows.start * classes..rows.end * classes]),
        };
        part(scores, classes, RowSettings { targets, ..settings }, losses);
    });
}

type RowPart<E> = fn(&mut [E], usize, RowSettings<'_, E>, &mut [E]);

/// loss = log(sum_j e^x_j) sum_j a_j - sum_j a_j x_j with a_j = w_j t_j; gradient = softmax(x) sum_j a_j - a.
pub fn cross_entropy<E: Float>(scores: &mut [E], settings: RowSettings<'_, E>, losses: &mut [E]) {
    groups(scores, settings, losses, likelihood::<E, true>);
}

/// loss = - sum_j a_j x_j with a_j = w_j t_j; gradient = - a.
pub fn negative_log_likelihood<E: Float>(scores: &mut [E], settings: RowSettings<'_, E>, losses: &mut [E]) {
    groups(scores, settings, losses, likelihood::<E, false>);
}

/// Replaces a row by its softmax and returns (m, log(sum_j e^(x_j - m))) with m the largest score, so that differences
/// of large scores stay exact; without `NORMALISE`, replaces it by zeros and returns (0, 0).
#[inline(always)]
fn normalise<E: Float, const NORMALISE: bool>(row: &mut [E]) -> (E, E) {
    if !NORMALISE {
        row.fill(E::zero());
        return (E::zero(), E::zero());
    }
    let (max, sum) = exponentials(row);
    let factor = E::one() / sum;
    row.iter_mut().for_each(|x| *x *= factor);
    (max, sum.ln())
}

fn likelihood<E: Float, const NORMALISE: bool>(
    scores: &mut [E],
    classes: usize,
    settings: RowSettings<'_, E>,
    losses: &mut [E],
) {
    let RowSettings { targets, smoothing, weights, ignored } = settings;
    let rows = scores.chunks_exact_mut(classes).zip(losses);
    match targets {
        RowTargets::Indices(indices) if smoothing == E::zero() => {
            for ((row, loss), &index) in rows.zip(indices) {
                if ignored == Some(index) || weights.get(index) == Some(&E::zero()) {
                    row.fill(E::zero());
                    *loss = E::zero();
                    continue;
                }
                let score = row[index];
                let (max, log_sum) = normalise::<E, NORMALISE>(row);
                *loss = log_sum + (max - score);
                row[index] -= E::one();
                if let Some(&weight) = weights.get(index) {
                    *loss *= weight;
                    row.iter_mut().for_each(|g| *g *= weight);
                }
            }
        }
        RowTargets::Indices(indices) => {
            for ((row, loss), &index) in rows.zip(indices) {
                if ignored == Some(index) {
                    row.fill(E::zero());
                    *loss = E::zero();
                    continue;
                }
                let target = |j| if j == index { E::one() } else { E::zero() };
                *loss = any_targets::<E, NORMALISE>(row, target, smoothing, weights);
            }
        }
        RowTargets::Probabilities(t) => {
            for ((row, loss), t) in rows.zip(t.chunks_exact(classes)) {
                *loss = any_targets::<E, NORMALISE>(row, |j| t[j], smoothing, weights);
            }
        }
    }
}

/// One row with any targets: returns its loss.
#[inline(always)]
fn any_targets<E: Float, const NORMALISE: bool>(
    row: &mut [E],
    target: impl Fn(usize) -> E,
    smoothing: E,
    weights: &[E],
) -> E {
    let (keep, spread) = (E::one() - smoothing, smoothing / E::of(row.len() as f64));
    let amount = |j: usize| {
        let t = keep * target(j) + spread;
        weights.get(j).map_or(t, |&weight| weight * t)
    };
    let shift =
        if NORMALISE { row.iter().fold(E::neg_infinity(), |max, &x| if x > max { x } else { max }) } else { E::zero() };
    let (mut total, mut below) = (0.0, 0.0);
    for (j, &x) in row.iter().enumerate() {
        let a = amount(j);
        total += a.as_f64();
        // a class with target 0 adds no loss, whatever its score: avoids 0 times minus infinity
        below += if a == E::zero() && !x.is_nan() { 0.0 } else { (a * (shift - x)).as_f64() };
    }
    let (total, below) = (E::of(total), E::of(below));
    let (_, log_sum) = normalise::<E, NORMALISE>(row);
    row.iter_mut().enumerate().for_each(|(j, g)| *g = *g * total - amount(j));
    log_sum * total + below
}

/// loss = sum over j != y of max(1 + x_j - x_y, 0); gradient = 1 for each j above the margin, minus their number for y.
pub fn multi_class_hinge<E: Float>(scores: &mut [E], settings: RowSettings<'_, E>, losses: &mut [E]) {
    groups(scores, settings, losses, hinge_rows);
}

vectorized! {
    fn hinge_row [E: Float] [E] (row: &mut [E], index: usize) -> E {
        let threshold = row[index] - E::one();
        // the class itself is below every margin
        row[index] = E::neg_infinity();
        let above = |over: E| if over > E::zero() { E::one() } else { E::zero() };
        let [loss, number] = block_sums(row, row, |x, _| {
            let over = x - threshold;
            // NaN stays NaN
            [if over <= E::zero() { E::zero() } else { over }, above(over)]
        });
        for x in row.iter_mut() {
            *x = above(*x - threshold);
        }
        row[index] = E::of(-number);
        E::of(loss)
    }
}

fn hinge_rows<E: Float>(scores: &mut [E], classes: usize, settings: RowSettings<'_, E>, losses: &mut [E]) {
    let RowTargets::Indices(indices) = settings.targets else {
        unreachable!("the hinge loss takes classes only");
    };
    for ((row, loss), &index) in scores.chunks_exact_mut(classes).zip(losses).zip(indices) {
        *loss = hinge_row(row, index);
    }
}

vectorized! {
    fn scale_rows_part [E: Float] [E] (rows: &mut [E], width: usize, factors: &[E]) {
        for (row, &factor) in rows.chunks_exact_mut(width).zip(factors) {
            row.iter_mut().for_each(|x| *x *= factor);
        }
    }
}

/// Multiplies each row by its own factor.
pub fn scale_rows<E: Float>(rows: &mut [E], factors: &[E]) {
    if factors.is_empty() || rows.is_empty() {
        return;
    }
    let width = rows.len() / factors.len();
    parallel::rows(rows, width, parallel::CHEAP, |first, rows| scale_rows_part(rows, width, &factors[first..]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_close, random};
    use crate::numbers::Generator;
    use rand::RngExt as _;

    /// The loss and gradient of one row, from the formula: a_j = w_j ((1 - s) t_j + s / classes).
    fn naive(x: &[f64], target: &[f64], smoothing: f64, weights: &[f64], normalise: bool) -> (f64, Vec<f64>) {
        let classes = x.len() as f64;
        let weight = |j: usize| weights.get(j).copied().unwrap_or(1.0);
        let a: Vec<f64> =
            (0..x.len()).map(|j| weight(j) * ((1.0 - smoothing) * target[j] + smoothing / classes)).collect();
        let (sum, total) = (x.iter().map(|x| x.exp()).sum::<f64>(), a.iter().sum::<f64>());
        let log = if normalise { sum.ln() } else { 0.0 };
        let loss = a.iter().zip(x).map(|(a, x)| a * (log - x)).sum();
        let softmax = |x: f64| if normalise { x.exp() / sum } else { 0.0 };
        (loss, a.iter().zip(x).map(|(a, &x)| softmax(x) * total - a).collect())
    }

    fn compare<E: Float>(rows: usize, classes: usize, rng: &mut Generator) {
        let scores: Vec<E> = random(rows * classes, rng);
        let x = crate::kernels::testing::wide(&scores);
        let indices: Vec<usize> = (0..rows).map(|_| rng.random_range(0..classes)).collect();
        let one_hot = |row: usize| (0..classes).map(|j| f64::from(u8::from(j == indices[row]))).collect::<Vec<_>>();
        let probabilities: Vec<E> = (0..rows).flat_map(one_hot).map(E::of).collect();
        let weights: Vec<E> = (0..classes).map(|j| E::of(0.5 + j as f64)).collect();
        let both: [RowTargets<'_, E>; 2] = [RowTargets::Indices(&indices), RowTargets::Probabilities(&probabilities)];
        for targets in both {
            for (smoothing, weights) in [(0.0, &[][..]), (0.25, &[]), (0.0, &weights), (0.25, &weights)] {
                for normalise in [true, false] {
                    let (mut gradient, mut losses) = (scores.clone(), vec![E::nan(); rows]);
                    let settings = RowSettings { targets, smoothing: E::of(smoothing), weights, ignored: None };
                    let run: RowLoop<E> = if normalise { cross_entropy } else { negative_log_likelihood };
                    run(&mut gradient, settings, &mut losses);
                    let weights = crate::kernels::testing::wide(weights);
                    let expected: Vec<_> = (0..rows)
                        .map(|i| naive(&x[i * classes..][..classes], &one_hot(i), smoothing, &weights, normalise))
                        .collect();
                    let (each, gradients): (Vec<f64>, Vec<Vec<f64>>) = expected.into_iter().unzip();
                    assert_close(&losses, &each, classes * classes);
                    assert_close(&gradient, &gradients.concat(), classes * classes);
                }
            }
        }
    }

    #[test]
    fn likelihoods_follow_their_formula() {
        let mut rng = Generator::new(0);
        for (rows, classes) in [(1, 1), (3, 2), (5, 10), (2, 17), (2_000, 33)] {
            compare::<f32>(rows, classes, &mut rng);
            compare::<f64>(rows, classes, &mut rng);
        }
    }

    #[test]
    fn rows_that_are_ignored_have_neither_loss_nor_gradient() {
        let mut scores: Vec<f64> = random(6, &mut Generator::new(1));
        let mut losses = vec![f64::NAN; 2];
        let targets = RowTargets::Indices(&[7, 1]);
        let settings = RowSettings { targets, smoothing: 0.1, weights: &[], ignored: Some(7) };
        cross_entropy(&mut scores, settings, &mut losses);
        assert_eq!((&scores[..3], losses[0]), (&[0.0; 3][..], 0.0));
        assert!(losses[1] > 0.0 && scores[4] < 0.0);
    }

    #[test]
    fn the_hinge_counts_what_is_above_the_margin() {
        let mut rng = Generator::new(2);
        for (rows, classes) in [(1, 1), (4, 3), (3, 70)] {
            let scores: Vec<f64> = random(rows * classes, &mut rng);
            let indices: Vec<usize> = (0..rows).map(|_| rng.random_range(0..classes)).collect();
            let (mut gradient, mut losses) = (scores.clone(), vec![f64::NAN; rows]);
            let targets = RowTargets::Indices(&indices);
            let settings = RowSettings { targets, smoothing: 0.0, weights: &[], ignored: None };
            multi_class_hinge(&mut gradient, settings, &mut losses);
            for (row, &y) in indices.iter().enumerate() {
                let x = &scores[row * classes..][..classes];
                let margins = (0..classes).filter(|&j| j != y).map(|j| (1.0 + x[j] - x[y]).max(0.0));
                assert_close(&[losses[row]], &[margins.sum()], classes);
                let above = |j: usize| f64::from(u8::from(j != y && 1.0 + x[j] - x[y] > 0.0));
                let number: f64 = (0..classes).map(above).sum();
                let expected: Vec<f64> = (0..classes).map(|j| if j == y { -number } else { above(j) }).collect();
                assert_close(&gradient[row * classes..][..classes], &expected, 1);
            }
        }
    }

    #[test]
    fn each_row_has_its_own_factor() {
        let mut rows = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        scale_rows(&mut rows, &[2.0, 0.0, -1.0]);
        assert_eq!(rows, [2.0, 4.0, 0.0, 0.0, -5.0, -6.0]);
        scale_rows(&mut rows[..0], &[1.0]);
    }
}
