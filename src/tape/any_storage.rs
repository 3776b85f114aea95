//! Buffers of either type of numbers.

use crate::kernels::{elementwise, reduce};
use crate::memory::Storage;
use crate::numbers::{AnyFloat, Family, Float, for_float};

/// A buffer of one of the types that have gradients.
pub type AnyStorage = AnyFloat<Storages>;
pub struct Storages;
impl Family for Storages {
    type Of<E: Float> = Storage<E>;
}

impl AnyStorage {
    /// The buffer, where the type of its elements is known.
    pub fn of<E: Float>(self) -> Storage<E> {
        E::unwrap(self).unwrap_or_else(|| unreachable!("a value has one element type"))
    }

    pub fn add(&mut self, other: AnyStorage) {
        match (self, other) {
            (AnyStorage::F32(sum), AnyStorage::F32(more)) => add_into(sum, more),
            (AnyStorage::F64(sum), AnyStorage::F64(more)) => add_into(sum, more),
            _ => unreachable!("a value has one element type"),
        }
    }

    pub fn scale(&mut self, factor: f64) {
        fn scale<E: Float>(values: &mut Storage<E>, factor: f64) {
            elementwise::scale(values.make_mut(), E::of(factor));
        }
        for_float!(self, values => scale(values, factor));
    }

    /// The Euclidean norm, even where squares are outside the range of f64.
    pub fn norm(&self) -> f64 {
        fn norm<E: Float>(values: &[E]) -> f64 {
            let squares = reduce::sum_of_squares(values);
            if squares.is_normal() || squares.is_nan() {
                return squares.sqrt();
            }
            // zero, too large, or too small to be exact
            let largest = values.iter().fold(0.0_f64, |largest, x| largest.max(x.as_f64().abs()));
            if largest == 0.0 || largest == f64::INFINITY {
                return largest;
            }
            let scaled = values.iter().map(|x| (x.as_f64() / largest).powi(2));
            largest * scaled.sum::<f64>().sqrt()
        }
        for_float!(self, values => norm(values.as_slice()))
    }

    pub fn clamp(&mut self, limit: f64) {
        fn clamp<E: Float>(values: &mut Storage<E>, limit: E) {
            values.make_mut().iter_mut().for_each(|x| *x = num_traits::clamp(*x, -limit, limit));
        }
        match self {
            AnyStorage::F32(values) => clamp(values, limit as f32),
            AnyStorage::F64(values) => clamp(values, limit),
        }
    }

    pub fn is_finite(&self) -> bool {
        for_float!(self, values => values.as_slice().iter().all(|x| x.is_finite()))
    }
}

fn add_into<E: Float>(sum: &mut Storage<E>, more: Storage<E>) {
    // write into whichever of the two is not shared
    if sum.is_unique() || !more.is_unique() {
        elementwise::add_assign(sum.make_mut(), more.as_slice());
    } else {
        let old = std::mem::replace(sum, more);
        elementwise::add_assign(sum.make_mut(), old.as_slice());
    }
}
