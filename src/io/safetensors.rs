//! The safetensors format: 8 bytes with the length of a header, a JSON header that names each tensor with its type,
//! shape and place, and the numbers, little-endian, one tensor after the other. The header's types are those of the
//! `safetensors` crate; the numbers are read and written by hand, as a stream, because the crate works on the bytes of
//! a whole file in memory.

use super::half::{from_bf16, from_f16, to_bf16, to_f16};
use super::precision::Precision;
use super::source::reading;
use crate::files::Reason;
use crate::optim::SnapshotArray;
use crate::params::Values;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde_core::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::{self, Read, Write};

/// Longer headers than this are refused, as other readers of the format do: a hundred million bytes.
const LONGEST_HEADER: u64 = 100_000_000;
const LENGTH_BYTES: u64 = 8;

/// Passes each tensor to be written (its name, sizes and numbers) to a function, in a fixed order.
pub type Walk<'a> = &'a dyn Fn(&mut dyn FnMut(&str, &[usize], Values<'_>));

/// A tensor that a file's header promises.
pub struct Stored {
    pub name: String,
    pub sizes: Vec<usize>,
    pub dtype: Dtype,
    /// How many bytes its numbers take.
    pub bytes: usize,
    /// Whether to skip it.
    pub is_passed_over: bool,
}

/// What precedes the numbers.
pub struct Header {
    /// In the order in which the numbers follow.
    pub tensors: Vec<Stored>,
    /// Short texts by name.
    pub texts: BTreeMap<String, String>,
}

/// In a file wider numbers come first, so that all are aligned when it is mapped into memory.
const WIDE_FIRST: [usize; 3] = [8, 4, 2];

/// The type of these numbers in a file, and the size of one in bytes.
fn stored_as(values: &Values<'_>, precision: Precision) -> (Dtype, usize) {
    match (values, precision) {
        (_, Precision::F16) => (Dtype::F16, 2),
        (_, Precision::BF16) => (Dtype::BF16, 2),
        (Values::F32(_), _) | (_, Precision::F32) => (Dtype::F32, 4),
        (Values::F64(_), Precision::Unchanged) => (Dtype::F64, 8),
    }
}

/// The header of these tensors as in the file, preceded by its length.
pub fn header(walk: Walk<'_>, precision: Precision, texts: &BTreeMap<String, String>) -> Result<Vec<u8>, Reason> {
    let mut fields = serde_json::Map::new();
    let mut unsavable = None;
    let mut end = 0;
    for width in WIDE_FIRST {
        walk(&mut |name, sizes, values| {
            let (dtype, of_values) = stored_as(&values, precision);
            if of_values == width {
                if let Some(too_large) = out_of_range(values, dtype) {
                    unsavable = Some(format!("`{name}` holds {too_large}, which {dtype} does not"));
                }
                let start = end;
                end += width * values.len();
                let info = TensorInfo { dtype, shape: sizes.to_vec(), data_offsets: (start, end) };
                if fields.insert(name.to_string(), serde_json::json!(info)).is_some() {
                    unsavable = Some(format!("two tensors have the name `{name}`"));
                }
            }
        });
    }
    if fields.contains_key("__metadata__") {
        unsavable = Some("the format keeps the name `__metadata__` for itself".to_string());
    }
    if let Some(why) = unsavable {
        return Err(Reason::Text(format!("was not written: {why}")));
    }
    if !texts.is_empty() {
        fields.insert("__metadata__".to_string(), serde_json::json!(texts));
    }
    let mut json = serde_json::Value::Object(fields).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut json);
    Ok(bytes)
}

/// A finite number that would be infinite in the file.
fn out_of_range(values: Values<'_>, dtype: Dtype) -> Option<f64> {
    let is_lost: fn(f32) -> bool = match dtype {
        Dtype::F16 => |x| from_f16(to_f16(x)).is_infinite(),
        Dtype::BF16 => |x| from_bf16(to_bf16(x)).is_infinite(),
        Dtype::F32 => f32::is_infinite,
        _ => return None,
    };
    match values {
        Values::F32(values) => values.iter().find(|&&x| x.is_finite() && is_lost(x)).map(|&x| f64::from(x)),
        Values::F64(values) => values.iter().find(|&&x| x.is_finite() && is_lost(x as f32)).copied(),
    }
}

/// Writes all numbers, which follow the header.
pub fn write_numbers(out: &mut dyn Write, walk: Walk<'_>, precision: Precision) -> io::Result<()> {
    let mut result = Ok(());
    for width in WIDE_FIRST {
        walk(&mut |_, _, values| {
            let (dtype, of_values) = stored_as(&values, precision);
            if of_values == width && result.is_ok() {
                result = match values {
                    Values::F32(values) => write_narrow(out, values, dtype, |x| x),
                    Values::F64(values) if dtype == Dtype::F64 => write_each(out, values, f64::to_le_bytes),
                    // by way of f32, as in PyTorch
                    Values::F64(values) => write_narrow(out, values, dtype, |x| x as f32),
                };
            }
        });
    }
    result
}

/// Writes numbers as this type, of at most 32 bits.
fn write_narrow<E: Copy>(out: &mut dyn Write, values: &[E], dtype: Dtype, narrow: impl Fn(E) -> f32) -> io::Result<()> {
    match dtype {
        Dtype::F16 => write_each(out, values, |x| to_f16(narrow(x)).to_le_bytes()),
        Dtype::BF16 => write_each(out, values, |x| to_bf16(narrow(x)).to_le_bytes()),
        _ => write_each(out, values, |x| narrow(x).to_le_bytes()),
    }
}

/// Writes numbers, little-endian.
fn write_each<E: Copy, const WIDTH: usize>(
    out: &mut dyn Write,
    values: &[E],
    bytes_of: impl Fn(E) -> [u8; WIDTH],
) -> io::Result<()> {
    // in pieces, to avoid a second copy of a large tensor
    const PIECE: usize = 4_096;
    let mut bytes = Vec::with_capacity(WIDTH * PIECE);
    values.chunks(PIECE).try_for_each(|piece| {
        bytes.clear();
        bytes.extend(piece.iter().flat_map(|&x| bytes_of(x)));
        out.write_all(&bytes)
    })
}

impl Header {
    /// Reads the header of a file of `length` bytes. What it promises is checked against that length before anything
    /// is allocated for it.
    pub fn read(reader: &mut dyn Read, length: u64) -> Result<Self, Reason> {
        let damaged = |what: String| Err(Reason::Text(format!("this is not a whole safetensors file: {what}")));
        let Some(rest) = length.checked_sub(LENGTH_BYTES) else {
            return damaged(format!("it has {length} bytes, and the format begins with {LENGTH_BYTES}"));
        };
        let mut bytes = [0; LENGTH_BYTES as usize];
        reader.read_exact(&mut bytes).map_err(reading)?;
        if bytes.starts_with(b"PK\x03\x04") {
            let text = "this is not a safetensors file but a zip archive, as files of PyTorch and NumPy are: \
                        `ParameterFile::open_pytorch` (feature `pytorch`) reads those of `torch.save`";
            return Err(Reason::Text(text.to_string()));
        }
        let header_length = u64::from_le_bytes(bytes);
        if header_length > rest || header_length > LONGEST_HEADER {
            return damaged(format!("it declares a header of {header_length} bytes, and {rest} bytes follow"));
        }
        let mut json = vec![0; header_length as usize];
        reader.read_exact(&mut json).map_err(reading)?;
        let metadata: Metadata = match serde_json::from_slice(&json) {
            Ok(metadata) => metadata,
            Err(error) => return damaged(format!("its header is wrong: {error}")),
        };
        // of two tensors with the same name, the last would win silently
        if let Err(error) = serde_json::from_slice::<KeysOnce>(&json) {
            return damaged(format!("its header is wrong: {error}"));
        }
        let data = rest - header_length;
        if metadata.data_len() as u64 != data {
            return damaged(format!("its header promises {} bytes of numbers, and {data} follow", metadata.data_len()));
        }
        let stored = |name: String| {
            let info = metadata.info(&name)?;
            let bytes = info.data_offsets.1 - info.data_offsets.0;
            Some(Stored { sizes: info.shape.clone(), dtype: info.dtype, bytes, name, is_passed_over: false })
        };
        let tensors = metadata.offset_keys().into_iter().filter_map(stored).collect();
        let texts = metadata.metadata().iter().flatten().map(|(name, text)| (name.clone(), text.clone())).collect();
        Ok(Header { tensors, texts })
    }
}

/// Reads the numbers, which are next in `reader`, of those tensors for which `wanted` says so.
pub fn read_numbers(
    reader: &mut dyn Read,
    tensors: &[Stored],
    wanted: &[bool],
) -> Result<Vec<Option<SnapshotArray>>, Reason> {
    let read = |(stored, &wanted): (&Stored, &bool)| {
        if wanted { stored.read(reader).map(Some) } else { stored.skip(reader).map(|()| None) }
    };
    tensors.iter().zip(wanted).map(read).collect()
}

/// Any JSON in which no object has a duplicate key.
struct KeysOnce;

impl<'de> Deserialize<'de> for KeysOnce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysOnce)
    }
}

impl<'de> Visitor<'de> for KeysOnce {
    type Value = KeysOnce;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeysOnce, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<KeysOnce>()?;
            if let Some(twice) = keys.replace(key) {
                return Err(A::Error::custom(format!("`{twice}` is in it twice")));
            }
        }
        Ok(KeysOnce)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<KeysOnce, A::Error> {
        while elements.next_element::<KeysOnce>()?.is_some() {}
        Ok(KeysOnce)
    }
    fn visit_bool<E>(self, _: bool) -> Result<KeysOnce, E> {
        Ok(KeysOnce)
    }
    fn visit_i64<E>(self, _: i64) -> Result<KeysOnce, E> {
        Ok(KeysOnce)
    }
    fn visit_u64<E>(self, _: u64) -> Result<KeysOnce, E> {
        Ok(KeysOnce)
    }
    fn visit_f64<E>(self, _: f64) -> Result<KeysOnce, E> {
        Ok(KeysOnce)
    }
    fn visit_str<E>(self, _: &str) -> Result<KeysOnce, E> {
        Ok(KeysOnce)
    }
    fn visit_unit<E>(self) -> Result<KeysOnce, E> {
        Ok(KeysOnce)
    }
}

impl Stored {
    /// The header entry of these numbers.
    pub fn describe(name: &str, sizes: &[usize], values: &SnapshotArray) -> Self {
        let (dtype, bytes) = match values {
            SnapshotArray::F32(values) => (Dtype::F32, size_of_val(values.as_slice())),
            SnapshotArray::F64(values) => (Dtype::F64, size_of_val(values.as_slice())),
        };
        Stored { name: name.to_string(), sizes: sizes.to_vec(), dtype, bytes, is_passed_over: false }
    }

    /// The numbers as f32, or `None` for a type that f32 does not hold without loss.
    fn f32s(&self, bytes: &[u8]) -> Option<Vec<f32>> {
        let halves = || bytes.as_chunks().0.iter().map(|&bytes| u16::from_le_bytes(bytes));
        Some(match self.dtype {
            Dtype::F32 => bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
            Dtype::F16 => halves().map(from_f16).collect(),
            Dtype::BF16 => halves().map(from_bf16).collect(),
            _ => return None,
        })
    }

    /// Whether numbers of this type convert to f64 (otherwise f32) without loss.
    pub fn converts_to(&self, f64: bool) -> bool {
        matches!(self.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) || f64 && self.dtype == Dtype::F64
    }

    /// Reads the numbers, which are next in `reader`: as f64 if that is their type, as f32 otherwise.
    pub fn read(&self, reader: &mut dyn Read) -> Result<SnapshotArray, Reason> {
        // `bytes` was checked against the length of the file
        let mut bytes = vec![0; self.bytes];
        reader.read_exact(&mut bytes).map_err(reading)?;
        self.array(&bytes)
    }

    /// The numbers from their bytes, little-endian.
    pub fn array(&self, bytes: &[u8]) -> Result<SnapshotArray, Reason> {
        let array = if self.dtype == Dtype::F64 {
            Some(SnapshotArray::F64(bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect()))
        } else {
            self.f32s(bytes).map(SnapshotArray::F32)
        };
        array.ok_or_else(|| Reason::Text(format!("`{}` holds {}, which is neither f32 nor f64", self.name, self.dtype)))
    }

    /// Skips the numbers, which are next in `reader`.
    pub fn skip(&self, reader: &mut dyn Read) -> Result<(), Reason> {
        io::copy(&mut reader.take(self.bytes as u64), &mut io::sink()).map(|_| ()).map_err(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_bit_by_bit() {
        let special = [0.0, -0.0, 1.0e-45, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.1];
        let many: Vec<f32> = (0..10_000).map(|i| special[i % 8] * (1.0 + i as f32)).collect();
        let wide: Vec<f64> = many.iter().map(|&x| f64::from(x) / 3.0).collect();
        let walk = |see: &mut dyn FnMut(&str, &[usize], Values<'_>)| {
            see("narrow", &[100, 100], Values::F32(&many));
            see("wide", &[10_000], Values::F64(&wide));
            see("none", &[0, 3], Values::F32(&[]));
        };
        let texts = BTreeMap::from([("a \"quoted\" name".to_string(), "1\n2".to_string())]);
        let mut file = header(&walk, Precision::Unchanged, &texts).ok().unwrap();
        write_numbers(&mut file, &walk, Precision::Unchanged).unwrap();

        // the other reader of the format agrees
        let theirs = safetensors::SafeTensors::deserialize(&file).unwrap();
        assert_eq!(theirs.tensor("wide").unwrap().data()[..8], wide[0].to_le_bytes());

        let mut reader = file.as_slice();
        let header = Header::read(&mut reader, file.len() as u64).ok().unwrap();
        assert_eq!(header.texts, texts);
        for stored in header.tensors {
            let array = stored.read(&mut reader).ok().unwrap();
            let bits: Vec<u64> = match array {
                SnapshotArray::F32(values) => values.iter().map(|x| u64::from(x.to_bits())).collect(),
                SnapshotArray::F64(values) => values.iter().map(|x| x.to_bits()).collect(),
            };
            let expected: Vec<u64> = match stored.name.as_str() {
                "narrow" => many.iter().map(|x| u64::from(x.to_bits())).collect(),
                "wide" => wide.iter().map(|x| x.to_bits()).collect(),
                _ => Vec::new(),
            };
            assert!(bits == expected, "{}", stored.name);
        }
        assert!(reader.is_empty());
    }

    #[test]
    fn a_name_used_twice_is_refused() {
        let names = |names: [&'static str; 2]| {
            let walk = move |see: &mut dyn FnMut(&str, &[usize], Values<'_>)| {
                names.iter().for_each(|name| see(name, &[1], Values::F32(&[1.0])));
            };
            header(&walk, Precision::Unchanged, &BTreeMap::new())
        };
        assert!(names(["a", "b"]).is_ok());
        assert!(matches!(names(["a", "a"]), Err(Reason::Text(_))));
        assert!(matches!(names(["a", "__metadata__"]), Err(Reason::Text(_))));
    }
}
