//! Environments step as Gymnasium's do, from injected states, and Breakout as MinAtar's.
//! `tests/environments/generate.py` makes the values.

use serde_json::Value;
use taut::prelude::*;
use taut::rl::{Acrobot, Breakout, CartPole, Discrete, Environment, MountainCar, Pendulum};

const TOLERANCE: f64 = 1e-6;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn cases(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/environments/values/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases: Vec<Value> = serde_json::from_str(&text).expect("the file is JSON");
    assert_eq!(cases.len(), 200);
    cases
}

/// All sequences of one environment; actions are made from the recorded numbers.
fn check<E: Environment>(name: &str, action: impl Fn(f64) -> E::Action) {
    let cases = cases(name);
    let mut rng = StdRng::seed_from_u64(0);
    for (case, value) in cases.iter().enumerate() {
        let mut environment = E::default();
        environment.restore(&numbers(&value["state"])).expect("a state");
        let (actions, rewards) = (numbers(&value["actions"]), numbers(&value["rewards"]));
        for (step, (&number, expected)) in actions.iter().zip(rewards).enumerate() {
            let outcome = environment.step(action(number), &mut rng);
            let close = (outcome.reward - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            assert!(close, "{name} {case}, step {step}: reward {}, not {expected}", outcome.reward);
            let last = step + 1 == actions.len();
            let terminated = last && value["terminated"] == true;
            assert_eq!(outcome.terminated, terminated, "{name} {case}: terminated after step {step}");
        }
        let expected = numbers(&value["observation"]);
        let mut seen = vec![0.0; expected.len()];
        environment.observe(&mut seen);
        for (seen, expected) in seen.iter().zip(&expected) {
            // observations have 32 bits: 1e-6 is relative where they are large
            let close = (f64::from(*seen) - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            assert!(close, "{name} {case}: sees {seen}, not {expected}");
        }
    }
}

fn discrete<const N: usize>(number: f64) -> Discrete<N> {
    Discrete::new(number as usize)
}

#[test]
fn cart_pole_steps_as_gymnasium_has_it() {
    check::<CartPole>("cartpole", discrete);
}

#[test]
fn acrobot_steps_as_gymnasium_has_it() {
    check::<Acrobot>("acrobot", discrete);
}

#[test]
fn mountain_car_steps_as_gymnasium_has_it() {
    check::<MountainCar>("mountaincar", discrete);
}

#[test]
fn pendulum_steps_as_gymnasium_has_it() {
    check::<Pendulum>("pendulum", |torque| [torque as f32]);
}

#[test]
fn breakout_is_played_as_minatar_has_it() {
    let mut rng = StdRng::seed_from_u64(0);
    let (mut broken, mut cleared) = (0, 0);
    for (case, value) in cases("breakout").iter().enumerate() {
        let digits = |name: &str| -> Vec<usize> {
            let text = value[name].as_str().expect("digits");
            text.bytes().map(|digit| usize::from(digit - b'0')).collect()
        };
        let (actions, rewards, balls) = (digits("actions"), digits("rewards"), digits("balls"));
        let (paddles, bricks) = (digits("paddles"), digits("bricks"));
        let mut game = Breakout::default().with_sticky_actions(0.0).served(value["right"] == true);
        let mut seen = [0.0; 400];
        let mut trail = if value["right"] == true { 39 } else { 30 };
        for (step, &action) in actions.iter().enumerate() {
            let outcome = game.step(Discrete::new(action), &mut rng);
            assert_eq!(outcome.reward, rewards[step] as f64, "{case}: the reward of step {step}");
            let last = step + 1 == actions.len();
            assert_eq!(outcome.terminated, last && value["terminated"] == true, "{case}: the end after step {step}");
            broken += rewards[step];
            game.observe(&mut seen);
            let ball = 10 * balls[2 * step] + balls[2 * step + 1];
            for (channel, place) in [(0, 90 + paddles[step]), (1, ball), (2, trail)] {
                let cells = &seen[100 * channel..100 * (channel + 1)];
                let found: Vec<usize> = (0..100).filter(|&cell| cells[cell] != 0.0).collect();
                assert_eq!(found, [place], "{case}, step {step}, channel {channel}");
            }
            trail = ball;
        }
        let found: Vec<usize> = seen[310..340].iter().map(|&cell| cell as usize).collect();
        assert_eq!(found, bricks, "{case}: the bricks that are left");
        assert_eq!(seen[300..310].iter().chain(&seen[340..]).sum::<f32>(), 0.0);
        cleared += rewards.iter().sum::<usize>() / 30;
    }
    assert!(broken > 500 && cleared > 1, "{broken} bricks, {cleared} screens: the episodes show too little");
}
