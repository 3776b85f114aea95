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
