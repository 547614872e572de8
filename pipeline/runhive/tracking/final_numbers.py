"""The bytes of results/metrics.json: the numbers of a run as Git tracks them, with no ids and no times."""

import json
from collections.abc import Iterable, Mapping


def final_numbers(metrics: Iterable[Mapping[str, float]]) -> bytes:
    """Group *metrics*, keyed `split.name` and `export.name`, by what is before the dot."""
    numbers: dict[str, dict[str, float]] = {}
    for told in metrics:
        for name, value in told.items():
            group, _, metric = name.partition(".")
            numbers.setdefault(group, {})[metric] = value
    return (json.dumps(numbers, indent=2, sort_keys=True) + "\n").encode()
