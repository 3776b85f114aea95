"""Writes what `tests/rl_transitions.rs` compares with: steps of environments as Gymnasium and MinAtar take them.

    python tests/environments/generate.py

It needs gymnasium, minatar and numpy.

Of each environment of Gymnasium, `values/NAME.json` holds 200 injected states, each with a short sequence of random
actions, and the last observation, the sum of the rewards, and the first step at which the episode terminated. Most
states are drawn from all that can occur, beyond what a reset gives.

Of MinAtar's Breakout, `values/breakout.json` holds 200 episodes without sticky actions, cut off where they become long:
for each step the action, the reward, where the ball is (row and column) and where the paddle is, as digits; and at the
end which bricks are left. An agent that follows the ball plays, and does something at random now and then.
"""

import json
import pathlib

import gymnasium
import minatar
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


def play(environment, random, mistakes, most):
    """An episode of Breakout."""
    environment.reset()
    initial = environment.state()
    path = {"actions": "", "rewards": "", "balls": "", "paddles": ""}
    terminated = False
    while len(path["actions"]) < most and not terminated:
        state = environment.state()
        (row, ball), (_, paddle) = np.argwhere(state[:, :, 1])[0], np.argwhere(state[:, :, 0])[0]
        before = np.argwhere(state[:, :, 2])[0][1]
        action = 0 if ball == paddle else (1 if ball < paddle else 2)
        if row == 8 and ball == paddle and random.integers(2):
            # meet it where it comes down, so that it goes back
            action = 1 if ball < before else 2
        if random.random() < mistakes:
            action = int(random.integers(3))
        reward, terminated = environment.act([0, 1, 3][action])
        state = environment.state()
        path["actions"] += str(action)
        path["rewards"] += str(int(reward))
        path["balls"] += "".join(map(str, np.argwhere(state[:, :, 1])[0]))
        path["paddles"] += str(np.argwhere(state[:, :, 0])[0][1])
    return {
        "right": bool(initial[3, 9, 1]),
        **path,
        "bricks": "".join(str(int(brick)) for brick in state[1:4, :, 3].flatten()),
        "terminated": bool(terminated),
    }


random = np.random.default_rng(0)
environment = minatar.Environment("breakout", sticky_action_prob=0.0)
environment.seed(0)
episodes = [play(environment, random, mistakes=0.5, most=60) for _ in range(100)]
episodes += [play(environment, random, mistakes=0.05, most=150) for _ in range(94)]
# long enough to clear the screen, and to meet the bricks that come then
episodes += [play(environment, random, mistakes=0.0, most=1000) for _ in range(6)]
assert any(sum(map(int, episode["rewards"])) > 40 for episode in episodes)
write("breakout", episodes)
