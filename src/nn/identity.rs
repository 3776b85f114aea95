//! The layer that does nothing.

use super::{Init, Module};
use crate::params::Parameters;

/// Returns its input unchanged: an empty slot in a generic model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Identity;

impl<X> Module<X> for Identity {
    type Output = X;
    fn apply(&self, x: X) -> X {
        x
    }
}
