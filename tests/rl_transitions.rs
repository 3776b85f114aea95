//! Environments step as Gymnasium's do, from injected states. `tests/environments/generate.py` makes the values.

use serde_json::Value;
use taut::prelude::*;
use taut::rl::{Acrobot, CartPole, Discrete, Environment, MountainCar, Pendulum};

const TOLERANCE: f64 = 1e-6;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// All sequences of one environment; an action comes from the number that was recorded.
fn check<E: Environment>(name: &str, action: impl Fn(f64) -> E::Action) {
    let path = format!("{}/tests/environments/values/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases: Vec<Value> = serde_json::from_str(&text).expect("the file is JSON");
    assert_eq!(cases.len(), 200);
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
