//! The folder of a run: what is in it, what a resumed and a killed run leave behind, and damaged files. TensorBoard's
//! part is read back by TensorBoard itself, if a Python has it (`pip install tensorboard`): the one that the variable
//! `TAUT_PYTHON` names, or `python3`.

use std::path::{Path, PathBuf};
use taut::prelude::*;
use taut::record::{BestModel, Measurement, Run, read};

/// A folder that is removed after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("taut-record-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn steps(folder: &Path) -> Vec<usize> {
    read(folder).unwrap().iter().map(|measurement| measurement.step).collect()
}

/// The table that the JSON lines should give.
fn table(measurements: &[Measurement]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in measurements.iter().flat_map(|measurement| &measurement.values) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut text = ["step", "seconds"].into_iter().chain(names.iter().copied()).collect::<Vec<_>>().join(",") + "\n";
    for Measurement { step, seconds, values } in measurements {
        text += &format!("{step},{seconds:.3}");
        for name in &names {
            let value = values.iter().find(|(other, _)| other == name);
            text += &value.map_or(",".to_string(), |(_, value)| format!(",{value:?}"));
        }
        text += "\n";
    }
    text
}

#[test]
fn both_files_hold_every_bit() {
    let folder = Folder::new("bits");
    let mut run = Run::create(&folder.0).unwrap();
    let numbers = [0.1, -1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0, 0.0, 123456.75];
    let mut expected = Vec::new();
    for (step, &number) in numbers.iter().enumerate() {
        // new names appear later
        let mut values = vec![("train/loss".to_string(), number), (format!("of {}", step / 3), 2.0 * number)];
        values.truncate(1 + step % 2);
        run.log(step, values.clone()).unwrap();
        expected.push(values);
        // written when the call returns
        let found = read(&folder.0).unwrap();
        let values: Vec<_> = found.iter().map(|measurement| measurement.values.clone()).collect();
        assert_eq!(format!("{values:?}"), format!("{expected:?}"));
        assert_eq!(folder.text("metrics.csv"), table(&found));
        assert!(found.is_sorted_by_key(|measurement| measurement.seconds));
    }
    let loss: Vec<u64> = read(&folder.0).unwrap().iter().map(|measurement| measurement.values[0].1.to_bits()).collect();
    assert_eq!(loss, numbers.map(f64::to_bits));
    assert!(folder.text("metrics.jsonl").lines().nth(2).unwrap().ends_with(r#""train/loss":"NaN"}"#));
}

#[test]
fn names_with_anything_in_them() {
    let folder = Folder::new("names");
    let mut run = Run::create(&folder.0).unwrap();
    run.log(0, [("a,b", 1.0), ("\"quoted\"\n", 2.0), ("Größe", 3.0)]).unwrap();
    let names: Vec<String> = read(&folder.0).unwrap().remove(0).values.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a,b", "\"quoted\"\n", "Größe"]);
    assert!(folder.text("metrics.csv").starts_with("step,seconds,\"a,b\",\"\"\"quoted\"\"\n\",Größe\n0,"));
    for wrong in [vec![("step", 1.0)], vec![("", 1.0)], vec![("x", 1.0), ("x", 2.0)]] {
        let log = std::panic::AssertUnwindSafe(|| run.log(1, wrong));
        assert!(std::panic::catch_unwind(log).is_err());
    }
    assert_eq!(steps(&folder.0), [0]);
}

#[test]
fn a_configuration_is_json() {
    let folder = Folder::new("configuration");
    let mut run = Run::create(folder.0.join("of/a/run")).unwrap();
    run.configuration(&serde_json::json!({"rate": 0.1, "layers": [64, 10]})).unwrap();
    let text = folder.text("of/a/run/configuration.json");
    assert_eq!(text, "{\n  \"layers\": [\n    64,\n    10\n  ],\n  \"rate\": 0.1\n}\n");
    // JSON's keys are texts
    let error = run.configuration(&std::collections::BTreeMap::from([((1, 2), 3)])).unwrap_err();
    assert!(error.to_string().contains("configuration.json: was not written"), "{error}");
    assert_eq!(folder.text("of/a/run/configuration.json"), text);
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let folder = Folder::new("shared");
    let mut run = Run::create(&folder.0).unwrap();
    let error = Run::create(&folder.0).unwrap_err();
    assert!(error.reason().contains("is being written by another run"), "{error}");
    drop(run);
    // nothing was written: a program that failed before its first epoch can start over
    run = Run::create(&folder.0).unwrap();
    run.log(1, [("loss", 1.0)]).unwrap();
    let error = Run::resume(&folder.0, 2).unwrap_err();
    assert!(error.reason().contains("is being written by another run"), "{error}");
    drop(run);
    let error = Run::create(&folder.0).unwrap_err();
    assert!(error.reason().contains("holds a run already"), "{error}");
    let file = folder.0.join("metrics.csv");
    let error = Run::create(&file).unwrap_err();
    assert!(error.to_string().contains("cannot be made"), "{error}");
    assert_eq!(steps(&folder.0), [1]);
    assert!(read(folder.0.join("elsewhere")).is_err());
}

#[test]
fn a_resumed_run_forgets_what_comes_again() {
    let folder = Folder::new("resumed");
    let mut run = Run::resume(&folder.0, 0).unwrap(); // there is none yet
    for step in 1..=5 {
        run.log(step, [(format!("of {step}"), step as f64)]).unwrap();
    }
    drop(run);
    let before = read(&folder.0).unwrap();
    let mut run = Run::resume(&folder.0, 4).unwrap();
    assert_eq!(read(&folder.0).unwrap(), before[..3]);
    assert_eq!(folder.text("metrics.csv"), table(&before[..3]));
    run.log(4, [("of 1", 0.5)]).unwrap();
    drop(run);
    let after = read(&folder.0).unwrap();
    assert_eq!((after.len(), &after[..3]), (4, &before[..3]));
    assert!(after[3].seconds >= after[2].seconds);
    assert_eq!(folder.text("metrics.csv"), table(&after));
    // nothing to forget
    drop(Run::resume(&folder.0, 5).unwrap());
    assert_eq!(read(&folder.0).unwrap(), after);
}

/// A killed program leaves an incomplete last line.
#[test]
fn any_beginning_of_a_file_can_be_read_and_resumed() {
    let folder = Folder::new("cut");
    let mut run = Run::create(&folder.0).unwrap();
    (1..=3).for_each(|step| run.log(step, [("loss", 1.0 / step as f64), ("x", f64::NAN)]).unwrap());
    drop(run);
    let whole = folder.text("metrics.jsonl");
    let path = folder.0.join("metrics.jsonl");
    for end in 0..=whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let complete = whole[..end].matches('\n').count();
        assert_eq!(steps(&folder.0), (1..=complete).collect::<Vec<_>>());
        let mut run = Run::resume(&folder.0, 10).unwrap();
        run.log(10, [("loss", 0.0)]).unwrap();
        assert_eq!(steps(&folder.0), (1..=complete).chain([10]).collect::<Vec<_>>());
    }
}

#[test]
fn damaged_lines_are_errors_that_name_them() {
    let folder = Folder::new("damaged");
    std::fs::create_dir_all(&folder.0).unwrap();
    let path = folder.0.join("metrics.jsonl");
    let good = "{\"step\":1,\"seconds\":0.5,\"loss\":2}\n";
    let wrong = [
        "",
        "{",
        "null",
        "[1]",
        "{}",
        "{\"step\":1}",
        "{\"step\":-1,\"seconds\":0}",
        "{\"step\":1.5,\"seconds\":0}",
        "{\"step\":1,\"seconds\":0,\"loss\":\"much\"}",
        "{\"step\":1,\"seconds\":0,\"loss\":[1]}",
        "{\"step\":1,\"seconds\":0,\"loss\":null}",
        "{\"step\":99999999999999999999,\"seconds\":0}",
        "\u{0}",
    ];
    for wrong in wrong {
        std::fs::write(&path, format!("{good}{wrong}\n{good}")).unwrap();
        for error in [read(&folder.0).map(drop), Run::resume(&folder.0, 9).map(drop)] {
            let message = error.unwrap_err().to_string();
            assert!(message.contains("metrics.jsonl: line 2: is not a measurement: "), "{wrong}: {message}");
        }
    }
    // any wrong byte: an error or another number, never a panic
    for place in 0..2 * good.len() {
        for byte in [0, b'"', b'}', b'9', 0xff] {
            let mut bytes = good.repeat(2).into_bytes();
            bytes[place] = byte;
            std::fs::write(&path, bytes).unwrap();
            let _ = read(&folder.0);
        }
    }
}

/// Tells the child where its run is.
const PATH: &str = "TAUT_TEST_RECORDS_TO";

#[test]
#[ignore = "this is the program that the next test kills"]
fn records_forever() {
    let mut run = Run::create(std::env::var_os(PATH).expect("started by the other test")).unwrap();
    for step in 0.. {
        run.log(step, [("loss", 1.0 / step as f64)]).unwrap();
    }
}

#[test]
fn a_killed_run_can_be_read_and_resumed() {
    let folder = Folder::new("killed");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "records_forever"])
        .env(PATH, &folder.0)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // it can be watched while it goes on
    while read(&folder.0).map_or(0, |measurements| measurements.len()) < 50 {
        assert!(child.try_wait().unwrap().is_none(), "the child gave up");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let count = read(&folder.0).unwrap().len();
    assert_eq!(steps(&folder.0), (0..count).collect::<Vec<_>>());
    let mut run = Run::resume(&folder.0, count).unwrap();
    run.log(count, [("loss", 0.0)]).unwrap();
    assert_eq!(steps(&folder.0), (0..=count).collect::<Vec<_>>());
    assert_eq!(folder.text("metrics.csv").lines().count(), count + 2);
}

#[test]
fn the_best_model_is_kept() {
    let folder = Folder::new("best");
    let run = Run::create(&folder.0).unwrap();
    for mut best in [BestModel::in_memory().larger_is_better(), BestModel::in_file(run.best_path()).larger_is_better()]
    {
        let mut model = Linear::<1, 1>::init(&mut StdRng::seed_from_u64(0));
        assert!(best.load_into(&mut model).is_err() && best.value().is_none());
        let mut kept = Vec::new();
        for (number, accuracy) in [f64::NAN, 0.5, f64::NAN, 0.4, 0.7, 0.7, 0.6].into_iter().enumerate() {
            *model.bias.value_mut() = Tensor::from([number as f32]);
            kept.push(best.offer(&model, accuracy).unwrap());
        }
        assert_eq!(kept, [true, true, false, false, true, false, false]);
        best.load_into(&mut model).unwrap();
        assert_eq!((model.bias.value().to_array(), best.value()), ([4.0], Some(0.7)));
        let error = best.load_into(&mut Linear::<2, 1>::init(&mut StdRng::seed_from_u64(0))).unwrap_err();
        assert_eq!(error.mismatches().len(), 1);
    }
    // a run that resumes knows what the best was; a copy in memory is gone with the program
    let mut best = BestModel::in_file(run.best_path());
    let model = Linear::<1, 1>::init(&mut StdRng::seed_from_u64(0));
    best.offer(&model, 0.5).unwrap();
    let mut again = BestModel::in_file(run.best_path());
    again.restore(&best.snapshot()).unwrap();
    assert!(!again.offer(&model, 0.6).unwrap() && again.offer(&model, 0.4).unwrap());
    let mut in_memory = BestModel::in_memory();
    in_memory.restore(&best.snapshot()).unwrap();
    assert!(in_memory.value().is_none() && in_memory.offer(&model, 0.6).unwrap());
    assert!(again.restore(&Default::default()).is_err());
    // if a file cannot be written, the previous best remains
    let mut nowhere = BestModel::in_file(folder.0.join("no/such/folder"));
    assert!(nowhere.offer(&model, 1.0).is_err() && nowhere.value().is_none());
}

#[cfg(feature = "tensorboard")]
mod tensorboard {
    use super::*;
    use serde_json::{Value, json};

    /// What TensorBoard finds in a folder. `None` without TensorBoard.
    fn read_back(folder: &Path) -> Option<Value> {
        let python = std::env::var_os("TAUT_PYTHON").unwrap_or("python3".into());
        let run = |arguments: &[&str]| std::process::Command::new(&python).args(arguments).output();
        if !run(&["-c", "import tensorboard"]).is_ok_and(|output| output.status.success()) {
            println!("skipped: no Python with tensorboard (TAUT_PYTHON names one)");
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/record/read.py");
        let output = run(&[script, folder.to_str().unwrap()]).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        Some(serde_json::from_str(text.lines().last().unwrap()).unwrap())
    }

    fn event_file(folder: &Path) -> PathBuf {
        let mut entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.find(|path| path.to_str().unwrap().contains("tfevents")).unwrap()
    }

    #[test]
    fn reads_what_a_run_wrote() {
        let folder = Folder::new("tensorboard");
        let mut run = Run::create(&folder.0).unwrap();
        run.configuration(&[1, 2]).unwrap();
        run.log(1, [("train/loss", 0.5), ("test/accuracy", 0.25)]).unwrap();
        run.log(2, [("train/loss", f64::INFINITY)]).unwrap();
        run.histogram("features", 3, &Tensor::from([[1.0, 2.0], [f32::NAN, 4.0]])).unwrap();
        let model = Linear::<2, 3>::init(&mut StdRng::seed_from_u64(0));
        run.parameters(2, &model).unwrap();
        run.text("remark", 5, "größer").unwrap();
        #[cfg(feature = "image")]
        run.picture("samples", 4, &Tensor::<Rank3<3, 5, 7>>::ones()).unwrap();
        // the run still goes on
        let Some(found) = read_back(&folder.0) else { return };
        let scalars = json!({"train/loss": [[1, "0.5"], [2, "inf"]], "test/accuracy": [[1, "0.25"]]});
        assert_eq!(found["scalars"], scalars);
        assert_eq!(found["histograms"]["features"], json!([[3, 1.0, 4.0, 3.0, 7.0, 21.0, 30, 3.0]]));
        assert_eq!(found["histograms"]["parameters/weight"][0][3], 6.0);
        assert_eq!(found["histograms"]["parameters/bias"][0][0], 2);
        assert_eq!(found["texts"]["remark"], json!(["größer"]));
        assert_eq!(found["texts"]["configuration"], json!(["    [\n      1,\n      2\n    ]\n"]));
        #[cfg(feature = "image")]
        assert_eq!(found["pictures"], json!({"samples": [[4, 7, 5, 7, 5]]}));
    }

    #[test]
    fn forgets_what_a_resumed_run_does_again() {
        let folder = Folder::new("tensorboard-resumed");
        let mut run = Run::create(&folder.0).unwrap();
        (1..=5).for_each(|step| run.log(step, [("loss", step as f64)]).unwrap());
        drop(run);
        let mut run = Run::resume(&folder.0, 4).unwrap();
        run.log(4, [("loss", 0.5)]).unwrap();
        let Some(found) = read_back(&folder.0) else { return };
        assert_eq!(found["scalars"]["loss"], json!([[1, "1.0"], [2, "2.0"], [3, "3.0"], [4, "0.5"]]));
    }

    #[test]
    fn reads_a_file_that_was_cut_off() {
        let folder = Folder::new("tensorboard-cut");
        let mut run = Run::create(&folder.0).unwrap();
        (1..=3).for_each(|step| run.log(step, [("loss", step as f64)]).unwrap());
        drop(run);
        let path = event_file(&folder.0);
        let bytes = std::fs::read(&path).unwrap();
        for cut in [1, 10, 20] {
            std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
            let Some(found) = read_back(&folder.0) else { return };
            assert_eq!(found["scalars"]["loss"], json!([[1, "1.0"], [2, "2.0"]]));
        }
    }
}
