//! Every file in `programs/` contains a mistake that the compiler must report in words that name the numbers. So does
//! every file in `onnx/`: `cargo test -p taut-compile-fail --features onnx`.
//!
//! Next to each program, a `.stderr` file holds rustc's output. Comments of the form `//~ phrase` in a program say what
//! the output must contain for the line that follows them. After changing a message, run `TRYBUILD=overwrite cargo test
//! -p taut-compile-fail` and read the difference.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A program, with rustc's output.
struct Case {
    folder: &'static str,
    name: String,
    program: String,
    message: String,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let entries = ["programs", "onnx"].into_iter().flat_map(|folder| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
        fs::read_dir(path).unwrap().map(move |entry| (folder, entry.unwrap().path()))
    });
    for (folder, path) in entries {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_string();
            let message = fs::read_to_string(path.with_extension("stderr"))
                .unwrap_or_else(|error| panic!("{name} has no .stderr file: {error}"));
            cases.push(Case { folder, name, program: fs::read_to_string(path).unwrap(), message });
        }
    }
    assert!(!cases.is_empty());
    cases
}

/// The compiler whose messages are stored: others word some of them differently.
const RUST: &str = "rustc 1.95.";

/// The version of the compiler that builds these tests.
fn rust_version() -> String {
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into())).arg("--version").output();
    String::from_utf8_lossy(&output.expect("cargo has found rustc, too").stdout).trim().to_string()
}

/// Only programs that fail, in one `TestCases`: trybuild then runs `cargo check` rather than `cargo build`, which
/// misses messages that appear only when code is generated.
#[test]
fn programs_are_rejected() {
    let version = rust_version();
    if !version.starts_with(RUST) {
        eprintln!("skipped: the messages are those of {RUST}x, and this is {version}");
        return;
    }
    let programs = if cfg!(feature = "onnx") { "onnx/*.rs" } else { "programs/*.rs" };
    trybuild::TestCases::new().compile_fail(programs);
}

#[test]
fn messages_say_what_does_not_fit() {
    for Case { folder, name, program, message } in cases() {
        // rustc's output, without the quoted lines of source, and without the path that it writes before a name
        // imported by a glob
        let said: Vec<_> = message
            .lines()
            .filter(|line| !line.trim_start().starts_with(|c: char| c.is_ascii_digit()) && !line.starts_with("..."))
            .collect();
        let said = said.join("\n").replace("taut::", "");
        let mut phrases = 0;
        for (number, line) in program.lines().enumerate() {
            let Some(phrase) = line.trim().strip_prefix("//~ ") else { continue };
            phrases += 1;
            assert!(said.contains(phrase), "{name}: the message does not contain `{phrase}`:\n{message}");
            let below = program.lines().skip(number).position(|line| !line.trim().starts_with("//~")).unwrap();
            let place = format!("--> {folder}/{name}.rs:{}:", number + below + 1);
            assert!(said.contains(&place), "{name}: the message is not about the line `{place}`:\n{message}");
        }
        assert!(phrases > 0, "{name} does not say what its message must contain: `//~ phrase`");
    }
}

/// A field that lacks three derives lacks three traits, and each is an error where it is needed.
const THREE_DERIVES: &str = "derive_missing";

/// rustc may repeat it for another part of the same line, in the same words.
#[test]
fn one_mistake_is_one_error() {
    for Case { name, message, .. } in cases() {
        let mut errors: Vec<_> = message.lines().filter(|line| line.starts_with("error")).collect();
        errors.dedup();
        let expected = if name == THREE_DERIVES { 3 } else { 1 };
        assert_eq!(errors.len(), expected, "{name}: {errors:#?}\n{message}");
    }
}

/// The first error is about the field, and names the derives that its type lacks.
#[test]
fn the_first_error_of_a_field_without_derives_names_them() {
    let case = cases().into_iter().find(|case| case.name == THREE_DERIVES).unwrap();
    let first = case.message.split("\nerror").next().unwrap();
    assert!(first.contains("`Block` cannot be made from random numbers alone"), "{first}");
    assert!(first.contains("structs with `#[derive(Init, Module, Parameters)]`"), "{first}");
}

#[test]
fn no_message_shows_the_digits_behind_the_arithmetic() {
    for Case { name, message, .. } in cases() {
        for private in ["UInt<", "UTerm", "B0>", "B1>", "typenum", "ToNumber", "ToDim", "Join<"] {
            assert!(!message.contains(private), "{name}: the message shows `{private}`:\n{message}");
        }
    }
}

/// A block after `<!-- program -->` in a document shows rustc's output for that program: each of its lines stands in
/// the `.stderr` file, in this order. Lines that help nobody, lists of impls, may be left out. `docs/errors.md` shows
/// every program.
#[test]
fn documents_show_the_messages_as_they_are() {
    let cases = cases();
    for (document, all) in [("docs/errors.md", true), ("README.md", false)] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(document);
        let text = fs::read_to_string(path).unwrap();
        let mut shown = HashSet::new();
        for part in text.split("<!-- ").skip(1) {
            let (name, rest) = part.split_once(" -->").unwrap();
            let case = cases.iter().find(|case| case.name == name);
            let message = &case.unwrap_or_else(|| panic!("{document}: there is no program {name}")).message;
            let block = rest.split("```text\n").nth(1).and_then(|block| block.split("\n```").next());
            let mut lines = message.lines();
            for line in block.unwrap_or_else(|| panic!("{document}: no block after {name}")).lines() {
                assert!(lines.any(|other| other == line), "{document}: rustc does not say this of {name}:\n{line}");
            }
            shown.insert(name);
        }
        assert!(!shown.is_empty(), "{document} shows no message");
        let missing: Vec<_> =
            cases.iter().map(|case| &case.name).filter(|name| !shown.contains(name.as_str())).collect();
        assert!(!all || missing.is_empty(), "{document} does not show {missing:?}");
    }
}
