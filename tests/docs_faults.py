"""The page of the faults, from the marks of the tests that inject them, which are read and not run."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
AREAS = ("fetch", "params", "train", "checkpoint", "export", "record", "ledger", "distributed")
GAP = "…"  # stands for what differs from time to time
LEFT = {  # what no test injects, and why
    "a disk acknowledges a flush that it did not make": "takes a disk that lies. What it leaves is what the tests of "
    "damaged checkpoints, caches and ledgers make by hand",
    "a GPU is lost, or has an error in its memory": "takes a GPU",
    "NCCL hangs": "takes several GPUs. Its time-out is `train.distributed.timeout_s`, as for gloo, which is tested",
    "Slurm or Kubernetes takes the machine away": "neither is at hand. Both send SIGTERM first, which is tested",
}


@dataclass(frozen=True)
class Fault:
    """One mark: what is injected, what is wanted then, what a person sees, and the test that proves it."""

    area: str
    fault: str
    wanted: str
    said: str
    test: str
    file: Path


def faults() -> list[Fault]:
    """The marks of all tests, by area, in the order of the files."""
    found = [one for path in sorted((ROOT / "tests").rglob("test_*.py")) for one in _of_file(path)]
    return sorted(found, key=lambda one: AREAS.index(one.area))


def _of_file(path: Path) -> Iterator[Fault]:
    text = path.read_text()
    if "mark.fault(" not in text:
        return
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            for mark in filter(is_mark, node.decorator_list):
                area, fault = map(ast.literal_eval, mark.args)
                words = {one.arg: ast.literal_eval(one.value) for one in mark.keywords}
                yield Fault(area, fault, words["wanted"], words.get("said", ""), node.name, path.relative_to(ROOT))


def is_mark(node: ast.AST) -> bool:
    """Is it a call of `pytest.mark.fault`?"""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault"


def clauses(said: str) -> list[str]:
    """What a message always says, between its gaps and its marks of punctuation."""
    return [clause.strip() for clause in re.split(f"[{GAP}:;,()`]", said) if len(clause.strip()) > 2]


def render_faults(generated: str) -> str:
    """The page; *generated* is the remark that says who wrote it."""
    found = faults()
    lines = [
        "---",
        "title: Faults",
        "description: What Runhive does when something breaks, what it says, and the test that breaks it.",
        "---",
        generated,
        "",
        "# Faults",
        "",
        f"Each of the {len(found)} rows is a test that injects the fault. `{GAP}` in a message stands for what varies. "
        "[Reliability](../explanation/reliability.md) says how it is done, [Resume](../how-to/resume.md) what to do.",
        "",
    ]
    for area in AREAS:
        lines += [f"## {area}", "", "| Fault | What happens | Message | Test |", "|---|---|---|---|"]
        lines += [_row(one) for one in found if one.area == area]
        lines.append("")
    lines += ["## Not injected", "", "| Fault | Why not |", "|---|---|"]
    lines += [f"| {fault} | {why} |" for fault, why in LEFT.items()]
    return "\n".join([*lines, ""])


def _row(one: Fault) -> str:
    said = f"`{one.said.replace('`', '')}`" if one.said else ""
    cells = one.fault, one.wanted, said, f"`{one.file.relative_to('tests').as_posix()}`: {_claim(one.test)}"
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _claim(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")
