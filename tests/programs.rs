//! What the programs in `examples/` say about impossible settings before they start.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const WITH_A_LIMIT: [&str; 10] = [
    "batchnorm_dropout",
    "char_lm",
    "char_rnn",
    "cifar10_cnn",
    "conv_autoencoder",
    "explain_cnn",
    "gan",
    "linear_models",
    "mnist_cnn",
    "mnist_mlp",
];

/// A program, built by `cargo test` unless it was asked for this test alone.
fn program(name: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let folder: PathBuf = tests.parent().and_then(Path::parent).unwrap().join("examples");
    let path = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    if !path.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "-q", "--example", name]).status().unwrap();
        assert!(built.success());
    }
    Command::new(path)
}

#[track_caller]
fn refused(output: &Output, message: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(message) && !said.contains("panicked"), "{said}");
    assert!(!output.status.success());
}

#[test]
fn sizes_that_cannot_be() {
    let none = |name: &str, option: &str| {
        let value = option.to_uppercase();
        let message = format!("invalid value '0' for '--{option} <{value}>': it must be at least 1");
        refused(&program(name).args([format!("--{option}"), "0".into()]).output().unwrap(), &message);
    };
    for name in WITH_A_LIMIT {
        none(name, "limit");
        none(name, "epochs");
    }
    for name in ["cifar10_cnn", "mnist_cnn"] {
        none(name, "parts");
    }
    for name in ["batchnorm_dropout", "char_rnn", "dqn", "ppo"] {
        none(name, "runs");
    }
    for option in ["threads", "dimension", "window", "negative", "epochs"] {
        none("word2vec", option);
    }
    let word2vec = |option: &str, value: &str| program("word2vec").args([option, value]).output().unwrap();
    refused(&word2vec("--threads", "1000000"), "for '--threads <THREADS>': 1024 are the most");
    refused(&word2vec("--dimension", "1000000000"), "`dimension` may be 10000 at most, and is 1000000000");
    refused(&word2vec("--window", "1000000000"), "`window` may be 1000 at most");
    refused(&word2vec("--negative", "1000000000"), "negative words");
}

#[test]
fn files_that_cannot_be_written() {
    let folder = std::env::temp_dir().join(format!("taut-programs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("read-only");
    std::fs::write(&file, "kept").unwrap();
    let mut permissions = std::fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&file, permissions).unwrap();
    for (name, option) in [
        ("linear_models", "--save"),
        ("word2vec", "--vectors"),
        ("cifar10_cnn", "--checkpoint"),
        ("dqn", "--checkpoint"),
        ("gan", "--checkpoint"),
    ] {
        let output = |path: &Path| program(name).arg(option).arg(path).output().unwrap();
        assert_eq!(output(&folder).status.code(), Some(2));
        refused(&output(&folder.join("no/model")), "does not exist: create it first");
        refused(&output(&file), "the file is read-only");
        refused(&output(&folder), "this is not a regular file");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_record_has_the_options_and_the_metrics_and_is_not_overwritten() {
    let folder = std::env::temp_dir().join(format!("taut-recorded-{}", std::process::id()));
    let record = folder.join("of/a/run");
    let quickstart = || program("quickstart").args(["--epochs", "2", "--record"]).arg(&record).output().unwrap();
    assert!(quickstart().status.success());
    let text = std::fs::read_to_string(record.join("configuration.json")).unwrap();
    let configuration: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&configuration["program"], &configuration["epochs"]), (&"quickstart".into(), &2.into()));
    assert_eq!((&configuration["seed"], &configuration["json"]), (&0.into(), &false.into()));
    let measured = taut::record::read(&record).unwrap();
    assert_eq!(measured.iter().map(|measurement| measurement.step).collect::<Vec<_>>(), [1, 2, 2]);
    assert!(measured[1].values[0].1 < measured[0].values[0].1 && record.join("last.safetensors").is_file());
    refused(&quickstart(), "holds a run already");
    assert_eq!(taut::record::read(&record).unwrap(), measured);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A FIFO that nobody writes to would be waited for forever.
#[cfg(unix)]
#[test]
fn a_text_that_is_no_file() {
    let folder = std::env::temp_dir().join(format!("taut-fifo-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("tinyshakespeare")).unwrap();
    let made = Command::new("mkfifo").arg(folder.join("tinyshakespeare/input.txt")).status();
    if made.is_ok_and(|status| status.success()) {
        let output = program("char_lm").arg("--data").arg(&folder).output().unwrap();
        refused(&output, "neither this folder nor tinyshakespeare in it has the file input.txt or input.txt.gz");
        std::fs::write(folder.join("tinyshakespeare/input.txt.gz"), "not packed").unwrap();
        let output = program("char_lm").arg("--data").arg(&folder).output().unwrap();
        refused(&output, "is named .gz, and is not a gzip file");
    } else {
        println!("skipped: there is no mkfifo");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_and_a_full_disk() {
    for name in WITH_A_LIMIT.into_iter().chain(["word2vec", "dqn", "ppo", "quickstart"]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program(name).arg("--help").stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), &*output.stderr), (Some(141), &b""[..]), "{name}");
        if let Ok(full) = File::options().write(true).open("/dev/full") {
            let output = program(name).arg("--help").stdout(full).stderr(Stdio::piped()).output().unwrap();
            refused(&output, "error: the standard output cannot be written");
        }
    }
}

/// Two processes that do not know of each other would overwrite each other's files.
#[cfg(not(feature = "mpi"))]
#[test]
fn one_of_several_processes_without_mpi() {
    for (variable, launcher) in
        [("OMPI_COMM_WORLD_SIZE", "mpirun"), ("PMI_SIZE", "mpirun"), ("SLURM_STEP_NUM_TASKS", "srun")]
    {
        let output = program("mnist_cnn").env(variable, "2").output().unwrap();
        let message = format!("this is one of 2 processes that {launcher} started, but the program was built for one");
        refused(&output, &message);
    }
}
