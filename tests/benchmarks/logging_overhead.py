"""What logging costs inside training: steps that log and steps that do not, in turn, in the same run.

`python tests/benchmarks/logging_overhead.py [STEPS]` prints the share of a training step that one `run.log` call of
three numbers takes, and the share of a processor that heartbeat and samples take. The step is that of a small network
on one core, about 20 ms; a real one takes longer.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch

import runhive

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 300


def make_step():
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 32, 3), torch.nn.ReLU(), torch.nn.Conv2d(32, 32, 3), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    x, y = torch.randn(16, 3, 48, 48), torch.randint(0, 10, (16,))

    def step():
        loss = torch.nn.functional.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def timed(step, run=None, number=0):
    began = time.perf_counter()
    loss = step()
    if run:
        run.log(step=number, loss=loss.detach(), accuracy=0.5, lr=0.01)
    return time.perf_counter() - began


def main():
    torch.set_num_threads(1)
    step = make_step()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        subprocess.run(["git", "init", "-q"], check=True)
        for _ in range(20):  # warm
            timed(step)
        with runhive.start() as run:
            pairs = [(timed(step), timed(step, run, number)) for number in range(STEPS)]
            began = time.perf_counter()
            for number in range(2000):
                run.log(step=number, loss=0.5, accuracy=0.5, lr=0.01)
            call = (time.perf_counter() - began) / 2000
            idle, clock = time.process_time(), time.perf_counter()
            time.sleep(30)
            watched = (time.process_time() - idle) / (time.perf_counter() - clock)
        os.chdir("/")
    plain, logged = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"a step {1e3 * plain:.2f} ms, with run.log {1e3 * logged:.2f} ms: {logged / plain - 1:+.2%} "
          f"(medians of {STEPS} of each, in turn)")  # fmt: skip
    print(f"a call of run.log alone {1e6 * call:.1f} us: {call / plain:.2%} of a step")
    print(f"heartbeat and samples: {watched:.2%} of one processor")


if __name__ == "__main__":
    main()
