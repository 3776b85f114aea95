//! A program that is killed in the middle of saving loses nothing.

use rand::RngExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use taut::prelude::*;

/// Large enough that most of the time is spent writing: 1 MB.
type Model = Linear<256, 1_024>;

/// Tells the child where to save.
const PATH: &str = "TAUT_TEST_SAVES_TO";

fn filled(value: f32) -> Model {
    Model { weight: Tensor::full(value).into(), bias: Tensor::full(value).into() }
}

#[test]
#[ignore = "this is the program that `what_is_there_is_whole` kills"]
fn saves_forever() {
    let path = std::env::var_os(PATH).expect("started by the other test");
    let first = Model::load(&path).unwrap().bias.value()[[0]];
    for i in 1.. {
        filled(first + i as f32).save(&path).unwrap();
    }
}

/// The file that is being written.
fn partial(folder: &Path) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.extension().is_some_and(|extension| extension == "partial"))
}

#[test]
fn what_is_there_is_whole() {
    let folder: PathBuf = std::env::temp_dir().join(format!("taut-killed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("model.safetensors");
    filled(0.0).save(&path).unwrap();
    let mut rng = StdRng::seed_from_u64(0);
    let (mut last, mut unfinished) = (0.0, 0);
    for _ in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "saves_forever"])
            .env(PATH, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while partial(&folder).is_none() {
            assert!(child.try_wait().unwrap().is_none(), "the child gave up");
            std::thread::sleep(Duration::from_millis(1));
        }
        let wait = rng.random_range(0..100);
        std::thread::sleep(Duration::from_millis(wait));
        // SIGKILL: the child cannot react to it
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());

        let model = Model::load(&path).unwrap();
        let value = model.bias.value()[[0]];
        assert!(value >= last, "the file of save {last} came back as that of save {value}");
        assert!(model.weight.value().iter().chain(model.bias.value().iter()).all(|x| x == value), "a mixture");
        last = value;
        if let Some(partial) = partial(&folder) {
            unfinished += 1;
            std::fs::remove_file(partial).unwrap();
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(last > 0.0, "no save was finished");
    assert!(unfinished > 0, "no save was interrupted");
}
