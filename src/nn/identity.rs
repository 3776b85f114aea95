//! The layer that does nothing.

use super::{Init, Module};
use crate::params::Parameters;

/// Returns its input unchanged: an empty slot in a generic model.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([1.0, 2.0]);
/// assert_eq!(Identity.forward(x.clone()), x);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Identity;

impl<X> Module<X> for Identity {
    type Output = X;
    fn apply(&self, x: X) -> X {
        x
    }
}
