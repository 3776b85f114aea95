"""`examples/char_rnn.rs` in PyTorch: the same model, split and training, to compare test accuracies.

    OMP_NUM_THREADS=1 python tests/pytorch/char_rnn.py --data FOLDER --runs 3

FOLDER holds `names/` with the 18 files. Prints the accuracy of each seed on the test set, and the means.
"""

import argparse
import math
import pathlib

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

BATCH, LEARNING_RATE, LONGEST = 64, 2e-3, 5.0


class Reader(nn.Module):
    """Reads letters, and judges by what the layer `kind` remembers of them."""

    def __init__(self, kind, letters, classes):
        super().__init__()
        self.letters = nn.Embedding(letters, 64)
        self.memory = kind(64, 128, batch_first=True)
        self.output = nn.Sequential(nn.Dropout(0.3), nn.Linear(128, classes))

    def forward(self, names):
        lengths = torch.tensor([len(name) for name in names])
        letters = self.letters(pad_sequence(names, batch_first=True))
        _, state = self.memory(pack_padded_sequence(letters, lengths, batch_first=True, enforce_sorted=False))
        hidden = state[0] if isinstance(self.memory, nn.LSTM) else state
        return self.output(hidden[-1])


def load(folder):
    """Samples to learn from and to test on, (letters, class) each, split as `taut::data::names::load` does."""
    samples = set()
    files = sorted(folder.glob("*.txt"))
    for label, path in enumerate(files):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if name := line.strip().lower():
                samples.add((name, label))
    names = sorted({name for name, _ in samples})
    to_test = set(names[4::5])
    letters = sorted(set("".join(names)))
    encode = lambda name: torch.tensor([letters.index(letter) for letter in name])
    side = lambda test: [(encode(name), label) for name, label in sorted(samples) if (name in to_test) == test]
    return side(False), side(True), len(letters), len(files)


def fit(kind, train, test, letters, classes, epochs, seed):
    """The accuracy on the test set."""
    torch.manual_seed(seed)
    model = Reader(kind, letters, classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
        for batch in torch.randperm(len(train)).split(BATCH):
            names, labels = zip(*(train[i] for i in batch))
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(names), torch.tensor(labels)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), LONGEST)
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = 0
        for start in range(0, len(test), 500):
            names, labels = zip(*test[start : start + 500])
            right += (model(names).argmax(1) == torch.tensor(labels)).sum().item()
    return right / len(test)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--epochs", type=int, default=12)
    arguments.add_argument("--runs", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    train, test, letters, classes = load(options.data / "names")
    print(f"{len(train)} names to learn from, {len(test)} to test, {letters} letters, {classes} classes")
    for name, kind in (("RNN", nn.RNN), ("LSTM", nn.LSTM)):
        seeds = range(options.seed, options.seed + options.runs)
        results = [fit(kind, train, test, letters, classes, options.epochs, seed) for seed in seeds]
        each = ", ".join(f"{result:.2%}" for result in results)
        print(f"{name}: {each}; mean {sum(results) / len(results):.2%}", flush=True)


if __name__ == "__main__":
    main()
