//! Policy gradients without a trust region: REINFORCE with a baseline, and advantage actor-critic.
//!
//!     cargo run --release --example policy_gradient
//!     cargo run --release --example policy_gradient -- --reinforce --runs 5 --plot reinforce.png
//!
//! Both make actions more likely that turned out better than a critic expected:
//!
//! loss = -mean(A log pi(a | s)) + mean((V - R)^2) / 2 - e mean(entropy).
//!
//! REINFORCE waits for episodes to end, so it knows their returns: A is the discounted sum of future rewards minus the
//! baseline V. The actor-critic learns every few steps, and estimates the rest with its critic.
//!
//! Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning", 1992; Mnih et
//! al., "Asynchronous Methods for Deep Reinforcement Learning", 2016, of which this is the synchronous variant. The
//! program `ppo` reuses each step several times, and needs fewer.

mod common;

use clap::{Parser, ValueEnum};
use common::agents::{AgentOptions, EPISODES, Log, mean_return, run_all, watch};
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;
use taut::loss::Each;
use taut::prelude::*;
use taut::rl::*;

/// The number of environments played side by side.
const ENVIRONMENTS: usize = 8;
/// The number of steps in each before the actor-critic learns.
const ROLLOUT: usize = 8;
/// The number of steps in total.
const BATCH: usize = ENVIRONMENTS * ROLLOUT;
/// The minimum number of steps, in whole episodes, that REINFORCE collects.
const EPISODE_STEPS: usize = 1024;

/// What differs between environments: the networks and the settings they train with.
trait Task: Environment {
    type Actor: Actor<Self>;
    type Critic: Critic<Self>;
    const ACTOR_CRITIC: Settings;
    const REINFORCE: Settings;
}

struct Settings {
    steps: usize,
    /// Initial value; decays to 0.
    learning_rate: f64,
    discount: f32,
    /// Of the generalised advantages; 1 for REINFORCE, which does not bootstrap.
    lambda: f32,
    /// The weight of the entropy bonus.
    entropy: f32,
    /// Rewards are multiplied by this so that values are around 1.
    reward_scale: f32,
}

const ACTOR_CRITIC: Settings =
    Settings { steps: 300_000, learning_rate: 2e-3, discount: 0.99, lambda: 0.9, entropy: 0.0, reward_scale: 0.1 };
const REINFORCE: Settings = Settings { steps: 400_000, lambda: 1.0, ..ACTOR_CRITIC };

/// A network with two hidden layers, `I` inputs and `O` outputs.
type Mlp<const I: usize, const O: usize> = (Linear<I, 64>, Tanh, Linear<64, 64>, Tanh, Linear<64, O>);

impl Task for CartPole {
    type Actor = (Mlp<4, 2>, CategoricalPolicy);
    type Critic = Mlp<4, 1>;
    const ACTOR_CRITIC: Settings = ACTOR_CRITIC;
    const REINFORCE: Settings = REINFORCE;
}

impl Task for Acrobot {
    type Actor = (Mlp<6, 3>, CategoricalPolicy);
    type Critic = Mlp<6, 1>;
    const ACTOR_CRITIC: Settings = Settings { entropy: 0.01, ..ACTOR_CRITIC };
    const REINFORCE: Settings = Settings { entropy: 0.01, ..REINFORCE };
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
    + Acts<E, 1, NoTrace>
    + Acts<E, ENVIRONMENTS, NoTrace>
    + Acts<E, BATCH, Traced<Inference>>
    + Acts<E, EPISODES, NoTrace>
{
}
impl<E: Environment, M> Actor<E> for M where
    M: Init
        + Parameters
        + Acts<E, 1, NoTrace>
        + Acts<E, ENVIRONMENTS, NoTrace>
        + Acts<E, BATCH, Traced<Inference>>
        + Acts<E, EPISODES, NoTrace>
{
}
trait Critic<E: Environment>:
    Init
    + Parameters
    + Module<Observations<E, 1>, Output = Tensor<Rank2<1, 1>>>
    + Module<Observations<E, ENVIRONMENTS>, Output = Tensor<Rank2<ENVIRONMENTS, 1>>>
    + Module<Observations<E, BATCH, Traced<Inference>>, Output = Tensor<Rank2<BATCH, 1>, f32, Traced<Inference>>>
{
}
impl<E: Environment, M> Critic<E> for M where
    M: Init
        + Parameters
        + Module<Observations<E, 1>, Output = Tensor<Rank2<1, 1>>>
        + Module<Observations<E, ENVIRONMENTS>, Output = Tensor<Rank2<ENVIRONMENTS, 1>>>
        + Module<Observations<E, BATCH, Traced<Inference>>, Output = Tensor<Rank2<BATCH, 1>, f32, Traced<Inference>>>
{
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "lower")]
enum EnvironmentName {
    CartPole,
    Acrobot,
}

/// Trains an agent by policy gradients: advantage actor-critic.
#[derive(Parser)]
struct Options {
    /// The environment to learn
    #[arg(long, value_enum, default_value_t = EnvironmentName::CartPole)]
    environment: EnvironmentName,
    /// REINFORCE with a baseline: learn from whole episodes, without bootstrapping
    #[arg(long)]
    reinforce: bool,
    #[command(flatten)]
    agent: AgentOptions,
}

fn main() -> ExitCode {
    common::run(|| {
        let options: Options = common::parse();
        match options.environment {
            EnvironmentName::CartPole => run_all("cartpole", &options.agent, |seed| train::<CartPole>(&options, seed)),
            EnvironmentName::Acrobot => run_all("acrobot", &options.agent, |seed| train::<Acrobot>(&options, seed)),
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
    settings: Settings,
    agent: Agent<E>,
    optimizer: Adam,
    /// The environments of the actor-critic, and the one in which REINFORCE plays whole episodes.
    environments: Environments<E, ENVIRONMENTS>,
    single: Environments<E, 1>,
    rng: taut::Generator,
    log: Log,
}

/// Steps to learn from.
struct Lesson<E: Environment> {
    observations: Vec<f32>,
    actions: Vec<E::Action>,
    advantages: Vec<f32>,
    /// The targets of the critic.
    returns: Vec<f32>,
}

fn train<E: Task>(options: &Options, seed: u64) -> Result<Log, Box<dyn Error>> {
    let reinforce = options.reinforce;
    let settings = if reinforce { E::REINFORCE } else { E::ACTOR_CRITIC };
    let steps = options.agent.steps.unwrap_or(settings.steps);
    let mut run = Run::<E>::new(settings, seed);
    if options.agent.resume {
        run.restore(&options.agent, steps)?;
    }
    let mut recorder = options.agent.recorder::<Options>(&run.log)?;
    let (start, before) = (Instant::now(), run.log.seconds);
    while run.log.steps < steps {
        let left = 1.0 - run.log.steps as f64 / steps as f64;
        let lesson = if reinforce { run.play_episodes() } else { run.play_steps() };
        run.learn(&lesson, left);
        if run.log.steps >= run.log.next_evaluation(steps) {
            let mean_return = run.agent.mean_return(1000 + seed);
            run.log.seconds = before + start.elapsed().as_secs_f64();
            run.log.evaluated(mean_return, &mut recorder)?;
            run.save(&options.agent, steps)?;
        }
    }
    run.log.mean_return = run.agent.mean_return(2000 + seed);
    recorder.log(run.log.steps, [("final/mean_return", run.log.mean_return)])?;
    recorder.last(&run.agent)?;
    if options.agent.watch {
        watch::<E>(seed, |seen| run.agent.actor.forward(seen).best()[0]);
    }
    Ok(run.log)
}

impl<E: Task> Agent<E> {
    /// Takes the most likely action at each step.
    fn mean_return(&self, seed: u64) -> f64 {
        mean_return::<E>(seed, |seen| self.actor.forward(seen).best())
    }
}

impl<E: Task> Run<E> {
    fn new(settings: Settings, seed: u64) -> Self {
        let mut rng = taut::Generator::new(seed);
        let config = AdamConfig { learning_rate: settings.learning_rate, epsilon: 1e-5, ..Default::default() };
        Run {
            settings,
            agent: Agent::init(&mut rng),
            optimizer: Adam::new(config),
            environments: Environments::new(seed),
            single: Environments::new(seed),
            rng,
            log: Log { seed, ..Default::default() },
        }
    }

    /// Plays a few steps in all environments, with the critic's estimate of what follows.
    fn play_steps(&mut self) -> Lesson<E> {
        let mut recorder = Recorder::default();
        for _ in 0..ROLLOUT {
            recorder.step(&mut self.environments, &self.agent, &self.settings, &mut self.rng);
        }
        self.log.steps += BATCH;
        recorder.lesson(&self.settings)
    }

    /// Plays whole episodes until there are [`EPISODE_STEPS`] steps.
    fn play_episodes(&mut self) -> Lesson<E> {
        let mut recorder = Recorder::default();
        let mut steps = 0;
        loop {
            let done = recorder.step(&mut self.single, &self.agent, &self.settings, &mut self.rng);
            steps += 1;
            if done && steps >= EPISODE_STEPS {
                self.log.steps += steps;
                return recorder.lesson(&self.settings);
            }
        }
    }

    /// One step of the optimizer. `left` is the fraction of training left.
    fn learn(&mut self, lesson: &Lesson<E>, left: f64) {
        let count = lesson.actions.len();
        let batch = |first: usize| {
            // the last batch is padded with steps of weight 0
            let indices: [usize; BATCH] = std::array::from_fn(|i| (first + i).min(count - 1));
            let weights =
                Tensor::<Rank1<BATCH>>::from_fn(|[i]| if first + i < count { 1.0 / count as f32 } else { 0.0 });
            let at = |numbers: &[f32]| Tensor::<Rank1<BATCH>>::from_fn(|[i]| numbers[indices[i]]);
            let actions = indices.map(|index| lesson.actions[index]);

            let tape = Tape::inference();
            let seen = tape.trace(gather::<E, _, BATCH>(&lesson.observations, &indices));
            let policy = self.agent.actor.forward(seen.clone());
            let gain = policy.log_probability_of(&actions) * at(&lesson.advantages);
            let error =
                self.agent.critic.forward(seen).squeeze::<1>().mean_squared_error_with(&at(&lesson.returns), Each);
            ((error * 0.5 - gain - policy.entropy() * self.settings.entropy) * weights).sum().backward()
        };
        let mut gradients: Gradients = (0..count).step_by(BATCH).map(batch).sum();
        gradients.clip_norm(0.5);
        self.optimizer.set_learning_rate(self.settings.learning_rate * left);
        self.optimizer.step(&mut self.agent, &gradients);
    }

    /// Saves a checkpoint if one was asked for.
    fn save(&self, options: &AgentOptions, steps: usize) -> Result<(), Box<dyn Error>> {
        let Some(path) = &options.checkpoint else { return Ok(()) };
        let checkpoint = Checkpoint::new()
            .with_model("agent", &self.agent)
            .with_snapshot("optimizer", &self.optimizer.snapshot())
            .with_snapshot("environments", &self.environments.snapshot())
            .with_snapshot("single", &self.single.snapshot())
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
        self.single.restore(&checkpoint.snapshot("single")?)?;
        self.rng = checkpoint.generator("rng")?;
        self.log.restore(&checkpoint)
    }
}

/// Records what is played in `B` environments.
struct Recorder<E: Environment, const B: usize> {
    observations: Vec<f32>,
    actions: Vec<E::Action>,
    steps: Vec<RolloutStep<B>>,
    /// The critic's values of the current observations, if already computed.
    values: Option<[f32; B]>,
}

impl<E: Environment, const B: usize> Default for Recorder<E, B> {
    fn default() -> Self {
        Recorder { observations: Vec::new(), actions: Vec::new(), steps: Vec::new(), values: None }
    }
}

impl<E: Task, const B: usize> Recorder<E, B>
where
    E::Actor: Acts<E, B, NoTrace>,
    E::Critic: Module<Observations<E, B>, Output = Tensor<Rank2<B, 1>>>,
{
    /// Takes one step. Returns whether the first environment's episode ended with it.
    fn step(
        &mut self,
        environments: &mut Environments<E, B>,
        agent: &Agent<E>,
        settings: &Settings,
        rng: &mut taut::Generator,
    ) -> bool {
        let values = |seen| agent.critic.forward(seen).squeeze::<1>().to_array();
        let seen = environments.observations();
        let before = self.values.unwrap_or_else(|| values(seen.clone()));
        let actions = agent.actor.forward(seen.clone()).act(rng);
        let step = environments.step(&actions);
        let now = values(environments.observations());
        // where an episode was truncated, the current observation is not the successor
        let after = if step.truncated.contains(&true) { values(step.successors.clone()) } else { now };
        let mut rollout_step = RolloutStep::new(&step, before, after);
        rollout_step.rewards = rollout_step.rewards.map(|reward| reward * settings.reward_scale);
        self.observations.extend_from_slice(seen.as_slice());
        self.actions.extend(actions);
        self.steps.push(rollout_step);
        self.values = Some(now);
        step.done(0)
    }

    /// The recorded steps with advantages and returns.
    fn lesson(self, settings: &Settings) -> Lesson<E> {
        let advantages = advantages(&self.steps, settings.discount, settings.lambda).into_flattened();
        let values = self.steps.iter().flat_map(|step| step.values);
        let returns = values.zip(&advantages).map(|(value, advantage)| value + advantage).collect();
        Lesson { observations: self.observations, actions: self.actions, advantages, returns }
    }
}
