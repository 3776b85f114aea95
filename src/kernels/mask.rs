//! Loops over masks: comparisons, selection, and Boolean logic.

use super::{parallel, vectorized};
use crate::numbers::{Family, Float, PerFloat};

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// An operand: an array, or one number for all positions.
#[derive(Clone, Copy)]
pub enum Source<'a, E> {
    Each(&'a [E]),
    One(E),
}

impl<E: Copy> Source<'_, E> {
    /// The number at a place.
    pub fn at(&self, place: usize) -> E {
        match self {
            Source::Each(values) => values[place],
            Source::One(value) => *value,
        }
    }

    fn part(&self, start: usize, len: usize) -> Source<'_, E> {
        match self {
            Source::Each(values) => Source::Each(&values[start..start + len]),
            Source::One(value) => Source::One(*value),
        }
    }
}

/// `out = a (comparison) b`.
pub fn compare<E: PartialOrd + Copy + Send + Sync>(
    comparison: Comparison,
    a: &[E],
    b: Source<'_, E>,
    out: &mut [bool],
) {
    fn each<E: Copy>(a: &[E], b: Source<'_, E>, out: &mut [bool], holds: impl Fn(&E, &E) -> bool) {
        match b {
            Source::Each(b) => out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = holds(a, b)),
            Source::One(b) => out.iter_mut().zip(a).for_each(|(out, a)| *out = holds(a, &b)),
        }
    }
    parallel::parts(out, parallel::CHEAP, |start, out| {
        let (a, b) = (&a[start..start + out.len()], b.part(start, out.len()));
        match comparison {
            Comparison::Equal => each(a, b, out, E::eq),
            Comparison::NotEqual => each(a, b, out, E::ne),
            Comparison::Less => each(a, b, out, E::lt),
            Comparison::LessEqual => each(a, b, out, E::le),
            Comparison::Greater => each(a, b, out, E::gt),
            Comparison::GreaterEqual => each(a, b, out, E::ge),
        }
    });
}

vectorized! {
    fn select_part [E: Copy] [E] (mask: &[bool], a: Source<'_, E>, b: Source<'_, E>, out: &mut [E]) {
        let out = out.iter_mut().zip(mask);
        match (a, b) {
            (Source::Each(a), Source::Each(b)) => {
                out.zip(a).zip(b).for_each(|(((out, &mask), &a), &b)| *out = if mask { a } else { b });
            }
            (Source::Each(a), Source::One(b)) => {
                out.zip(a).for_each(|((out, &mask), &a)| *out = if mask { a } else { b });
            }
            (Source::One(a), Source::Each(b)) => {
                out.zip(b).for_each(|((out, &mask), &b)| *out = if mask { a } else { b });
            }
            (Source::One(a), Source::One(b)) => out.for_each(|(out, &mask)| *out = if mask { a } else { b }),
        }
    }
}

struct Select;
impl Family for Select {
    type Of<E: Float> = fn(&[bool], Source<'_, E>, Source<'_, E>, &mut [E]);
}

/// `out = if mask { a } else { b }`.
pub fn select<E: Float>(mask: &[bool], a: Source<'_, E>, b: Source<'_, E>, out: &mut [E]) {
    static SELECT: PerFloat<Select> = PerFloat { f32: select_all, f64: select_all };
    E::pick(&SELECT)(mask, a, b, out);
}

fn select_all<E: Float>(mask: &[bool], a: Source<'_, E>, b: Source<'_, E>, out: &mut [E]) {
    parallel::parts(out, parallel::CHEAP, |start, out| {
        let len = out.len();
        select_part(&mask[start..start + len], a.part(start, len), b.part(start, len), out);
    });
}

/// How two truth values are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    And,
    Or,
    ExclusiveOr,
}

/// `a = a (logic) b`.
pub fn combine(logic: Logic, a: &mut [bool], b: &[bool]) {
    let pairs = a.iter_mut().zip(b);
    match logic {
        Logic::And => pairs.for_each(|(a, b)| *a &= b),
        Logic::Or => pairs.for_each(|(a, b)| *a |= b),
        Logic::ExclusiveOr => pairs.for_each(|(a, b)| *a ^= b),
    }
}

/// `a = not a`.
pub fn invert(a: &mut [bool]) {
    a.iter_mut().for_each(|a| *a = !*a);
}

/// The number of true values.
pub fn count_true(values: &[bool]) -> usize {
    values.iter().filter(|&&value| value).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long enough for several threads.
    const LONG: usize = 3 * parallel::CHEAP / 2;

    #[test]
    fn long_arrays_are_compared_and_chosen_from_like_short_ones() {
        let a: Vec<f32> = (0..LONG).map(|i| (i % 7) as f32).collect();
        let b: Vec<f32> = (0..LONG).map(|i| (i % 5) as f32).collect();
        let mut mask = vec![false; LONG];
        compare(Comparison::Greater, &a, Source::Each(&b), &mut mask);
        assert!((0..LONG).all(|i| mask[i] == (a[i] > b[i])));
        let mut out = vec![0.0; LONG];
        select(&mask, Source::Each(&a), Source::Each(&b), &mut out);
        assert!((0..LONG).all(|i| out[i] == a[i].max(b[i])));
        select(&mask, Source::One(9.0), Source::Each(&b), &mut out);
        assert!((0..LONG).all(|i| out[i] == if mask[i] { 9.0 } else { b[i] }));
        compare(Comparison::LessEqual, &a, Source::One(3.0), &mut mask);
        assert!((0..LONG).all(|i| mask[i] == (a[i] <= 3.0)));
        assert_eq!(count_true(&mask), (0..LONG).filter(|i| i % 7 <= 3).count());
    }
}
