//! Deep Q-learning: a network learns what each action is worth, and the best one is taken.
//!
//!     cargo run --release --example dqn
//!     cargo run --release --example dqn -- --environment mountaincar --double --duelling --prioritised --watch
//!
//! Transitions are kept in a replay memory, and the network learns from random samples of it: the value of an action
//! should be its reward plus the value of the best next action, as given by a target network, a copy of the first that
//! is updated only now and then:
//!
//! loss = huber(Q(s, a), r + gamma max_b Q'(s', b)).
//!
//! Mnih et al., "Human-Level Control through Deep Reinforcement Learning", 2015. Options:
//!
//! * double: the action b is chosen by Q and valued by Q', which overestimates less. Van Hasselt, Guez and
//!   Silver, "Deep Reinforcement Learning with Double Q-learning", 2016.
//! * duelling: Q = V + A - mean(A), two parts of the network. Wang et al., "Dueling Network Architectures for Deep
//!   Reinforcement Learning", 2016.
//! * prioritised: surprising transitions are replayed more often. Schaul, Quan, Antonoglou and Silver, "Prioritized
//!   Experience Replay", 2016.

#[macro_use]
mod common;

use clap::{Parser, ValueEnum};
use common::agents::{AgentOptions, EPISODES, Log, mean_return, run_all, watch};
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;
use taut::loss::Each;
use taut::prelude::*;
use taut::rl::*;

/// The batch size.
const BATCH: usize = 64;
/// The exponent of the priorities, and that of the weights which make up for them, at the start; it rises to 1.
const PRIORITY_EXPONENT: f64 = 0.6;
const WEIGHT_EXPONENT: f64 = 0.4;

/// What differs between environments: the networks and the settings they train with.
trait Task<const ACTIONS: usize>: Environment<Action = Discrete<ACTIONS>> {
    type Plain: Network<Self, ACTIONS>;
    type Duelling: Network<Self, ACTIONS>;
    /// The type in which observations are stored in the memory.
    type Kept: Stored;
    const SETTINGS: Settings;
}

struct Settings {
    steps: usize,
    /// The capacity of the memory.
    memory: usize,
    /// The number of steps before learning begins, between updates, and the number of batches per update.
    first_steps: usize,
    steps_between: usize,
    batches: usize,
    /// The number of batches between updates of the target network.
    copy_after: usize,
    /// Initial value; decays to 0.
    learning_rate: f64,
    discount: f32,
    /// The number of rewards that are summed.
    multi_step: usize,
    /// Whether observations are normalised to mean 0 and variance 1.
    normalized: bool,
    /// The final probability of a random action, and the fraction of training over which it falls from 1.
    last_epsilon: f64,
    exploration: f64,
}

const SETTINGS: Settings = Settings {
    steps: 50_000,
    memory: 50_000,
    first_steps: 1000,
    steps_between: 4,
    batches: 2,
    copy_after: 50,
    learning_rate: 1e-3,
    discount: 0.99,
    multi_step: 3,
    normalized: false,
    last_epsilon: 0.04,
    exploration: 0.16,
};

/// A network with two hidden layers, `I` inputs and `O` outputs.
type Mlp<const I: usize, const O: usize> = (Linear<I, 128>, Relu, Linear<128, 128>, Relu, Linear<128, O>);
/// The same with a value and advantages: see [`Duelling`].
type DuellingMlp<const I: usize, const O: usize> = Duelling<(Linear<I, 128>, Relu), 128, O>;

impl Task<2> for CartPole {
    type Plain = Mlp<4, 2>;
    type Duelling = DuellingMlp<4, 2>;
    type Kept = f32;
    const SETTINGS: Settings = SETTINGS;
}

impl Task<3> for Acrobot {
    type Plain = Mlp<6, 3>;
    type Duelling = DuellingMlp<6, 3>;
    type Kept = f32;
    const SETTINGS: Settings = Settings { steps: 100_000, copy_after: 250, last_epsilon: 0.1, ..SETTINGS };
}

impl Task<3> for MountainCar {
    type Plain = Mlp<2, 3>;
    type Duelling = DuellingMlp<2, 3>;
    type Kept = f32;
    const SETTINGS: Settings = Settings {
        steps: 120_000,
        copy_after: 1000,
        learning_rate: 1e-3,
        discount: 0.99,
        exploration: 0.2,
        last_epsilon: 0.07,
        normalized: true,
        multi_step: 3,
        ..SETTINGS
    };
}

/// A convolution of the four channels of 10 x 10 cells, and 128 numbers.
type Convolutional = (Conv2d<4, 16, 3>, Relu, Flatten, Linear<1024, 128>, Relu);

impl Task<3> for Breakout {
    type Plain = (Convolutional, Linear<128, 3>);
    type Duelling = Duelling<Convolutional, 128, 3>;
    type Kept = u8;
    const SETTINGS: Settings = Settings {
        steps: 200_000,
        memory: 100_000,
        batches: 1,
        copy_after: 500,
        learning_rate: 5e-4,
        last_epsilon: 0.05,
        ..SETTINGS
    };
}

// What a network must support: a value for each action, for one observation, for a training batch with and without a
// tape, and for all evaluation episodes.
trait Values<E: Environment, const ACTIONS: usize, const B: usize, T: Trace = NoTrace>:
    Module<Observations<E, B, T>, Output = Tensor<Rank2<B, ACTIONS>, f32, T>>
{
}
impl<E: Environment, const ACTIONS: usize, const B: usize, T: Trace, M> Values<E, ACTIONS, B, T> for M where
    M: Module<Observations<E, B, T>, Output = Tensor<Rank2<B, ACTIONS>, f32, T>>
{
}
trait Network<E: Environment, const ACTIONS: usize>:
    Init
    + Parameters
    + Clone
    + Values<E, ACTIONS, 1>
    + Values<E, ACTIONS, BATCH>
    + Values<E, ACTIONS, BATCH, Traced<Training>>
    + Values<E, ACTIONS, EPISODES>
{
}
impl<E: Environment, const ACTIONS: usize, M> Network<E, ACTIONS> for M where
    M: Init
        + Parameters
        + Clone
        + Values<E, ACTIONS, 1>
        + Values<E, ACTIONS, BATCH>
        + Values<E, ACTIONS, BATCH, Traced<Training>>
        + Values<E, ACTIONS, EPISODES>
{
}

/// Q = V + A - mean(A): the value of the state plus the advantage of each action.
#[derive(Clone, Init, Parameters)]
struct Duelling<F, const HIDDEN: usize, const ACTIONS: usize> {
    features: F,
    value: (Linear<HIDDEN, HIDDEN>, Relu, Linear<HIDDEN, 1>),
    advantage: (Linear<HIDDEN, HIDDEN>, Relu, Linear<HIDDEN, ACTIONS>),
}

impl<X, F, B: Dim, T: Trace, const HIDDEN: usize, const ACTIONS: usize> Module<X> for Duelling<F, HIDDEN, ACTIONS>
where
    F: Module<X, Output = Tensor<(B, Const<HIDDEN>), f32, T>>,
{
    type Output = Tensor<(B, Const<ACTIONS>), f32, T>;
    fn apply(&self, x: X) -> Self::Output {
        let features = self.features.forward(x);
        let value = self.value.forward(features.clone()).squeeze::<1>();
        let advantage = self.advantage.forward(features);
        let rest = value - advantage.clone().mean_axis::<1>();
        advantage + rest.broadcast_axis::<1, _>(Const)
    }
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "lower")]
enum EnvironmentName {
    CartPole,
    Acrobot,
    MountainCar,
    Breakout,
}

/// Trains an agent by deep Q-learning.
#[derive(Parser)]
struct Options {
    /// The environment to learn
    #[arg(long, value_enum, default_value_t = EnvironmentName::CartPole)]
    environment: EnvironmentName,
    /// Double Q-learning: one network chooses the action, the other gives its value
    #[arg(long)]
    double: bool,
    /// Duelling networks: separate outputs for the value and the advantages
    #[arg(long)]
    duelling: bool,
    /// Prioritised replay: learn more often from surprising transitions
    #[arg(long)]
    prioritised: bool,
    #[command(flatten)]
    agent: AgentOptions,
}

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = common::parse();
        match options.environment {
            EnvironmentName::CartPole => train_all::<CartPole, 2>("cartpole", &options),
            EnvironmentName::Acrobot => train_all::<Acrobot, 3>("acrobot", &options),
            EnvironmentName::MountainCar => train_all::<MountainCar, 3>("mountaincar", &options),
            EnvironmentName::Breakout => train_all::<Breakout, 3>("breakout", &options),
        }
    })
}

fn train_all<E: Task<N>, const N: usize>(environment: &str, options: &Options) -> Result<(), Box<dyn Error>> {
    run_all(environment, &options.agent, |seed| match options.duelling {
        true => train::<E, E::Duelling, N>(options, seed),
        false => train::<E, E::Plain, N>(options, seed),
    })
}

/// Everything that training changes and a checkpoint saves.
struct Run<E: Task<N>, Q, const N: usize> {
    double: bool,
    network: Q,
    normalization: RunningNormalization<E::Observation>,
    /// The target network.
    target: Q,
    optimizer: Adam,
    environments: Environments<E, 1>,
    rewards: MultiStep<E, 1>,
    memory: ReplayMemory<E, E::Kept>,
    /// `None` for uniform replay.
    priorities: Option<Priorities>,
    rng: taut::Generator,
    log: Log,
    /// The number of batches learned from so far.
    learned: usize,
    /// The network with the best evaluation so far, and its mean return.
    best: Q,
    best_return: f64,
}

fn train<E: Task<N>, Q: Network<E, N>, const N: usize>(options: &Options, seed: u64) -> Result<Log, Box<dyn Error>> {
    let steps = options.agent.steps.unwrap_or(E::SETTINGS.steps);
    let mut run = Run::<E, Q, N>::new(options, seed);
    if options.agent.resume {
        run.restore(&options.agent, steps)?;
    }
    let mut recorder = options.agent.recorder::<Options>(&run.log)?;
    let (start, before) = (Instant::now(), run.log.seconds);
    let Settings { first_steps, steps_between, batches, .. } = E::SETTINGS;
    while run.log.steps < steps {
        run.play(steps);
        if run.log.steps >= first_steps && run.log.steps.is_multiple_of(steps_between) {
            let done = run.log.steps as f64 / steps as f64;
            (0..batches).for_each(|_| run.learn(done));
        }
        if run.log.steps >= run.log.next_evaluation(steps) {
            let mean_return = run.mean_return_of(&run.network, 1000 + seed);
            if mean_return >= run.best_return {
                (run.best, run.best_return) = (run.network.clone(), mean_return);
            }
            run.log.seconds = before + start.elapsed().as_secs_f64();
            run.log.evaluated(mean_return, &mut recorder)?;
            run.save(&options.agent, steps)?;
        }
    }
    run.log.mean_return = run.mean_return_of(&run.best, 2000 + seed);
    recorder.log(run.log.steps, [("final/mean_return", run.log.mean_return)])?;
    recorder.last(&run.best)?;
    if options.agent.watch {
        watch::<E>(seed, |seen| Discrete::best(&run.best.forward(run.normal(seen)))[0]);
    }
    Ok(run.log)
}

impl<E: Task<N>, Q: Network<E, N>, const N: usize> Run<E, Q, N> {
    fn new(options: &Options, seed: u64) -> Self {
        let Settings { memory, learning_rate, discount, multi_step, .. } = E::SETTINGS;
        let mut rng = taut::Generator::new(seed);
        let network = Q::init(&mut rng);
        let prioritised = options.prioritised;
        Run {
            double: options.double,
            target: network.clone(),
            best: network.clone(),
            network,
            normalization: RunningNormalization::init(&mut rng),
            optimizer: Adam::new(AdamConfig { learning_rate, ..Default::default() }),
            environments: Environments::new(seed),
            rewards: MultiStep::new(multi_step, discount),
            memory: ReplayMemory::new(memory),
            priorities: prioritised.then(|| Priorities::new(memory, PRIORITY_EXPONENT)),
            rng,
            log: Log { seed, ..Default::default() },
            learned: 0,
            best_return: f64::NEG_INFINITY,
        }
    }

    /// Observations as the networks see them.
    fn normal<const B: usize>(&self, seen: Observations<E, B>) -> Observations<E, B> {
        if E::SETTINGS.normalized { self.normalization.apply(seen) } else { seen }
    }

    /// With the best action at each step.
    fn mean_return_of(&self, network: &Q, seed: u64) -> f64 {
        mean_return::<E>(seed, |seen| Discrete::best(&network.forward(self.normal(seen))))
    }

    /// Takes one step and stores the transition.
    fn play(&mut self, steps: usize) {
        let Settings { first_steps, last_epsilon, exploration, .. } = E::SETTINGS;
        let epsilon = EpsilonGreedy { first: 1.0, last: last_epsilon, steps: (exploration * steps as f64) as usize };
        let seen = self.environments.observations();
        if E::SETTINGS.normalized {
            self.normalization.update(&seen);
        }
        let mut actions = Discrete::best(&self.network.forward(self.normal(seen.clone())));
        epsilon.explore(&mut actions, self.log.steps.saturating_sub(first_steps), &mut self.rng);
        let step = self.environments.step(&actions);
        let Run { rewards, memory, priorities, .. } = self;
        rewards.add(&seen, &actions, &step, |transition| {
            let index = memory.add(transition);
            if let Some(priorities) = priorities {
                priorities.add(index);
            }
        });
        self.log.steps += 1;
    }

    /// Learns from a batch. `done` is the fraction of training completed.
    fn learn(&mut self, done: f64) {
        let (indices, weights) = match &self.priorities {
            Some(priorities) => {
                let exponent = WEIGHT_EXPONENT + (1.0 - WEIGHT_EXPONENT) * done;
                let PrioritizedSample { indices, weights } = priorities.sample::<BATCH, _>(exponent, &mut self.rng);
                (indices, weights)
            }
            None => (self.memory.sample_indices::<BATCH, _>(&mut self.rng), Tensor::ones()),
        };
        let batch = self.memory.gather(&indices);
        let [seen, successors] = [batch.observations, batch.successors].map(|seen| self.normal(seen));
        let next = self.target.forward(successors.clone());
        let next = match self.double {
            true => next.pick::<1>(&self.network.forward(successors).argmax_axis::<1>()),
            false => next.max_axis::<1>(),
        };
        let goal = batch.rewards + batch.discounts * next;

        let tape = Tape::training(&mut self.rng);
        let values = self.network.forward(tape.trace(seen)).pick::<1>(&Discrete::tensor(&batch.actions));
        let errors = (goal.clone() - values.detach()).to_array();
        let loss = (values.huber_with(&goal, 1.0, Each) * weights).mean();
        let mut gradients = loss.backward();
        gradients.clip_norm(10.0);
        self.optimizer.set_learning_rate(E::SETTINGS.learning_rate * (1.0 - done));
        self.optimizer.step(&mut self.network, &gradients);
        if let Some(priorities) = &mut self.priorities {
            priorities.update(&indices, &errors);
        }
        self.learned += 1;
        if self.learned.is_multiple_of(E::SETTINGS.copy_after) {
            self.target.copy_from(&self.network);
        }
    }

    /// Saves a checkpoint if one was asked for.
    fn save(&self, options: &AgentOptions, steps: usize) -> Result<(), Box<dyn Error>> {
        let Some(path) = &options.checkpoint else { return Ok(()) };
        let mut checkpoint = Checkpoint::new()
            .with_model("network", &self.network)
            .with_model("target", &self.target)
            .with_model("best", &self.best)
            .with_model("normalization", &self.normalization)
            .with_number("best_return", self.best_return)
            .with_count("learned", self.learned)
            .with_snapshot("optimizer", &self.optimizer.snapshot())
            .with_snapshot("environments", &self.environments.snapshot())
            .with_snapshot("rewards", &self.rewards.snapshot())
            .with_snapshot("memory", &self.memory.snapshot())
            .with_generator("rng", &self.rng)
            .with_count("steps", steps);
        if let Some(priorities) = &self.priorities {
            checkpoint = checkpoint.with_snapshot("priorities", &priorities.snapshot());
        }
        Ok(self.log.save_in(checkpoint).save(path)?)
    }

    /// Restores the run from a checkpoint.
    fn restore(&mut self, options: &AgentOptions, steps: usize) -> Result<(), Box<dyn Error>> {
        let path = options.checkpoint.as_deref().expect("the command line was checked");
        let checkpoint = Checkpoint::load(path)?;
        let saved = checkpoint.count("steps")?;
        if saved != steps {
            return Err(format!("{}: is of a run of {saved} steps, not {steps}", path.display()).into());
        }
        checkpoint.restore_model("network", &mut self.network)?;
        checkpoint.restore_model("target", &mut self.target)?;
        checkpoint.restore_model("best", &mut self.best)?;
        checkpoint.restore_model("normalization", &mut self.normalization)?;
        self.best_return = checkpoint.number("best_return")?;
        self.learned = checkpoint.count("learned")?;
        self.optimizer.restore(&checkpoint.snapshot("optimizer")?, &self.network)?;
        self.environments.restore(&checkpoint.snapshot("environments")?)?;
        self.rewards.restore(&checkpoint.snapshot("rewards")?)?;
        self.memory.restore(&checkpoint.snapshot("memory")?)?;
        if let Some(priorities) = &mut self.priorities {
            priorities.restore(&checkpoint.snapshot("priorities")?)?;
        }
        self.rng = checkpoint.generator("rng")?;
        self.log.restore(&checkpoint)
    }
}
