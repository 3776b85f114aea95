"""`examples/char_lm.rs` in PyTorch: the same model, split and training, to compare bits per character.

    OMP_NUM_THREADS=1 python tests/pytorch/char_lm.py --data FOLDER

FOLDER holds `tinyshakespeare/input.txt`. Prints the bits per character of the last tenth after each epoch.
"""

import argparse
import math
import pathlib
import time

import torch
from torch import nn

CHARACTERS, STREAMS, WINDOW, WIDTH = 96, 32, 64, 256
LEARNING_RATE, LONGEST = 3e-3, 1.0


class LanguageModel(nn.Module):
    """After each character, logits of the next."""

    def __init__(self):
        super().__init__()
        self.characters = nn.Embedding(CHARACTERS, 64)
        self.memory = nn.LSTM(64, WIDTH, batch_first=True)
        self.output = nn.Sequential(nn.Dropout(0.2), nn.Linear(WIDTH, CHARACTERS))

    def forward(self, text, state):
        remembered, state = self.memory(self.characters(text), state)
        return self.output(remembered), state


def windows(text, start):
    """The text, read at several places that lie equally far apart, window by window, each with what follows."""
    apart = (len(text) - 1) // STREAMS
    places = torch.arange(STREAMS)[:, None] * apart
    while start + WINDOW <= apart:
        here = places + torch.arange(start, start + WINDOW)
        yield text[here], text[here + 1].flatten()
        start += WINDOW


def measure(model, text):
    """Bits for each character."""
    model.eval()
    state, losses = None, []
    with torch.no_grad():
        for window, following in windows(text, 0):
            logits, state = model(window, state)
            losses.append(nn.functional.cross_entropy(logits.flatten(0, 1), following).item())
    model.train()
    return sum(losses) / len(losses) / math.log(2)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--epochs", type=int, default=5)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    text = (options.data / "tinyshakespeare" / "input.txt").read_text(encoding="ascii")
    text = torch.tensor([0 if character == "\n" else ord(character) - 31 for character in text])
    cut = len(text) // 10 * 9
    train, test = text[:cut], text[cut:]
    torch.manual_seed(options.seed)
    model = LanguageModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    begun = time.monotonic()
    for epoch in range(options.epochs):
        batches = list(windows(train, int(torch.randint(WINDOW, ()))))
        state, total = None, 0.0
        for step, (window, following) in enumerate(batches):
            part = (epoch + step / len(batches)) / options.epochs
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * part))
            optimizer.zero_grad()
            logits, state = model(window, state)
            state = tuple(part.detach() for part in state)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), following)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), LONGEST)
            optimizer.step()
            total += loss.item()
        figures = f"training {total / len(batches) / math.log(2):.3f} bits, test {measure(model, test):.3f} bits"
        print(f"epoch {epoch + 1}: {figures}, {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
