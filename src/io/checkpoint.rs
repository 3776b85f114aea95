//! Everything needed to resume a training run as if it had never stopped, in one file.

use super::persist::{compare, in_memory, must_not_be_shared, put, save, strip, under, walk};
use super::precision::Precision;
use super::safetensors::{Header, Stored};
use super::source::Source;
use crate::files::{FileError, Reason};
use crate::numbers::{Generator, GeneratorState};
use crate::optim::{Snapshot, SnapshotArray, SnapshotMismatch};
use crate::params::{Parameters, Values};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What a training run needs to resume: models, the state of optimizers and schedules, the random generator, and your
/// own numbers such as the epoch. Each has a name.
///
/// A resumed run gives the same bits as one that was never interrupted, if its random numbers come from a
/// [`taut::Generator`](crate::Generator) that is in the checkpoint.
///
/// ```
/// use taut::prelude::*;
/// # fn main() -> Result<(), taut::files::FileError> {
/// # let folder = std::env::temp_dir().join(format!("taut-doc-checkpoint-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("run.safetensors");
/// type Mlp = (Linear<4, 8>, Relu, Linear<8, 2>);
/// let mut rng = taut::Generator::new(0);
/// let mut model = Mlp::init(&mut rng);
/// let mut optimizer = Adam::new(AdamConfig::default());
/// let mut epoch = 0;
///
/// if path.exists() {
///     let checkpoint = Checkpoint::load(&path)?;
///     checkpoint.restore_model("model", &mut model)?;
///     optimizer.restore(&checkpoint.snapshot("optimizer")?, &model)?;
///     rng = checkpoint.generator("rng")?;
///     epoch = checkpoint.count("epoch")?;
/// }
/// while epoch < 3 {
///     let x = Tensor::<Rank2<16, 4>>::randn(&mut rng);
///     let tape = Tape::training(&mut rng);
///     let y = model.forward(tape.trace(x));
///     let gradients = (y.clone() * y).mean().backward();
///     optimizer.step(&mut model, &gradients);
///     epoch += 1;
///
///     Checkpoint::new()
///         .with_model("model", &model)
///         .with_snapshot("optimizer", &optimizer.snapshot())
///         .with_generator("rng", &rng)
///         .with_count("epoch", epoch)
///         .save(&path)?;
/// }
/// # assert_eq!(Checkpoint::load(&path)?.count("epoch")?, 3);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// Resuming in the middle of an epoch works, too: save the generator's state from before the samples were shuffled, and
/// skip the batches that were done.
///
/// ```
/// use taut::data::digits;
/// use taut::prelude::*;
/// # fn main() -> Result<(), taut::files::FileError> {
/// # let path = std::env::temp_dir().join(format!("taut-doc-mid-epoch-{}", std::process::id()));
/// let mut rng = taut::Generator::new(0);
/// let of_epoch = rng.clone();
/// let mut batches = digits().batches::<64>(&mut rng);
/// batches.by_ref().take(10).for_each(drop); // train on ten of them
/// let checkpoint = Checkpoint::new().with_generator("rng", &rng).with_generator("of_epoch", &of_epoch);
/// checkpoint.with_count("batch", 10).save(&path)?;
///
/// let checkpoint = Checkpoint::load(&path)?;
/// let again = digits().batches::<64>(&mut checkpoint.generator("of_epoch")?).skip(checkpoint.count("batch")?);
/// let rng = checkpoint.generator("rng")?; // for dropout, and for the next epoch
/// assert!(again.eq(batches));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// "The same bits" are those of one kind of processor: where there are no fused multiply-adds, or where
/// `TAUT_INSTRUCTIONS` forbids them, products and exponentials are rounded differently, and a run resumed there is as
/// good as the original, but not identical.
///
/// # The file
///
/// It is a safetensors file. A model's parameters are in it as `model.0.weight`, so that [`load_parameters_under(path,
/// "model")`](super::Persist::load_parameters_under) takes the model alone; arrays of a snapshot as
/// `optimizer.mean.0.weight`. Single numbers are strings in its `__metadata__`.
#[derive(Clone, Debug, Default)]
#[must_use = "a checkpoint is in a file once `save` has written it"]
pub struct Checkpoint {
    /// The file that this was loaded from, for messages.
    path: Option<PathBuf>,
    arrays: BTreeMap<String, Array>,
    texts: BTreeMap<String, String>,
    /// The names that were added.
    names: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Array {
    sizes: Vec<usize>,
    values: SnapshotArray,
}

impl Checkpoint {
    /// An empty checkpoint.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the parameters and buffers of a model, as they are now.
    ///
    /// # Panics
    /// If two parameters have the same name; or something added before has the same name, or one within the other
    /// (`model` and `model.ema`).
    #[track_caller]
    pub fn with_model<M: Parameters>(self, name: &str, model: &M) -> Self {
        self.with_parameters(name, model)
    }

    #[track_caller]
    fn with_parameters(mut self, name: &str, model: &dyn Parameters) -> Self {
        self.claim(name);
        let mut twice = None;
        walk(model, name, &mut |name, sizes, values| {
            let values = match values {
                Values::F32(values) => SnapshotArray::F32(values.to_vec()),
                Values::F64(values) => SnapshotArray::F64(values.to_vec()),
            };
            if self.arrays.insert(name.to_string(), Array { sizes: sizes.to_vec(), values }).is_some() {
                twice = Some(name.to_string());
            }
        });
        if let Some(twice) = twice {
            name_used_twice(&twice);
        }
        self
    }

    /// Adds the state of an optimizer or a schedule.
    ///
    /// # Panics
    /// If something added before has the same name, or one within the other (`model` and `model.ema`).
    #[track_caller]
    pub fn with_snapshot(mut self, name: &str, snapshot: &Snapshot) -> Self {
        self.claim(name);
        for (number, value) in &snapshot.numbers {
            self.put_text(&under(name, number), value);
        }
        for (array, values) in &snapshot.arrays {
            let name = under(name, array);
            let length = match values {
                SnapshotArray::F32(values) => values.len(),
                SnapshotArray::F64(values) => values.len(),
            };
            let array = Array { sizes: vec![length], values: values.clone() };
            if self.arrays.insert(name.clone(), array).is_some() {
                name_used_twice(&name);
            }
        }
        self
    }

    /// Adds the state of a generator.
    ///
    /// # Panics
    /// If something added before has the same name, or one within the other (`model` and `model.ema`).
    #[track_caller]
    pub fn with_generator(mut self, name: &str, rng: &Generator) -> Self {
        self.claim(name);
        let GeneratorState { seed, stream, position } = rng.state();
        let seed: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        self.put_text(&under(name, "seed"), seed);
        self.put_text(&under(name, "stream"), stream);
        self.put_text(&under(name, "position"), position);
        self
    }

    /// Adds a number of your own, kept exactly.
    ///
    /// # Panics
    /// If something added before has the same name, or one within the other (`model` and `model.ema`).
    #[track_caller]
    pub fn with_number(mut self, name: &str, number: f64) -> Self {
        self.claim(name);
        self.put_text(name, number);
        self
    }

    /// Adds a count of your own: the epoch, say.
    ///
    /// # Panics
    /// If something added before has the same name, or one within the other (`model` and `model.ema`).
    #[track_caller]
    pub fn with_count(mut self, name: &str, count: usize) -> Self {
        self.claim(name);
        self.put_text(name, count);
        self
    }

    /// Saves everything in one file. An existing file at `path` is kept until the new one is complete.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        save(&|see| self.walk(see), Precision::Unchanged, &self.texts, path.as_ref())
    }

    /// The bytes that [`save`](Self::save) writes.
    ///
    /// # Errors
    /// If something has a name that the format reserves.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, FileError> {
        in_memory(&|see| self.walk(see), Precision::Unchanged, &self.texts)
    }

    fn walk(&self, see: &mut dyn FnMut(&str, &[usize], Values<'_>)) {
        for (name, Array { sizes, values }) in &self.arrays {
            let values = match values {
                SnapshotArray::F32(values) => Values::F32(values),
                SnapshotArray::F64(values) => Values::F64(values),
            };
            see(name, sizes, values);
        }
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let (mut reader, length) = Source::open(path)?;
        Self::read(&mut reader, length, Some(path))
    }

    /// Reads a checkpoint in memory.
    ///
    /// # Errors
    /// If it is damaged.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let bytes = Checkpoint::new().with_count("epoch", 3).to_safetensors().unwrap();
    /// assert_eq!(Checkpoint::from_safetensors(&bytes).unwrap().count("epoch").unwrap(), 3);
    /// ```
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, FileError> {
        Self::read(&mut &*bytes, bytes.len() as u64, None)
    }

    fn read(reader: &mut dyn Read, length: u64, path: Option<&Path>) -> Result<Self, FileError> {
        let mut read = || {
            let header = Header::read(reader, length)?;
            let mut arrays = BTreeMap::new();
            for stored in header.tensors {
                let values = stored.read(reader)?;
                arrays.insert(stored.name, Array { sizes: stored.sizes, values });
            }
            Ok(Checkpoint { path: path.map(Path::to_path_buf), arrays, texts: header.texts, names: BTreeSet::new() })
        };
        read().map_err(|reason| FileError::of(path, reason))
    }

    /// Restores a model's parameters and buffers.
    ///
    /// # Errors
    /// If they do not fit the model, which is then unchanged.
    #[track_caller]
    pub fn restore_model<M: Parameters>(&self, name: &str, model: &mut M) -> Result<(), FileError> {
        self.restore(name, model)
    }

    #[track_caller]
    fn restore(&self, name: &str, model: &mut dyn Parameters) -> Result<(), FileError> {
        let describe = |(name, array): (&String, &Array)| Stored::describe(name, &array.sizes, &array.values);
        let stored: Vec<Stored> = self.arrays.iter().map(describe).collect();
        compare(model, name, &stored).map_err(|reason| self.error(reason))?;
        must_not_be_shared(model);
        put(model, &|parameter| Some(&self.arrays.get(&under(name, parameter))?.values));
        Ok(())
    }

    /// The state of an optimizer or a schedule, for its `restore`.
    ///
    /// # Errors
    /// If there is nothing with this name.
    pub fn snapshot(&self, name: &str) -> Result<Snapshot, FileError> {
        let mut snapshot = Snapshot::default();
        for (full, text) in &self.texts {
            if let Some(number) = strip(name, full) {
                snapshot.numbers.push((number.to_string(), self.parse(full, text)?));
            }
        }
        for (full, array) in &self.arrays {
            if let Some(array_name) = strip(name, full) {
                snapshot.arrays.push((array_name.to_string(), array.values.clone()));
            }
        }
        if snapshot == Snapshot::default() {
            return Err(self.missing(name));
        }
        Ok(snapshot)
    }

    /// The generator in its saved state.
    ///
    /// # Errors
    /// If there is none with this name.
    pub fn generator(&self, name: &str) -> Result<Generator, FileError> {
        let text: String = self.get(&under(name, "seed"))?;
        let mut seed = [0; 32];
        let digits = text.as_bytes();
        let wrong = || self.error(Reason::Text(format!("`{name}.seed` is `{text}`, and should be 64 hex digits")));
        if digits.len() != 2 * seed.len() {
            return Err(wrong());
        }
        for (byte, pair) in seed.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok();
            *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(wrong)?;
        }
        let (stream, position) = (self.get(&under(name, "stream"))?, self.get(&under(name, "position"))?);
        Ok(Generator::from_state(&GeneratorState { seed, stream, position }))
    }

    /// A number of your own.
    ///
    /// # Errors
    /// If there is none with this name.
    pub fn number(&self, name: &str) -> Result<f64, FileError> {
        self.get(name)
    }

    /// A count of your own.
    ///
    /// # Errors
    /// If there is none with this name.
    pub fn count(&self, name: &str) -> Result<usize, FileError> {
        self.get(name)
    }

    /// A name also reserves all names that begin with it and a dot, so these must be free.
    #[track_caller]
    fn claim(&mut self, name: &str) {
        if let Some(other) = self.names.iter().find(|other| strip(other, name).or(strip(name, other)).is_some()) {
            if other == name {
                name_used_twice(name);
            }
            panic!("in a checkpoint `{name}` and `{other}` would be one within the other: give one another name");
        }
        self.names.insert(name.to_string());
    }

    #[track_caller]
    fn put_text(&mut self, name: &str, value: impl Display) {
        // the shortest text that reads back as the same number
        if self.texts.insert(name.to_string(), value.to_string()).is_some() {
            name_used_twice(name);
        }
    }

    fn get<T: FromStr>(&self, name: &str) -> Result<T, FileError> {
        self.parse(name, self.texts.get(name).ok_or_else(|| self.missing(name))?)
    }

    fn parse<T: FromStr>(&self, name: &str, text: &str) -> Result<T, FileError> {
        let wrong = |_| self.error(Reason::Text(format!("`{name}` is `{text}`, which is not what is asked for")));
        text.parse().map_err(wrong)
    }

    fn missing(&self, name: &str) -> FileError {
        let names = self.texts.keys().chain(self.arrays.keys());
        let mut parts: Vec<&str> = names.filter_map(|name| name.split('.').next()).collect();
        parts.sort_unstable();
        parts.dedup();
        self.error(Reason::Text(format!("there is no `{name}` in this checkpoint, which holds {parts:?}")))
    }

    fn error(&self, reason: Reason) -> FileError {
        FileError::of(self.path.as_deref(), reason)
    }
}

/// So that a program loading a checkpoint can use `?` on its optimizer's errors.
impl From<SnapshotMismatch> for FileError {
    fn from(mismatch: SnapshotMismatch) -> Self {
        FileError::of(None, Reason::Text(mismatch.to_string()))
    }
}

#[track_caller]
fn name_used_twice(name: &str) -> ! {
    panic!("two things in a checkpoint have the name `{name}`")
}
