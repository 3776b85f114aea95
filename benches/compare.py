#!/usr/bin/env python3
"""taut and PyTorch at the same workloads, in turn, on this machine: writes the table of benches/RESULTS.md.

    python3 -m venv venv && venv/bin/pip install torch
    venv/bin/python benches/compare.py --rounds 5 --threads 1 2 > benches/RESULTS.md

Each round runs every workload once in every library, one right after the other, so that what else the machine does
meets all of them. The figure is the median over the rounds of the medians, in milliseconds; beside PyTorch as it comes
(eager) stands what it does with its fused optimizers and channels_last convolutions (best). "ratio" is the better of
PyTorch's two figures by taut's: above 1, taut is faster. "of least" is the same ratio of the least times over all
rounds, which other work on the machine disturbs less.
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# the program of each group of workloads
PROGRAMS = {"w1": "w1_mlp", "w2": "w2_bigmlp", "w3": "w3_lenet", "w4": "w4_vgg", "w5": "w5_conv", "w6": "w6_recurrent",
            "w8": "w8_operations", "w9": "w9_latency", "w10": "w10_dcgan"}
NAMES = {"w1": "MLP 784-128-64-10, a training step", "w2": "MLP 784-1024-1024-10, a training step",
         "w3": "LeNet, a training step", "w4": "VGG, a training step", "w10": "DCGAN, a step of both networks"}


def lines(command, group, threads, budget, core):
    environment = dict(os.environ, PEER_ONLY=group, PEER_THREADS=str(threads), RAYON_NUM_THREADS=str(threads),
                       OMP_NUM_THREADS=str(threads), PEER_BUDGET_S=str(budget))
    if threads == 1 and core is not None:
        command = ["taskset", "-c", str(core), *command]
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def processor():
    try:
        names = [l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith(("model name", "flags"))]
    except OSError:
        return platform.processor()
    return names[0] + (", with AVX-512" if "avx512f" in names[1] else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--only", default=",".join(PROGRAMS), help="workloads, such as w4,w5")
    parser.add_argument("--budget", type=float, default=0.3, help="seconds of each figure")
    parser.add_argument("--core", type=int, help="the core that one thread is kept on")
    options = parser.parse_args()
    groups = options.only.split(",")
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "taut-benches", "--bins"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    pytorch = [sys.executable, str(ROOT / "benches" / "peers" / "pytorch.py")]
    times = {}
    for turn in range(options.rounds):
        for threads in options.threads:
            for group in groups:
                for command in [str(target / PROGRAMS[group])], [*pytorch, "eager"], [*pytorch, "best"]:
                    for line in lines(command, group, threads, options.budget, options.core):
                        key = (threads, line["workload"])
                        figures = times.setdefault(key, {}).setdefault(line["peer"], [])
                        figures.append((line["median_ms"], line["extra"]["min_ms"]))
                print(f"{group}, {threads} threads: round {turn + 1} of {options.rounds}", file=sys.stderr)

    versions = subprocess.run([sys.executable, "-c", "import torch; print(torch.__version__.split('+')[0])"],
                              stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    rustc = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
    print(f"""# taut and PyTorch, in turn

{datetime.date.today()}, {processor()}, {os.cpu_count()} cores; PyTorch {versions}, rustc {rustc}. Medians over
{options.rounds} rounds, in milliseconds. Written by `benches/compare.py`, which says how. "ratio" is the better of
PyTorch's two figures by taut's: above 1, taut is faster; "of least" is that of the least times.""")
    for threads in options.threads:
        print(f"\n## {threads} thread{'s' if threads > 1 else ''}\n")
        print("| workload | taut | PyTorch eager | best | ratio | of least |\n"
              "| --- | ---: | ---: | ---: | ---: | ---: |")
        for (of, workload), peers in times.items():
            if of != threads or "taut" not in peers or len(peers) == 1:
                continue
            columns = [peers.get(peer, []) for peer in ("taut", "torch-eager", "torch-best")]
            medians = [statistics.median(median for median, _ in rounds) if rounds else None for rounds in columns]
            least = [min((least for _, least in rounds), default=None) for rounds in columns]
            ratio, of_least = (min(t for t in others if t) / taut for taut, *others in (medians, least))
            shown = " | ".join("" if t is None else f"{t:.3g}" for t in medians)
            name = NAMES.get(workload.split("_")[0], "")
            print(f"| `{workload}`{' ' + name if name else ''} | {shown} "
                  f"| {ratio:.2f} | {of_least:.2f} |")


if __name__ == "__main__":
    main()
