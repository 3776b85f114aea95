//! Reinforcement learning: environments, and the parts that agents are made of.
//!
//! * [`Environment`]: what one is; [`CartPole`], [`Acrobot`], [`MountainCar`] and [`Pendulum`] step as Gymnasium's do, and
//!   [`Breakout`], a game of 10 x 10 cells, as MinAtar's.
//!   [`FrameStack`] shows the last observations together.
//! * [`Environments`]: several at once, with time limits and episodes counted; [`evaluate`] an agent in them.
//! * [`Policy`]: what networks end with that choose actions, [`CategoricalPolicy`] or [`GaussianPolicy`].
//! * [`ReplayMemory`], uniform or [prioritised](Priorities), with rewards of [several steps](MultiStep);
//!   [generalised advantages](advantages); [`Epsilon`]; [running normalisation](RunningNormalization).
//!
//! What is seen and what can be done are types. An agent for CartPole, which has four numbers to see and two actions:
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
//! In `Acrobot`, which has six numbers to see and three actions, this network does not compile.
//!
//! The programs `dqn`, `policy_gradient` and `ppo` among the examples are made of these parts.

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

pub use advantages::{Moment, advantages};
pub use environment::{Action, ActionSize, Batch, Discrete, Environment, Observations, Outcome, saved};
pub use environments::{Acrobot, Breakout, CartPole, MountainCar, Pendulum};
pub use epsilon::Epsilon;
pub use frame_stack::FrameStack;
pub use multi_step::MultiStep;
pub use normalization::RunningNormalization;
pub use policy::{CategoricalPolicy, GaussianPolicy, Policy};
pub use priorities::{Drawn, Priorities};
pub use replay::{ReplayMemory, Stored, Transition, Transitions, gather};
pub use vectorized::{Environments, Episode, Outcomes, evaluate};
