//! Reinforcement learning: environments, and building blocks for agents.
//!
//! * [`Environment`]: the trait; [`CartPole`], [`Acrobot`], [`MountainCar`] and [`Pendulum`] match Gymnasium's, and
//!   [`Breakout`], a game of 10 x 10 cells, matches MinAtar's. [`FrameStack`] stacks the last observations.
//! * [`Environments`]: several at once, with time limits and episode statistics; [`evaluate`] evaluates an agent.
//! * [`Policy`]: the last layer of a network that chooses actions, [`CategoricalPolicy`] or [`GaussianPolicy`].
//! * [`ReplayMemory`], uniform or [prioritised](Priorities), with [multi-step](MultiStep) rewards; [generalised
//!   advantages](advantages); [`EpsilonGreedy`]; [running normalisation](RunningNormalization).
//!
//! Observations and actions are types. An agent for CartPole, which has four observed numbers and two actions:
//!
//! ```
//! use taut::prelude::*;
//! use taut::rl::{CartPole, Discrete, Environments};
//!
//! let mut rng = StdRng::seed_from_u64(0);
//! let network = <(Linear<4, 32>, Relu, Linear<32, 2>)>::init(&mut rng);
//! let mut environments = Environments::<CartPole, 8>::new(0);
//! for _ in 0..100 {
//!     let scores = network.forward(environments.observations());
//!     environments.step(&Discrete::sample(&scores, &mut rng));
//! }
//! let returns: Vec<f64> = environments.finished().map(|episode| episode.total_reward).collect();
//! assert!(returns.len() > 8);
//! ```
//!
//! For `Acrobot`, which has six observed numbers and three actions, this network does not compile.
//!
//! The example programs `dqn`, `policy_gradient` and `ppo` are built from these parts.

mod advantages;
mod environment;
mod environments;
mod epsilon;
mod frame_stack;
mod multi_step;
mod normalization;
mod policy;
mod priorities;
mod replay;
mod vectorized;

pub use advantages::{RolloutStep, advantages};
pub use environment::{Action, ActionSize, BatchShape, Discrete, Environment, Observations, Outcome, saved_state};
pub use environments::{Acrobot, Breakout, CartPole, MountainCar, Pendulum};
pub use epsilon::EpsilonGreedy;
pub use frame_stack::FrameStack;
pub use multi_step::MultiStep;
pub use normalization::RunningNormalization;
pub use policy::{CategoricalPolicy, GaussianPolicy, Policy};
pub use priorities::{Priorities, PrioritizedSample};
pub use replay::{ReplayMemory, Stored, Transition, Transitions, gather};
pub use vectorized::{Environments, Episode, Outcomes, evaluate};
