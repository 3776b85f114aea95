//! Tensors in `.npy` files, as `numpy.save` writes and `numpy.load` reads them. With the feature `numpy`.
//!
//! ```
//! use taut::io::npy;
//! use taut::prelude::*;
//! # fn main() -> Result<(), taut::files::FileError> {
//! # let path = std::env::temp_dir().join(format!("taut-doc-npy-{}.npy", std::process::id()));
//! let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
//! npy::write(&path, &x)?; // in Python: x = np.load("x.npy")
//! let again: Tensor<(usize, Const<3>)> = npy::read(&path)?;
//! assert_eq!(again.to_vec(), x.to_vec());
//! # std::fs::remove_file(&path).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! | tensor of | is written as | is read from |
//! | --- | --- | --- |
//! | `f32` | `float32` | `float32`, `float16`, whole numbers of 8 and 16 bits |
//! | `f64` | `float64` | all floats, whole numbers of 8 to 32 bits |
//! | `usize` | `int64`, with which NumPy and PyTorch index | whole numbers of all types that are not negative |
//! | `bool` | `bool` | `bool` |
//!
//! So nothing is rounded. NumPy uses `float64` by default: read a tensor of `f64`, or write `x.astype(np.float32)`.
//! Arrays of either byte order and in Fortran's order are read; texts, records and Python's objects are not. Several
//! arrays in one file: [`NpzFile`](super::NpzFile).
//!
//! The header is read by hand, as the crates for it bring a parser generator for three fields, and trust what a file
//! claims: npyz 0.9 multiplies sizes without a check; ndarray-npy 0.10 checks them, but makes room for all elements
//! before it reads the first, so that a file of a hundred bytes may end the program. The format: NumPy's
//! [`numpy.lib.format`](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

use super::half::from_f16;
use super::source::{Source, reading};
use super::strided::{Strided, bytes_of};
use crate::files::{FileError, Reason, write_atomically};
use crate::ops::ShapeMismatch;
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};
use std::io::{self, Read, Write};
use std::path::Path;

/// Reads a tensor.
///
/// # Errors
/// If the file cannot be read or is damaged, the array has another shape, or elements that the tensor cannot hold
/// without loss.
#[doc(alias = "numpy.load")]
pub fn read<S: Shape, E: NpyElement>(path: impl AsRef<Path>) -> Result<Tensor<S, E>, FileError> {
    let path = path.as_ref();
    let (mut source, length) = Source::open(path)?;
    read_tensor(&mut source, length).map_err(|reason| FileError::of(Some(path), reason))
}

/// A tensor from the bytes of a file.
///
/// # Errors
/// As for [`read`].
pub fn from_bytes<S: Shape, E: NpyElement>(bytes: &[u8]) -> Result<Tensor<S, E>, FileError> {
    read_tensor(&mut &*bytes, bytes.len() as u64).map_err(|reason| FileError::of(None, reason))
}

/// Writes a tensor. An existing file is kept until the new one is complete.
///
/// # Errors
/// If the file cannot be written, or a `usize` is 2^63 or above, so that `int64` cannot hold it.
#[doc(alias = "numpy.save")]
pub fn write<S: Shape, E: NpyElement>(path: impl AsRef<Path>, tensor: &Tensor<S, E>) -> Result<(), FileError> {
    write_atomically(path.as_ref(), |out| write_tensor(out, tensor))
}

/// The bytes that [`write()`] writes.
///
/// # Errors
/// If a `usize` is 2^63 or above, so that `int64` cannot hold it.
///
/// ```
/// use taut::io::npy;
/// use taut::prelude::*;
/// let labels = Tensor::from([3, 1, 2]);
/// let bytes = npy::to_bytes(&labels).unwrap();
/// assert!(bytes.starts_with(b"\x93NUMPY"));
/// assert_eq!(npy::from_bytes::<Rank1<3>, usize>(&bytes).unwrap(), labels);
/// ```
pub fn to_bytes<S: Shape, E: NpyElement>(tensor: &Tensor<S, E>) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    write_tensor(&mut bytes, tensor).map_err(not_saved)?;
    Ok(bytes)
}

/// Of a tensor that no file holds.
pub(super) fn not_saved(error: io::Error) -> FileError {
    FileError::of(None, Reason::System("cannot be saved", error))
}

/// The elements of tensors, and their representation in NumPy's files.
pub trait NpyElement: Element {
    #[doc(hidden)]
    const DESCRIPTION: &'static str;
    /// The elements, if this kind converts without loss; otherwise the position of one that does not.
    #[doc(hidden)]
    fn decode(kind: Kind, bytes: Bytes<'_>) -> Option<Result<Vec<Self>, usize>>;
    /// Appends the element's bytes, little-endian. `None` if the file's type cannot hold it.
    #[doc(hidden)]
    fn encode(self, bytes: &mut Vec<u8>) -> Option<()>;
}

/// NumPy's name of the kind of an element, and its size in bytes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `b`, of one byte.
    Bool,
    /// `i`
    Signed(usize),
    /// `u`
    Unsigned(usize),
    /// `f`
    Float(usize),
}

/// Elements in a file.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Bytes<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl Bytes<'_> {
    /// Each element of this many bytes, converted by a function of its bytes, little-endian.
    fn each<const WIDTH: usize, E>(self, number: impl Fn([u8; WIDTH]) -> E) -> Vec<E> {
        let elements = self.bytes.as_chunks().0.iter();
        if self.is_big_endian {
            let reversed = |bytes: &[u8; WIDTH]| {
                let mut bytes = *bytes;
                bytes.reverse();
                bytes
            };
            elements.map(|bytes| number(reversed(bytes))).collect()
        } else {
            elements.map(|&bytes| number(bytes)).collect()
        }
    }
}

fn half(bytes: [u8; 2]) -> f32 {
    from_f16(u16::from_le_bytes(bytes))
}

impl NpyElement for f32 {
    const DESCRIPTION: &'static str = "<f4";
    fn decode(kind: Kind, bytes: Bytes<'_>) -> Option<Result<Vec<f32>, usize>> {
        Some(Ok(match kind {
            Kind::Float(4) => bytes.each(f32::from_le_bytes),
            Kind::Float(2) => bytes.each(half),
            Kind::Signed(1) => bytes.each(|x| f32::from(i8::from_le_bytes(x))),
            Kind::Signed(2) => bytes.each(|x| f32::from(i16::from_le_bytes(x))),
            Kind::Unsigned(1) => bytes.each(|[x]| f32::from(x)),
            Kind::Unsigned(2) => bytes.each(|x| f32::from(u16::from_le_bytes(x))),
            _ => return None,
        }))
    }
    fn encode(self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(self.to_le_bytes());
        Some(())
    }
}

impl NpyElement for f64 {
    const DESCRIPTION: &'static str = "<f8";
    fn decode(kind: Kind, bytes: Bytes<'_>) -> Option<Result<Vec<f64>, usize>> {
        Some(Ok(match kind {
            Kind::Float(8) => bytes.each(f64::from_le_bytes),
            Kind::Float(4) => bytes.each(|x| f64::from(f32::from_le_bytes(x))),
            Kind::Float(2) => bytes.each(|x| f64::from(half(x))),
            Kind::Signed(1) => bytes.each(|x| f64::from(i8::from_le_bytes(x))),
            Kind::Signed(2) => bytes.each(|x| f64::from(i16::from_le_bytes(x))),
            Kind::Signed(4) => bytes.each(|x| f64::from(i32::from_le_bytes(x))),
            Kind::Unsigned(1) => bytes.each(|[x]| f64::from(x)),
            Kind::Unsigned(2) => bytes.each(|x| f64::from(u16::from_le_bytes(x))),
            Kind::Unsigned(4) => bytes.each(|x| f64::from(u32::from_le_bytes(x))),
            _ => return None,
        }))
    }
    fn encode(self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(self.to_le_bytes());
        Some(())
    }
}

impl NpyElement for usize {
    const DESCRIPTION: &'static str = "<i8";
    fn decode(kind: Kind, bytes: Bytes<'_>) -> Option<Result<Vec<usize>, usize>> {
        let counts: Vec<Option<usize>> = match kind {
            Kind::Signed(1) => bytes.each(|x| usize::try_from(i8::from_le_bytes(x)).ok()),
            Kind::Signed(2) => bytes.each(|x| usize::try_from(i16::from_le_bytes(x)).ok()),
            Kind::Signed(4) => bytes.each(|x| usize::try_from(i32::from_le_bytes(x)).ok()),
            Kind::Signed(8) => bytes.each(|x| usize::try_from(i64::from_le_bytes(x)).ok()),
            Kind::Unsigned(1) => bytes.each(|[x]| Some(usize::from(x))),
            Kind::Unsigned(2) => bytes.each(|x| Some(usize::from(u16::from_le_bytes(x)))),
            Kind::Unsigned(4) => bytes.each(|x| usize::try_from(u32::from_le_bytes(x)).ok()),
            Kind::Unsigned(8) => bytes.each(|x| usize::try_from(u64::from_le_bytes(x)).ok()),
            _ => return None,
        };
        Some(all(counts))
    }
    fn encode(self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(i64::try_from(self).ok()?.to_le_bytes());
        Some(())
    }
}

impl NpyElement for bool {
    const DESCRIPTION: &'static str = "|b1";
    fn decode(kind: Kind, bytes: Bytes<'_>) -> Option<Result<Vec<bool>, usize>> {
        let truth = |[byte]: [u8; 1]| match byte {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        };
        (kind == Kind::Bool).then(|| all(bytes.each(truth)))
    }
    fn encode(self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.push(self.into());
        Some(())
    }
}

/// All elements, or the position of the first that cannot be converted.
fn all<E>(elements: Vec<Option<E>>) -> Result<Vec<E>, usize> {
    match elements.iter().position(Option::is_none) {
        Some(place) => Err(place),
        None => Ok(elements.into_iter().flatten().collect()),
    }
}

/// What precedes the elements.
struct Header {
    /// As in the file.
    description: String,
    kind: Kind,
    is_big_endian: bool,
    is_fortran: bool,
    sizes: Vec<usize>,
}

const MAGIC: [u8; 6] = *b"\x93NUMPY";
/// The length of a header, the bytes before it included, is a multiple of this, so that the elements are aligned.
const ALIGNMENT: usize = 64;
/// Longer headers are refused: those of arrays have about a hundred bytes, and records are not supported.
const LONGEST_HEADER: u64 = 10_000;

/// Reads a tensor from a file of `length` bytes.
pub(super) fn read_tensor<S: Shape, E: NpyElement>(reader: &mut dyn Read, length: u64) -> Result<Tensor<S, E>, Reason> {
    let (header, before) = Header::read(reader, length)?;
    let Header { description, kind, is_big_endian, is_fortran, sizes } = header;
    let width = kind.width();
    let bytes = bytes_of(&sizes, width).filter(|&bytes| bytes as u64 == length - before);
    let Some(bytes) = bytes else {
        return damaged(format!(
            "{} bytes follow, and {sizes:?} elements of {width} bytes are promised",
            length - before
        ));
    };
    let Some(shape) = S::from_sizes(&sizes) else {
        return Err(Reason::Text(ShapeMismatch::new::<S>(&sizes).to_string()));
    };
    // the file is as long as that
    let mut elements = vec![0; bytes];
    reader.read_exact(&mut elements).map_err(reading)?;
    if is_fortran {
        elements = from_fortran(&elements, width, &sizes);
    }
    let elements = match E::decode(kind, Bytes { bytes: &elements, is_big_endian }) {
        Some(Ok(elements)) => elements,
        Some(Err(place)) => {
            let text = format!("element {place} of the array (`{description}`) is not a valid {}", E::NAME);
            return Err(Reason::Text(text));
        }
        None => {
            return Err(Reason::Text(format!(
                "holds `{description}`, which {} does not hold without loss: read a tensor of other elements, or \
                 convert the array in Python, `x.astype(np.dtype(\"{}\"))`",
                E::NAME,
                E::DESCRIPTION
            )));
        }
    };
    Ok(Tensor::from_vec(elements, shape).expect("as many elements as the shape says"))
}

/// The elements of an array in Fortran's order, the first axis fastest, in row-major order.
fn from_fortran(elements: &[u8], width: usize, sizes: &[usize]) -> Vec<u8> {
    let mut next = 1;
    let mut strides = Vec::new();
    for &size in sizes {
        strides.push(next);
        next *= size;
    }
    match Strided::new(width, elements.len() / width, 0, sizes.to_vec(), strides) {
        Ok(strided) => strided.gather(elements),
        Err(what) => unreachable!("an array that {what} has no shape"),
    }
}

/// Writes a tensor.
pub(super) fn write_tensor<S: Shape, E: NpyElement>(out: &mut dyn Write, tensor: &Tensor<S, E>) -> io::Result<()> {
    let sizes = tensor.shape().sizes();
    let sizes: String = sizes.as_ref().iter().map(|size| format!("{size}, ")).collect();
    // a tuple of one has a comma, and others may
    let shape = sizes.strip_suffix(' ').unwrap_or("");
    let mut text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}", E::DESCRIPTION);
    let before = MAGIC.len() + 4;
    let length = (before + text.len() + 1).next_multiple_of(ALIGNMENT) - before;
    text += &" ".repeat(length - text.len() - 1);
    text.push('\n');
    out.write_all(&MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&u16::try_from(length).expect("a shape has six axes at most").to_le_bytes())?;
    out.write_all(text.as_bytes())?;
    // in pieces, to avoid a second copy of a large tensor
    let mut bytes = Vec::new();
    for piece in tensor.as_slice().chunks(4_096) {
        bytes.clear();
        for &element in piece {
            let encoded = element.encode(&mut bytes);
            let too_large = || io::Error::new(io::ErrorKind::InvalidData, format!("int64 does not hold {element}"));
            encoded.ok_or_else(too_large)?;
        }
        out.write_all(&bytes)?;
    }
    Ok(())
}

fn damaged<T>(what: impl AsRef<str>) -> Result<T, Reason> {
    Err(Reason::Text(format!("this is not a whole .npy file: {}", what.as_ref())))
}

impl Kind {
    fn width(self) -> usize {
        match self {
            Kind::Bool => 1,
            Kind::Signed(width) | Kind::Unsigned(width) | Kind::Float(width) => width,
        }
    }

    /// Whether it is big-endian, and the kind, from NumPy's name of a type: `<f4`.
    fn parse(description: &str) -> Option<(bool, Self)> {
        let mut letters = description.chars();
        let order = letters.next()?;
        let letter = letters.next()?;
        let width = letters.as_str();
        let kind = match (letter, width) {
            ('b', "1") => Kind::Bool,
            ('i', "1" | "2" | "4" | "8") => Kind::Signed(width.parse().ok()?),
            ('u', "1" | "2" | "4" | "8") => Kind::Unsigned(width.parse().ok()?),
            ('f', "2" | "4" | "8") => Kind::Float(width.parse().ok()?),
            _ => return None,
        };
        match order {
            '<' => Some((false, kind)),
            '>' => Some((true, kind)),
            // bytes have no order
            '|' if width == "1" => Some((false, kind)),
            _ => None,
        }
    }
}

impl Header {
    /// Reads a header, and returns the number of bytes up to its end.
    fn read(reader: &mut dyn Read, length: u64) -> Result<(Self, u64), Reason> {
        let mut before = MAGIC.len() as u64 + 2;
        let mut start = [0; MAGIC.len() + 2];
        if length < before + 4 {
            return damaged(format!("it has {length} bytes"));
        }
        reader.read_exact(&mut start).map_err(reading)?;
        if !start.starts_with(&MAGIC) {
            return damaged("it does not begin with `\\x93NUMPY`");
        }
        let text_length = match start[MAGIC.len()..] {
            [1, 0] => {
                let mut bytes = [0; 2];
                reader.read_exact(&mut bytes).map_err(reading)?;
                before += 2;
                u64::from(u16::from_le_bytes(bytes))
            }
            [2 | 3, 0] => {
                let mut bytes = [0; 4];
                reader.read_exact(&mut bytes).map_err(reading)?;
                before += 4;
                u64::from(u32::from_le_bytes(bytes))
            }
            ref version => return damaged(format!("the version {version:?} of the format is unknown")),
        };
        if text_length > LONGEST_HEADER || text_length > length - before {
            return damaged(format!("it declares a header of {text_length} bytes, and {} follow", length - before));
        }
        let mut text = vec![0; text_length as usize];
        reader.read_exact(&mut text).map_err(reading)?;
        let Ok(text) = str::from_utf8(&text) else { return damaged("its header is not text") };
        Ok((Header::parse(text)?, before + text_length))
    }

    /// The header from its text, a dictionary as Python writes it:
    /// `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
    fn parse(text: &str) -> Result<Self, Reason> {
        let wrong = || Reason::Text(format!("this is not a whole .npy file: its header is `{}`", text.trim_end()));
        let mut rest = Rest(text);
        let (mut description, mut is_fortran, mut sizes) = (None, None, None);
        rest.take("{").ok_or_else(wrong)?;
        while rest.take("}").is_none() {
            let key = rest.quoted().ok_or_else(wrong)?;
            rest.take(":").ok_or_else(wrong)?;
            let is_new = match key {
                "descr" => {
                    let text = rest.quoted().ok_or_else(|| {
                        Reason::Text("holds records or objects, and only arrays of numbers are read".to_string())
                    })?;
                    description.replace(text).is_none()
                }
                "fortran_order" => {
                    let truth = rest.take("True").map(|()| true).or_else(|| rest.take("False").map(|()| false));
                    is_fortran.replace(truth.ok_or_else(wrong)?).is_none()
                }
                "shape" => sizes.replace(rest.tuple().ok_or_else(wrong)?).is_none(),
                _ => false,
            };
            if !is_new || rest.take(",").is_none() && !rest.0.trim_start().starts_with('}') {
                return Err(wrong());
            }
        }
        let (Some(description), Some(is_fortran), Some(sizes)) = (description, is_fortran, sizes) else {
            return Err(wrong());
        };
        if !rest.0.trim().is_empty() {
            return Err(wrong());
        }
        let Some((is_big_endian, kind)) = Kind::parse(description) else {
            let text = format!("holds elements of type `{description}`, and only numbers and truth values are read");
            return Err(Reason::Text(text));
        };
        Ok(Header { description: description.to_string(), kind, is_big_endian, is_fortran, sizes })
    }
}

/// The rest of a header's text.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Goes past `word`, if it is next.
    fn take(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(word)?;
        Some(())
    }

    /// A string in quotes of either kind. None of those expected contains quotes.
    fn quoted(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
        let (inner, rest) = text[1..].split_once(quote)?;
        self.0 = rest;
        Some(inner)
    }

    /// A tuple of counts.
    fn tuple(&mut self) -> Option<Vec<usize>> {
        self.take("(")?;
        let mut counts = Vec::new();
        while self.take(")").is_none() {
            let text = self.0.trim_start();
            let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
            counts.push(text[..digits].parse().ok()?);
            self.0 = &text[digits..];
            // Python 2 wrote long numbers so
            let _ = self.take("L");
            if self.take(",").is_none() && !self.0.trim_start().starts_with(')') {
                return None;
            }
        }
        Some(counts)
    }
}
