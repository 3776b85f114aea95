//! A run that goes on from a checkpoint gives the same bits as one that was never interrupted.

use std::path::PathBuf;
use taut::optim::{Exponential, Rule, Scheduler};
use taut::prelude::*;

/// Everything that can make two runs differ: random masks in training, running statistics, frozen parameters.
type Model = (Linear<6, 8>, BatchNorm1d<8>, Relu, Dropout<30>, Frozen<Linear<8, 8>>, Linear<8, 3>);

/// A file that lives as long as this value.
struct File(PathBuf);
impl File {
    fn new(name: &str) -> Self {
        File(std::env::temp_dir().join(format!("taut-checkpoint-{name}-{}", std::process::id())))
    }
}
impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// One name must not lie within another: each would take the other's tensors.
#[test]
fn names_that_begin_with_another_one_and_a_dot_are_refused() {
    let model = Linear::<2, 3>::init(&mut taut::Generator::new(0));
    let snapshot = Sgd::new(SgdConfig::default()).snapshot();
    type Add<'a> = &'a dyn Fn(Checkpoint, &str) -> Checkpoint;
    let adding: [Add<'_>; 5] = [
        &|checkpoint, name| checkpoint.with_model(name, &model),
        &|checkpoint, name| checkpoint.with_snapshot(name, &snapshot),
        &|checkpoint, name| checkpoint.with_generator(name, &taut::Generator::new(0)),
        &|checkpoint, name| checkpoint.with_number(name, 1.0),
        &|checkpoint, name| checkpoint.with_count(name, 1),
    ];
    for first in adding {
        for second in adding {
            for (one, other, fits) in [
                ("model", "model.ema", false),
                ("a.b.c", "a.b", false),
                ("a", "a", false),
                ("model", "model_ema", true),
                ("a.b", "a.c", true),
                ("", "a", false),
            ] {
                let both = || second(first(Checkpoint::new(), one), other);
                let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(both));
                assert_eq!(made.is_ok(), fits, "`{one}` and `{other}`");
            }
        }
    }
}

struct Run<R> {
    model: Model,
    optimizer: Optimizer<R>,
    /// Gives learning rates that are not short decimal numbers.
    scheduler: Scheduler<Exponential>,
    rng: taut::Generator,
    best_loss: f64,
    epoch: usize,
}

impl<R: Rule> Run<R> {
    fn new(rule: R, seed: u64) -> Self {
        let mut rng = taut::Generator::new(seed);
        let model = Model::init(&mut rng);
        let mut optimizer = Optimizer::new(rule);
        let scheduler = Scheduler::new(Exponential { factor: 0.97 }, &mut optimizer);
        Run { model, optimizer, scheduler, rng, best_loss: f64::INFINITY, epoch: 0 }
    }

    fn train_to(&mut self, epoch: usize) {
        while self.epoch < epoch {
            let x = Tensor::<Rank2<16, 6>>::randn(&mut self.rng);
            let tape = Tape::training(&mut self.rng);
            let y = self.model.forward(tape.trace(x));
            let loss = (y.clone() * y).mean();
            self.best_loss = self.best_loss.min(f64::from(loss.item()));
            let gradients = loss.backward();
            self.optimizer.step(&mut self.model, &gradients);
            self.scheduler.step(&mut self.optimizer);
            self.epoch += 1;
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new()
            .with_model("model", &self.model)
            .with_snapshot("optimizer", &self.optimizer.snapshot())
            .with_snapshot("scheduler", &self.scheduler.snapshot())
            .with_generator("rng", &self.rng)
            .with_number("best_loss", self.best_loss)
            .with_count("epoch", self.epoch)
    }

    fn resume(&mut self, checkpoint: &Checkpoint) {
        checkpoint.restore_model("model", &mut self.model).unwrap();
        self.optimizer.restore(&checkpoint.snapshot("optimizer").unwrap(), &self.model).unwrap();
        self.scheduler.restore(&checkpoint.snapshot("scheduler").unwrap()).unwrap();
        self.rng = checkpoint.generator("rng").unwrap();
        self.best_loss = checkpoint.number("best_loss").unwrap();
        self.epoch = checkpoint.count("epoch").unwrap();
    }

    /// Everything, bit by bit.
    fn state(&self) -> Vec<u8> {
        let file = File::new(&format!("state-{:?}", std::thread::current().id()));
        self.checkpoint().save(&file.0).unwrap();
        std::fs::read(&file.0).unwrap()
    }
}

fn check<R: Rule + Clone>(name: &str, rule: R) {
    let mut whole = Run::new(rule.clone(), 1);
    // before the first step too: nothing is remembered yet
    for interrupted in [0, 1, 5] {
        let file = File::new(name);
        let mut first = Run::new(rule.clone(), 1);
        first.train_to(interrupted);
        first.checkpoint().save(&file.0).unwrap();
        drop(first);

        let mut second = Run::new(rule.clone(), 2);
        second.train_to(2);
        second.resume(&Checkpoint::load(&file.0).unwrap());
        second.train_to(9);
        whole.train_to(9);
        assert!(second.state() == whole.state(), "{name}, interrupted after {interrupted} epochs");
    }
}

#[test]
fn sgd_goes_on() {
    check("sgd", SgdConfig::default());
    let weight_decay = WeightDecay::Decoupled(0.01);
    check("nesterov", SgdConfig { momentum: Momentum::Nesterov(0.8), weight_decay, ..Default::default() });
}

#[test]
fn rms_prop_goes_on() {
    check("rms_prop", RmsPropConfig { centred: true, ..Default::default() });
}

#[test]
fn adam_goes_on() {
    check("adam", AdamConfig { ams_grad: true, ..Default::default() });
}

#[test]
fn ada_grad_goes_on() {
    check("ada_grad", AdaGradConfig::default());
}

#[test]
fn the_model_alone_loads_from_a_checkpoint() {
    let file = File::new("model-alone");
    let mut run = Run::new(AdamConfig::default(), 1);
    run.train_to(3);
    run.checkpoint().save(&file.0).unwrap();
    let mut model = Run::new(AdamConfig::default(), 2).model;
    model.load_parameters_under(&file.0, "model").unwrap();
    assert_eq!(model.to_safetensors().unwrap(), run.model.to_safetensors().unwrap());
}

#[test]
fn bytes_in_memory_are_those_of_the_file() {
    let file = File::new("bytes");
    let mut run = Run::new(AdamConfig::default(), 1);
    run.train_to(3);
    run.checkpoint().save(&file.0).unwrap();
    let bytes = run.checkpoint().to_safetensors().unwrap();
    assert!(std::fs::read(&file.0).unwrap() == bytes);
    let checkpoint = Checkpoint::from_safetensors(&bytes).unwrap();
    assert!(checkpoint.to_safetensors().unwrap() == bytes);
    let mut model = Run::new(AdamConfig::default(), 2).model;
    checkpoint.restore_model("model", &mut model).unwrap();
    assert!(model.to_safetensors().unwrap() == run.model.to_safetensors().unwrap());
    for length in (0..bytes.len()).step_by(7) {
        let error = Checkpoint::from_safetensors(&bytes[..length]).unwrap_err();
        assert!(error.path().is_none(), "{error}");
    }
}

#[test]
fn what_does_not_fit_is_an_error_and_changes_nothing() {
    let file = File::new("misfit");
    let mut run = Run::new(SgdConfig::default(), 1);
    run.train_to(2);
    run.checkpoint().save(&file.0).unwrap();
    let checkpoint = Checkpoint::load(&file.0).unwrap();

    let mut other = (Linear::<6, 8>::init(&mut run.rng), BatchNorm1d::<8>::init(&mut run.rng));
    let before = other.to_safetensors().unwrap();
    let message = checkpoint.restore_model("model", &mut other).unwrap_err().to_string();
    assert!(message.contains("`4.weight` of shape (8, 8) is in the file and not in the model"), "{message}");
    assert_eq!(other.to_safetensors().unwrap(), before);

    let message = checkpoint.count("step").unwrap_err().to_string();
    assert!(message.contains("there is no `step` in this checkpoint, which holds"), "{message}");
    assert!(message.contains(r#"["best_loss", "epoch", "model", "optimizer", "rng", "scheduler"]"#), "{message}");
    assert!(checkpoint.count("best_loss").is_err());
    assert!(checkpoint.generator("generator").is_err());
    assert!(checkpoint.snapshot("schedule").is_err());
    // an error of the optimizer is passed on as one of the file
    let of_another = |snapshot| Adam::new(AdamConfig::default()).restore(&snapshot, &run.model);
    let error: taut::files::FileError = of_another(checkpoint.snapshot("optimizer").unwrap()).unwrap_err().into();
    assert!(error.to_string().contains("the snapshot has no array"), "{error}");
}

#[test]
fn numbers_keep_every_bit() {
    let file = File::new("numbers");
    let numbers = [0.1 + 0.2, -0.0, f64::MIN_POSITIVE / 8.0, f64::MAX, f64::INFINITY, f64::NEG_INFINITY];
    let mut checkpoint = Checkpoint::new().with_count("large", usize::MAX).with_number("nan", f64::NAN);
    for (i, &number) in numbers.iter().enumerate() {
        checkpoint = checkpoint.with_number(&format!("number.{i}"), number);
    }
    checkpoint.save(&file.0).unwrap();
    let read = Checkpoint::load(&file.0).unwrap();
    for (i, number) in numbers.iter().enumerate() {
        assert_eq!(read.number(&format!("number.{i}")).unwrap().to_bits(), number.to_bits(), "{number}");
    }
    assert_eq!(read.count("large").unwrap(), usize::MAX);
    assert!(read.number("nan").unwrap().is_nan());
}

#[test]
#[should_panic(expected = "two things in a checkpoint have the name `epoch`")]
fn a_name_is_given_once() {
    let _ = Checkpoint::new().with_count("epoch", 1).with_number("epoch", 2.0);
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let file = File::new("damaged");
    let mut run = Run::new(SgdConfig::default(), 1);
    run.train_to(1);
    run.checkpoint().save(&file.0).unwrap();
    let bytes = std::fs::read(&file.0).unwrap();
    for length in (0..bytes.len()).step_by(37) {
        std::fs::write(&file.0, &bytes[..length]).unwrap();
        let message = Checkpoint::load(&file.0).unwrap_err().to_string();
        assert!(message.contains(&file.0.display().to_string()), "{message}");
    }
    // a seed that is not a seed
    let text = bytes.windows(9).position(|window| window == b"rng.seed\"").unwrap();
    for wrong in [b'z', b'"', 0xFF] {
        let mut damaged = bytes.clone();
        damaged[text + 12] = wrong;
        std::fs::write(&file.0, &damaged).unwrap();
        assert!(Checkpoint::load(&file.0).and_then(|checkpoint| checkpoint.generator("rng")).is_err());
    }
}
