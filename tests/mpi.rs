//! Runs under `mpirun`: this test program starts itself as several processes. If there is no `mpirun`, it is skipped
//! with a note.
#![cfg(feature = "mpi")]

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use taut::data::digits;
use taut::distributed::{self, Communicator, DistributedDataset, Parts, expect_equal};
use taut::prelude::*;

/// Longer than any run takes on a machine that has little time for it.
const LIMIT: Duration = Duration::from_secs(180);

/// The task of a process of the tests below, and where it writes.
const TASK: &str = "TAUT_TEST_MPI_TASK";
const FILE: &str = "TAUT_TEST_MPI_FILE";

/// Runs `task` on this many processes: what they wrote and how they ended. `None` without `mpirun`.
///
/// # Panics
/// If they do not end.
fn processes(count: usize, task: &str, file: Option<&PathBuf>) -> Option<Output> {
    // one run after the other: processes that share a core with those of another test take many times as long
    static RUNS: Mutex<()> = Mutex::new(());
    let _run = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new("mpirun");
    command
        .args(["--oversubscribe", "--mca", "mpi_yield_when_idle", "1", "-n", &count.to_string()])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "a_process", "--ignored", "--nocapture"])
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .env(TASK, task)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(file) = file {
        command.env(FILE, file);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("skipped: `mpirun` cannot be started: {error}");
            return None;
        }
    };
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > LIMIT {
            // mpirun ends its processes when it is asked to end
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let output = child.wait_with_output().unwrap();
            panic!("{task} on {count} processes hangs:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(child.wait_with_output().unwrap())
}

/// One of the processes, started by the tests below.
#[test]
#[ignore = "is run by the other tests"]
fn a_process() {
    let task = std::env::var(TASK).expect("started by another test");
    let result: Result<(), Box<dyn Error>> = distributed::run(|world| match task.as_str() {
        "train" => train(world),
        "messages" => messages(world),
        "large" => large(world),
        "resume" => resume(world),
        "panic" | "error" | "panic during" | "exit" | "leave" | "kill" => end_early(world, &task),
        other => Err(format!("no task {other}").into()),
    });
    result.unwrap();
}

type Network = ((Linear<64, 24>, BatchNorm1d<24>, Relu, Dropout<30>), Linear<24, 10>);

/// Two epochs with batches that do not divide evenly, after which rank 0 saves the weights.
fn train(world: &dyn Communicator) -> Result<(), Box<dyn Error>> {
    let mut rng = StdRng::seed_from_u64(3);
    let mut model = Network::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig::default());
    for epoch in 0..2 {
        for batch in digits().first(250).parts_of(70, Parts::Fixed(4), world, &mut rng) {
            let loss = |tape: &Tape<Training>, (images, labels): (Tensor<_>, _)| {
                model.forward(tape.trace(images)).cross_entropy(&labels)
            };
            let (_, gradients) = match epoch {
                0 => batch.backward(&model, world, &mut rng, loss)?,
                _ => batch.backward_synchronized(&model, world, &mut rng, loss)?,
            };
            optimizer.step(&mut model, &gradients);
        }
    }
    expect_equal(&model, world)?;
    if world.is_first() {
        model.save(std::env::var(FILE)?)?;
    }
    Ok(())
}

/// Messages of all sizes, most of them too large to be sent before the receiver asks for them.
fn messages(world: &dyn Communicator) -> Result<(), Box<dyn Error>> {
    let content =
        |from: usize, to: usize, len: usize| -> Vec<u8> { (0..len).map(|i| (i * 7 + 3 * from + to) as u8).collect() };
    for round in 0..20 {
        let len = |from: usize, to: usize| [0, 1, 1000, 70_000, 3_000_000][(from + 2 * to + round) % 5];
        let (rank, ranks) = (world.rank(), 0..world.size());
        let outgoing: Vec<_> = ranks.clone().map(|to| content(rank, to, len(rank, to))).collect();
        let incoming = world.exchange(&outgoing.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        assert_eq!(incoming, ranks.map(|from| content(from, rank, len(from, rank))).collect::<Vec<_>>());
    }
    // many at once, while one rank computes longer than the others
    for round in 0..3 {
        let (rank, ranks) = (world.rank(), world.size());
        let len = |from: usize, to: usize, number: usize| [0, 1, 70_000, 1_000_000][(from + 2 * to + number) % 4];
        let incoming = world.exchange_during(8, &mut |hand_over| {
            for number in 0..8 {
                hand_over((0..ranks).map(|to| content(rank + number, to, len(rank, to, number))).collect());
                if rank == round {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        })?;
        let of = |from: usize, number: usize| content(from + number, rank, len(from, rank, number));
        let expected: Vec<Vec<_>> = (0..8).map(|number| (0..ranks).map(|from| of(from, number)).collect()).collect();
        assert!(incoming == expected, "round {round}");
    }
    Ok(())
}

/// A step of a model whose gradients travel in several buckets.
fn large(world: &dyn Communicator) -> Result<(), Box<dyn Error>> {
    let mut rng = StdRng::seed_from_u64(3);
    let mut model = <(Linear<64, 2000>, Relu, Linear<2000, 1100>, Relu, Linear<1100, 10>)>::init(&mut rng);
    let mut optimizer = Sgd::new(SgdConfig::default());
    for batch in digits().first(14).parts_of(7, Parts::Fixed(4), world, &mut rng) {
        let (_, gradients) = batch.backward(&model, world, &mut rng, |tape, (images, labels)| {
            model.forward(tape.trace(images)).cross_entropy(&labels)
        })?;
        optimizer.step(&mut model, &gradients);
    }
    assert!(model.parameter_count() > 2 * distributed::BUCKET_SIZE);
    expect_equal(&model, world)?;
    if world.is_first() {
        model.save(std::env::var(FILE)?)?;
    }
    Ok(())
}

/// One more epoch of the run whose checkpoint is the file, or the first. Most of the table's rows have no gradient in a
/// batch: the others travel as rows.
fn resume(world: &dyn Communicator) -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(std::env::var(FILE)?);
    let mut rng = taut::Generator::new(3);
    let mut model = <(EmbeddingBag<1088, 16>, Dropout<20>, Linear<16, 10>)>::init(&mut rng);
    let mut optimizer = Adam::new(AdamConfig::default());
    if path.exists() {
        let checkpoint = Checkpoint::load(&path)?;
        checkpoint.restore_model("model", &mut model)?;
        optimizer.restore(&checkpoint.snapshot("optimizer")?, &model)?;
        rng = checkpoint.generator("rng")?;
    }
    let (images, labels) = digits().first(120).whole();
    // a word for each of the 17 shades of each of the 64 pixels
    let words = images.iter().enumerate().map(|(i, shade)| i % 64 * 17 + (shade * 16.0) as usize).collect();
    let words = Tensor::from_vec(words, images.shape())?;
    for batch in (words, labels).parts_of(30, Parts::Fixed(4), world, &mut rng) {
        let (_, gradients) = batch.backward(&model, world, &mut rng, |tape, (words, labels)| {
            model.forward(tape.trace(words)).cross_entropy(&labels)
        })?;
        optimizer.step(&mut model, &gradients);
    }
    expect_equal(&model, world)?;
    if world.is_first() {
        let checkpoint = Checkpoint::new().with_model("model", &model).with_generator("rng", &rng);
        checkpoint.with_snapshot("optimizer", &optimizer.snapshot()).save(&path)?;
    }
    Ok(())
}

/// Rank 1 ends after a few rounds, and the others wait for it.
fn end_early(world: &dyn Communicator, task: &str) -> Result<(), Box<dyn Error>> {
    for round in 0..1000 {
        if world.rank() == 1 && round == 10 && task != "panic during" {
            match task {
                "panic" => panic!("rank 1 fails"),
                "error" => return Err("rank 1 has no file".into()),
                "exit" => std::process::exit(0),
                "leave" => return Ok(()),
                // as if the system had run out of memory
                _ => drop(Command::new("kill").args(["-9", &std::process::id().to_string()]).status()),
            }
        }
        if task == "panic during" {
            world.exchange_during(2, &mut |hand_over| {
                hand_over(vec![vec![0; 3_000_000]; 3]);
                // while messages are under way that others may not have received yet
                assert!(world.rank() != 1 || round < 10, "rank 1 fails");
                hand_over(vec![vec![0; 3_000_000]; 3]);
            })?;
            continue;
        }
        world.sum(&vec![1.0; 10_000])?;
    }
    println!("a rank went on to the end");
    Ok(())
}

#[test]
fn any_number_of_processes_gives_the_bits_of_one() {
    let folder = std::env::temp_dir().join(format!("taut-mpi-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut files = Vec::new();
    for task in ["train", "large"] {
        for count in [1, 2, 3, 4] {
            let file = folder.join(format!("{count}.safetensors"));
            let Some(output) = processes(count, task, Some(&file)) else { return };
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            files.push(std::fs::read(file).unwrap());
        }
        assert!(files.iter().all(|file| file == &files[0]), "{task}");
        files.clear();
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_run_goes_on_with_another_number_of_processes() {
    let folder = std::env::temp_dir().join(format!("taut-mpi-resume-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut files = Vec::new();
    for counts in [[1, 1], [2, 4], [4, 1], [1, 3]] {
        let file = folder.join(format!("{counts:?}.safetensors"));
        for count in counts {
            let Some(output) = processes(count, "resume", Some(&file)) else { return };
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        files.push(std::fs::read(file).unwrap());
        assert!(files.last() == files.first(), "{counts:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn messages_of_all_sizes_arrive() {
    let Some(output) = processes(3, "messages", None) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_rank_that_ends_early_ends_all_of_them() {
    let says = [
        ("panic", "rank 1 of 3 panicked"),
        ("panic during", "rank 1 of 3 panicked"),
        ("error", "error on rank 1 of 3: rank 1 has no file"),
        ("exit", "finalize"),
        ("leave", "rank 1 has ended"),
        ("kill", "signal 9"),
    ];
    for (task, message) in says {
        let Some(output) = processes(3, task, None) else { return };
        let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(!output.status.success(), "{task}: {error}");
        assert!(!out.contains("a rank went on to the end"), "{task}");
        assert!(error.contains(message) || out.contains(message), "{task}: {message} is not in {error}");
    }
}
