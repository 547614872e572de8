"""Rows of predictions as CSV, JSON lines or Parquet: in parts that are whole, and the parts as one file."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from runhive.errors import RunhiveError
from runhive.scoring.rows import Cell, Row

CHUNK = 2**20


@dataclass(frozen=True)
class Format:
    """`part` turns rows into the bytes of a part; `join` writes parts, in their order, as one file."""

    part: Callable[[Mapping[str, type], Sequence[Row]], bytes]
    join: Callable[[Mapping[str, type], Sequence[Path], IO[bytes]], None]


def format_of(path: Path) -> Format:
    """The format that the ending of *path* names. Raises RunhiveError for another ending."""
    if path.suffix not in FORMATS:
        raise RunhiveError(f"--out {path.name}: write a file that ends in {', '.join(FORMATS)}")
    if path.suffix == ".parquet":
        import pyarrow.parquet  # noqa: F401  # where it is not installed, now and not after the work
    return FORMATS[path.suffix]


def csv_text(columns: Mapping[str, type], rows: Sequence[Row]) -> str:
    """*rows* as CSV without a header; probabilities with six digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_csv_cell(row[name]) for name in columns] for row in rows)
    return text.getvalue()


def csv_header(columns: Mapping[str, type]) -> str:
    return ",".join(columns) + "\n"


def _csv_cell(cell: Cell) -> str:
    return f"{cell:.6f}" if isinstance(cell, float) else cell or ""


def _csv_part(columns: Mapping[str, type], rows: Sequence[Row]) -> bytes:
    return csv_text(columns, rows).encode()


def _csv_join(columns: Mapping[str, type], parts: Sequence[Path], file: IO[bytes]) -> None:
    file.write(csv_header(columns).encode())
    _append(parts, file)


def _json_part(columns: Mapping[str, type], rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _json_join(columns: Mapping[str, type], parts: Sequence[Path], file: IO[bytes]) -> None:
    _append(parts, file)


def _append(parts: Sequence[Path], file: IO[bytes]) -> None:
    for path in parts:
        with path.open("rb") as part:
            while chunk := part.read(CHUNK):
                file.write(chunk)


def _parquet_schema(columns: Mapping[str, type]) -> Any:
    import pyarrow as pa

    return pa.schema([(name, pa.float32() if kind is float else pa.string()) for name, kind in columns.items()])


def _parquet_part(columns: Mapping[str, type], rows: Sequence[Row]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    content = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(rows), _parquet_schema(columns)), content)
    return content.getvalue()


def _parquet_join(columns: Mapping[str, type], parts: Sequence[Path], file: IO[bytes]) -> None:
    """Each part becomes a row group, so that one of them at a time is in memory."""
    from pyarrow import parquet

    with parquet.ParquetWriter(file, _parquet_schema(columns)) as writer:
        for path in parts:
            writer.write_table(parquet.read_table(path))


FORMATS = {
    ".csv": Format(_csv_part, _csv_join),
    ".jsonl": Format(_json_part, _json_join),
    ".parquet": Format(_parquet_part, _parquet_join),
}
