"""Data as `<script>` files: `fetch()` is blocked on pages that open from a folder, a script tag is not.

A shard calls `runhive.shard(name, content)` of assets/runhive.js. Its file is named by its content, so a shard that did
not change keeps its name, and a browser that has it asks for nothing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runhive.report.text import LONGEST, clip
from runhive.tracking.fields import SECONDS, value
from runhive.tracking.ledger.row import Row

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "assets/shards"
RUNS = "runs"
RUNS_A_SHARD = 1000
ESCAPES = str.maketrans({character: f"\\x{ord(character):02x}" for character in "\\'<>&\x7f"})


def write_shard(work: Path, name: str, content: object) -> str:
    """Write *content* as a shard of *name* into the site at *work* and return its path in the site."""
    script = shard_script(name, content)
    path = f"{FOLDER}/{name}-{hashlib.sha256(script).hexdigest()[:16]}.js"
    (work / FOLDER).mkdir(parents=True, exist_ok=True)
    (work / path).write_bytes(script)
    return path


def shard_script(name: str, content: object) -> bytes:
    """The bytes of a shard's file."""
    return f"runhive.shard('{name}','{_quoted(content)}');\n".encode()


def _quoted(content: object) -> str:
    """*content* as JSON within a JavaScript string: ASCII, and safe in HTML too. Floats keep every digit.

    As JSON, not as an object literal, in which a key named `__proto__` is no key.
    """
    return json.dumps(content, separators=(",", ":"), allow_nan=False).translate(ESCAPES)


def blocks(newest_first: Sequence[Row]) -> list[Sequence[Row]]:
    """The rows of each shard, the oldest first: a new run changes the last shard only."""
    oldest_first = newest_first[::-1]
    return [oldest_first[start : start + RUNS_A_SHARD] for start in range(0, len(oldest_first), RUNS_A_SHARD)]


def write_run_shard(rows: Sequence[Row], work: Path) -> str:
    """Write *rows* as a shard and return its path. To their columns comes `seconds`, from start to end."""
    from runhive.tracking.ledger.table import tabulate  # pandas takes a second to import, and most builds write none

    return write_shard(work, RUNS, columnar(tabulate([{**row, SECONDS: value(row, SECONDS)} for row in rows])))


def columnar(table: "pd.DataFrame") -> dict[str, Any]:
    """The rows' number and their columns, with None for what is missing; see `as_columns`."""
    present = table.notna()
    return as_columns(
        len(table),
        {
            str(name): [one if there else None for one, there in zip(table[name].tolist(), present[name], strict=True)]
            for name in table.columns
        },
    )


def as_columns(rows: int, columns: Mapping[str, Sequence[object]]) -> dict[str, Any]:
    """The number of *rows* and their columns: each a list of values, or None; `empty` names those without any.

    Where it is shorter, a column is the list of its distinct values, and for each row the place of its own in it.
    """
    found = {name: _column(values) for name, values in columns.items()}
    return {
        "rows": rows,
        "columns": {name: column for name, column in found.items() if column is not None},
        "empty": [name for name, column in found.items() if column is None],
    }


def _column(values: Sequence[object]) -> Mapping[str, Sequence[object]] | Sequence[object] | None:
    if all(one is None for one in values):
        return None
    clipped = [_clipped(one) for one in values]
    distinct: dict[str, int] = {}
    places = [distinct.setdefault(json.dumps(one), len(distinct)) for one in clipped]
    if 2 * len(distinct) > len(clipped):
        return clipped
    return {"of": [json.loads(one) for one in distinct], "at": places}


def _clipped(one: object) -> object:
    return clip(one, LONGEST) if isinstance(one, str) else one
