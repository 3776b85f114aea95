//! Weights of all ranks.

use super::bytes::{Reader, Writer};
use super::communicator::{CommunicationError, Communicator};
use crate::params::{Parameters, each_parameter, each_parameter_mut};

/// Gives every rank the parameters and buffers of rank 0, after that one alone loaded or made them.
///
/// ```
/// use taut::distributed::{broadcast, run_threads};
/// use taut::prelude::*;
/// let models = run_threads(2, |world| {
///     let mut model = Linear::<2, 1>::init(&mut StdRng::seed_from_u64(world.rank() as u64));
///     broadcast(&mut model, world).unwrap();
///     model.weight.value().to_array()
/// });
/// assert_eq!(models[0], models[1]);
/// ```
///
/// # Errors
/// If another rank has ended, or has a model of another size.
///
/// # Panics
/// If a part of the model is behind an `Arc` or `Rc` that is shared.
#[track_caller]
pub fn broadcast<M: Parameters>(model: &mut M, world: &dyn Communicator) -> Result<(), CommunicationError> {
    if world.size() == 1 {
        return Ok(());
    }
    expect_same(structure(model), world, "the model is another one, or its sizes are others")?;
    let mut writer = Writer::default();
    if world.is_first() {
        each_parameter(model, &mut |_, leaf| writer.values(leaf.values));
    }
    let bytes = world.broadcast(&writer.bytes)?;
    let mut reader = Reader::new(0, &bytes);
    let mut wrong = None;
    each_parameter_mut(model, &mut |_, leaf| {
        if let Err(error) = reader.values(leaf.values) {
            wrong.get_or_insert(error);
        }
    });
    wrong.map_or(Ok(()), Err)
}

/// Compares the parameters and buffers of all ranks, by a hash of their bits. They are equal if all ranks started from
/// the same seed and took the same steps; if they are not, the program used something that differs between ranks.
///
/// # Errors
/// On every rank, if they differ, or if another rank has ended.
pub fn expect_equal<M: Parameters>(model: &M, world: &dyn Communicator) -> Result<(), CommunicationError> {
    let mut hash = Hash::default();
    each_parameter(model, &mut |name, leaf| {
        let mut writer = Writer::default();
        writer.values(leaf.values);
        hash.add(name.as_bytes());
        hash.add(&writer.bytes);
    });
    expect_same(hash.0, world, "the model has other weights")
}

/// # Errors
/// If a rank has another number.
pub(super) fn expect_same(number: u64, world: &dyn Communicator, what: &str) -> Result<(), CommunicationError> {
    let all = world.all_gather(&number.to_le_bytes())?;
    match all.iter().position(|other| other != &all[0]) {
        Some(rank) => Err(CommunicationError::Disagreement(format!("on rank {rank}, {what} than on rank 0"))),
        None => Ok(()),
    }
}

/// A number for the names, sizes and element types of a model.
pub(super) fn structure<M: Parameters>(model: &M) -> u64 {
    let mut hash = Hash::default();
    each_parameter(model, &mut |name, leaf| {
        hash.add(name.as_bytes());
        hash.add(leaf.values.element().as_bytes());
        leaf.sizes.iter().for_each(|&size| hash.add(&(size as u64).to_le_bytes()));
    });
    hash.0
}

/// FNV-1a, by eight bytes at a time. Fowler, Noll and Vo, 1991.
pub(super) struct Hash(pub u64);

impl Default for Hash {
    fn default() -> Self {
        Hash(0xCBF2_9CE4_8422_2325)
    }
}

impl Hash {
    pub fn add(&mut self, bytes: &[u8]) {
        let mut add = |number: u64| self.0 = (self.0 ^ number).wrapping_mul(0x0100_0000_01B3).rotate_left(29);
        let (eights, rest) = bytes.as_chunks();
        eights.iter().for_each(|&bytes| add(u64::from_le_bytes(bytes)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        add(u64::from_le_bytes(last));
        add(bytes.len() as u64);
    }
}
