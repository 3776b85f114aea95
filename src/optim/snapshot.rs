//! The state of optimizers and schedules as plain named numbers, to be saved and restored exactly.

use crate::numbers::{AnyFloat, Family, Float, for_float};
use std::fmt;

/// The state of an [`Optimizer`](super::Optimizer), a [`Scheduler`](super::Scheduler) or a [`Plateau`](super::Plateau),
/// by name. A file that keeps every bit of it (values may be NaN and infinite) lets training continue as if it had
/// never stopped.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a snapshot is lost unless it is saved or put back"]
pub struct Snapshot {
    /// Single numbers under unique names: `learning_rate`, `step`, `steps.0.weight`. Counts are whole
    /// numbers, exact up to 2^53.
    pub numbers: Vec<(String, f64)>,
    /// Arrays as long as the parameter they belong to, under unique names that end in the parameter's path:
    /// `velocity.0.weight`.
    pub arrays: Vec<(String, SnapshotArray)>,
}

/// One array of a [`Snapshot`], of the parameter's element type.
pub type SnapshotArray = AnyFloat<Vectors>;

/// The [`Family`] of vectors.
pub struct Vectors;
impl Family for Vectors {
    type Of<E: Float> = Vec<E>;
}

impl SnapshotArray {
    pub(super) fn describe(&self) -> String {
        fn describe<E: Float>(values: &[E]) -> String {
            format!("{} numbers of type {}", values.len(), E::NAME)
        }
        for_float!(self, values => describe(values))
    }
}

impl Snapshot {
    /// The number of this name.
    pub(crate) fn number(&self, name: &str) -> Result<f64, SnapshotMismatch> {
        let found = self.numbers.iter().find(|(found, _)| found == name);
        let missing = || SnapshotMismatch::new(format!("the snapshot has no number `{name}`"));
        found.map(|&(_, value)| value).ok_or_else(missing)
    }

    /// The count of this name.
    pub(crate) fn whole(&self, name: &str) -> Result<u64, SnapshotMismatch> {
        let value = self.number(name)?;
        if value >= 0.0 && value <= (1_u64 << 53) as f64 && value.fract() == 0.0 {
            return Ok(value as u64);
        }
        Err(SnapshotMismatch::new(format!("the snapshot's `{name}` is {value}, which is not a count")))
    }
}

/// A [`Snapshot`] that does not fit what it should restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMismatch(String);

impl SnapshotMismatch {
    /// A mismatch for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        SnapshotMismatch(reason.into())
    }
}

impl fmt::Display for SnapshotMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for SnapshotMismatch {}
