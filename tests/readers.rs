//! Every reader of the library on damaged copies of good files: the same functions as in `fuzz/`, with the same seeds
//! on every run, without a fuzzer.
//!
//! `TAUT_DAMAGE=100 cargo test --release --all-features --test readers` damages a hundred times as many.
//! `TAUT_CORPUS=fuzz/corpus cargo test --all-features --test readers` writes the good files, for a fuzzer to start
//! from.

#[path = "common/damage.rs"]
mod damage;
#[path = "common/readers.rs"]
mod readers;

use damage::damaged;
use std::io::Write;
use taut::io::Precision;
use taut::prelude::*;

/// Damages good files and reads them, `count` times each. Every good file must be readable, and so must some of the
/// damaged ones.
#[track_caller]
fn check(name: &str, read: fn(&[u8]) -> bool, seeds: &[Vec<u8>], count: usize) {
    if let Some(corpus) = std::env::var_os("TAUT_CORPUS") {
        let folder = std::path::Path::new(&corpus).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        seeds.iter().enumerate().for_each(|(i, seed)| std::fs::write(folder.join(i.to_string()), seed).unwrap());
    }
    let times = std::env::var("TAUT_DAMAGE").map_or(1, |times| times.parse().expect("TAUT_DAMAGE is a whole number"));
    let mut rng = StdRng::seed_from_u64(0);
    let mut refused = 0;
    for (i, seed) in seeds.iter().enumerate() {
        assert!(read(seed), "{name}: the good file {i} is not read");
        for length in (0..seed.len().min(200)).chain((200..seed.len()).step_by(seed.len() / 50 + 1)) {
            read(&seed[..length]);
        }
        refused += (0..times * count).filter(|_| !read(&damaged(seed, &mut rng))).count();
    }
    assert!(refused > 0, "{name}: no damage was found");
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file of zeros.
fn idx(sizes: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.resize(bytes.len() + sizes.iter().product::<u32>() as usize, 0);
    bytes
}

#[test]
fn safetensors() {
    let model = <(Conv2d<1, 2, 3>, BatchNorm2d<2>, Linear<3, 2, f64>)>::init(&mut StdRng::seed_from_u64(0));
    let seeds = [model.to_safetensors().unwrap(), model.to_safetensors_with(Precision::BF16).unwrap()];
    check("safetensors", readers::safetensors, &seeds, 1_500);
}

#[test]
fn checkpoints() {
    let mut rng = taut::Generator::new(0);
    let mut model = readers::CheckpointModel::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig::default());
    let tape = Tape::training(&mut rng);
    let loss = model.forward(tape.trace(Tensor::<Rank2<4, 3>>::ones())).square().mean();
    let gradients = loss.backward();
    optimizer.step(&mut model, &gradients);
    let checkpoint = Checkpoint::new()
        .with_model("model", &model)
        .with_snapshot("optimizer", &optimizer.snapshot())
        .with_generator("rng", &rng)
        .with_count("epoch", 3)
        .with_number("best", 0.5);
    check("checkpoint", readers::checkpoint, &[checkpoint.to_safetensors().unwrap()], 1_500);
}

#[cfg(feature = "pytorch")]
#[test]
fn files_of_pytorch() {
    let seeds = ["sequential.pt", "views.pt", "views_protocol_5.pt"].map(|name| file(&format!("pytorch/files/{name}")));
    check("pytorch", readers::pytorch, &seeds, 300);
    let tensor =
        b"}X\x01\x00\x00\x00xctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n\
                   X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x10tQK\x00(K\x02K\x03t(K\x03K\x01t\x89NtRs.";
    check("pytorch_pickle", readers::pytorch_pickle, &[tensor.to_vec()], 1_500);
}

#[cfg(feature = "numpy")]
#[test]
fn files_of_numpy() {
    check("npy", readers::npy, &[file("numpy/files/matrix.npy"), file("numpy/files/version_2.npy")], 1_500);
    check("npz", readers::npz, &[file("numpy/files/arrays.npz"), file("numpy/files/compressed.npz")], 150);
}

#[test]
fn idx_files() {
    let seeds = [idx(&[]), idx(&[7]), idx(&[2, 3, 4])];
    check("idx", readers::idx, &seeds[1..], 1_500);
    check("idx_gzip", readers::idx_gzip, &seeds.map(|seed| gzip(&seed))[1..], 500);
    check("mnist_images", readers::mnist_images, &[idx(&[2, 28, 28])], 200);
}

#[test]
fn csv_files() {
    let seeds = ["1,2.5,a\n0,-3e4,b\n", "2,1,\"a, \"\"b\"\"\"\n1, 2 ,é\n"].map(|text| text.as_bytes().to_vec());
    check("csv", readers::csv, &seeds, 1_000);
}

#[cfg(feature = "image")]
#[test]
fn pictures() {
    let picture = |colours| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 5, 4);
        encoder.set_color(colours);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&vec![100; 20 * colours.samples()]).unwrap();
        writer.finish().unwrap();
        bytes
    };
    let seeds = [picture(png::ColorType::Grayscale), picture(png::ColorType::Rgb), picture(png::ColorType::Rgba)];
    check("png", readers::png, &seeds, 500);
}

#[test]
fn word_vectors() {
    let text = [file("gensim/files/vectors.txt"), b"2 3\nthe 1 2 3\ncat -1e-3 0.5 7\n".to_vec()];
    check("word_vectors_text", readers::word_vectors_text, &text, 500);
    check("word_vectors_binary", readers::word_vectors_binary, &[file("gensim/files/vectors.bin")], 500);
}

#[test]
fn vocabularies() {
    let seeds = ["the\t5\ncat\t3\na\\tb\\\\\t1\n", "é\t18446744073709551615\n"].map(|text| text.as_bytes().to_vec());
    check("vocabulary", readers::vocabulary, &seeds, 1_000);
}

#[test]
fn tests_of_word_vectors() {
    let pairs = ["word 1,word 2,score\ncat,dog,7.5\n# no\n\na,b,-1e3\n", "cat\tdog\t7.5\n"];
    check("word_pairs", readers::word_pairs, &pairs.map(|text| text.as_bytes().to_vec()), 1_000);
    let questions = ": capitals\nParis France Rome Italy\n: plurals\ncat cats dog dogs\n";
    check("questions", readers::questions, &[questions.as_bytes().to_vec()], 1_000);
}

#[test]
fn metrics_of_runs() {
    let seeds = [
        "{\"step\":1,\"seconds\":0.125,\"train/loss\":0.5}\n{\"step\":2,\"seconds\":0.5,\"test/loss\":\"NaN\"}\n",
        "{\"step\":1000,\"seconds\":0,\"Größe\":-1e-300,\"x\":\"-inf\"}\n",
    ];
    check("run_metrics", readers::run_metrics, &seeds.map(|text| text.as_bytes().to_vec()), 50);
}

#[test]
fn family_names() {
    check("family_names", readers::family_names, &["O'Neal\nGärtner\n\nłukasz".as_bytes().to_vec()], 300);
}

#[test]
fn cifar() {
    let image = |class: u8| [vec![class], vec![7; 3072]].concat();
    check("cifar", readers::cifar, &[[image(3), image(9)].concat()], 200);
}

/// A function in `common/readers.rs`, its target, and a line in `fuzz/Cargo.toml`.
#[test]
fn every_reader_has_a_target_for_a_fuzzer() {
    let text = |name: &str| String::from_utf8(file(name)).unwrap();
    let readers = text("common/readers.rs");
    let readers = readers
        .lines()
        .filter_map(|line| line.strip_prefix("pub fn ")?.strip_suffix("(bytes: &[u8]) -> bool {").map(str::to_string));
    let mut readers: Vec<String> = readers.collect();
    readers.sort();
    let manifest = text("../fuzz/Cargo.toml");
    let declared = manifest
        .lines()
        .filter_map(|line| Some(line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\"")?.to_string()));
    assert_eq!(declared.collect::<Vec<_>>(), readers);
    for name in &readers {
        let target = text(&format!("../fuzz/fuzz_targets/{name}.rs"));
        assert!(target.contains(&format!("readers::{name}(bytes);")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
