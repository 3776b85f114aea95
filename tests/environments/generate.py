"""Writes what `tests/rl_transitions.rs` compares with: steps of environments as Gymnasium and MinAtar take them.

    python tests/environments/generate.py

It needs gymnasium, minatar and numpy.

Of each environment of Gymnasium, `values/NAME.json` holds 200 injected states, each with a short sequence of random
actions, and the last observation, the sum of the rewards, and the first step at which the episode terminated. Most
states are drawn from all that can occur, beyond what a reset gives.

Of MinAtar's Breakout, `values/breakout.json` holds 200 episodes without sticky actions: the actions, the rewards and, of
each step, which cells of which channel are set, hashed.
"""

import json
import pathlib

import gymnasium
import numpy as np

VALUES = pathlib.Path(__file__).parent / "values"
SEQUENCES = 200
STEPS = 8

# The intervals that the states come from: also those at which an episode is about to end.
STATES = {
    "CartPole-v1": [(-2.5, 2.5), (-3, 3), (-0.22, 0.22), (-3, 3)],
    "Acrobot-v1": [(-3.1, 3.1), (-3.1, 3.1), (-9, 9), (-20, 20)],
    "MountainCar-v0": [(-1.2, 0.55), (-0.07, 0.07)],
    "Pendulum-v1": [(-3.1, 3.1), (-8, 8)],
}


def number(value):
    return float(f"{float(value):.10g}")


def sequence(environment, state, random):
    """Steps from a state until the episode terminates."""
    environment.reset(seed=0)
    environment.unwrapped.state = np.array(state, dtype=np.float64)
    actions, rewards, terminated = [], [], False
    while len(actions) < STEPS and not terminated:
        if isinstance(environment.action_space, gymnasium.spaces.Discrete):
            action = int(random.integers(environment.action_space.n))
            given = action
        else:
            # some outside of what is allowed; exact in 32 bits
            action = float(np.round(random.uniform(-3, 3) * 64) / 64)
            given = np.array([action], dtype=np.float64)
        observation, reward, terminated, _, _ = environment.step(given)
        actions.append(action)
        rewards.append(number(reward))
    return {
        "state": state,
        "actions": actions,
        "rewards": rewards,
        "observation": [number(x) for x in observation],
        "terminated": bool(terminated),
    }


def write(name, cases):
    VALUES.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(case) for case in cases)
    (VALUES / f"{name}.json").write_text(f"[\n{lines}\n]\n")


for name, intervals in STATES.items():
    random = np.random.default_rng(0)
    environment = gymnasium.make(name)
    states = [[number(random.uniform(*interval)) for interval in intervals] for _ in range(SEQUENCES)]
    cases = [sequence(environment, state, random) for state in states]
    assert name == "Pendulum-v1" or any(case["terminated"] for case in cases)
    write(name.split("-")[0].lower(), cases)
