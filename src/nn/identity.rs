//! The layer that does nothing.

use super::{Init, Module};
use crate::params::Parameters;

/// Gives its input as it is: a place in a generic model that stays empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Identity;

impl<X> Module<X> for Identity {
    type Output = X;
    fn apply(&self, x: X) -> X {
        x
    }
}
