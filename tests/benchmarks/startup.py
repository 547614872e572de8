"""Seconds to the first step of training and where they go; `dvc repro` with nothing to do beside trivial stages."""

import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from statistics import median

import yaml
from harness import Cost, in_turn, ratios, run, script
from page import publish, table
from repository import make_repository

DVC = [sys.executable, "-m", "dvc", "repro"]
MODES = {
    "finetune": ("train.mode=finetune", "train.batch_size=16"),
    "frozen": ("train.mode=frozen",),
}


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """Both with ants and bees and EfficientNet-Lite0."""
    source = [f"data.url={data}"] if data else []
    tables = [first_step(scratch, mode, source, rounds) for mode in MODES]
    publish("startup", "\n\n".join([*tables, idle(scratch, source, rounds)]))


def first_step(scratch: Path, mode: str, source: list[str], rounds: int) -> str:
    """Where the time before the first step goes, without a cache of decoded images and with it."""
    repository = make_repository(scratch / mode, "hymenoptera", "model.arch=efficientnet_lite0", *MODES[mode], *source)
    command = script("first_step")

    def cold() -> Cost:
        rmtree(repository / ".runhive", ignore_errors=True)
        return run(command, repository)

    found = in_turn({"cold": cold, "warm": lambda: run(command, repository)}, rounds)
    rows = []
    for name, part in parts(found["cold"]).items():
        warm = parts(found["warm"])[name]
        rows.append([name, f"{part[0]:.2f}", f"{part[1]:.1f}", f"{warm[0]:.2f}", f"{warm[1]:.1f}"])
    columns = ("CPU s, first run", "wall s", "CPU s, images decoded before", "wall s")
    return table((f"{mode}, to the first step", *columns), rows)


def parts(costs: list[Cost]) -> Mapping[str, tuple[float, float]]:
    """Median CPU and wall seconds of each part, and of all."""
    names = [mark.line.removeprefix("part ") for mark in costs[0].marks if mark.line.startswith("part ")]
    found = {}
    for index, name in enumerate(names):
        steps = []
        for one in costs:
            marks = [mark for mark in one.marks if mark.line.startswith("part ")]
            before = (marks[index - 1].cpu, marks[index - 1].wall) if index else (0.0, 0.0)
            steps.append((marks[index].cpu - before[0], marks[index].wall - before[1]))
        found[name] = (median(cpu for cpu, _ in steps), median(wall for _, wall in steps))
    ends = [next(mark for mark in one.marks if mark.line == "part first step") for one in costs]
    return found | {"**all**": (median(mark.cpu for mark in ends), median(mark.wall for mark in ends))}


def idle(scratch: Path, source: list[str], rounds: int) -> str:
    """`dvc repro` with nothing to do: the pipeline after its first run, and as many stages that copy a line."""
    changes = ("model.arch=efficientnet_lite0", "train.mode=frozen", "train.epochs=2", *source)
    pipeline = make_repository(scratch / "pipeline", "hymenoptera", *changes)
    stages = yaml.safe_load((pipeline / "dvc.yaml").read_text())["stages"]
    trivial = make_trivial(scratch / "trivial", len(stages))
    for repository in (pipeline, trivial):
        run(DVC, repository)
    found = in_turn({"trivial": lambda: run(DVC, trivial), "pipeline": lambda: run(DVC, pipeline)}, rounds)
    trivial_cost, ours = found["trivial"], found["pipeline"]
    rows = [
        [name, f"{median(one.cpu for one in costs):.2f}", f"{median(one.wall for one in costs):.2f}"]
        for name, costs in ((f"{len(stages)} trivial stages", trivial_cost), ("Runhive's pipeline", ours))
    ]
    cpu = ratios([one.cpu for one in ours], [one.cpu for one in trivial_cost])
    wall = ratios([one.wall for one in ours], [one.wall for one in trivial_cost])
    return (
        table(("`dvc repro` with nothing to do", "CPU s", "wall s"), rows)
        + f"\n\nThe pipeline takes **{cpu}** times the CPU time of trivial stages, {wall} times the wall time."
    )


def make_trivial(root: Path, n: int) -> Path:
    """A repository of *n* stages, each of which copies a line."""
    root.mkdir()
    (root / "line.txt").write_text("line\n")
    stages = {
        f"stage-{i}": {"cmd": f"cp line.txt {i}.txt", "deps": ["line.txt"], "outs": [f"{i}.txt"]} for i in range(n)
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    run(["git", "init", "-q"], root)
    run([sys.executable, "-m", "dvc", "init", "-q"], root)
    return root
