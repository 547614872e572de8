"""Runs on a terminal: a list, one run, two side by side."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from runhive.errors import RunhiveError
from runhive.metrics import mcnemar_p
from runhive.tracking.comparison import changed_samples, kept_predictions
from runhive.tracking.ledger import Ledger, open_ledger
from runhive.tracking.liveness import close_lost
from runhive.tracking.repository import main_root
from runhive.tracking.run import Run

STAGES = ("fetch", "train", "evaluate", "export")


def print_runs() -> None:
    """Print one row a run, newest first."""
    ledger = open_ledger()
    close_lost(ledger, main_root())
    runs = ledger.runs()
    if not runs:
        raise RunhiveError("the ledger holds no run yet: start one with `dvc repro`")
    table = Table("run", "state", "experiment", "arch", "mode", "accuracy", "commit", box=None, pad_edge=False)
    for run in runs:
        commit = str(run.code.get("commit") or "")[:8] + ("+" if run.code.get("dirty") else "")
        cells = [run.run_id, run.state, run.experiment, _param(run, "model", "arch"), _param(run, "train", "mode")]
        table.add_row(*map(_safe, [*cells, accuracy(run), commit]))
    _print(table)


def print_run(run_id: str) -> None:
    """Print what the ledger knows of one run."""
    run = open_ledger().run(run_id)
    table = Table(show_header=False, box=None, pad_edge=False)
    known: dict[str, Any] = {
        "run": run.run_id,
        "experiment": run.experiment,
        "state": run.state,
        "cause": run.cause,
        "attempt": run.attempt,
        "started": run.started_at,
        "ended": run.ended_at,
        "accuracy": accuracy(run),
        "baseline": _baseline(run),
        "commit": run.code.get("commit"),
        "uncommitted changes": "yes" if run.code.get("dirty") else "no",
        "data": run.data.get("digest"),
        "inputs": run.input_digest,
        **{f"{stage} seconds": f"{seconds:.1f}" for stage, seconds in run.phases.items()},
    }
    told = flatten({"params": run.params, "environment": run.environment})
    for name, value in [*known.items(), *run.metrics.items(), *told.items()]:
        if value not in (None, ""):
            table.add_row(_safe(name), _safe(str(value)))
    _print(table)


def print_comparison(run_ids: Sequence[str]) -> None:
    """Print two runs side by side: those named, or the last two completed ones."""
    ledger = open_ledger()
    runs = [ledger.run(run_id) for run_id in run_ids] or [run for run in ledger.runs() if run.state == "completed"][
        1::-1
    ]
    if len(runs) != 2:
        raise RunhiveError(f"comparing takes two runs, got {len(runs)}: name two of `runhive runs list`")
    table = Table("", *(run.run_id for run in runs), box=None, pad_edge=False)
    table.add_row("changed", *(_safe(", ".join(_changed(run, runs)) or "nothing") for run in runs))
    for label, show in ROWS.items():
        table.add_row(label, *(_safe(show(run)) for run in runs))
    table.add_row("images won / lost", "", _won_and_lost(ledger, *runs))
    for stage in STAGES:
        table.add_row(
            f"{stage}, seconds", *(f"{run.phases[stage]:.1f}" if stage in run.phases else "–" for run in runs)
        )
    _print(table)


def accuracy(run: Run) -> str:
    """Accuracy with its 95 % interval, and whether the epoch was selected on the same images."""
    found = run.evaluation
    try:
        numbers = f"{found['accuracy']:.4f} [{found['accuracy_low']:.4f}, {found['accuracy_high']:.4f}]"
    except (KeyError, TypeError, ValueError):  # another kind of run, or one from a hostile clone
        return "–"
    return numbers + (", selected on these images" if found.get("selected_on_these_images") else "")


def _model_size(run: Run) -> str:
    size = run.metrics.get("export.onnx_bytes")
    return "–" if size is None else f"{size / 1e6:.1f} MB"


def _parity(run: Run) -> str:
    difference = run.metrics.get("export.relative_difference")
    return "–" if difference is None else f"{difference:.1e} of the spread"


ROWS: Mapping[str, Callable[[Run], str]] = {
    "accuracy, 95 % interval": accuracy,
    "model size": _model_size,
    "ONNX parity": _parity,
}


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys as dotted ones."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat


def _changed(run: Run, runs: Sequence[Run]) -> list[str]:
    """The parameters of *run* that are not the same in all *runs*."""
    all_params = [flatten(one.params) for one in runs]
    own = flatten(run.params)
    return [f"{key}={value}" for key, value in own.items() if any(params.get(key) != value for params in all_params)]


def _won_and_lost(ledger: Ledger, before: Run, after: Run) -> str:
    digests = [run.evaluation.get("evaluation_set", {}).get("digest") for run in (before, after)]
    first, second = kept_predictions(ledger, before), kept_predictions(ledger, after)
    if first is None or second is None:
        return "not comparable: the ledger lacks predictions"
    if digests[0] != digests[1]:
        return "not comparable: scored on other images"
    try:
        won, lost = map(len, changed_samples(first, second))
    except ValueError as error:
        return f"not comparable: {error}"
    return f"{won} / {lost}, p = {mcnemar_p(won, lost):.2g} (McNemar)"


def _baseline(run: Run) -> str:
    found = run.comparison
    if found.get("comparable") is not True:
        return str(found.get("reason", ""))
    counts = f"won {found.get('won')}, lost {found.get('lost')}, p = {found.get('p')}"
    return f"{found.get('baseline')} ({found.get('reason')}): {counts}"


def _param(run: Run, section: str, key: str) -> str:
    return str(flatten(run.params).get(f"{section}.{key}", ""))


def _safe(text: str) -> Text:
    """Text of a run can steer neither the terminal nor rich: no control characters, no markup, no emoji codes."""
    return Text("".join(character if character.isprintable() else "\ufffd" for character in text))


def _print(table: Table) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=10_000)
    console.print(table, no_wrap=not console.is_terminal)
