//! A machine for the part of Python's pickle language that `state_dict`s are written in. Nothing that a file names is
//! run: the few names that it may refer to stand in [`Global`], and everything else is an error.
//!
//! By hand, as crates for pickles read only plain data, without the references to storages that tensors consist of.
//! What the operations mean: `Lib/pickletools.py` in Python's source.

use super::super::strided::Strided;
use crate::files::Reason;
use safetensors::tensor::Dtype;
use std::collections::HashMap;

/// A value on the machine's stack. Containers lie in [`Objects`], under a number.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// `None`, a boolean, a float, an integer of more than 64 bits: values that no tensor is described with.
    Other,
    Whole(i64),
    Text(&'a str),
    Global(Global),
    Object(usize),
}

/// The names of Python that a file may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Global {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch._utils._rebuild_parameter_with_state`, of a parameter that was given attributes.
    RebuildParameterWithState,
    /// `torch.FloatStorage` and its kin
    Storage(Dtype),
    /// `torch.Size`
    Size,
    /// `torch.device`
    Device,
}

impl Global {
    fn find(module: &str, name: &str) -> Result<Self, Reason> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            ("torch._utils", "_rebuild_parameter_with_state") => Global::RebuildParameterWithState,
            ("torch", "Size") => Global::Size,
            ("torch", "device") => Global::Device,
            ("torch", "DoubleStorage") => Global::Storage(Dtype::F64),
            ("torch", "FloatStorage") => Global::Storage(Dtype::F32),
            ("torch", "HalfStorage") => Global::Storage(Dtype::F16),
            ("torch", "BFloat16Storage") => Global::Storage(Dtype::BF16),
            ("torch", "LongStorage") => Global::Storage(Dtype::I64),
            ("torch", "IntStorage") => Global::Storage(Dtype::I32),
            ("torch", "ShortStorage") => Global::Storage(Dtype::I16),
            ("torch", "CharStorage") => Global::Storage(Dtype::I8),
            ("torch", "ByteStorage") => Global::Storage(Dtype::U8),
            ("torch", "BoolStorage") => Global::Storage(Dtype::BOOL),
            ("torch" | "torch._utils", kind) if kind.ends_with("Storage") || kind.starts_with("_rebuild_") => {
                return Err(Reason::Text(format!(
                    "it refers to `{module}.{name}`, for a tensor of a kind that is not read: f64, f32, f16, bf16, \
                     whole numbers and truth values are, dense and with their numbers in the file"
                )));
            }
            _ => {
                return Err(Reason::Text(format!(
                    "it refers to `{module}.{name}`, which no `state_dict` needs, and nothing in a file is run: save \
                     the weights alone in Python, `torch.save(model.state_dict(), path)`"
                )));
            }
        })
    }
}

/// What has contents of its own.
pub enum Object<'a> {
    List(Vec<Value<'a>>),
    Tuple(Vec<Value<'a>>),
    /// Keys and values.
    Dict(Vec<(Value<'a>, Value<'a>)>),
    /// The type of a storage's elements, its name, and their number.
    Storage(Dtype, &'a str, usize),
    Tensor(View),
}

/// A tensor: elements of a storage, which other tensors may share.
#[derive(Clone)]
pub struct View {
    pub dtype: Dtype,
    /// The name of the storage.
    pub storage: String,
    /// Elements in the storage.
    pub storage_length: usize,
    pub elements: Strided,
}

impl View {
    /// Bytes of an element.
    pub fn width(&self) -> usize {
        self.dtype.bitsize() / 8
    }

    /// The bytes that the whole storage should have.
    pub fn storage_bytes(&self) -> Option<usize> {
        self.storage_length.checked_mul(self.width())
    }
}

/// What a pickle holds: its last value, and all objects that values refer to.
pub struct Objects<'a> {
    pub all: Vec<Object<'a>>,
    pub root: Value<'a>,
}

/// Runs a pickle.
pub fn read(bytes: &[u8]) -> Result<Objects<'_>, Reason> {
    let mut machine =
        Machine { bytes, at: 0, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new(), objects: Vec::new() };
    let root = loop {
        let start = machine.at;
        match machine.step() {
            Ok(None) => {}
            Ok(Some(root)) => break root,
            Err(Reason::Text(text)) => return Err(Reason::Text(format!("{text} (at byte {start} of `data.pkl`)"))),
            Err(reason) => return Err(reason),
        }
    };
    Ok(Objects { all: machine.objects, root })
}

/// An error of a pickle that Python would not have written.
fn wrong<T>(what: &str) -> Result<T, Reason> {
    Err(Reason::Text(format!("its pickle is damaged: {what}")))
}

struct Machine<'a> {
    bytes: &'a [u8],
    /// The place of the next byte.
    at: usize,
    stack: Vec<Value<'a>>,
    /// The marked heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<usize, Value<'a>>,
    objects: Vec<Object<'a>>,
}

impl<'a> Machine<'a> {
    /// Runs the next operation. The last one returns the result.
    fn step(&mut self) -> Result<Option<Value<'a>>, Reason> {
        let [operation] = self.array()?;
        match operation {
            // PROTO and FRAME say nothing about the contents
            0x80 => drop(self.array::<1>()?),
            0x95 => drop(self.array::<8>()?),
            b'(' => self.marks.push(self.stack.len()),
            b'.' => return self.pop().map(Some),
            // NONE, NEWTRUE, NEWFALSE, BINFLOAT
            b'N' | 0x88 | 0x89 => self.stack.push(Value::Other),
            b'G' => {
                self.array::<8>()?;
                self.stack.push(Value::Other);
            }
            // BININT, BININT1, BININT2, LONG1
            b'J' => {
                let number = i32::from_le_bytes(self.array()?);
                self.stack.push(Value::Whole(i64::from(number)));
            }
            b'K' => {
                let [number] = self.array()?;
                self.stack.push(Value::Whole(i64::from(number)));
            }
            b'M' => {
                let number = u16::from_le_bytes(self.array()?);
                self.stack.push(Value::Whole(i64::from(number)));
            }
            0x8a => {
                let [length] = self.array()?;
                let digits = self.slice(usize::from(length))?;
                self.stack.push(whole(digits));
            }
            // BINUNICODE, SHORT_BINUNICODE
            b'X' => {
                let length = u32::from_le_bytes(self.array()?) as usize;
                self.push_text(length)?;
            }
            0x8c => {
                let [length] = self.array()?;
                self.push_text(usize::from(length))?;
            }
            // EMPTY_LIST, EMPTY_DICT, EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
            b']' => self.push(Object::List(Vec::new())),
            b'}' => self.push(Object::Dict(Vec::new())),
            b')' => self.push(Object::Tuple(Vec::new())),
            b't' => {
                let values = self.since_mark()?;
                self.push(Object::Tuple(values));
            }
            0x85..=0x87 => {
                let values = self.pop_many(usize::from(operation - 0x84))?;
                self.push(Object::Tuple(values));
            }
            // APPEND, APPENDS, SETITEM, SETITEMS
            b'a' => {
                let value = self.pop()?;
                self.append(&[value])?;
            }
            b'e' => {
                let values = self.since_mark()?;
                self.append(&values)?;
            }
            b's' => {
                let values = self.pop_many(2)?;
                self.set_items(&values)?;
            }
            b'u' => {
                let values = self.since_mark()?;
                self.set_items(&values)?;
            }
            // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
            b'q' => {
                let [place] = self.array()?;
                self.keep(usize::from(place))?;
            }
            b'r' => {
                let place = u32::from_le_bytes(self.array()?);
                self.keep(place as usize)?;
            }
            0x94 => self.keep(self.memo.len())?,
            b'h' => {
                let [place] = self.array()?;
                self.recall(usize::from(place))?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.array()?);
                self.recall(place as usize)?;
            }
            // GLOBAL, STACK_GLOBAL, REDUCE, BUILD, BINPERSID
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.stack.push(Value::Global(Global::find(module, name)?));
            }
            0x93 => match self.pop_many(2)?[..] {
                [Value::Text(module), Value::Text(name)] => {
                    self.stack.push(Value::Global(Global::find(module, name)?));
                }
                _ => return wrong("a reference that is not text"),
            },
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            b'Q' => self.persistent()?,
            other => {
                let shown = if other.is_ascii_graphic() { format!(" (`{}`)", other as char) } else { String::new() };
                let text = format!("it uses pickle's operation {other:#04x}{shown}, which no `state_dict` needs");
                return Err(Reason::Text(text));
            }
        }
        Ok(None)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], Reason> {
        match self.bytes[self.at..].get(..length) {
            Some(slice) => {
                self.at += length;
                Ok(slice)
            }
            None => wrong("it ends too early"),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let slice = self.slice(N)?;
        Ok(*slice.first_chunk().expect("a slice of this length"))
    }

    fn push_text(&mut self, length: usize) -> Result<(), Reason> {
        match str::from_utf8(self.slice(length)?) {
            Ok(text) => self.stack.push(Value::Text(text)),
            Err(_) => return wrong("a text that is not UTF-8"),
        }
        Ok(())
    }

    /// A text up to the end of the line.
    fn line(&mut self) -> Result<&'a str, Reason> {
        let Some(length) = self.bytes[self.at..].iter().position(|&byte| byte == b'\n') else {
            return wrong("it ends too early");
        };
        let line = self.slice(length)?;
        self.at += 1;
        str::from_utf8(line).or_else(|_| wrong("a text that is not UTF-8"))
    }

    fn push(&mut self, object: Object<'a>) {
        self.stack.push(Value::Object(self.objects.len()));
        self.objects.push(object);
    }

    /// The lowest position from which values may be taken: those below the last mark are out of reach.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Value<'a>, Reason> {
        let value = if self.stack.len() > self.floor() { self.stack.pop() } else { None };
        value.map_or_else(|| wrong("a value is missing"), Ok)
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Value<'a>>, Reason> {
        match self.stack.len().checked_sub(count) {
            Some(start) if start >= self.floor() => Ok(self.stack.split_off(start)),
            _ => wrong("a value is missing"),
        }
    }

    /// The values since the last mark.
    fn since_mark(&mut self) -> Result<Vec<Value<'a>>, Reason> {
        match self.marks.pop() {
            Some(start) => Ok(self.stack.split_off(start)),
            None => wrong("a mark is missing"),
        }
    }

    /// The value at the top of the stack, which stays there.
    fn top(&self) -> Result<Value<'a>, Reason> {
        match self.stack.last() {
            Some(&top) if self.stack.len() > self.floor() => Ok(top),
            _ => wrong("a value is missing"),
        }
    }

    fn keep(&mut self, place: usize) -> Result<(), Reason> {
        self.memo.insert(place, self.top()?);
        Ok(())
    }

    fn recall(&mut self, place: usize) -> Result<(), Reason> {
        match self.memo.get(&place) {
            Some(&value) => self.stack.push(value),
            None => return wrong("it recalls what was not kept"),
        }
        Ok(())
    }

    /// The object at the top of the stack.
    fn top_object(&mut self) -> Result<&mut Object<'a>, Reason> {
        match self.top()? {
            Value::Object(object) => Ok(&mut self.objects[object]),
            _ => wrong("a value that has no contents is given some"),
        }
    }

    fn append(&mut self, values: &[Value<'a>]) -> Result<(), Reason> {
        match self.top_object()? {
            Object::List(list) => {
                list.extend(values);
                Ok(())
            }
            _ => wrong("something is appended to something that is not a list"),
        }
    }

    fn set_items(&mut self, values: &[Value<'a>]) -> Result<(), Reason> {
        let (pairs, rest) = values.as_chunks();
        match self.top_object()? {
            Object::Dict(items) if rest.is_empty() => {
                items.extend(pairs.iter().map(|&[key, value]| (key, value)));
                Ok(())
            }
            _ => wrong("an item is set in something that is not a dictionary"),
        }
    }

    /// A call, of which there are six.
    fn reduce(&mut self) -> Result<(), Reason> {
        let [function, arguments] = self.pop_many(2)?[..] else { unreachable!("two were asked for") };
        let Value::Global(global) = function else { return wrong("a call of something that is not a function") };
        let Some(arguments) = self.tuple(arguments) else { return wrong("a call without a tuple of arguments") };
        match (global, arguments) {
            (Global::OrderedDict, []) => self.push(Object::Dict(Vec::new())),
            // the tensor is the first argument
            (Global::RebuildParameter, &[tensor, _, _]) | (Global::RebuildParameterWithState, &[tensor, _, _, _])
                if self.is_tensor(tensor) =>
            {
                self.stack.push(tensor);
            }
            (Global::RebuildTensor, &[storage, offset, sizes, strides, _, _, ..]) => {
                let view = self.view(storage, offset, sizes, strides)?;
                self.push(Object::Tensor(view));
            }
            (Global::Size | Global::Device, _) => self.stack.push(Value::Other),
            _ => return wrong("a call with other arguments than PyTorch's"),
        }
        Ok(())
    }

    /// The state of an object. For a dictionary it is what modules store besides the weights, their versions.
    fn build(&mut self) -> Result<(), Reason> {
        self.pop()?;
        match self.top_object()? {
            Object::Dict(_) => Ok(()),
            _ => wrong("a state is given to something that is not a dictionary"),
        }
    }

    /// A reference to something outside the pickle: a storage.
    fn persistent(&mut self) -> Result<(), Reason> {
        let reference = self.pop()?;
        let storage = match self.tuple(reference) {
            Some(
                &[
                    Value::Text("storage"),
                    Value::Global(Global::Storage(dtype)),
                    Value::Text(name),
                    // the device it was on
                    Value::Text(_),
                    Value::Whole(length),
                ],
            ) => usize::try_from(length).ok().map(|length| Object::Storage(dtype, name, length)),
            _ => None,
        };
        match storage {
            Some(storage) => self.push(storage),
            None => return wrong("a reference to a storage that is none"),
        }
        Ok(())
    }

    fn tuple(&self, value: Value<'a>) -> Option<&[Value<'a>]> {
        match value {
            Value::Object(object) => match &self.objects[object] {
                Object::Tuple(values) => Some(values),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_tensor(&self, value: Value<'a>) -> bool {
        matches!(value, Value::Object(object) if matches!(self.objects[object], Object::Tensor(_)))
    }

    fn view(
        &self,
        storage: Value<'a>,
        offset: Value<'a>,
        sizes: Value<'a>,
        strides: Value<'a>,
    ) -> Result<View, Reason> {
        let count = |value: Value<'a>| match value {
            Value::Whole(number) => usize::try_from(number).ok(),
            _ => None,
        };
        let counts = |value| self.tuple(value)?.iter().map(|&value| count(value)).collect::<Option<Vec<usize>>>();
        let storage = match storage {
            Value::Object(object) => match self.objects[object] {
                Object::Storage(dtype, name, length) => Some((dtype, name.to_string(), length)),
                _ => None,
            },
            _ => None,
        };
        match (storage, count(offset), counts(sizes), counts(strides)) {
            (Some((dtype, storage, storage_length)), Some(offset), Some(sizes), Some(strides)) => {
                let place = format!("offset {offset}, sizes {sizes:?}, strides {strides:?} of storage `{storage}`");
                let elements = Strided::new(dtype.bitsize() / 8, storage_length, offset, sizes, strides);
                match elements {
                    Ok(elements) => Ok(View { dtype, storage, storage_length, elements }),
                    Err(what) => {
                        let text = format!("a tensor {what}: {place} of {storage_length} elements");
                        Err(Reason::Text(text))
                    }
                }
            }
            _ => wrong("a tensor without a storage, an offset, sizes and strides"),
        }
    }
}

/// An integer from its bytes, the lowest first, in two's complement.
fn whole(digits: &[u8]) -> Value<'static> {
    let mut bytes = [if digits.last().is_some_and(|&last| last >= 0x80) { 0xFF } else { 0 }; 8];
    match bytes.get_mut(..digits.len()) {
        Some(low) => {
            low.copy_from_slice(digits);
            Value::Whole(i64::from_le_bytes(bytes))
        }
        None => Value::Other,
    }
}
