//! Running statistics: how buffers of a model change, recorded during the forward pass.

use super::any_storage::AnyStorage;
use crate::numbers::{Float, ValuesMut};

/// How a buffer changes, noted by a layer during the forward pass: r <- keep r + add.
#[derive(Clone)]
pub struct Update {
    /// The buffer's id.
    pub buffer: u64,
    pub keep: f64,
    pub add: AnyStorage,
}

impl Update {
    pub fn apply(&self, values: ValuesMut<'_>) {
        fn apply<E: Float>(values: &mut [E], keep: f64, add: &[E]) {
            if keep == 0.0 {
                values.copy_from_slice(add);
            } else {
                values.iter_mut().zip(add).for_each(|(r, &add)| *r = E::of(keep) * *r + add);
            }
        }
        match (values, &self.add) {
            (ValuesMut::F32(values), AnyStorage::F32(add)) => apply(values, self.keep, add.as_slice()),
            (ValuesMut::F64(values), AnyStorage::F64(add)) => apply(values, self.keep, add.as_slice()),
            _ => unreachable!("a buffer has one element type"),
        }
    }

    /// This change, and `next` after it.
    fn then(&mut self, next: &Update) {
        next.apply(match &mut self.add {
            AnyStorage::F32(add) => ValuesMut::F32(add.make_mut()),
            AnyStorage::F64(add) => ValuesMut::F64(add.make_mut()),
        });
        self.keep *= next.keep;
    }

    /// Appends the changes in `after` to those in `updates`, which has one for each buffer.
    pub fn append(updates: &mut Vec<Update>, after: impl IntoIterator<Item = Update>) {
        for next in after {
            match updates.iter_mut().find(|update| update.buffer == next.buffer) {
                Some(update) => update.then(&next),
                None => updates.push(next),
            }
        }
    }
}
