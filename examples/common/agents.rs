//! What the reinforcement learning programs share: options, runs with several seeds, plotting and watching them.

use super::{Common, Panel, Recorder, Report, at_least_one, plot_panels, writable};
use clap::{Args, Parser};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use taut::files::FileError;
use taut::optim::Snapshot;
use taut::optim::SnapshotArray;
use taut::prelude::*;
use taut::rl::{Environment, Environments, Observations, evaluate};

/// The number of episodes in an evaluation.
pub const EPISODES: usize = 100;
/// The number of evaluations during training, on other episodes than the final one.
pub const EVALUATIONS: usize = 20;

/// The options of all these programs.
#[derive(Args, Clone, Debug)]
pub struct AgentOptions {
    /// Number of agents to train, each with the next seed
    #[arg(long, default_value_t = 1, value_parser = at_least_one)]
    pub runs: usize,
    /// Number of steps in the environment (default: as many as it needs)
    #[arg(long, value_parser = at_least_one)]
    pub steps: Option<usize>,
    /// Regularly save everything needed to resume to this file (with a single run)
    #[arg(long, value_name = "FILE", value_parser = writable(), conflicts_with = "runs")]
    pub checkpoint: Option<PathBuf>,
    /// Resume from the file given by --checkpoint
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,
    /// Show an episode of the trained agent in the terminal
    #[arg(long)]
    pub watch: bool,
    /// Draw the returns of the runs, their mean, and the band between the lowest and the highest
    #[arg(long, value_name = "FILE.png", value_parser = writable())]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}

impl AgentOptions {
    /// The record of an agent, which begins or continues after the steps in its log.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn recorder<Options: Parser>(&self, log: &Log) -> Result<Recorder, FileError> {
        let part = if self.runs > 1 { format!("seed-{}", log.seed) } else { String::new() };
        Recorder::start_or_resume::<Options>(&self.common, &part, self.resume.then_some(log.steps + 1))
    }
}

/// The training log of one agent.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub seed: u64,
    /// The number of steps taken in the environment.
    pub steps: usize,
    /// How long they took, including learning and evaluations.
    pub seconds: f64,
    /// The evaluations during training: steps taken so far, and the mean return.
    pub curve: Vec<(f64, f64)>,
    /// The mean return at the end.
    pub mean_return: f64,
}

impl Log {
    /// The number of steps after which the next evaluation is due.
    pub fn next_evaluation(&self, steps: usize) -> usize {
        steps * (self.curve.len() + 1) / EVALUATIONS
    }

    /// Logs an evaluation during training.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub fn evaluated(&mut self, mean_return: f64, recorder: &mut Recorder) -> Result<(), FileError> {
        self.curve.push((self.steps as f64, mean_return));
        println!("seed {}, {:>8} steps: mean return {mean_return:.1}", self.seed, self.steps);
        recorder.log(self.steps, [("mean_return", mean_return)])
    }

    /// Adds the log to a checkpoint.
    pub fn save_in(&self, checkpoint: Checkpoint) -> Checkpoint {
        let numbers = |pick: fn(&(f64, f64)) -> f64| SnapshotArray::F64(self.curve.iter().map(pick).collect());
        let arrays = [("steps", numbers(|point| point.0)), ("returns", numbers(|point| point.1))];
        let arrays = arrays.map(|(name, values)| (name.to_string(), values)).into();
        checkpoint
            .with_count("log.steps", self.steps)
            .with_number("log.seconds", self.seconds)
            .with_snapshot("curve", &Snapshot { numbers: Vec::new(), arrays })
    }

    /// Restores the log from a checkpoint.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Box<dyn Error>> {
        let curve = checkpoint.snapshot("curve")?;
        let column = |wanted: &str| match curve.arrays.iter().find(|(name, _)| name == wanted) {
            Some((_, SnapshotArray::F64(values))) => Ok(values.clone()),
            _ => Err(format!("the checkpoint has no `curve.{wanted}`")),
        };
        self.steps = checkpoint.count("log.steps")?;
        self.seconds = checkpoint.number("log.seconds")?;
        self.curve = column("steps")?.into_iter().zip(column("returns")?).collect();
        println!("{} steps were taken before", self.steps);
        Ok(())
    }
}

/// The mean return of an agent over [`EPISODES`] episodes.
pub fn mean_return<E: Environment>(
    seed: u64,
    agent: impl FnMut(Observations<E, EPISODES>) -> [E::Action; EPISODES],
) -> f64 {
    evaluate::<E, EPISODES>(seed, agent).iter().sum::<f64>() / EPISODES as f64
}

/// Trains an agent in this environment with each seed, then prints and plots the results.
pub fn run_all(
    environment: &str,
    options: &AgentOptions,
    mut train: impl FnMut(u64) -> Result<Log, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut logs = Vec::new();
    for run in 0..options.runs as u64 {
        let log = train(options.common.seed + run)?;
        println!(
            "seed {}: mean return {:.1} over {EPISODES} episodes, after {} steps in {:.1} s",
            log.seed, log.mean_return, log.steps, log.seconds
        );
        logs.push(log);
    }
    if let Some(path) = &options.plot {
        draw(path, environment, &logs)?;
    }
    let mean = |figure: fn(&Log) -> f64| logs.iter().map(figure).sum::<f64>() / logs.len() as f64;
    let mut report = Report::default();
    report.add("mean_return", mean(|log| log.mean_return));
    if logs.len() > 1 {
        report.add("mean_returns", logs.iter().map(|log| log.mean_return).collect::<Vec<_>>());
    }
    report.add("steps", logs[0].steps);
    report.add("seconds", mean(|log| log.seconds));
    report.add("steps_per_second", mean(|log| log.steps as f64 / log.seconds));
    report.add("seed", options.common.seed);
    report.print(options.common.json);
    Ok(())
}

/// Draws the mean of the curves, and the band between the lowest and the highest.
fn draw(path: &Path, environment: &str, logs: &[Log]) -> Result<(), Box<dyn Error>> {
    let (mut mean, mut band) = (Vec::new(), Vec::new());
    for (i, &(steps, _)) in logs[0].curve.iter().enumerate() {
        let returns: Vec<f64> = logs.iter().filter_map(|log| Some(log.curve.get(i)?.1)).collect();
        mean.push((steps, returns.iter().sum::<f64>() / returns.len() as f64));
        let (low, high) =
            (returns.iter().copied().fold(f64::MAX, f64::min), returns.iter().copied().fold(f64::MIN, f64::max));
        band.push((steps, low, high));
    }
    let seeds = if logs.len() == 1 { "one seed".to_string() } else { format!("{} seeds", logs.len()) };
    plot_panels(
        path,
        &[Panel {
            title: format!("{environment}: mean return"),
            x: "steps".into(),
            logarithmic: false,
            curves: vec![(format!("mean of {seeds}, lowest to highest"), mean)],
            bands: vec![band],
        }],
    )
}

/// Shows one episode in the terminal.
pub fn watch<E: Environment>(seed: u64, mut agent: impl FnMut(Observations<E, 1>) -> E::Action) {
    const FRAME: Duration = Duration::from_millis(40);
    let mut environments = Environments::<E, 1>::new(seed);
    let mut total = 0.0;
    for step in 1.. {
        let start = Instant::now();
        let outcome = environments.step(&[agent(environments.observations())]);
        total += outcome.rewards[0];
        if outcome.done(0) {
            println!("the episode ended after {step} steps, with a return of {total}");
            return;
        }
        let picture = environments.iter().map(E::draw).collect::<String>();
        // moves to the top and clears the screen, then draws over it
        println!("\x1b[H\x1b[J{picture}step {step}, return {total}");
        std::thread::sleep(FRAME.saturating_sub(start.elapsed()));
    }
}
