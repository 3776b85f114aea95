//! Breakout on 10 x 10 cells: break bricks with a ball that a paddle returns.
//!
//! Each step, first the paddle moves, then the ball, one cell along a diagonal:
//!
//! * at a side or at the top it is reflected, and stays in the outermost column or row;
//! * at a brick it is reflected up or down, stays in its row, and breaks the brick, for a reward of 1. A ball that has
//!   struck passes through bricks until it has been outside of them for a step;
//! * in the lowest row the paddle returns it upwards: onwards if the ball came from above the paddle, back the way it
//!   came if it would have landed on the paddle. Otherwise the episode ends. Once all bricks are broken, three new rows
//!   appear as soon as the ball is down here.
//!
//! The game follows the description of Breakout in Young and Tian, "MinAtar: An Atari-Inspired Testbed for Thorough and
//! Reproducible Reinforcement Learning Experiments", 2019, and matches theirs step for step.

use crate::numbers::range::{expect, part};
use crate::optim::SnapshotMismatch;
use crate::rl::environment::below;
use crate::rl::{Discrete, Environment, Outcome, saved_state};
use crate::shape::Rank3;
use crate::tensor::unit;
use rand::Rng;

const SIZE: usize = 10;
/// The number of rows of bricks, which start at the second row of the screen.
const ROWS: usize = 3;
const PADDLE_ROW: usize = SIZE - 1;

/// Breakout as a game of 10 x 10 cells: break bricks with a ball, for up to 1000 steps.
///
/// The observation has four channels of 0 and 1: the paddle, the ball, the ball one step earlier, and the bricks.
/// Actions 0, 1 and 2: stay, left, right. With a probability of 0.1 the previous action is repeated instead
/// ([`with_sticky_actions`](Breakout::with_sticky_actions) changes it). Each brick has a reward of 1. The episode ends
/// when the ball is lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakout {
    /// Row and column.
    ball: [usize; 2],
    /// The position one step earlier.
    trail: [usize; 2],
    down: bool,
    right: bool,
    paddle: usize,
    bricks: [[bool; SIZE]; ROWS],
    /// Whether the ball broke a brick and has not been outside of bricks since.
    struck: bool,
    last_action: Discrete<3>,
    stickiness: f64,
}

impl Breakout {
    /// Sets the probability that the previous action is repeated.
    ///
    /// # Panics
    /// If it is not from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn with_sticky_actions(self, probability: f64) -> Self {
        expect(part("with_sticky_actions", "probability", probability));
        Breakout { stickiness: probability, ..self }
    }

    /// The beginning of an episode, with the ball at the left or the right side.
    #[must_use]
    pub fn served(self, right_side: bool) -> Self {
        let ball = [ROWS, if right_side { SIZE - 1 } else { 0 }];
        Breakout { ball, trail: ball, right: !right_side, stickiness: self.stickiness, ..Self::default() }
    }

    fn brick(&mut self, [row, column]: [usize; 2]) -> Option<&mut bool> {
        Some(&mut self.bricks.get_mut(row.checked_sub(1)?)?[column])
    }

    /// Moves the ball.
    fn fly(&mut self) -> Outcome {
        let mut outcome = Outcome { reward: 0.0, terminated: false };
        let [row, column] = self.ball;
        self.trail = self.ball;
        let beyond = if self.right { column == SIZE - 1 } else { column == 0 };
        let column_after = match (beyond, self.right) {
            (true, _) => column,
            (false, true) => column + 1,
            (false, false) => column - 1,
        };
        if beyond {
            self.right = !self.right;
        }
        if !self.down && row == 0 {
            self.down = true;
            self.ball = [0, column_after];
            self.struck = false;
            return outcome;
        }
        let row_after = if self.down { row + 1 } else { row - 1 };
        let struck = self.struck;
        self.struck = false;
        self.ball = [row_after, column_after];
        if let Some(brick) = self.brick([row_after, column_after]).filter(|brick| **brick) {
            if !struck {
                *brick = false;
                outcome.reward = 1.0;
                self.down = !self.down;
                self.ball[0] = row;
            }
            self.struck = true;
        } else if row_after == PADDLE_ROW {
            if !self.bricks.as_flattened().contains(&true) {
                self.bricks = [[true; SIZE]; ROWS];
            }
            if column == self.paddle || column_after == self.paddle {
                // about to pass beside the paddle on its way down, it is sent back
                if column != self.paddle {
                    self.right = !self.right;
                }
                self.down = false;
                self.ball[0] = row;
            } else {
                outcome.terminated = true;
            }
        }
        outcome
    }
}

impl Default for Breakout {
    fn default() -> Self {
        Breakout {
            ball: [ROWS, 0],
            trail: [ROWS, 0],
            down: true,
            right: true,
            paddle: 4,
            bricks: [[true; SIZE]; ROWS],
            struck: false,
            last_action: Discrete::new(0),
            stickiness: 0.1,
        }
    }
}

impl Environment for Breakout {
    type Observation = Rank3<4, SIZE, SIZE>;
    type Action = Discrete<3>;
    const TIME_LIMIT: Option<usize> = Some(1000);

    fn reset<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        *self = self.clone().served(below(2, rng) == 1);
    }

    fn step<R: Rng + ?Sized>(&mut self, action: Discrete<3>, rng: &mut R) -> Outcome {
        if unit(rng) >= self.stickiness {
            self.last_action = action;
        }
        match self.last_action.index() {
            1 => self.paddle = self.paddle.saturating_sub(1),
            2 => self.paddle = (self.paddle + 1).min(SIZE - 1),
            _ => {}
        }
        self.fly()
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        let mut set = |channel: usize, row: usize, column: usize| {
            observation[(channel * SIZE + row) * SIZE + column] = 1.0;
        };
        set(0, PADDLE_ROW, self.paddle);
        set(1, self.ball[0], self.ball[1]);
        set(2, self.trail[0], self.trail[1]);
        for (row, bricks) in self.bricks.iter().enumerate() {
            for column in (0..SIZE).filter(|&column| bricks[column]) {
                set(3, row + 1, column);
            }
        }
    }

    fn save(&self) -> Vec<f64> {
        let places = [self.ball[0], self.ball[1], self.trail[0], self.trail[1], self.paddle, self.last_action.index()];
        let flags = [self.down, self.right, self.struck];
        let flags = flags.iter().chain(self.bricks.as_flattened()).map(|&flag| f64::from(u8::from(flag)));
        places.into_iter().map(|place| place as f64).chain(flags).chain([self.stickiness]).collect()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), SnapshotMismatch> {
        let state: [f64; 10 + ROWS * SIZE] = saved_state(state)?;
        let place = |index: usize, below: usize| match state[index] {
            place if place >= 0.0 && place < below as f64 && place.fract() == 0.0 => Ok(place as usize),
            place => {
                let reason = format!("number {index} of a state of Breakout is {place}, not a whole one below {below}");
                Err(SnapshotMismatch::new(reason))
            }
        };
        let ball = [place(0, SIZE)?, place(1, SIZE)?];
        let trail = [place(2, SIZE)?, place(3, SIZE)?];
        let (paddle, last_action) = (place(4, SIZE)?, Discrete::new(place(5, 3)?));
        let flag = |index: usize| state[index] != 0.0;
        *self = Breakout {
            ball,
            trail,
            down: flag(6),
            right: flag(7),
            struck: flag(8),
            bricks: std::array::from_fn(|row| std::array::from_fn(|column| flag(9 + row * SIZE + column))),
            paddle,
            last_action,
            stickiness: state[9 + ROWS * SIZE],
        };
        Ok(())
    }

    fn draw(&self) -> String {
        let edge = format!("+{}+\n", "--".repeat(SIZE));
        let mut text = edge.clone();
        for row in 0..SIZE {
            text.push('|');
            for column in 0..SIZE {
                let brick = (1..=ROWS).contains(&row) && self.bricks[row - 1][column];
                text += match (self.ball == [row, column], self.trail == [row, column]) {
                    (true, _) => "()",
                    _ if row == PADDLE_ROW && column == self.paddle => "==",
                    _ if brick => "[]",
                    (_, true) => " .",
                    _ => "  ",
                };
            }
            text += "|\n";
        }
        text + &edge
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn sticky_actions_repeat_as_often_as_said() {
        let mut rng = StdRng::seed_from_u64(0);
        let mut moved = 0;
        for _ in 0..2000 {
            let mut game = Breakout::default();
            game.step(Discrete::new(1), &mut rng);
            moved += usize::from(game.paddle == 3);
        }
        // the action before the first one counts as staying; 1800 of 2000 expected, with a deviation of 13
        assert!((1735..1865).contains(&moved), "{moved}");
    }

    #[test]
    fn a_state_that_is_none_is_refused() {
        let game = Breakout::default();
        let mut state = game.save();
        let mut other = Breakout::default().served(true);
        other.restore(&state).unwrap();
        assert_eq!(other, game);
        state[0] = 10.0;
        assert!(other.restore(&state).unwrap_err().to_string().contains("number 0"));
        assert_eq!(other, game);
    }
}
