//! What must hold of every reader of files, whatever the bytes: it ends with an error or with something right, and
//! never with a panic or a half-loaded model. Each function here gives bytes to one reader, and says whether they could
//! be read. `tests/readers.rs` runs them over damaged copies of good files, and the programs in `fuzz/` over what a
//! fuzzer finds.

// each program uses a part of this
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
#[cfg(feature = "image")]
use taut::data::png;
use taut::data::{Csv, CsvOptions, Idx, cifar10, mnist, names};
use taut::files::FileError;
use taut::io::ParameterFile;
#[cfg(feature = "numpy")]
use taut::io::{NpzFile, npy};
use taut::params::{ParameterPath, Values, Visitor, VisitorMut};
use taut::prelude::*;
use taut::record;
use taut::text::{Questions, Vocabulary, WordPairs, WordVectors};

/// A model with any parameters of up to four axes, by name.
#[derive(Default)]
pub struct Anything<E: Float = f32> {
    parameters: Vec<(String, AnyRank<E>)>,
}

enum AnyRank<E: Float> {
    Zero(Param<(), E>),
    One(Param<(usize,), E>),
    Two(Param<(usize, usize), E>),
    Three(Param<(usize, usize, usize), E>),
    Four(Param<(usize, usize, usize, usize), E>),
}

impl<E: Float> Anything<E> {
    /// Parameters for all tensors of a file of these names, of up to a million elements together.
    pub fn of(file: &ParameterFile, is_wanted: impl Fn(&str) -> bool) -> Self {
        let mut model = Anything { parameters: Vec::new() };
        let mut room: usize = 1 << 20;
        for (name, sizes) in file.tensors().filter(|&(name, _)| is_wanted(name)) {
            let count = sizes.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
            let Some(rest) = count.and_then(|count| room.checked_sub(count)) else { continue };
            room = rest;
            let parameter = match *sizes {
                [] => AnyRank::Zero(Param::new(Tensor::zeros())),
                [a] => AnyRank::One(Param::new(Tensor::zeros_with((a,)))),
                [a, b] => AnyRank::Two(Param::new(Tensor::zeros_with((a, b)))),
                [a, b, c] => AnyRank::Three(Param::new(Tensor::zeros_with((a, b, c)))),
                [a, b, c, d] => AnyRank::Four(Param::new(Tensor::zeros_with((a, b, c, d)))),
                _ => continue,
            };
            model.parameters.push((name.to_string(), parameter));
        }
        model
    }

    /// The bits of all numbers.
    pub fn bits(&self) -> Vec<u64> {
        let mut bits = Vec::new();
        self.for_each_parameter(|_, leaf| match leaf.values {
            Values::F32(values) => bits.extend(values.iter().map(|x| u64::from(x.to_bits()))),
            Values::F64(values) => bits.extend(values.iter().map(|x| x.to_bits())),
        });
        bits
    }
}

impl<E: Float> Parameters for Anything<E> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        for (name, parameter) in &self.parameters {
            path.at(name, |path| match parameter {
                AnyRank::Zero(parameter) => parameter.visit(path, visitor),
                AnyRank::One(parameter) => parameter.visit(path, visitor),
                AnyRank::Two(parameter) => parameter.visit(path, visitor),
                AnyRank::Three(parameter) => parameter.visit(path, visitor),
                AnyRank::Four(parameter) => parameter.visit(path, visitor),
            });
        }
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        for (name, parameter) in &mut self.parameters {
            path.at(name, |path| match parameter {
                AnyRank::Zero(parameter) => parameter.visit_mut(path, visitor),
                AnyRank::One(parameter) => parameter.visit_mut(path, visitor),
                AnyRank::Two(parameter) => parameter.visit_mut(path, visitor),
                AnyRank::Three(parameter) => parameter.visit_mut(path, visitor),
                AnyRank::Four(parameter) => parameter.visit_mut(path, visitor),
            });
        }
    }
}

/// Loads an open file into models that fit it, and into one that does not. Returns whether its numbers could be read.
fn load(mut file: ParameterFile) -> bool {
    let mut fitting = Anything::<f64>::of(&file, |_| true);
    let before = fitting.bits();
    let loaded = match file.load_what_fits(&mut fitting) {
        Ok(report) => !report.loaded.is_empty(),
        Err(_) => {
            assert!(fitting.bits() == before, "the model changed, though loading failed");
            false
        }
    };
    let mut other = Linear::<3, 2>::init(&mut StdRng::seed_from_u64(0));
    let before = other.to_safetensors().unwrap();
    if file.load(&mut other).is_err() {
        assert!(other.to_safetensors().unwrap() == before, "the model changed, though loading failed");
    }
    loaded
}

/// A safetensors file.
pub fn safetensors(bytes: &[u8]) -> bool {
    ParameterFile::from_safetensors(bytes.to_vec()).is_ok_and(load)
}

/// The model, the optimizer and the names in the checkpoint that [`checkpoint`] reads.
pub type CheckpointModel = (Linear<3, 2>, BatchNorm1d<2>);

/// A checkpoint with `model`, `optimizer`, `rng`, `epoch` and `best`.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let Ok(checkpoint) = Checkpoint::from_safetensors(bytes) else { return false };
    let mut model = CheckpointModel::init(&mut StdRng::seed_from_u64(0));
    let before = model.to_safetensors().unwrap();
    let restored = checkpoint.restore_model("model", &mut model);
    assert!(restored.is_ok() || model.to_safetensors().unwrap() == before, "the model changed, though loading failed");
    let mut optimizer = Adam::new(AdamConfig::default());
    let snapshot = checkpoint.snapshot("optimizer");
    let optimized = snapshot.is_ok_and(|snapshot| optimizer.restore(&snapshot, &model).is_ok());
    let rng = checkpoint.generator("rng").is_ok();
    restored.is_ok() & optimized & rng & checkpoint.count("epoch").is_ok() & checkpoint.number("best").is_ok()
}

/// A file of `torch.save`.
#[cfg(feature = "pytorch")]
pub fn pytorch(bytes: &[u8]) -> bool {
    ParameterFile::from_pytorch(bytes.to_vec()).is_ok_and(load)
}

/// A file of `torch.save` with this pickle and a storage of 64 bytes, with correct checksums.
#[cfg(feature = "pytorch")]
pub fn pickle_archive(pickle: &[u8]) -> Vec<u8> {
    zip_archive(&[("a/data.pkl", pickle), ("a/data/0", &[7; 64])])
}

/// The pickle in a file of `torch.save`.
#[cfg(feature = "pytorch")]
pub fn pytorch_pickle(bytes: &[u8]) -> bool {
    pytorch(&pickle_archive(bytes))
}

/// Writes files into their own folder, and reads it.
fn in_folder<R>(files: &[(&str, &[u8])], read: impl FnOnce(&Path) -> R) -> R {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("taut-readers-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    files.iter().for_each(|(name, contents)| std::fs::write(folder.join(name), contents).unwrap());
    let read = read(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    read
}

/// Gives a reader a file of these bytes.
fn in_file<R>(name: &str, bytes: &[u8], read: impl FnOnce(PathBuf) -> Result<R, FileError>) -> Option<R> {
    in_folder(&[(name, bytes)], |folder| read(folder.join(name)).ok())
}

/// An IDX file.
pub fn idx(bytes: &[u8]) -> bool {
    let read = in_file("x", bytes, Idx::read);
    read.is_some_and(|idx| {
        assert_eq!(idx.sizes.iter().product::<usize>(), idx.bytes.len());
        true
    })
}

/// An IDX file packed with gzip.
pub fn idx_gzip(bytes: &[u8]) -> bool {
    in_file("x.gz", bytes, Idx::read).is_some()
}

/// A CSV file, with a header and without.
pub fn csv(bytes: &[u8]) -> bool {
    let options = CsvOptions { has_header: true, delimiter: b';', ..Default::default() };
    in_file("x", bytes, |path| Csv::read_with(path, options));
    in_file("x", bytes, Csv::read).is_some_and(|csv| {
        let numbers = csv.numbers([0, 1]);
        let classes = csv.classes(2);
        assert!(numbers.as_ref().is_ok_and(|numbers| numbers.shape().0 == csv.len()) || numbers.is_err());
        numbers.is_ok() & classes.is_ok() & csv.labels(0, 3).is_ok() & csv.texts(2).is_ok()
    })
}

/// A picture, in gray and in colour.
#[cfg(feature = "image")]
pub fn png(bytes: &[u8]) -> bool {
    let gray = in_file("x.png", bytes, png::read::<Const<1>>).is_some();
    gray & in_file("x.png", bytes, png::read::<Const<3>>).is_some()
}

/// Word vectors in the text format.
pub fn word_vectors_text(bytes: &[u8]) -> bool {
    in_file("x", bytes, WordVectors::load_text).is_some_and(is_consistent)
}

/// Word vectors in the binary format.
pub fn word_vectors_binary(bytes: &[u8]) -> bool {
    in_file("x", bytes, WordVectors::load_binary).is_some_and(is_consistent)
}

fn is_consistent(vectors: WordVectors) -> bool {
    let words = vectors.vocabulary().tokens();
    assert!(words.iter().all(|word| vectors.of(word).is_some_and(|vector| vector.len() == vectors.dimension())));
    true
}

/// Pairs of words with human similarity judgements.
pub fn word_pairs(bytes: &[u8]) -> bool {
    in_file("x", bytes, WordPairs::load).is_some()
}

/// Analogy questions.
pub fn questions(bytes: &[u8]) -> bool {
    in_file("x", bytes, Questions::load).is_some()
}

/// A vocabulary, which must come back the same when it is saved.
pub fn vocabulary(bytes: &[u8]) -> bool {
    let Some(vocabulary) = in_file("x", bytes, Vocabulary::load) else { return false };
    in_folder(&[], |folder| {
        let path = folder.join("again");
        vocabulary.save(&path).unwrap();
        let again = Vocabulary::load(&path).unwrap();
        assert_eq!((again.tokens(), again.counts()), (vocabulary.tokens(), vocabulary.counts()));
    });
    true
}

/// One of the files of names; the others hold one name each.
pub fn family_names(bytes: &[u8]) -> bool {
    let files: Vec<String> = names::CLASSES.iter().map(|class| format!("{class}.txt")).collect();
    let file = |(i, name): (usize, &'_ String)| (name.clone(), if i == 0 { bytes.to_vec() } else { b"Abe\n".to_vec() });
    let files: Vec<(String, Vec<u8>)> = files.iter().enumerate().map(file).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, contents)| (name.as_str(), contents.as_slice())).collect();
    in_folder(&files, |folder| names::load(folder).is_ok())
}

/// Each of the files of CIFAR-10.
pub fn cifar(bytes: &[u8]) -> bool {
    let files = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"];
    let names = files.map(|name| format!("{name}.bin"));
    in_folder(&names.each_ref().map(|name| (name.as_str(), bytes)), |folder| cifar10::load(folder).is_ok())
}

/// The images of MNIST, beside labels of two.
pub fn mnist_images(bytes: &[u8]) -> bool {
    let labels: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 3, 9];
    let files = [
        ("train-images-idx3-ubyte", bytes),
        ("t10k-images-idx3-ubyte", bytes),
        ("train-labels-idx1-ubyte", labels),
        ("t10k-labels-idx1-ubyte", labels),
    ];
    in_folder(&files, |folder| mnist::load::<Rank1<784>>(folder).is_ok())
}

/// The metrics of a run, which can be resumed from them.
pub fn run_metrics(bytes: &[u8]) -> bool {
    in_folder(&[("metrics.jsonl", bytes)], |folder| {
        let Ok(measured) = record::read(folder) else { return false };
        if !bytes.ends_with(b"\n") {
            return true; // a truncated line is left out, which `tests/run_records.rs` tests
        }
        let kept = measured.iter().filter(|measurement| measurement.step < 1_000).count();
        let mut run = record::Run::resume(folder, 1_000).unwrap();
        run.log(1_000, [("loss", 0.5)]).unwrap();
        assert_eq!(record::read(folder).unwrap().len(), kept + 1);
        true
    })
}

/// A `.npy` file, as every kind of tensor.
#[cfg(feature = "numpy")]
pub fn npy(bytes: &[u8]) -> bool {
    fn is_read<E: npy::NpyElement>(bytes: &[u8]) -> bool {
        npy::from_bytes::<(usize, usize), E>(bytes).is_ok() | npy::from_bytes::<(usize, usize, usize), E>(bytes).is_ok()
    }
    is_read::<f32>(bytes) | is_read::<f64>(bytes) | is_read::<usize>(bytes) | is_read::<bool>(bytes)
}

/// An `.npz` file, and all arrays in it.
#[cfg(feature = "numpy")]
pub fn npz(bytes: &[u8]) -> bool {
    let Ok(mut file) = NpzFile::from_bytes(bytes.to_vec()) else { return false };
    let names: Vec<String> = file.names().map(str::to_string).collect();
    names.iter().filter(|name| file.tensor::<(usize, usize, usize), f64>(name).is_ok()).count() > 0
}

/// A zip archive of these entries.
#[cfg(any(feature = "numpy", feature = "pytorch"))]
pub fn zip_archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, contents) in entries {
        zip.start_file(*name, stored).unwrap();
        zip.write_all(contents).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
