"""What logging costs inside training: steps that log and steps that do not, in turn, in the same run.

`python tests/benchmarks/logging_overhead.py [STEPS]` prints a Markdown table: the share of a training step that one
`run.log` call of three numbers takes, one of them a tensor, and the share of a processor that heartbeat and samples
take. The step is that of a small network on one core, about 20 ms; a real one takes longer. Processor time is the
figure: on a busy machine the clock also counts what other programs did between two steps.
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
    """Processor seconds of the step, of logging what came of it, and seconds of the clock of both."""
    clock, began = time.perf_counter(), time.thread_time()
    loss = step()
    stepped = time.thread_time()
    if run:
        run.log(step=number, loss=loss.detach(), accuracy=0.5, lr=0.01)
    return stepped - began, time.thread_time() - stepped, time.perf_counter() - clock


def main():
    torch.set_num_threads(1)
    step = make_step()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        subprocess.run(["git", "init", "-q"], check=True)
        for _ in range(20):  # warm
            timed(step)
        with runhive.start() as run:
            plain, logged = [], []
            for number in range(2 * STEPS):
                if number % 4 in (0, 3):  # which of two comes first changes
                    logged.append(timed(step, run, number))
                else:
                    plain.append(timed(step))
            began = time.perf_counter()
            for number in range(2000):
                run.log(step=number, loss=0.5, accuracy=0.5, lr=0.01)
            call = (time.perf_counter() - began) / 2000
            idle, clock = time.process_time(), time.perf_counter()
            time.sleep(30)
            watched = (time.process_time() - idle) / (time.perf_counter() - clock)
        os.chdir("/")
    bare, total = (statistics.median(row[2] for row in rows) for rows in (plain, logged))
    spent, logging = (statistics.mean(row[part] for row in logged) for part in (0, 1))
    print("| logging | costs | which is |", "|---|---|---|", sep="\n")
    for row in (
        (
            "`run.log` between two steps",
            f"{1e3 * logging:.2f} ms",
            f"{logging / spent:.2%} of a step of {1e3 * spent:.0f} ms",
        ),
        ("heartbeat and samples", "", f"{watched:.2%} of one processor"),
        ("both", "", f"**{logging / spent + watched:.2%}** of training"),
    ):
        print(f"| {' | '.join(row)} |")
    clock = f"a step {1e3 * bare:.2f} ms, with run.log {1e3 * total:.2f} ms: {total / bare - 1:+.2%}"
    print(f"by the clock, medians: {clock}; a call of run.log by itself {1e6 * call:.1f} us", file=sys.stderr)


if __name__ == "__main__":
    main()
