//! What the programs of reinforcement learning share: their options, runs from several seeds, the picture of them,
//! and watching.

use super::{Common, Panel, Report, at_least_one, plot_panels, writable};
use clap::Args;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use taut::optim::Snapshot;
use taut::optim::SnapshotArray;
use taut::prelude::*;
use taut::rl::{Environment, Environments, Observations, evaluate};

/// How many episodes an agent is judged by.
pub const EPISODES: usize = 100;
/// How often it is judged on the way, on other episodes than at the end.
pub const EVALUATIONS: usize = 20;

/// The options of all these programs.
#[derive(Args, Clone, Debug)]
pub struct AgentOptions {
    /// How many agents are trained, each from the next seed
    #[arg(long, default_value_t = 1, value_parser = at_least_one)]
    pub runs: usize,
    /// How many steps are taken in the environment (otherwise as many as it needs)
    #[arg(long, value_parser = at_least_one)]
    pub steps: Option<usize>,
    /// Save here, again and again, all that is needed to go on with the one run
    #[arg(long, value_name = "FILE", value_parser = writable(), conflicts_with = "runs")]
    pub checkpoint: Option<PathBuf>,
    /// Go on from the file of --checkpoint
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

/// What is kept of the training of one agent.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub seed: u64,
    /// How many steps were taken in the environment.
    pub steps: usize,
    /// How long they took, with learning and with the evaluations on the way.
    pub seconds: f64,
    /// After how many steps the agent was judged on the way, and its mean return then.
    pub curve: Vec<(f64, f64)>,
    /// At the end.
    pub mean_return: f64,
}

impl Log {
    /// The number of steps after which the agent is to be judged the next time.
    pub fn next_evaluation(&self, steps: usize) -> usize {
        steps * (self.curve.len() + 1) / EVALUATIONS
    }

    /// Notes how an agent does on the way.
    pub fn evaluated(&mut self, mean_return: f64) {
        self.curve.push((self.steps as f64, mean_return));
        println!("seed {}, {:>8} steps: mean return {mean_return:.1}", self.seed, self.steps);
    }

    /// Adds it to a checkpoint.
    pub fn save_in(&self, checkpoint: Checkpoint) -> Checkpoint {
        let numbers = |pick: fn(&(f64, f64)) -> f64| SnapshotArray::F64(self.curve.iter().map(pick).collect());
        let arrays = [("steps", numbers(|point| point.0)), ("returns", numbers(|point| point.1))];
        let arrays = arrays.map(|(name, values)| (name.to_string(), values)).into();
        checkpoint
            .with_count("log.steps", self.steps)
            .with_number("log.seconds", self.seconds)
            .with_snapshot("curve", &Snapshot { numbers: Vec::new(), arrays })
    }

    /// Becomes the log of a checkpoint.
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

/// Trains an agent in this environment from each seed, and prints and draws how they did.
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
        // up to the first line, and what stood there is overwritten line by line
        println!("\x1b[H\x1b[J{picture}step {step}, return {total}");
        std::thread::sleep(FRAME.saturating_sub(start.elapsed()));
    }
}
