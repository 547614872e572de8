"""Data as `<script>` files: `fetch()` is blocked on pages that open from a folder, a script tag is not.

A shard calls `runhive.shard(name, content)` of assets/runhive.js. Its file is named by its content, so a shard that did
not change keeps its name, and a browser that has it asks for nothing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from runhive.report.text import LONGEST, clip
from runhive.tracking.fields import SECONDS, value
from runhive.tracking.ledger.row import Row
from runhive.tracking.ledger.table import tabulate

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
    return write_shard(work, RUNS, columnar(tabulate([{**row, SECONDS: value(row, SECONDS)} for row in rows])))


def columnar(table: pd.DataFrame) -> dict[str, Any]:
    """The rows' number and their columns: each a list of values, null where missing; `empty` names those without any.

    Where it is shorter, a column is the list of its distinct values, and for each row the place of its own in it.
    """
    columns = {str(name): _column(table[name]) for name in table.columns}
    return {
        "rows": len(table),
        "columns": {name: column for name, column in columns.items() if column is not None},
        "empty": [name for name, column in columns.items() if column is None],
    }


def _column(values: pd.Series) -> Mapping[str, Sequence[object]] | Sequence[object] | None:
    present = values.notna()
    if not present.any():
        return None
    found = [_clipped(one) if there else None for one, there in zip(values.tolist(), present, strict=True)]
    places, distinct = pd.factorize(pd.Series([json.dumps(one) for one in found]))
    if 2 * len(distinct) > len(found):
        return found
    return {"of": [json.loads(one) for one in distinct], "at": places.tolist()}


def _clipped(one: object) -> object:
    return clip(one, LONGEST) if isinstance(one, str) else one
