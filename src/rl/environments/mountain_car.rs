//! MountainCar-v0: a car in a valley, too weak to drive straight up, must swing to reach the top of the hill.
//!
//! With the push a in -1, 0, 1:
//!
//! v <- clamp(v + 0.001 a - 0.0025 cos 3x, -0.07, 0.07), x <- clamp(x + v, -1.2, 0.6);
//!
//! v becomes 0 at the left end.
//!
//! Moore, "Efficient Memory-Based Learning for Robot Control", 1990. Steps are those of Gymnasium.

use super::Canvas;
use crate::optim::SnapshotMismatch;
use crate::rl::environment::uniform;
use crate::rl::{Discrete, Environment, Outcome, saved_state};
use crate::shape::Rank1;
use rand::Rng;

const LEFT: f64 = -1.2;
const RIGHT: f64 = 0.6;
const GOAL: f64 = 0.5;
const FASTEST: f64 = 0.07;

/// MountainCar-v0: reach the top of the hill in as few steps as possible, at most 200.
///
/// The observation is position and velocity. Actions 0, 1 and 2 push left, not at all, and right. Each step has a
/// reward of -1. The episode ends at the top, at 0.5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MountainCar {
    /// Position and velocity.
    state: [f64; 2],
}

impl MountainCar {
    /// The car in this state: position, velocity.
    pub fn at(state: [f64; 2]) -> Self {
        MountainCar { state }
    }
}

impl Environment for MountainCar {
    type Observation = Rank1<2>;
    type Action = Discrete<3>;
    const TIME_LIMIT: Option<usize> = Some(200);

    fn reset<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        self.state = [uniform(-0.6, -0.4, rng), 0.0];
    }

    fn step<R: Rng + ?Sized>(&mut self, action: Discrete<3>, _: &mut R) -> Outcome {
        let [place, speed] = self.state;
        let push = action.index() as f64 - 1.0;
        let speed = (speed + (push * 0.001 + (3.0 * place).cos() * -0.0025)).clamp(-FASTEST, FASTEST);
        let place = (place + speed).clamp(LEFT, RIGHT);
        let speed = if place == LEFT && speed < 0.0 { 0.0 } else { speed };
        self.state = [place, speed];
        Outcome { reward: -1.0, terminated: place >= GOAL && speed >= 0.0 }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.iter_mut().zip(self.state).for_each(|(seen, x)| *seen = x as f32);
    }

    fn save(&self) -> Vec<f64> {
        self.state.to_vec()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), SnapshotMismatch> {
        self.state = saved_state(state)?;
        Ok(())
    }

    fn draw(&self) -> String {
        let mut canvas = Canvas::new(73, 14);
        let across = |place: f64| (place - LEFT) / (RIGHT - LEFT) * 72.0;
        let up = |place: f64| 7.0 - 6.0 * (3.0 * place).sin();
        for column in 0..73 {
            let place = LEFT + f64::from(column) / 72.0 * (RIGHT - LEFT);
            canvas.put(f64::from(column), up(place), '.');
        }
        canvas.put(across(GOAL), up(GOAL) - 1.0, 'P');
        canvas.put(across(self.state[0]), up(self.state[0]) - 1.0, 'O');
        canvas.text()
    }
}
