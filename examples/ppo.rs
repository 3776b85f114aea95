//! Proximal policy optimisation, for discrete and continuous actions.
//!
//!     cargo run --release --example ppo
//!     cargo run --release --example ppo -- --environment pendulum --runs 5 --plot pendulum.png --watch
//!
//! Eight environments are played for some steps with the current policy. Then both networks learn from these steps for
//! a few epochs, in minibatches: the critic learns the returns; the actor learns to repeat what went better than the
//! critic expected, without straying far from the policy that played: once the ratio r of the new to the old
//! probability of an action leaves 1 - c .. 1 + c, there is nothing more to gain:
//!
//! loss = -mean(min(r A, clamp(r, 1 - c, 1 + c) A)) + mean((V - R)^2) / 2 - e mean(entropy).
//!
//! Schulman, Wolski, Dhariwal, Radford and Klimov, "Proximal Policy Optimization Algorithms", 2017. The details follow
//! Huang et al., "The 37 Implementation Details of Proximal Policy Optimization", 2022.

#[macro_use]
mod common;

use clap::{Parser, ValueEnum};
use common::agents::{AgentOptions, EPISODES, Log, mean_return, run_all, watch};
use rand::seq::SliceRandom;
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;
use taut::ops::Variance;
use taut::prelude::*;
use taut::rl::*;

/// The number of environments played side by side.
const ENVIRONMENTS: usize = 8;
/// The minibatch size.
const MINIBATCH: usize = 256;

/// What differs between environments: the networks and the settings they train with.
trait Task: Environment {
    type Actor: Actor<Self>;
    type Critic: Critic<Self>;
    const SETTINGS: Settings;
}

struct Settings {
    /// Steps in total, and in each environment before the networks learn.
    steps: usize,
    rollout: usize,
    epochs: usize,
    /// Initial value; decays to 0.
    learning_rate: f64,
    discount: f32,
    /// The lambda of the generalised advantages.
    lambda: f32,
    /// The initial clipping range of the probability ratio; decays to 0 with the learning rate.
    clip: f32,
    /// The weight of the entropy bonus.
    entropy: f32,
    /// Rewards are multiplied by this so that values are around 1.
    reward_scale: f32,
}

const SETTINGS: Settings = Settings {
    steps: 60_000,
    rollout: 32,
    epochs: 20,
    learning_rate: 1e-3,
    discount: 0.98,
    lambda: 0.8,
    clip: 0.2,
    entropy: 0.0,
    reward_scale: 1.0,
};

/// A network with two hidden layers, `I` inputs and `O` outputs.
type Mlp<const I: usize, const O: usize> = (Linear<I, 64>, Tanh, Linear<64, 64>, Tanh, Linear<64, O>);

impl Task for CartPole {
    type Actor = (Mlp<4, 2>, CategoricalPolicy);
    type Critic = Mlp<4, 1>;
    const SETTINGS: Settings = SETTINGS;
}

impl Task for Acrobot {
    type Actor = (Mlp<6, 3>, CategoricalPolicy);
    type Critic = Mlp<6, 1>;
    const SETTINGS: Settings = Settings {
        steps: 200_000,
        rollout: 128,
        epochs: 10,
        discount: 0.99,
        lambda: 0.94,
        reward_scale: 0.1,
        ..SETTINGS
    };
}

impl Task for Pendulum {
    type Actor = (Mlp<3, 1>, GaussianPolicy<1>);
    type Critic = Mlp<3, 1>;
    const SETTINGS: Settings = Settings {
        steps: 400_000,
        rollout: 256,
        epochs: 10,
        discount: 0.97,
        lambda: 0.95,
        reward_scale: 0.1,
        ..SETTINGS
    };
}

/// A convolution of the four channels of 10 x 10 cells, and `O` numbers out.
type Convolutional<const O: usize> = (Conv2d<4, 16, 3>, Relu, Flatten, Linear<1024, 128>, Relu, Linear<128, O>);

impl Task for Breakout {
    type Actor = (Convolutional<3>, CategoricalPolicy);
    type Critic = Convolutional<1>;
    const SETTINGS: Settings =
        Settings { steps: 300_000, rollout: 128, epochs: 4, discount: 0.99, lambda: 0.95, entropy: 0.01, ..SETTINGS };
}

// What the networks must support: batches of the environment's observations of every size used here (for playing,
// learning, evaluating and watching), and an actor whose actions are the environment's.
trait Acts<E: Environment, const B: usize, T: Trace>:
    Module<Observations<E, B, T>, Output: Policy<E::Action, B, T>>
{
}
impl<E: Environment, const B: usize, T: Trace, M> Acts<E, B, T> for M where
    M: Module<Observations<E, B, T>, Output: Policy<E::Action, B, T>>
{
}
trait Actor<E: Environment>:
    Init
    + Parameters
    + Acts<E, ENVIRONMENTS, NoTrace>
    + Acts<E, MINIBATCH, Traced<Training>>
    + Acts<E, EPISODES, NoTrace>
    + Acts<E, 1, NoTrace>
{
}
impl<E: Environment, M> Actor<E> for M where
    M: Init
        + Parameters
        + Acts<E, ENVIRONMENTS, NoTrace>
        + Acts<E, MINIBATCH, Traced<Training>>
        + Acts<E, EPISODES, NoTrace>
        + Acts<E, 1, NoTrace>
{
}
trait Critic<E: Environment>:
    Init
    + Parameters
    + Module<Observations<E, ENVIRONMENTS>, Output = Tensor<Rank2<ENVIRONMENTS, 1>>>
    + Module<Observations<E, MINIBATCH, Traced<Training>>, Output = Tensor<Rank2<MINIBATCH, 1>, f32, Traced<Training>>>
{
}
impl<E: Environment, M> Critic<E> for M where
    M: Init
        + Parameters
        + Module<Observations<E, ENVIRONMENTS>, Output = Tensor<Rank2<ENVIRONMENTS, 1>>>
        + Module<
            Observations<E, MINIBATCH, Traced<Training>>,
            Output = Tensor<Rank2<MINIBATCH, 1>, f32, Traced<Training>>,
        >
{
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "lower")]
enum EnvironmentName {
    CartPole,
    Acrobot,
    Pendulum,
    Breakout,
}

/// Trains an agent by proximal policy optimisation.
#[derive(Parser)]
struct Options {
    /// The environment to learn
    #[arg(long, value_enum, default_value_t = EnvironmentName::CartPole)]
    environment: EnvironmentName,
    #[command(flatten)]
    agent: AgentOptions,
}

fn main() -> ExitCode {
    common::run(|| {
        let Options { environment, agent: options } = common::parse();
        match environment {
            EnvironmentName::CartPole => run_all("cartpole", &options, |seed| train::<CartPole>(&options, seed)),
            EnvironmentName::Acrobot => run_all("acrobot", &options, |seed| train::<Acrobot>(&options, seed)),
            EnvironmentName::Pendulum => run_all("pendulum", &options, |seed| train::<Pendulum>(&options, seed)),
            EnvironmentName::Breakout => run_all("breakout", &options, |seed| train::<Breakout>(&options, seed)),
        }
    })
}

/// Both networks, updated by one optimizer.
#[derive(Init, Parameters)]
struct Agent<E: Task> {
    actor: E::Actor,
    critic: E::Critic,
}

/// Everything that training changes and a checkpoint saves.
struct Run<E: Task> {
    agent: Agent<E>,
    optimizer: Adam,
    environments: Environments<E, ENVIRONMENTS>,
    rng: taut::Generator,
    log: Log,
}

/// The steps to learn from: `ENVIRONMENTS` entries per step.
struct Rollout<E: Task> {
    observations: Vec<f32>,
    actions: Vec<E::Action>,
    /// The log-probabilities of the actions under the policy that chose them.
    log_probabilities: Vec<f32>,
    advantages: Vec<f32>,
    /// The targets of the critic: the rewards from there on, with its own estimate of what follows.
    returns: Vec<f32>,
}

fn train<E: Task>(options: &AgentOptions, seed: u64) -> Result<Log, Box<dyn Error>> {
    let steps = options.steps.unwrap_or(E::SETTINGS.steps);
    let mut run = Run::<E>::new(seed);
    if options.resume {
        run.restore(options, steps)?;
    }
    let mut recorder = options.recorder::<Options>(&run.log)?;
    let (start, before) = (Instant::now(), run.log.seconds);
    while run.log.steps < steps {
        let left = 1.0 - run.log.steps as f64 / steps as f64;
        let rollout = run.play();
        run.learn(&rollout, left);
        run.log.seconds = before + start.elapsed().as_secs_f64();
        if run.log.steps >= run.log.next_evaluation(steps) {
            run.log.evaluated(run.agent.mean_return(1000 + seed), &mut recorder)?;
            run.save(options, steps)?;
        }
    }
    run.log.mean_return = run.agent.mean_return(2000 + seed);
    recorder.log(run.log.steps, [("final/mean_return", run.log.mean_return)])?;
    recorder.last(&run.agent)?;
    if options.watch {
        watch::<E>(seed, |seen| run.agent.actor.forward(seen).best()[0]);
    }
    Ok(run.log)
}

impl<E: Task> Agent<E> {
    /// Takes the most likely action at each step.
    fn mean_return(&self, seed: u64) -> f64 {
        mean_return::<E>(seed, |seen| self.actor.forward(seen).best())
    }

    fn values(&self, seen: Observations<E, ENVIRONMENTS>) -> [f32; ENVIRONMENTS] {
        self.critic.forward(seen).squeeze::<1>().to_array()
    }
}

impl<E: Task> Run<E> {
    fn new(seed: u64) -> Self {
        let mut rng = taut::Generator::new(seed);
        let config = AdamConfig { learning_rate: E::SETTINGS.learning_rate, epsilon: 1e-5, ..Default::default() };
        Run {
            agent: Agent::init(&mut rng),
            optimizer: Adam::new(config),
            environments: Environments::new(seed),
            rng,
            log: Log { seed, ..Default::default() },
        }
    }

    /// Plays with the current policy.
    fn play(&mut self) -> Rollout<E> {
        let Settings { rollout: length, discount, lambda, reward_scale, .. } = E::SETTINGS;
        let (mut observations, mut actions, mut log_probabilities) = (Vec::new(), Vec::new(), Vec::new());
        let mut steps = Vec::with_capacity(length);
        let mut seen = self.environments.observations();
        let mut values = self.agent.values(seen.clone());
        for _ in 0..length {
            let policy = self.agent.actor.forward(seen.clone());
            let chosen = policy.act(&mut self.rng);
            observations.extend_from_slice(seen.as_slice());
            actions.extend(chosen);
            log_probabilities.extend(policy.log_probability_of(&chosen).iter());

            let step = self.environments.step(&chosen);
            seen = self.environments.observations();
            let next_values = self.agent.values(seen.clone());
            // where an episode was truncated, the current observation is not the successor
            let successor_values = match step.truncated.contains(&true) {
                true => self.agent.values(step.successors.clone()),
                false => next_values,
            };
            let mut rollout_step = RolloutStep::new(&step, values, successor_values);
            rollout_step.rewards = rollout_step.rewards.map(|reward| reward * reward_scale);
            steps.push(rollout_step);
            values = next_values;
        }
        self.log.steps += length * ENVIRONMENTS;
        let advantages = advantages(&steps, discount, lambda).into_flattened();
        let values = steps.iter().flat_map(|step| step.values);
        let returns = values.zip(&advantages).map(|(value, advantage)| value + advantage).collect();
        Rollout { observations, actions, log_probabilities, advantages, returns }
    }

    /// Learns from a rollout. `left` is the fraction of training left.
    fn learn(&mut self, rollout: &Rollout<E>, left: f64) {
        let Settings { epochs, learning_rate, clip, entropy, .. } = E::SETTINGS;
        self.optimizer.set_learning_rate(learning_rate * left);
        let clip = clip * left as f32;
        let mut order: Vec<usize> = (0..rollout.actions.len()).collect();
        for _ in 0..epochs {
            order.shuffle(&mut self.rng);
            for indices in order.as_chunks::<MINIBATCH>().0 {
                let at = |numbers: &[f32]| Tensor::<Rank1<MINIBATCH>>::from_fn(|[i]| numbers[indices[i]]);
                let actions = indices.map(|index| rollout.actions[index]);
                let advantages = standardised(at(&rollout.advantages));

                let tape = Tape::training(&mut self.rng);
                let seen = tape.trace(gather::<E, _, MINIBATCH>(&rollout.observations, indices));
                let policy = self.agent.actor.forward(seen.clone());
                let ratio = (policy.log_probability_of(&actions) - at(&rollout.log_probabilities)).exp();
                let clipped = ratio.clone().clamp(1.0 - clip, 1.0 + clip);
                let gain = (ratio * &advantages).minimum(clipped * &advantages).mean();
                let values = self.agent.critic.forward(seen).squeeze::<1>();
                let error = values.mean_squared_error(&at(&rollout.returns)) * 0.5;
                let loss = error - gain - policy.entropy().mean() * entropy;

                let mut gradients = loss.backward();
                gradients.clip_norm(0.5);
                self.optimizer.step(&mut self.agent, &gradients);
            }
        }
    }

    /// Saves a checkpoint if one was asked for.
    fn save(&self, options: &AgentOptions, steps: usize) -> Result<(), Box<dyn Error>> {
        let Some(path) = &options.checkpoint else { return Ok(()) };
        let checkpoint = Checkpoint::new()
            .with_model("agent", &self.agent)
            .with_snapshot("optimizer", &self.optimizer.snapshot())
            .with_snapshot("environments", &self.environments.snapshot())
            .with_generator("rng", &self.rng)
            .with_count("steps", steps);
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
        checkpoint.restore_model("agent", &mut self.agent)?;
        self.optimizer.restore(&checkpoint.snapshot("optimizer")?, &self.agent)?;
        self.environments.restore(&checkpoint.snapshot("environments")?)?;
        self.rng = checkpoint.generator("rng")?;
        self.log.restore(&checkpoint)
    }
}

/// Standardised to mean 0 and standard deviation 1.
fn standardised(x: Tensor<Rank1<MINIBATCH>>) -> Tensor<Rank1<MINIBATCH>> {
    let (mean, deviation) = (x.clone().mean().item(), x.clone().std(Variance::Unbiased).item());
    (x - mean) * (1.0 / (deviation + 1e-8))
}
