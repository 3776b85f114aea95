//! Numbers as bytes, and back. Little-endian, whatever the processor.

use super::communicator::CommunicationError;
use crate::memory::Storage;
use crate::numbers::{Values, ValuesMut, for_float};
use crate::tape::AnyStorage;

/// A message to send.
#[derive(Default)]
pub(super) struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn u64(&mut self, number: u64) {
        self.bytes.extend(number.to_le_bytes());
    }

    pub fn size(&mut self, number: usize) {
        self.u64(number as u64);
    }

    pub fn f64(&mut self, number: f64) {
        self.bytes.extend(number.to_le_bytes());
    }

    pub fn values(&mut self, values: Values<'_>) {
        // in chunks of one size, which are copied many at a time
        let start = self.bytes.len();
        match values {
            Values::F32(values) => {
                self.bytes.resize(start + values.len() * 4, 0);
                let bytes = self.bytes[start..].as_chunks_mut().0;
                bytes.iter_mut().zip(values).for_each(|(bytes, x)| *bytes = x.to_le_bytes());
            }
            Values::F64(values) => {
                self.bytes.resize(start + values.len() * 8, 0);
                let bytes = self.bytes[start..].as_chunks_mut().0;
                bytes.iter_mut().zip(values).for_each(|(bytes, x)| *bytes = x.to_le_bytes());
            }
        }
    }
}

/// A received message.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// Who sent it.
    pub rank: usize,
}

impl<'a> Reader<'a> {
    pub fn new(rank: usize, bytes: &'a [u8]) -> Self {
        Reader { bytes, rank }
    }

    /// The error that this rank sent something wrong.
    pub fn wrong(&self, what: &str) -> CommunicationError {
        CommunicationError::Disagreement(format!("rank {} sent {what}", self.rank))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], CommunicationError> {
        let Some((taken, rest)) = self.bytes.split_at_checked(count) else {
            return Err(self.wrong("a message that is too short"));
        };
        self.bytes = rest;
        Ok(taken)
    }

    pub fn u64(&mut self) -> Result<u64, CommunicationError> {
        let bytes = self.take(8)?;
        Ok(u64::from_le_bytes(bytes.try_into().expect("eight bytes")))
    }

    pub fn byte(&mut self) -> Result<u8, CommunicationError> {
        Ok(self.take(1)?[0])
    }

    pub fn pair(&mut self) -> Result<[u64; 2], CommunicationError> {
        Ok([self.u64()?, self.u64()?])
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize, what: &str) -> Result<usize, CommunicationError> {
        let number = usize::try_from(self.u64()?).ok().filter(|&number| number < limit);
        number.ok_or_else(|| self.wrong(&format!("a wrong {what}")))
    }

    pub fn f64(&mut self) -> Result<f64, CommunicationError> {
        self.u64().map(f64::from_bits)
    }

    pub fn values(&mut self, values: ValuesMut<'_>) -> Result<(), CommunicationError> {
        match values {
            ValuesMut::F32(values) => {
                let bytes = self.take(values.len() * 4)?.as_chunks::<4>().0;
                values.iter_mut().zip(bytes).for_each(|(x, &bytes)| *x = f32::from_le_bytes(bytes));
            }
            ValuesMut::F64(values) => {
                let bytes = self.take(values.len() * 8)?.as_chunks::<8>().0;
                values.iter_mut().zip(bytes).for_each(|(x, &bytes)| *x = f64::from_le_bytes(bytes));
            }
        }
        Ok(())
    }

    /// This many numbers of the same type as `like`.
    pub fn storage(&mut self, like: Element, len: usize) -> Result<AnyStorage, CommunicationError> {
        if len.checked_mul(like.size()).is_none_or(|bytes| bytes > self.bytes.len()) {
            return Err(self.wrong("a message that is too short"));
        }
        let mut storage = like.scratch(len);
        self.values(slice_mut(&mut storage, 0..len))?;
        Ok(storage)
    }

    pub fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    /// # Errors
    /// If something is left.
    pub fn end(self) -> Result<(), CommunicationError> {
        if self.is_at_end() { Ok(()) } else { Err(self.wrong("a message that is too long")) }
    }
}

/// The type of the numbers of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    F32,
    F64,
}

impl Element {
    pub fn of(values: &Values<'_>) -> Self {
        match values {
            Values::F32(_) => Element::F32,
            Values::F64(_) => Element::F64,
        }
    }

    /// In bytes.
    pub fn size(self) -> usize {
        match self {
            Element::F32 => 4,
            Element::F64 => 8,
        }
    }

    /// A buffer whose contents do not matter yet.
    pub fn scratch(self, len: usize) -> AnyStorage {
        match self {
            Element::F32 => AnyStorage::F32(Storage::scratch(len)),
            Element::F64 => AnyStorage::F64(Storage::scratch(len)),
        }
    }
}

pub(super) fn slice(storage: &AnyStorage, range: std::ops::Range<usize>) -> Values<'_> {
    match storage {
        AnyStorage::F32(values) => Values::F32(&values.as_slice()[range]),
        AnyStorage::F64(values) => Values::F64(&values.as_slice()[range]),
    }
}

pub(super) fn slice_mut(storage: &mut AnyStorage, range: std::ops::Range<usize>) -> ValuesMut<'_> {
    match storage {
        AnyStorage::F32(values) => ValuesMut::F32(&mut values.make_mut()[range]),
        AnyStorage::F64(values) => ValuesMut::F64(&mut values.make_mut()[range]),
    }
}

pub(super) fn len(storage: &AnyStorage) -> usize {
    for_float!(storage, values => values.len())
}
