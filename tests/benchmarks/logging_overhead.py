"""What logging costs inside training: the same loop with and without a run, side by side, in pairs.

`python tests/benchmarks/logging_overhead.py [STEPS]` prints the share of time that one `run.log` call of three numbers
takes of a training step, and what the heartbeat and the samples take of the processors. The step is that of a small
network on the CPU, 10 to 30 ms; a real one takes longer.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch

import runhive

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
PAIRS = 7


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


def processor_seconds(step, run=None):
    """User and system time of the loop: on a busy machine the clock on the wall tells more of others."""
    began = time.process_time()
    for number in range(STEPS):
        loss = step()
        if run:
            run.log(step=number, loss=loss.detach(), accuracy=0.5, lr=0.01)
    return time.process_time() - began


def main():
    torch.set_num_threads(1)
    step = make_step()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        subprocess.run(["git", "init", "-q"], check=True)
        processor_seconds(step)  # warm
        plain, logged = [], []
        for _ in range(PAIRS):  # in turn, so that both see the same machine
            plain.append(processor_seconds(step))
            with runhive.start() as run:
                logged.append(processor_seconds(step, run))
        with runhive.start() as run:
            began = time.perf_counter()
            for number in range(2000):
                run.log(step=number, loss=0.5, accuracy=0.5, lr=0.01)
            call = (time.perf_counter() - began) / 2000
            idle, clock = time.process_time(), time.perf_counter()
            time.sleep(20)
            watched = (time.process_time() - idle) / (time.perf_counter() - clock)
        os.chdir("/")
    of_step = statistics.median(plain) / STEPS
    in_pairs = [after / before - 1 for before, after in zip(plain, logged, strict=True)]
    print(f"a step {1e3 * of_step:.2f} ms, a call of run.log {1e6 * call:.1f} us: {call / of_step:.2%} of a step")
    print(f"heartbeat and samples: {watched:.2%} of one processor")
    print(f"loops in pairs, logged against plain: median {statistics.median(in_pairs):+.2%}, "
          f"from {min(in_pairs):+.2%} to {max(in_pairs):+.2%} ({PAIRS} pairs of {STEPS} steps)")  # fmt: skip


if __name__ == "__main__":
    main()
