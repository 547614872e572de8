"""What a name stands for in a run: the names of filter expressions, of columns and of sort keys.

`state`, `tag` and the others of FIELDS come first; then a metric such as `val.accuracy`, then a parameter such as
`train.lr`. `metrics.` and `params.` before a name say which is meant.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from typing import Any

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.expression import Expression, parse, tests_of
from runhive.tracking.run import Run
from runhive.tracking.tokens import fault

FIELDS: Mapping[str, Callable[[Run], object]] = {
    "run": lambda run: run.run_id,
    "name": lambda run: run.name,
    "experiment": lambda run: run.experiment,
    "state": lambda run: run.state,
    "tag": lambda run: run.tags,
    "note": lambda run: run.notes,
    "attempt": lambda run: run.attempt,
    "parent": lambda run: run.parent,
    "archived": lambda run: run.archived,
    "reproduced": lambda run: run.reproduction.get("verdict"),
    "cause": lambda run: run.cause,
    "started": lambda run: run.started_at,
    "ended": lambda run: run.ended_at,
    "seconds": lambda run: seconds_of(run),
    "commit": lambda run: run.code.get("commit"),
    "branch": lambda run: run.code.get("branch"),
    "dirty": lambda run: run.code.get("dirty"),
    "host": lambda run: run.environment.get("host"),
}
METRICS, PARAMS = "metrics.", "params."


MISSING = object()


def values(run: Run, name: str) -> Sequence[object]:
    """The values of *name* in *run*: none where it has none, several only for `tag`."""
    found = FIELDS[name](run) if name in FIELDS else _open_value(run, name)
    return found if isinstance(found, tuple) else [] if found in (None, "", MISSING) else [found]


def _open_value(run: Run, name: str) -> object:
    """The metric or parameter of that name, which may be null; MISSING where *run* has neither."""
    metric = name.removeprefix(METRICS)
    if not name.startswith(PARAMS) and metric in run.metrics:
        return run.metrics[metric]
    return MISSING if name.startswith(METRICS) else _at(run.params, name.removeprefix(PARAMS))


def _at(tree: Mapping[str, Any], key: str) -> object:
    """The value at the dotted *key* of nested mappings, whose own keys may hold dots."""
    if key in tree and not isinstance(tree[key], Mapping):
        return tree[key]
    head, _, rest = key.partition(".")
    inner = tree.get(head)
    return _at(inner, rest) if rest and isinstance(inner, Mapping) else MISSING


def value(run: Run, name: str) -> object:
    """The one value of *name* in *run*, tags joined; None where it has none."""
    found = values(run, name)
    return ", ".join(map(str, found)) if len(found) > 1 else found[0] if found else None


def select(runs: Iterable[Run], filter_text: str) -> list[Run]:
    """The *runs* for which the filter expression holds. Raises RunhiveError for a mistake in it or an unknown name."""
    expression = parse(filter_text)
    known = list(runs)
    check_names(expression, known)
    return [run for run in known if expression.holds(partial(values, run))]


def sort(runs: Sequence[Run], name: str) -> list[Run]:
    """The *runs* by the value of *name*, the lowest first, with a `-` before it the highest.

    Those without a value come last.
    """
    key = name.removeprefix("-")
    check_name(key, runs)
    found = [(one, run) for run in runs if (one := value(run, key)) is not None]
    numeric = all(isinstance(one, int | float) for one, _ in found)

    def order(pair: tuple[object, Run]) -> Any:
        return pair[0] if numeric else str(pair[0])

    found.sort(key=order, reverse=name.startswith("-"))
    return [run for _, run in found] + [run for run in runs if value(run, key) is None]


def check_names(expression: Expression, runs: Sequence[Run]) -> None:
    """Raise RunhiveError, with the position, for a name of the expression that no run has."""
    for test in tests_of(expression):
        if problem := _unknown(test.name, runs):
            raise fault(test.position, problem)


def check_name(name: str, runs: Sequence[Run]) -> None:
    """Raise RunhiveError for a name that no run has."""
    if problem := _unknown(name, runs):
        raise RunhiveError(one_line(problem))


def _unknown(name: str, runs: Sequence[Run]) -> str | None:
    if name in FIELDS or not runs or any(_open_value(run, name) is not MISSING for run in runs):
        return None
    known = {*FIELDS, *(key for run in runs for key in (*run.metrics, *params_of(run)))}
    key = name.removeprefix(METRICS).removeprefix(PARAMS)
    near = get_close_matches(key, sorted(known), 1, 0.6) or [one for one in sorted(known) if one.endswith(f".{key}")]
    return f"no run has {name}: " + (f"did you mean {near[0]}?" if near else "see `runhive runs show RUN` for names")


def params_of(run: Run) -> dict[str, Any]:
    """The parameters of *run* as flat names."""
    return flatten(run.params)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys as dotted ones."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat


def seconds_of(run: Run) -> float | None:
    """The seconds from the start to the end of *run*; None while it runs, and for times that are none."""
    if run.ended_at is None:
        return None
    try:
        return (datetime.fromisoformat(run.ended_at) - datetime.fromisoformat(run.started_at)).total_seconds()
    except (ValueError, TypeError):  # a hostile clone's
        return None
