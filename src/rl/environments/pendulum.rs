//! Pendulum-v1: swing up a pendulum with a torque too weak to lift it directly, and hold it there.
//!
//! With theta = 0 upright, u the torque clamped to -2 .. 2, g = 10, mass and length 1, in steps of dt = 0.05 s:
//!
//! theta' <- clamp(theta' + (3/2 g sin theta + 3 u) dt, -8, 8), theta <- theta + theta' dt;
//!
//! the reward is -(theta^2 + 0.1 theta'^2 + 0.001 u^2) of the state before, with theta in -pi .. pi.
//!
//! Steps are those of Gymnasium.

use super::Canvas;
use crate::optim::SnapshotMismatch;
use crate::rl::environment::uniform;
use crate::rl::{Environment, Outcome, saved_state};
use crate::shape::Rank1;
use rand::Rng;
use std::f64::consts::{PI, TAU};

const GRAVITY: f64 = 10.0;
const FASTEST: f64 = 8.0;
const STRONGEST: f64 = 2.0;
const SECONDS: f64 = 0.05;

/// Pendulum-v1: swing up and stay up, with a continuous torque, for 200 steps.
///
/// The observation is the cosine and sine of the angle, and the angular velocity. The action is a torque, which is
/// clamped to -2 .. 2. Being upright and still without torque costs nothing; anything else costs up to 16.3 per step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pendulum {
    /// Angle and angular speed, in radians and seconds.
    state: [f64; 2],
}

impl Pendulum {
    /// The pendulum in this state: angle, angular velocity.
    pub fn at(state: [f64; 2]) -> Self {
        Pendulum { state }
    }
}

impl Environment for Pendulum {
    type Observation = Rank1<3>;
    type Action = [f32; 1];
    const TIME_LIMIT: Option<usize> = Some(200);

    fn reset<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        self.state = [uniform(-PI, PI, rng), uniform(-1.0, 1.0, rng)];
    }

    fn step<R: Rng + ?Sized>(&mut self, [torque]: [f32; 1], _: &mut R) -> Outcome {
        let [angle, speed] = self.state;
        let torque = f64::from(torque).clamp(-STRONGEST, STRONGEST);
        let off = (angle + PI).rem_euclid(TAU) - PI;
        let cost = off * off + 0.1 * speed * speed + 0.001 * torque * torque;
        let speed = speed + (1.5 * GRAVITY * angle.sin() + 3.0 * torque) * SECONDS;
        let speed = speed.clamp(-FASTEST, FASTEST);
        self.state = [angle + speed * SECONDS, speed];
        Outcome { reward: -cost, terminated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        let [angle, speed] = self.state;
        let seen = [angle.cos(), angle.sin(), speed];
        observation.iter_mut().zip(seen).for_each(|(place, x)| *place = x as f32);
    }

    fn save(&self) -> Vec<f64> {
        self.state.to_vec()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), SnapshotMismatch> {
        self.state = saved_state(state)?;
        Ok(())
    }

    fn draw(&self) -> String {
        let [angle, _] = self.state;
        let mut canvas = Canvas::new(31, 15);
        let joint = (15.0, 7.0);
        canvas.line(joint, (joint.0 + 14.0 * angle.sin(), joint.1 - 7.0 * angle.cos()), '#');
        canvas.put(joint.0, joint.1, 'O');
        canvas.text()
    }
}
