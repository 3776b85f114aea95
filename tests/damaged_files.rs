//! Whatever a file contains, loading it is right or an error: no panic, no half-loaded model, no huge allocation.

use rand::RngExt;
use taut::files::{FileError, Mismatch};
use taut::params::Values;
use taut::prelude::*;

#[derive(Init, Parameters)]
struct Model {
    first: Linear<3, 2>,
    second: Linear<2, 2, f64>,
}

fn bits(model: &Model) -> Vec<u64> {
    let mut bits = Vec::new();
    model.for_each_parameter(|_, leaf| match leaf.values {
        Values::F32(values) => bits.extend(values.iter().map(|x| u64::from(x.to_bits()))),
        Values::F64(values) => bits.extend(values.iter().map(|x| x.to_bits())),
    });
    bits
}

/// A good file, and another model to load it into.
fn file_and_model() -> (Vec<u8>, Model) {
    let mut rng = StdRng::seed_from_u64(0);
    (Model::init(&mut rng).to_safetensors().unwrap(), Model::init(&mut rng))
}

/// Loading fails and leaves the model as it was.
#[track_caller]
fn refused(model: &mut Model, bytes: &[u8]) -> FileError {
    let before = bits(model);
    let error = model.load_safetensors(bytes).expect_err("a damaged file");
    assert!(bits(model) == before, "the model changed, though loading failed: {error}");
    error
}

/// A file with this header and this many bytes of numbers.
fn with_header(json: &str, data: usize) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    let (file, mut model) = file_and_model();
    for length in 0..file.len() {
        refused(&mut model, &file[..length]);
    }
    for more in 1..20 {
        refused(&mut model, &[file.as_slice(), &vec![0; more]].concat());
    }
    model.load_safetensors(&file).unwrap();
}

#[test]
fn a_changed_header_is_refused_or_still_fits() {
    let (file, _) = file_and_model();
    let header = 8 + u64::from_le_bytes(*file.first_chunk().unwrap()) as usize;
    let mut rng = StdRng::seed_from_u64(1);
    let mut refusals = 0;
    for _ in 0..4_000 {
        let (_, mut model) = file_and_model();
        let before = bits(&model);
        let mut damaged = file.clone();
        for _ in 0..rng.random_range(1..4) {
            let place = rng.random_range(0..header);
            damaged[place] = if rng.random() { rng.random() } else { damaged[place] ^ 1 << rng.random_range(0..8) };
        }
        // a change may produce another valid header: two names exchanged, or other white space
        if model.load_safetensors(&damaged).is_err() {
            refusals += 1;
            assert!(bits(&model) == before, "the model changed, though loading failed");
        }
    }
    assert!(refusals > 3_500, "{refusals}");
}

#[test]
fn lies_in_a_header_are_found_before_memory_is_taken() {
    let (_, mut model) = file_and_model();
    let huge = u64::MAX / 8;
    let tensor = |name: &str, dtype: &str, shape: &str, start: u64, end: u64| {
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    let cases = [
        // a length that no file can have
        [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat(),
        [(1_u64 << 40).to_le_bytes().as_slice(), b"{}"].concat(),
        // sizes that no file can have, and sizes whose product overflows
        with_header(&format!("{{{}}}", tensor("a", "F32", "[4611686018427387904]", 0, u64::MAX)), 8),
        with_header(&format!("{{{}}}", tensor("a", "F32", "[4294967296,4294967296,4294967296]", 0, 0)), 0),
        with_header(&format!("{{{}}}", tensor("a", "U8", &format!("[{huge}]"), 0, huge)), 8),
        // offsets that end near the largest number
        with_header(
            &format!(
                "{{{}}}",
                (0..8)
                    .map(|i| tensor(&i.to_string(), "U8", &format!("[{huge}]"), i * huge, (i + 1) * huge))
                    .collect::<Vec<_>>()
                    .join(",")
            ),
            8,
        ),
        // overlaps, gaps, backwards, beyond the end
        with_header(&format!("{{{},{}}}", tensor("a", "F32", "[2]", 0, 8), tensor("b", "F32", "[2]", 4, 12)), 12),
        with_header(&format!("{{{},{}}}", tensor("a", "F32", "[2]", 0, 8), tensor("b", "F32", "[2]", 12, 20)), 20),
        with_header(&format!("{{{}}}", tensor("a", "F32", "[2]", 8, 0)), 8),
        with_header(&format!("{{{}}}", tensor("a", "F32", "[2]", 0, 8)), 4),
        with_header(&format!("{{{}}}", tensor("a", "F4", "[3]", 0, 1)), 1),
        // no header at all
        with_header("", 0),
        with_header("[]", 0),
        with_header(r#"{"a":1}"#, 0),
        with_header(r#"{"__metadata__":{"a":1}}"#, 0),
        with_header(&"[".repeat(100_000), 0),
        with_header(&r#"{"a":"#.repeat(100_000), 0),
        with_header("\u{FEFF}{}", 0),
        [2_u64.to_le_bytes().as_slice(), &[0xFF, 0xFE]].concat(),
    ];
    for bytes in cases {
        let message = refused(&mut model, &bytes).to_string();
        assert!(message.starts_with("this is not a whole safetensors file: "), "{message}");
    }
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let (_, mut model) = file_and_model();
    let tensor = |name: &str, start: u64| {
        format!(r#""{name}":{{"dtype":"F32","shape":[1],"data_offsets":[{start},{}]}}"#, start + 4)
    };
    for (json, bytes, key) in [
        (format!("{{{},{}}}", tensor("a", 0), tensor("a", 0)), 4, "a"),
        (format!("{{{},{}}}", tensor("a", 0), tensor("a", 4)), 8, "a"),
        (format!("{{{},{}}}", tensor("a", 0), tensor("\\u0061", 0)), 4, "a"),
        (format!(r#"{{"__metadata__":{{"k":"1","k":"2"}},{}}}"#, tensor("a", 0)), 4, "k"),
        (r#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.to_string(), 4, "dtype"),
        (r#"{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}"#.to_string(), 4, "shape"),
    ] {
        let message = refused(&mut model, &with_header(&json, bytes)).to_string();
        // some are found by the format's own reader
        let known = [format!("`{key}` is in it twice"), format!("duplicate field `{key}`"), "is wrong".to_string()];
        assert!(known.iter().any(|words| message.contains(words)), "{message}");
    }
}

#[test]
fn differences_are_named() {
    #[derive(Init, Parameters)]
    struct Other {
        first: Linear<3, 2, f64>,
        second: Linear<4, 2>,
        third: Bias<2>,
    }
    let mut rng = StdRng::seed_from_u64(0);
    let file = Other::init(&mut rng).to_safetensors().unwrap();
    let error = refused(&mut Model::init(&mut rng), &file);
    let name = |text: &str| text.to_string();
    let narrower = |name| Mismatch::ElementType { name, model: "f32", file: "F64".to_string() };
    let expected = [
        narrower(name("first.weight")),
        narrower(name("first.bias")),
        Mismatch::Shape { name: name("second.weight"), model: vec![2, 2], file: vec![2, 4] },
        // second.bias is f32 in the file and f64 in the model: nothing is lost
        Mismatch::Unexpected { name: name("third.bias"), file: vec![2] },
    ];
    assert_eq!(error.mismatches(), expected);
    let message = error.to_string();
    assert!(message.contains("`first.weight` holds f32 in the model and F64 in the file"), "{message}");
    assert!(message.contains("`third.bias` of shape (2,) is in the file and not in the model"), "{message}");

    let missing = Linear::<3, 2>::init(&mut rng);
    let error = <(Linear<3, 2>,)>::from_safetensors(&missing.to_safetensors().unwrap()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("`0.weight` of shape (2, 3) is in the model and not in the file"), "{message}");
    assert!(message.contains("`weight` of shape (2, 3) is in the file and not in the model"), "{message}");
}

#[test]
fn narrower_numbers_are_widened() {
    let narrow = Linear::<3, 2>::init(&mut StdRng::seed_from_u64(0));
    let wide = Linear::<3, 2, f64>::from_safetensors(&narrow.to_safetensors().unwrap()).unwrap();
    assert!(
        wide.weight.value().iter().zip(narrow.weight.value().iter()).all(|(wide, narrow)| wide == f64::from(narrow))
    );
}

#[test]
fn a_missing_file_and_a_folder() {
    let folder = std::env::temp_dir();
    let missing = folder.join("taut-no-such-folder").join("model.safetensors");
    let error = Model::load(&missing).err().unwrap();
    assert_eq!(error.path(), Some(missing.as_path()));
    let message = error.to_string();
    assert!(message.contains("cannot be opened"), "{message}");
    assert!(message.contains("taut-no-such-folder` does not exist"), "{message}");
    let message = Model::load(&folder).err().unwrap().to_string();
    assert!(message.ends_with("is not a regular file"), "{message}");
    let message = Checkpoint::load(&missing).unwrap_err().to_string();
    assert!(message.contains("cannot be opened"), "{message}");
}
