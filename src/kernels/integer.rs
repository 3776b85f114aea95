//! Arithmetic of indices, in which every result is checked.

use super::mask::Source;

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
    /// How it is written.
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

/// `out = a (operator) b`. The error is the place of the first result that is no `usize`.
///
/// One loop that calls the operator through a pointer: there are few labels, and never the time that they take.
pub fn arithmetic(
    operator: Operator,
    a: Source<'_, usize>,
    b: Source<'_, usize>,
    out: &mut [usize],
) -> Result<(), usize> {
    let checked: fn(usize, usize) -> Option<usize> = match operator {
        Operator::Add => usize::checked_add,
        Operator::Subtract => usize::checked_sub,
        Operator::Multiply => usize::checked_mul,
        Operator::Divide => usize::checked_div,
        Operator::Remainder => usize::checked_rem,
    };
    for (place, out) in out.iter_mut().enumerate() {
        *out = checked(a.at(place), b.at(place)).ok_or(place)?;
    }
    Ok(())
}
