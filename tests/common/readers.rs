//! What must hold of every reader of files, whatever the bytes: it ends with an error or with something right, and
//! never with a panic or a half-loaded model. `tests/damaged_files.rs` and others run these functions over damaged copies
//! of good files.

// each test program uses a part of this
#![allow(dead_code)]

use rand::{Rng, RngExt};
use taut::io::ParameterFile;
#[cfg(feature = "numpy")]
use taut::io::{NpzFile, npy};
use taut::params::{ParameterPath, Values, Visitor, VisitorMut};
use taut::prelude::*;

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

/// Loads an open file into models that fit it, and into one that does not. Gives whether its numbers could be read.
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

/// A file of `torch.save`.
#[cfg(feature = "pytorch")]
pub fn pytorch(bytes: &[u8]) -> bool {
    ParameterFile::from_pytorch(bytes.to_vec()).is_ok_and(load)
}

/// A file of `torch.save` with this pickle, and a storage of 64 bytes: with checksums that are right.
#[cfg(feature = "pytorch")]
pub fn pytorch_pickle(pickle: &[u8]) -> bool {
    pytorch(&zip_archive(&[("a/data.pkl", pickle), ("a/data/0", &[7; 64])]))
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

/// A damaged copy: bits flipped, bytes replaced, cut off, left out, doubled, or with numbers that are too large.
pub fn damaged(bytes: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for _ in 0..rng.random_range(1..4) {
        if damaged.is_empty() {
            break;
        }
        let place = rng.random_range(0..damaged.len());
        let end = damaged.len().min(place + rng.random_range(1..9));
        match rng.random_range(0..7) {
            0 => damaged[place] ^= 1 << rng.random_range(0..8),
            1 => damaged[place] = rng.random(),
            2 => damaged.truncate(place),
            3 => drop(damaged.drain(place..end)),
            4 => {
                let again = damaged[place..end].to_vec();
                damaged.splice(place..place, again);
            }
            // the largest numbers, with and without a sign
            5 => damaged[place..end].fill(0xFF),
            _ => damaged[end - 1] = 0x7F,
        }
    }
    damaged
}
