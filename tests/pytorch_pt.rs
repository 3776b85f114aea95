//! Files of `torch.save`: `tests/pytorch/files.py` wrote those in `tests/pytorch/files/`.
#![cfg(feature = "pytorch")]

#[path = "common/damage.rs"]
mod damage;
#[path = "common/python.rs"]
mod python;
#[path = "common/readers.rs"]
mod readers;

use damage::damaged;
use python::python;
use rand::RngExt;
use readers::{Anything, pickle_archive, pytorch, pytorch_pickle, zip_archive};
use std::path::{Path, PathBuf};
use taut::files::Mismatch;
use taut::io::ParameterFile;
use taut::models::ResNet18;
use taut::prelude::*;

type Sequential = (Conv2d<1, 3, 3>, BatchNorm2d<3>, Relu, MaxPool2d<2>, Flatten, Linear<27, 5>, Relu, Linear<5, 3>);

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch/files").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn open(name: &str) -> ParameterFile {
    ParameterFile::open_pytorch(path(name)).unwrap()
}

fn sequential() -> Sequential {
    Sequential::init(&mut StdRng::seed_from_u64(0))
}

#[test]
fn a_state_dict_loads_like_the_same_one_as_safetensors() {
    let expected = Sequential::load(path("sequential_f32.safetensors")).unwrap().to_safetensors().unwrap();
    let mut model = sequential();
    open("sequential.pt").load(&mut model).unwrap();
    assert!(model.to_safetensors().unwrap() == expected);
    let mut model = sequential();
    ParameterFile::from_pytorch(bytes("sequential.pt")).unwrap().load(&mut model).unwrap();
    assert!(model.to_safetensors().unwrap() == expected);
}

#[test]
fn a_state_dict_under_a_key_beside_what_a_training_loop_saves() {
    let expected = Sequential::load(path("sequential_f32.safetensors")).unwrap().to_safetensors().unwrap();
    let file = || open("checkpoint.pt");
    // the same in three ways
    let [mut stripped, mut part, mut renamed] = [(); 3].map(|()| sequential());
    file().part("model").without_prefix("module.").load(&mut stripped).unwrap();
    file().load_parts(&mut [("model.module", &mut part)]).unwrap();
    file().rename(|name| Some(name.strip_prefix("model.module.")?.to_string())).load(&mut renamed).unwrap();
    for model in [stripped, part, renamed] {
        assert!(model.to_safetensors().unwrap() == expected);
    }
    // the optimizer's state has names, too
    let mut first = Anything::<f32>::of(&file(), |name| name == "optimizer.state.0.exp_avg");
    let report = file().load_what_fits(&mut first).unwrap();
    assert_eq!(report.loaded, ["optimizer.state.0.exp_avg"]);
    assert!(first.bits().iter().any(|&bits| bits != 0));
}

#[test]
fn what_is_missing_or_left_over_is_listed_and_the_model_stays() {
    type Other = (Conv2d<1, 4, 3>, BatchNorm2d<3>, Relu, MaxPool2d<2>, Flatten, Linear<27, 5>, Bias<5>);
    let mut other = Other::init(&mut StdRng::seed_from_u64(0));
    let before = other.to_safetensors().unwrap();
    let error = open("sequential.pt").load(&mut other).unwrap_err();
    let text = |text: &str| text.to_string();
    assert_eq!(
        error.mismatches(),
        [
            Mismatch::Shape { name: text("0.weight"), model: vec![4, 1, 3, 3], file: vec![3, 1, 3, 3] },
            Mismatch::Shape { name: text("0.bias"), model: vec![4], file: vec![3] },
            Mismatch::Missing { name: text("6.bias"), model: vec![5] },
            Mismatch::Unexpected { name: text("7.bias"), file: vec![3] },
            Mismatch::Unexpected { name: text("7.weight"), file: vec![3, 5] },
        ]
    );
    assert!(other.to_safetensors().unwrap() == before);
    let report = open("sequential.pt").load_what_fits(&mut other).unwrap();
    assert_eq!(report.loaded.len(), 6);
    assert_eq!(report.mismatches, error.mismatches());
}

#[test]
fn views_of_every_kind_are_what_they_are_as_safetensors() {
    let mut expected = ParameterFile::open(path("views.safetensors")).unwrap();
    let mut model = Anything::<f64>::of(&expected, |_| true);
    expected.load(&mut model).unwrap();
    for name in ["views.pt", "views_protocol_5.pt", "views_big_endian.pt"] {
        let file = open(name);
        let whole: Vec<&str> = file.tensors().map(|(name, _)| name).filter(|name| is_whole(name)).collect();
        assert_eq!(whole, ["counts", "mask", "int0", "int1", "int2", "int3"]);
        let mut file = file.rename(|name| (!is_whole(name)).then(|| name.to_string()));
        // in the order of the other file, which groups numbers by type
        let mut found = Anything::<f64>::of(&expected, |_| true);
        file.load(&mut found).unwrap();
        assert!(found.bits().len() > 250 && found.bits() == model.bits(), "{name}");
    }
}

fn is_whole(name: &str) -> bool {
    name.starts_with("int") || ["counts", "mask"].contains(&name)
}

#[test]
fn whole_numbers_are_not_loaded_as_others() {
    let mut file = open("views.pt").rename(|name| (name == "counts").then(|| "counts".into()));
    let mut model = Anything::<f32>::of(&file, |_| true);
    let error = file.load(&mut model).unwrap_err();
    assert!(error.reason().contains("`counts` holds f32 in the model and I64 in the file"), "{error}");
}

#[test]
fn what_is_more_than_weights_is_an_error_that_names_it() {
    let message = |name: &str| ParameterFile::open_pytorch(path(name)).unwrap_err().to_string();
    let error = message("module.pt");
    assert!(
        error.contains("module.pt: it refers to `torch.nn.modules.linear.Linear`, which no `state_dict` needs"),
        "{error}"
    );
    assert!(error.contains("torch.save(model.state_dict(), path)"), "{error}");
    let error = message("before_zip.pt");
    assert!(error.contains("before_zip.pt: this is a file of PyTorch before 1.6"), "{error}");
    assert!(error.contains("torch.save(torch.load(path, "), "{error}");
    let error = message("views.safetensors");
    assert!(error.contains("this is not a whole zip archive"), "{error}");
    let error = ParameterFile::open(path("views.pt")).unwrap_err().to_string();
    assert!(error.contains("`ParameterFile::open_pytorch`"), "{error}");
    let error = ParameterFile::from_pytorch(zip_archive(&[("x.npy", b"..")])).unwrap_err().to_string();
    assert!(error.contains("the zip archive has no `data.pkl`"), "{error}");
}

/// A file with this pickle is refused in these words.
#[track_caller]
fn refused(pickle: &[u8], words: &str) {
    let error = ParameterFile::from_pytorch(pickle_archive(pickle)).unwrap_err().to_string();
    let start = pickle[..pickle.len().min(100)].escape_ascii();
    assert!(error.contains(words), "{start}: {error}");
}

/// Pickles that would run something in Python, and others that Python would not have written.
#[test]
fn no_pickle_runs_anything() {
    refused(b"cos\nsystem\n(X\x02\x00\x00\x00lstR.", "it refers to `os.system`");
    refused(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93(X\x01\x00\x00\x001tR.", "it refers to `builtins.eval`");
    let kind = "for a tensor of a kind that is not read: f64, f32, f16, bf16";
    refused(
        b"ctorch._utils\n_rebuild_tensor_v3\n.",
        &format!("it refers to `torch._utils._rebuild_tensor_v3`, {kind}"),
    );
    refused(b"ctorch\nComplexFloatStorage\n.", &format!("it refers to `torch.ComplexFloatStorage`, {kind}"));
    refused(b"ccollections\nOrderedDict\n\x81.", "operation 0x81");
    refused(b"(ios\nsystem\n.", "operation 0x69 (`i`)");
    refused(b"ccollections\nOrderedDict\n)R}b", "it ends too early");
    refused(b"", "it ends too early");
    refused(b"}h\x05.", "it recalls what was not kept");
    refused(b"(u.", "a value is missing");
    refused(b"K\x01K\x02s.", "a value is missing");
    refused(b"]K\x01K\x02s.", "an item is set in something that is not a dictionary");
    refused(b"}K\x01a.", "something is appended to something that is not a list");
    refused(b"K\x01)R.", "a call of something that is not a function");
    refused(b"ccollections\nOrderedDict\nK\x01\x85R.", "other arguments than PyTorch's");
    refused(b"ctorch._utils\n_rebuild_parameter_with_state\n(NNN}tR.", "other arguments than PyTorch's");
    refused(b"X\xFF\xFF\xFF\xFFabc.", "it ends too early");
    refused(b"X\x01\x00\x00\x00\xFF.", "not UTF-8");
    refused(b"U\x01a.", "operation 0x55 (`U`)");
    refused(b"X\x07\x00\x00\x00storageQ.", "a reference to a storage that is none");
    refused(b"})]s.", "a key in `` is neither");
}

/// A tensor of these sizes and strides over the storage `0`, which claims to have this many f32.
fn tensor(length: u64, offset: u64, sizes: &[u64], strides: &[u64]) -> Vec<u8> {
    // numbers as bytes in the text: `\x8a` and their length
    let number = |number: u64| {
        let sign = if number > i64::MAX as u64 { &[0][..] } else { &[] };
        [&[0x8a, 8 + sign.len() as u8][..], &number.to_le_bytes(), sign].concat()
    };
    let tuple = |numbers: &[u64]| {
        let numbers = numbers.iter().flat_map(|&n| number(n));
        [b"(".to_vec(), numbers.collect(), b"t".to_vec()].concat()
    };
    let storage = b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu".to_vec();
    let start = [b"}X\x01\x00\x00\x00xctorch._utils\n_rebuild_tensor_v2\n".to_vec(), storage, number(length)].concat();
    [start, b"tQ".to_vec(), number(offset), tuple(sizes), tuple(strides), b"\x89NtRs.".to_vec()].concat()
}

/// Its attributes are passed over.
#[test]
fn a_parameter_with_attributes_is_its_numbers() {
    let plain = tensor(16, 0, &[4, 4], &[1, 4]);
    let (start, rest) = plain.split_at(b"}X\x01\x00\x00\x00x".len());
    // the tensor becomes the first argument of another call
    let call = rest.strip_suffix(b"s.").unwrap();
    let with_state =
        [start, b"ctorch._utils\n_rebuild_parameter_with_state\n(", call, b"\x89N}X\x03\x00\x00\x00tagK\x01stRs."]
            .concat();
    let bits = |pickle: &[u8]| {
        let mut file = ParameterFile::from_pytorch(pickle_archive(pickle)).unwrap();
        let mut model = Anything::<f32>::of(&file, |_| true);
        file.load(&mut model).unwrap();
        model.bits()
    };
    assert_eq!(bits(&plain).len(), 16);
    assert_eq!(bits(&with_state), bits(&plain));
}

#[test]
fn sizes_are_checked_before_memory_is_taken() {
    let load = |pickle: &[u8]| {
        let mut file = ParameterFile::from_pytorch(pickle_archive(pickle))?;
        let mut model = Anything::<f32>::of(&file, |_| true);
        file.load_what_fits(&mut model).map(|report| report.loaded.len())
    };
    assert_eq!(load(&tensor(16, 0, &[4, 4], &[4, 1])).unwrap(), 1);
    assert_eq!(load(&tensor(16, 15, &[1000], &[0])).unwrap(), 1);
    // a tensor of a billion elements over a storage of one is listed, but no model here accepts it
    assert_eq!(load(&tensor(16, 0, &[1_000_000_000], &[0])).unwrap(), 0);
    let largest = i64::MAX as u64;
    let wrong: [(u64, u64, &[u64], &[u64], &str); 9] = [
        (16, 16, &[1], &[1], "reaches beyond its storage"),
        (16, 1, &[4, 4], &[4, 1], "reaches beyond its storage"),
        (16, 0, &[3], &[8], "reaches beyond its storage"),
        (16, u64::MAX, &[2], &[1], "a tensor without"),
        (16, largest, &[2], &[largest], "reaches beyond its storage"),
        (16, 0, &[1 << 32, 1 << 32], &[0, 0], "more elements than can be addressed"),
        (16, 0, &[4, 4], &[4], "a stride for each"),
        (17, 0, &[4, 4], &[4, 1], "needs 17 elements of `a/data/0`, which holds 64 bytes"),
        (largest, 0, &[4, 4], &[4, 1], "which holds 64 bytes"),
    ];
    for (length, offset, sizes, strides, words) in wrong {
        let error = load(&tensor(length, offset, sizes, strides)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    // without its storage
    let file = zip_archive(&[("a/data.pkl", &tensor(16, 0, &[4, 4], &[4, 1]))]);
    let mut file = ParameterFile::from_pytorch(file).unwrap();
    let error = file.load_what_fits(&mut Anything::<f32>::of(&file, |_| true)).unwrap_err().to_string();
    assert!(error.contains("the archive has no entry `a/data/0`"), "{error}");
}

/// A few bytes that stand for very many tensors, or for endless nesting.
#[test]
fn dictionaries_within_each_other_many_times_are_refused() {
    // each contains the previous one twice
    let mut doubling = b"}q\x00".to_vec();
    for depth in 0..60 {
        doubling.extend([&b"(h"[..], &[depth], b"h", &[depth], b"tq", &[depth + 1]].concat());
    }
    doubling.push(b'.');
    refused(&doubling, "too many times");
    // one that contains itself
    refused(b"]q\x00h\x00a.", "more than 64 deep");
    // a deep nesting is no deep recursion
    let deep = [b")".to_vec(), vec![0x85; 1_000_000], b".".to_vec()].concat();
    refused(&deep, "more than 64 deep");
}

#[test]
fn every_truncation_is_refused() {
    let file = bytes("sequential.pt");
    let mut model = sequential();
    let before = model.to_safetensors().unwrap();
    for length in 0..file.len() {
        let loaded = ParameterFile::from_pytorch(file[..length].to_vec()).and_then(|mut file| file.load(&mut model));
        assert!(loaded.is_err() && model.to_safetensors().unwrap() == before, "the first {length} bytes");
    }
    ParameterFile::from_pytorch(file).unwrap().load(&mut model).unwrap();
    assert!(model.to_safetensors().unwrap() != before);
}

/// A flipped byte is found by a checksum, or lies where no reader looks.
#[test]
fn no_flipped_byte_changes_what_is_loaded() {
    let file = bytes("sequential.pt");
    let mut good = sequential();
    ParameterFile::from_pytorch(file.clone()).unwrap().load(&mut good).unwrap();
    let good = good.to_safetensors().unwrap();
    let other = sequential();
    let before = other.to_safetensors().unwrap();
    let mut refused = 0;
    for place in 0..file.len() {
        let mut flipped = file.clone();
        flipped[place] ^= 1 << (place % 8);
        let mut model = other.clone();
        match ParameterFile::from_pytorch(flipped).and_then(|mut file| file.load(&mut model)) {
            Ok(()) => assert!(model.to_safetensors().unwrap() == good, "byte {place}"),
            Err(_) => {
                assert!(model.to_safetensors().unwrap() == before, "byte {place}");
                refused += 1;
            }
        }
    }
    assert!(refused > file.len() / 3, "{refused} of {} bytes", file.len());
}

#[test]
fn damage_never_panics_and_never_half_loads() {
    let mut rng = StdRng::seed_from_u64(1);
    for name in ["sequential.pt", "checkpoint.pt", "views.pt", "views_protocol_5.pt", "module.pt", "before_zip.pt"] {
        let file = bytes(name);
        let read = (0..150).filter(|_| pytorch(&damaged(&file, &mut rng))).count();
        assert!(read < 150, "{name}");
    }
    // past the checksums: one entry is damaged, in whole archives
    let mut read = 0;
    for name in ["sequential.pt", "checkpoint.pt", "views.pt", "views_protocol_5.pt"] {
        let entries = entries_of(name);
        for _ in 0..500 {
            // most often the pickle, which comes first
            let place = if rng.random() { 0 } else { rng.random_range(0..entries.len()) };
            let damaged_entry = damaged(&entries[place].1, &mut rng);
            let mut entries: Vec<(&str, &[u8])> = entries.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
            entries[place].1 = &damaged_entry;
            read += usize::from(pytorch(&zip_archive(&entries)));
        }
    }
    assert!((300..1_900).contains(&read), "{read} of 2000 could be read");
    let pickle = tensor(16, 0, &[4, 4], &[1, 4]);
    let read = (0..3_000).filter(|_| pytorch_pickle(&damaged(&pickle, &mut rng))).count();
    assert!((5..1_000).contains(&read), "{read} of 3000 could be read");
}

/// The names and contents of the entries of an archive.
fn entries_of(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path(name)).unwrap()).unwrap();
    let count = zip.len();
    let read = |i| {
        let mut entry = zip.by_index(i).unwrap();
        let mut contents = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut contents).unwrap();
        (entry.name().unwrap().into_owned(), contents)
    };
    (0..count).map(read).collect()
}

/// Set `TAUT_PYTHON` to a Python that has torch. 45 MB, so not kept.
#[test]
fn a_resnet_18_of_pytorch_gives_the_same() {
    let Some(mut script) = python("torch", "pytorch/files.py") else { return };
    let folder = std::env::temp_dir().join(format!("taut-resnet18-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    assert!(script.arg("resnet18").arg(&folder).status().unwrap().success());

    let mut model = ResNet18::<10>::init(&mut StdRng::seed_from_u64(0));
    ParameterFile::open_pytorch(folder.join("resnet18.pt")).unwrap().part("state_dict").load(&mut model).unwrap();
    #[derive(Parameters)]
    struct Values {
        x: Param<Rank4<2, 3, 64, 64>>,
        y: Param<Rank2<2, 10>>,
    }
    let mut values = Values { x: Param::new(Tensor::zeros()), y: Param::new(Tensor::zeros()) };
    ParameterFile::open_pytorch(folder.join("resnet18_values.pt")).unwrap().load(&mut values).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let (y, expected) = (model.forward(values.x.value().clone()), values.y.value());
    let farthest = y.iter().zip(expected.iter()).map(|(y, expected)| (y - expected).abs()).fold(0.0, f32::max);
    println!("outputs up to {:.2} are at most {farthest:e} away", expected.iter().map(f32::abs).fold(0.0, f32::max));
    assert!(y.is_close(expected, 1e-4, 1e-6), "{farthest}");
}
