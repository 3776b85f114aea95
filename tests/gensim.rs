//! Word vectors saved by gensim load here, and give gensim's answers.

use serde_json::Value;
use std::path::PathBuf;
use taut::prelude::*;
use taut::text::{Corpus, WordPairs, WordVectors};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/gensim/files").join(name)
}

fn values() -> Value {
    serde_json::from_slice(&std::fs::read(file("values.json")).unwrap()).unwrap()
}

fn neighbours(values: &Value) -> Vec<(String, f32)> {
    let neighbour = |pair: &Value| (pair[0].as_str().unwrap().to_string(), pair[1].as_f64().unwrap() as f32);
    values.as_array().unwrap().iter().map(neighbour).collect()
}

fn all_formats() -> [WordVectors; 3] {
    let text = |name| WordVectors::load_text(file(name)).unwrap();
    [text("vectors.txt"), text("vectors.txt.gz"), WordVectors::load_binary(file("vectors.bin")).unwrap()]
}

#[test]
fn both_formats_load() {
    let values = values();
    let words = values["words"].as_array().unwrap();
    let words: Vec<String> = words.iter().map(|word| word.as_str().unwrap().to_string()).collect();
    let rows = values["vectors"].as_array().unwrap();
    for vectors in all_formats() {
        assert_eq!((vectors.vocabulary().tokens(), vectors.dimension()), (&words[..], 7));
        for (word, row) in words.iter().zip(rows) {
            let row: Vec<f32> = row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
            assert_eq!(vectors.of(word), Some(&row[..]), "{word}");
        }
    }
}

#[test]
fn what_is_saved_is_what_gensim_saves() {
    let [vectors, ..] = all_formats();
    let path = std::env::temp_dir().join(format!("taut-gensim-{}", std::process::id()));
    vectors.save_binary(&path).unwrap();
    assert!(std::fs::read(&path).unwrap() == std::fs::read(file("vectors.bin")).unwrap());
    // numbers may be written in several ways; everything else is the same
    vectors.save_text(&path).unwrap();
    let lines = |path: &PathBuf| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.ends_with('\n'));
        let same = |field: &str| field.parse::<f32>().map_or(field.to_string(), |number| format!("{number:e}"));
        text.lines().map(|line| line.split(' ').map(same).collect()).collect()
    };
    assert_eq!(lines(&path), lines(&file("vectors.txt")));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn neighbours_analogies_and_scores_are_gensims() {
    let values = values();
    let pairs = WordPairs::load(file("pairs.tsv")).unwrap();
    for vectors in all_formats() {
        for (found, expected) in [
            (vectors.nearest("king", 5).unwrap(), neighbours(&values["nearest_king"])),
            (vectors.analogy("king", "man", "woman", 3).unwrap(), neighbours(&values["king_man_woman"])),
        ] {
            assert_eq!(found.len(), expected.len());
            for ((word, cosine), (gensims, of_gensim)) in found.iter().zip(&expected) {
                assert!(word == gensims && (cosine - of_gensim).abs() < 1e-6, "{found:?} for {expected:?}");
            }
        }
        let score = vectors.score_pairs(&pairs);
        assert!((score.spearman - values["spearman"].as_f64().unwrap()).abs() < 1e-12);
        assert_eq!((score.covered, score.total), (5, 6));
    }
}

#[test]
fn packed_files_and_words_that_no_file_can_hold() {
    let [vectors, ..] = all_formats();
    let path = std::env::temp_dir().join(format!("taut-gensim-{}.gz", std::process::id()));
    vectors.save_text(&path).unwrap();
    assert_eq!(WordVectors::load_text(&path).unwrap().vectors(), vectors.vectors());
    vectors.save_binary(&path).unwrap();
    assert_eq!(WordVectors::load_binary(&path).unwrap().vectors(), vectors.vectors());
    let corpus = Corpus::from_sentences([["a", "New York"]]);
    let vectors = WordVectors::new(corpus.vocabulary(Default::default()).unwrap(), Tensor::zeros_with((2, 1)));
    for error in [vectors.save_text(&path).unwrap_err(), vectors.save_binary(&path).unwrap_err()] {
        assert!(error.to_string().contains(r#""New York" has a space or a line end in it"#), "{error}");
    }
    // the file is still the old one
    assert_eq!(WordVectors::load_binary(&path).unwrap().dimension(), 7);
    std::fs::remove_file(&path).unwrap();
}

/// Each damaged file is an error whose message contains these words.
fn fails(load: impl Fn(&PathBuf) -> Result<WordVectors, taut::files::FileError>, bytes: &[u8], message: &str) {
    let path = std::env::temp_dir().join(format!("taut-damaged-{}-{:p}", std::process::id(), bytes));
    std::fs::write(&path, bytes).unwrap();
    let error = load(&path).expect_err(message);
    assert!(
        error.path() == Some(path.as_path()) && error.to_string().contains(message),
        "`{error}` has no `{message}`"
    );
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn damaged_text_files() {
    for (text, message) in [
        ("", "line 1: is not the number of words"),
        ("2\na 1\n", "line 1: is not the number of words"),
        ("2 2\na 1 2\nb 1\n", "line 3: 1 numbers for `b`, where line 1 says 2"),
        ("2 2\na 1 2\nb 1 x\n", "line 3: `x` is not a number"),
        ("1 2\na 1 NaN\n", "line 2: the vector of `a` has NaN in it"),
        ("1 2\na 1 2\nb 1 2\n", "line 3: more words than line 1 says"),
        ("1 1\n 1\n", "line 2: the word is empty"),
        ("3 1\na 1\nb 2\n", "ends after 2 words, where line 1 says 3"),
        ("2 1\na 1\na 2\n", "word 2 is `a`, which was there before"),
        ("18446744073709551615 18446744073709551615\na 1\n", "line 2: 1 numbers"),
    ] {
        fails(|path| WordVectors::load_text(path), text.as_bytes(), message);
    }
    fails(|path| WordVectors::load_text(path), b"1 1\n\xff 1\n", "line 2: is not UTF-8");
    fails(|path| WordVectors::load_text(path), &std::fs::read(file("vectors.bin")).unwrap(), "line 2");
}

#[test]
fn damaged_binary_files() {
    let load = |path: &PathBuf| WordVectors::load_binary(path);
    let whole = std::fs::read(file("vectors.bin")).unwrap();
    // truncated anywhere, it is an error
    for end in 0..whole.len() {
        fails(load, &whole[..end], "");
    }
    fails(load, &whole[..whole.len() - 3], "the file ends at byte");
    fails(load, &[&whole[..], b"\nx"].concat(), "more follows, where the first line says 12 words");
    // also where the buffer of 64 KiB ends between a line end and the next line
    let long = [&b"1 16381\nto "[..], &[0; 4 * 16_381], b"\nx"].concat();
    assert_eq!(long.len(), (1 << 16) + 1);
    fails(load, &long, "more follows, where the first line says 1 words");
    fails(load, &std::fs::read(file("vectors.txt")).unwrap(), "byte ");
    fails(load, b"18446744073709551615 4611686018427387904\na 1234", "within the vector of `a`");
    fails(load, b"1 1\n\xff 1234", "byte 4: the word is not UTF-8");
    fails(load, &[b"1 1\na ", &f32::INFINITY.to_le_bytes()[..]].concat(), "byte 4: the vector of `a` has inf in it");
    fails(load, &[b"1 1\n".to_vec(), vec![b'a'; 100_000]].concat(), "byte 4: a word and a space were expected");
    // the original program ends each vector with a line end
    let path = std::env::temp_dir().join(format!("taut-line-ends-{}", std::process::id()));
    std::fs::write(&path, b"2 1\na \0\0\0\0\nb \0\0\x80\x3f\n").unwrap();
    let vectors = WordVectors::load_binary(&path).unwrap();
    assert_eq!((vectors.of("a"), vectors.of("b")), (Some(&[0.0][..]), Some(&[1.0][..])));
    std::fs::remove_file(&path).unwrap();
}
