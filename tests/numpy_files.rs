//! NumPy's files: `tests/numpy/generate.py` wrote those in `tests/numpy/files/`, and checks those written here.
#![cfg(feature = "numpy")]

#[path = "common/damage.rs"]
mod damage;
#[path = "common/python.rs"]
mod python;
#[path = "common/readers.rs"]
mod readers;

use damage::damaged;
use python::python;
use readers::zip_archive;
use std::path::{Path, PathBuf};
use taut::files::{FileError, Limit};
use taut::io::{NpzFile, NpzWriter, npy};
use taut::prelude::*;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/numpy/files").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

/// The numbers that the script's `counted` gives.
fn counted(count: usize) -> Vec<usize> {
    (0..count).map(|i| i * 7 % 23).collect()
}

type Cube<E = f32> = Tensor<Rank3<2, 3, 4>, E>;

/// Those that its `numbers` gives, as f64.
fn numbers(kind: &str, count: usize) -> Vec<f64> {
    let number = |count: usize| match kind.chars().next() {
        Some('f') => (count as f64 - 11.0) / 4.0,
        Some('i') => count as f64 - 11.0,
        _ => count as f64,
    };
    counted(count).into_iter().map(number).collect()
}

fn cube<E: Element>(element: impl Fn(usize) -> E) -> Cube<E> {
    Tensor::from_vec(counted(24).into_iter().map(element).collect(), Default::default()).unwrap()
}

#[test]
fn every_type_in_every_order_is_read_without_loss_or_refused() {
    let mut file = NpzFile::open(path("arrays.npz")).unwrap();
    let names: Vec<String> = file.names().map(str::to_string).collect();
    assert_eq!(names.len(), 12 * 4 - 3 * 2);
    for name in names {
        let kind = &name[..2];
        let expected = numbers(kind, 24);
        let f32s = file.tensor::<Rank3<2, 3, 4>, f32>(&name);
        let f64s = file.tensor::<(usize, usize, usize), f64>(&name);
        let counts = file.tensor::<(Const<2>, usize, Const<4>), usize>(&name);
        let truths = file.tensor::<Rank3<2, 3, 4>, bool>(&name);
        assert_eq!(f32s.is_ok(), ["f2", "f4", "i1", "i2", "u1", "u2"].contains(&kind), "{name}");
        assert_eq!(f64s.is_ok(), !["b1", "i8", "u8"].contains(&kind), "{name}");
        assert_eq!(truths.is_ok(), kind == "b1", "{name}");
        if let Ok(f32s) = f32s {
            assert!(f32s.iter().map(f64::from).eq(expected.iter().copied()), "{name}: {f32s}");
        }
        if let Ok(f64s) = f64s {
            assert_eq!((f64s.to_vec(), f64s.shape()), (expected, (2, 3, 4)), "{name}");
        }
        match counts {
            Ok(counts) => assert_eq!(counts.to_vec(), counted(24), "{name}"),
            Err(error) if kind.starts_with('i') => {
                assert!(error.reason().contains("element 0 of the array (`"), "{name}: {error}");
                assert!(error.reason().ends_with("is not a valid usize"), "{name}: {error}");
            }
            Err(error) => {
                assert!(kind.starts_with('f') || kind == "b1");
                assert!(error.reason().contains("which usize does not hold without loss"), "{name}: {error}");
            }
        }
        if let Ok(truths) = truths {
            assert!(truths.iter().eq(counted(24).into_iter().map(|count| count % 2 == 1)), "{name}");
        }
    }
}

#[test]
fn files_of_one_array() {
    let matrix: Tensor<Rank2<3, 5>> = npy::read(path("matrix.npy")).unwrap();
    assert!(matrix.iter().map(f64::from).eq(numbers("f4", 15)));
    assert_eq!(npy::from_bytes::<(usize, Const<5>), f32>(&bytes("matrix.npy")).unwrap().to_vec(), matrix.to_vec());
    assert_eq!(npy::read::<Rank0, f64>(path("number.npy")).unwrap().to_vec(), [-2.75]);
    assert_eq!(npy::read::<Rank3<3, 0, 2>, f32>(path("nothing.npy")).unwrap().count(), 0);
    assert_eq!(npy::read::<(usize, usize), f64>(path("version_2.npy")).unwrap().to_vec(), numbers("f8", 4));
    let special: Tensor<Rank1<6>> = npy::read(path("special.npy")).unwrap();
    let [inf, minus_inf, nan, zero, small, large] = special.to_array();
    assert_eq!((inf, minus_inf, small, large), (f32::INFINITY, f32::NEG_INFINITY, 2.0_f32.powi(-24), 65504.0));
    assert!(nan.is_nan() && zero == 0.0 && zero.is_sign_negative());
}

#[test]
fn compressed_files_and_limits() {
    let mut file = NpzFile::open(path("compressed.npz")).unwrap();
    assert_eq!(file.names().collect::<Vec<_>>(), ["named", "arr_0", "arr_1"]);
    assert_eq!(file.tensor::<(usize, usize), f64>("arr_0").unwrap().to_vec(), [0.0; 10_000]);
    assert_eq!(file.tensor::<Rank1<5>, usize>("arr_1").unwrap().to_vec(), counted(5));
    assert!(file.tensor::<Rank3<2, 3, 4>, f32>("named").unwrap().iter().map(f64::from).eq(numbers("f4", 24)));
    let error = file.tensor::<Rank1<5>, usize>("other").unwrap_err().to_string();
    assert!(error.contains("there is no array `other` in this file, which holds [\"named\", \"arr_0\""), "{error}");
    let mut file = NpzFile::open_with(path("compressed.npz"), Limit::Bytes(1_000)).unwrap();
    let error = file.tensor::<(usize, usize), f64>("arr_0").unwrap_err().to_string();
    assert!(error.contains("holds 80128 bytes, and 1000 are the most"), "{error}");
    assert_eq!(file.tensor::<Rank1<5>, usize>("arr_1").unwrap().count(), 5);
}

#[test]
fn what_is_no_array_of_numbers_of_this_shape_is_an_error_in_words() {
    let message = |name: &str| npy::read::<(usize,), f32>(path(name)).unwrap_err().to_string();
    for (name, words) in [
        ("records.npy", "holds records or objects, and only arrays of numbers are read"),
        ("objects.npy", "holds elements of type `|O`"),
        ("texts.npy", "holds elements of type `<U2`"),
        ("complex.npy", "holds elements of type `<c8`"),
        ("matrix.npy", "a tensor of shape (3, 5) is not one of shape (usize,)"),
        ("version_2.npy", "a tensor of shape (2, 2) is not"),
        ("arrays.npz", "it does not begin with"),
    ] {
        let message = message(name);
        assert!(message.contains(words) && message.contains(name), "{message}");
    }
    let error = npy::read::<(usize, usize), f32>(path("version_2.npy")).unwrap_err().to_string();
    assert!(error.contains("holds `<f8`, which f32 does not hold without loss: read a tensor of other"), "{error}");
    assert!(error.contains("x.astype(np.dtype(\"<f4\"))"), "{error}");
    let error = NpzFile::open(path("matrix.npy")).unwrap_err().to_string();
    assert!(error.contains("this is not a whole zip archive"), "{error}");
}

/// A file with this header and this many bytes of elements.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn headers_of_every_spelling_and_none_other() {
    let read = |header: &str, data| npy::from_bytes::<(usize, usize), f32>(&file(header, data)).map(|x| x.shape());
    for good in [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}     \n",
        "{\"shape\":(2,3),\"descr\":\">f4\",\"fortran_order\":True}",
        "  { 'descr' : '<f4' ,\n'fortran_order' : True , 'shape' : ( 2L , 3L , ) , }",
    ] {
        assert_eq!(read(good, 24).unwrap(), (2, 3), "{good}");
    }
    for bad in [
        "",
        "{",
        "}",
        "{}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} + 1",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 6}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 99999999999999999999999)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 0)}x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}",
        "{'descr': 'f4', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '|f4', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<f3', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<é4', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': __import__('os').system('ls'), 'fortran_order': False, 'shape': (2, 3)}",
        &"(".repeat(9_000),
        &"{'descr':".repeat(1_000),
    ] {
        let error = read(bad, 24).unwrap_err();
        assert!(error.path().is_none(), "{error}");
    }
    // lengths that no header can have
    for start in
        [&b"\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF"[..], b"\x93NUMPY\x01\x00\xFF\xFF", b"\x93NUMPY\x04\x00\x02\x00{}"]
    {
        assert!(npy::from_bytes::<Rank0, f32>(start).is_err());
    }
}

#[test]
fn truth_values_are_0_or_1() {
    let mut bytes = npy::to_bytes(&Tensor::from([true, false])).unwrap();
    *bytes.last_mut().unwrap() = 2;
    let error = npy::from_bytes::<Rank1<2>, bool>(&bytes).unwrap_err().to_string();
    assert!(error.contains("element 1 of the array (`|b1`) is not a valid bool"), "{error}");
}

#[test]
fn truncations_are_refused_and_damage_never_panics() {
    let good = bytes("matrix.npy");
    for length in 0..good.len() {
        assert!(npy::from_bytes::<Rank2<3, 5>, f32>(&good[..length]).is_err(), "the first {length} bytes");
    }
    assert!(npy::from_bytes::<Rank2<3, 5>, f32>(&[good.as_slice(), &[0]].concat()).is_err());
    let mut rng = StdRng::seed_from_u64(0);
    let read = (0..3_000).filter(|_| readers::npy(&damaged(&good, &mut rng))).count();
    assert!((100..2_900).contains(&read), "{read} of 3000 could be read");
    for name in ["arrays.npz", "compressed.npz"] {
        let good = bytes(name);
        for length in (0..good.len()).step_by(97) {
            assert!(NpzFile::from_bytes(good[..length].to_vec()).is_err(), "the first {length} bytes of {name}");
        }
        let read = (0..200).filter(|_| readers::npz(&damaged(&good, &mut rng))).count();
        assert!(read < 200, "{name}: {read}");
    }
    // a lie about the size, with a checksum that is right
    let archive =
        zip_archive(&[("x.npy", &file("{'descr': '<f8', 'fortran_order': False, 'shape': (1073741824, 4, 8)}", 8))]);
    assert!(!readers::npz(&archive));
}

/// A folder that is removed after the test.
struct Folder(PathBuf);
impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("taut-numpy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the script has to check.
fn write_all(folder: &Path) -> Result<(), FileError> {
    let f32s = cube(|count| (count as f32 - 11.0) / 4.0);
    let mask = cube(|count| count % 2 == 1);
    npy::write(folder.join("f32.npy"), &f32s)?;
    npy::write(folder.join("f64.npy"), &cube(|count| (count as f64 - 11.0) / 4.0))?;
    npy::write(folder.join("usize.npy"), &cube(|count| count))?;
    npy::write(folder.join("bool.npy"), &mask)?;
    npy::write(folder.join("number.npy"), &Tensor::from(2.5_f32))?;
    let vector: Vec<f32> = numbers("f4", 7).into_iter().map(|x| x as f32).collect();
    npy::write(folder.join("vector.npy"), &Tensor::from_vec(vector, (7,)).unwrap())?;
    npy::write(folder.join("nothing.npy"), &Tensor::<Rank3<3, 0, 2>>::zeros())?;
    let special = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -0.0, 1e-45, 0.1];
    npy::write(folder.join("special.npy"), &Tensor::from(special))?;
    let labels = Tensor::from_vec(counted(9), (9,)).unwrap();
    let arrays = NpzWriter::new().with("x", &f32s).with("labels", &labels).with("mask", &mask);
    arrays.save(folder.join("arrays.npz"))?;
    arrays.compressed().save(folder.join("compressed.npz"))
}

#[test]
fn what_is_written_is_read_again_here() {
    let folder = Folder::new("here");
    write_all(&folder.0).unwrap();
    let f32s = cube(|count| (count as f32 - 11.0) / 4.0);
    assert_eq!(npy::read::<Rank3<2, 3, 4>, f32>(folder.0.join("f32.npy")).unwrap(), f32s);
    assert_eq!(npy::read::<Rank3<2, 3, 4>, usize>(folder.0.join("usize.npy")).unwrap(), cube(|count| count));
    assert_eq!(npy::read::<Rank0, f32>(folder.0.join("number.npy")).unwrap().to_vec(), [2.5]);
    let special = npy::read::<Rank1<6>, f32>(folder.0.join("special.npy")).unwrap();
    assert!(special.to_array()[2].is_nan() && special.to_array()[4].to_bits() == 1);
    for name in ["arrays.npz", "compressed.npz"] {
        let mut file = NpzFile::open(folder.0.join(name)).unwrap();
        assert_eq!(file.names().collect::<Vec<_>>(), ["x", "labels", "mask"]);
        assert_eq!(file.tensor::<Rank3<2, 3, 4>, f32>("x").unwrap(), f32s);
        assert_eq!(file.tensor::<(usize,), usize>("labels").unwrap().to_vec(), counted(9));
        assert_eq!(file.tensor::<Rank3<2, 3, 4>, bool>("mask").unwrap(), cube(|count| count % 2 == 1));
    }
}

#[test]
fn what_cannot_be_written_is_an_error_and_leaves_no_file() {
    let folder = Folder::new("refused");
    let path = folder.0.join("x.npy");
    let error = npy::write(&path, &Tensor::from([0, usize::MAX])).unwrap_err().to_string();
    assert!(error.contains("int64 does not hold 18446744073709551615"), "{error}");
    let x = Tensor::from([1.0]);
    let error = NpzWriter::new().with("x", &x).with("x", &x).save(&path).unwrap_err().to_string();
    assert!(error.contains("two tensors have the name `x`"), "{error}");
    assert!(!path.exists());
}

/// Set `TAUT_PYTHON` to a Python that has numpy.
#[test]
fn numpy_reads_what_is_written_here() {
    let Some(mut script) = python("numpy", "numpy/generate.py") else { return };
    let folder = Folder::new("there");
    write_all(&folder.0).unwrap();
    let output = script.arg("check").arg(&folder.0).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
