//! Slices of either type of numbers.

use super::{AnyFloat, Family, Float, for_float};
use std::marker::PhantomData;

/// Numbers of one of the types that a model holds.
pub type Values<'a> = AnyFloat<Slices<'a>>;

/// The [`Family`] of slices.
pub struct Slices<'a>(PhantomData<&'a ()>);
impl<'a> Family for Slices<'a> {
    type Of<E: Float> = &'a [E];
}

/// Mutable numbers of one of the types that a model holds.
pub type ValuesMut<'a> = AnyFloat<SlicesMut<'a>>;

/// The [`Family`] of slices to be changed.
pub struct SlicesMut<'a>(PhantomData<&'a mut ()>);
impl<'a> Family for SlicesMut<'a> {
    type Of<E: Float> = &'a mut [E];
}

impl Values<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        for_float!(self, values => values.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
