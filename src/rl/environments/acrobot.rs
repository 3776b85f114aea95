//! Acrobot-v1: two links hang from a joint; a torque at the second joint swings the tip above a line.
//!
//! With theta1 the angle of the upper link (0 hangs down), theta2 that of the lower one relative to it, all masses,
//! lengths and moments 1, the centres of mass in the middle of the links, and g = 9.8:
//!
//! d1 = 1/4 + (1 + 1/4 + cos theta2) + 2, d2 = 1/4 + cos theta2 / 2 + 1,
//!
//! p2 = g / 2 cos(theta1 + theta2 - pi/2),
//!
//! p1 = -theta2'^2 sin theta2 / 2 - theta2' theta1' sin theta2 + 3/2 g cos(theta1 - pi/2) + p2,
//!
//! theta2'' = (torque + d2 / d1 p1 - theta1'^2 sin theta2 / 2 - p2) / (1/4 + 1 - d2^2 / d1),
//!
//! theta1'' = -(d2 theta2'' + p1) / d1.
//!
//! One step of 0.2 s with the fourth-order Runge-Kutta method.
//!
//! Sutton, "Generalization in Reinforcement Learning: Successful Examples Using Sparse Coarse Coding", 1996; Sutton and
//! Barto, "Reinforcement Learning: An Introduction", whose equations these are. Steps are those of Gymnasium.

use super::Canvas;
use crate::optim::SnapshotMismatch;
use crate::rl::environment::uniform;
use crate::rl::{Discrete, Environment, Outcome, saved_state};
use crate::shape::Rank1;
use rand::Rng;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

const GRAVITY: f64 = 9.8;
const SECONDS: f64 = 0.2;
/// The maximum angular speeds of the links.
const FASTEST: [f64; 2] = [4.0 * PI, 9.0 * PI];

/// Acrobot-v1: swing the lower of two hanging links above a line, in as few steps as possible, at most 500.
///
/// The observation is the cosine and sine of both angles, and both angular speeds. Actions 0, 1 and 2 are torques of
/// -1, 0 and 1 at the joint between the links. Every step has a reward of -1, except the last, when the tip is one
/// length above the upper joint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acrobot {
    /// theta1, theta2, theta1', theta2', in radians and seconds.
    state: [f64; 4],
}

impl Acrobot {
    /// The links in this state: both angles, both angular speeds.
    pub fn at(state: [f64; 4]) -> Self {
        Acrobot { state }
    }
}

/// The derivative of the state.
fn change([angle1, angle2, speed1, speed2]: [f64; 4], torque: f64) -> [f64; 4] {
    let (sin2, cos2) = angle2.sin_cos();
    let d1 = 0.25 + (1.0 + 0.25 + cos2) + 2.0;
    let d2 = 0.25 + 0.5 * cos2 + 1.0;
    let p2 = 0.5 * GRAVITY * (angle1 + angle2 - FRAC_PI_2).cos();
    let p1 = -0.5 * speed2 * speed2 * sin2 - speed2 * speed1 * sin2 + 1.5 * GRAVITY * (angle1 - FRAC_PI_2).cos() + p2;
    let change2 = (torque + d2 / d1 * p1 - 0.5 * speed1 * speed1 * sin2 - p2) / (1.25 - d2 * d2 / d1);
    let change1 = -(d2 * change2 + p1) / d1;
    [speed1, speed2, change1, change2]
}

/// One Runge-Kutta step.
fn integrate(state: [f64; 4], torque: f64) -> [f64; 4] {
    let ahead = |slope: [f64; 4], time: f64| std::array::from_fn(|i| state[i] + time * slope[i]);
    let k1 = change(state, torque);
    let k2 = change(ahead(k1, SECONDS / 2.0), torque);
    let k3 = change(ahead(k2, SECONDS / 2.0), torque);
    let k4 = change(ahead(k3, SECONDS), torque);
    std::array::from_fn(|i| state[i] + SECONDS / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

/// The angle wrapped to -pi ..= pi.
fn wrap(mut angle: f64) -> f64 {
    while angle > PI {
        angle -= TAU;
    }
    while angle < -PI {
        angle += TAU;
    }
    angle
}

impl Environment for Acrobot {
    type Observation = Rank1<6>;
    type Action = Discrete<3>;
    const TIME_LIMIT: Option<usize> = Some(500);

    fn reset<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        self.state = std::array::from_fn(|_| uniform(-0.1, 0.1, rng));
    }

    fn step<R: Rng + ?Sized>(&mut self, action: Discrete<3>, _: &mut R) -> Outcome {
        let [angle1, angle2, speed1, speed2] = integrate(self.state, action.index() as f64 - 1.0);
        let [angle1, angle2] = [wrap(angle1), wrap(angle2)];
        self.state = [angle1, angle2, speed1.clamp(-FASTEST[0], FASTEST[0]), speed2.clamp(-FASTEST[1], FASTEST[1])];
        let terminated = -angle1.cos() - (angle2 + angle1).cos() > 1.0;
        Outcome { reward: if terminated { 0.0 } else { -1.0 }, terminated }
    }

    fn observe(&self, observation: &mut [f32]) {
        let [angle1, angle2, speed1, speed2] = self.state;
        let seen = [angle1.cos(), angle1.sin(), angle2.cos(), angle2.sin(), speed1, speed2];
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
        let [angle1, angle2, ..] = self.state;
        let mut canvas = Canvas::new(41, 19);
        let joint = (20.0, 9.0);
        let elbow = (joint.0 + 9.0 * angle1.sin(), joint.1 + 4.5 * angle1.cos());
        let both = angle1 + angle2;
        let tip = (elbow.0 + 9.0 * both.sin(), elbow.1 + 4.5 * both.cos());
        canvas.line((0.0, 4.0), (40.0, 4.0), '-');
        canvas.line(joint, elbow, '#');
        canvas.line(elbow, tip, '*');
        canvas.put(joint.0, joint.1, 'O');
        canvas.put(elbow.0, elbow.1, 'o');
        canvas.text()
    }
}
