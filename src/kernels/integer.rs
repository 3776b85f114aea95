//! Checked arithmetic of indices.

use super::mask::Source;
use crate::numbers::Index;

/// An operator of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// Its symbol.
    pub fn symbol(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
        }
    }
}

/// `out = a (operator) b`. The error is the position of the first result out of range.
///
/// One loop that calls the operator through a pointer: labels are few, and their arithmetic never matters for speed.
pub fn arithmetic<E: Index>(
    operator: Operator,
    a: Source<'_, E>,
    b: Source<'_, E>,
    out: &mut [E],
) -> Result<(), usize> {
    let checked: fn(&E, &E) -> Option<E> = match operator {
        Operator::Add => E::checked_add,
        Operator::Subtract => E::checked_sub,
        Operator::Multiply => E::checked_mul,
        Operator::Divide => E::checked_div,
        Operator::Remainder => E::checked_rem,
    };
    for (place, out) in out.iter_mut().enumerate() {
        *out = checked(&a.at(place), &b.at(place)).ok_or(place)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_checked_one_by_one() {
        let (a, b) = ([7_usize, 9, 2], [2, 4, 2]);
        let of = |operator| {
            let mut out = [0; 3];
            arithmetic(operator, Source::Each(&a), Source::Each(&b), &mut out).map(|()| out)
        };
        assert_eq!(of(Operator::Add), Ok([9, 13, 4]));
        assert_eq!(of(Operator::Subtract), Ok([5, 5, 0]));
        assert_eq!(of(Operator::Multiply), Ok([14, 36, 4]));
        assert_eq!(of(Operator::Divide), Ok([3, 2, 1]));
        assert_eq!(of(Operator::Remainder), Ok([1, 1, 0]));
        let mut out = [0; 3];
        assert_eq!(arithmetic(Operator::Subtract, Source::Each(&a), Source::One(5), &mut out), Err(2));
        assert_eq!(arithmetic(Operator::Divide, Source::Each(&a), Source::One(0), &mut out), Err(0));
        assert_eq!(arithmetic(Operator::Multiply, Source::Each(&a), Source::One(usize::MAX), &mut out), Err(0));
    }
}
