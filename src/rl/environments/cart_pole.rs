//! CartPole-v1: push a cart left or right so that the pole on it stays upright.
//!
//! With x the position of the cart, theta the angle of the pole (0 is upright), F = -10 N or +10 N, and
//!
//! t = (F + m l theta'^2 sin theta) / (M + m),
//!
//! theta'' = (g sin theta - t cos theta) / (l (4/3 - m cos^2 theta / (M + m))),
//!
//! x'' = t - m l theta'' cos theta / (M + m),
//!
//! where M = 1 kg, m = 0.1 kg, l = 0.5 m (half of the pole's length), g = 9.8 m/s^2; Euler's method, in steps of 0.02
//! s.
//!
//! Barto, Sutton and Anderson, "Neuronlike Adaptive Elements That Can Solve Difficult Learning Control Problems", 1983;
//! Florian, "Correct Equations for the Dynamics of the Cart-Pole System", 2007. Steps are those of Gymnasium.

use super::Canvas;
use crate::optim::SnapshotMismatch;
use crate::rl::environment::uniform;
use crate::rl::{Discrete, Environment, Outcome, saved_state};
use crate::shape::Rank1;
use rand::Rng;

const GRAVITY: f64 = 9.8;
const TOTAL_MASS: f64 = 1.1;
const POLE_MASS: f64 = 0.1;
/// Half the length of the pole.
const POLE_LENGTH: f64 = 0.5;
const POLE_MOMENT: f64 = POLE_MASS * POLE_LENGTH;
const FORCE: f64 = 10.0;
const SECONDS: f64 = 0.02;
/// The largest distance of the cart from the middle.
const FARTHEST: f64 = 2.4;
/// The largest angle of the pole: 12 degrees.
const STEEPEST: f64 = 12.0 * 2.0 * std::f64::consts::PI / 360.0;

/// CartPole-v1: keep the pole on the cart upright for up to 500 steps.
///
/// The observation is the cart's position and velocity, and the pole's angle and angular velocity. Action 0 pushes to
/// the left, 1 to the right. Each step has a reward of 1. The episode ends if the cart is farther than 2.4 from the
/// middle, or the pole leans by more than 12 degrees.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CartPole {
    /// x, x', theta, theta', in metres, radians and seconds.
    state: [f64; 4],
}

impl CartPole {
    /// The cart in this state: position, velocity, angle, angular velocity.
    pub fn at(state: [f64; 4]) -> Self {
        CartPole { state }
    }
}

impl Environment for CartPole {
    type Observation = Rank1<4>;
    type Action = Discrete<2>;
    const TIME_LIMIT: Option<usize> = Some(500);

    fn reset<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        self.state = std::array::from_fn(|_| uniform(-0.05, 0.05, rng));
    }

    fn step<R: Rng + ?Sized>(&mut self, action: Discrete<2>, _: &mut R) -> Outcome {
        let [x, speed, angle, turning] = self.state;
        let force = if action.index() == 1 { FORCE } else { -FORCE };
        let (sin, cos) = angle.sin_cos();
        let push = (force + POLE_MOMENT * turning * turning * sin) / TOTAL_MASS;
        let turning_change =
            (GRAVITY * sin - cos * push) / (POLE_LENGTH * (4.0 / 3.0 - POLE_MASS * cos * cos / TOTAL_MASS));
        let speed_change = push - POLE_MOMENT * turning_change * cos / TOTAL_MASS;
        self.state = [
            x + SECONDS * speed,
            speed + SECONDS * speed_change,
            angle + SECONDS * turning,
            turning + SECONDS * turning_change,
        ];
        let [x, _, angle, _] = self.state;
        Outcome { reward: 1.0, terminated: x.abs() > FARTHEST || angle.abs() > STEEPEST }
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
        let [x, _, angle, _] = self.state;
        let mut canvas = Canvas::new(61, 12);
        let cart = 30.0 + x / FARTHEST * 28.0;
        canvas.line((0.0, 11.0), (60.0, 11.0), '-');
        // a character is about twice as high as it is wide; angles are tripled, to be visible
        let (sin, cos) = (3.0 * angle).sin_cos();
        canvas.line((cart, 9.0), (cart + 18.0 * sin, 9.0 - 9.0 * cos), '|');
        canvas.line((cart - 4.0, 10.0), (cart + 4.0, 10.0), '#');
        canvas.text()
    }
}
