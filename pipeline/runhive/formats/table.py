"""A CSV file whose rows are instances of one dataclass; its header is its schema."""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, TypeVar

from runhive.errors import RunhiveError
from runhive.files import read_whole, write_atomic

Row = TypeVar("Row")


def write_rows(path: Path, row_type: type, rows: Iterable[Any]) -> None:
    """Write *rows*, instances of the dataclass *row_type*, in the order given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(row_type)])
    writer.writerows(astuple(row) for row in rows)
    write_atomic(path, text.getvalue().encode())


def read_rows(path: Path, row_type: type[Row]) -> list[Row]:
    """Read *path* as *row_type*, whose fields are str, int or float.

    Raises RunhiveError when the file is missing or damaged or its columns are others.
    """
    try:
        return parse_rows(read_whole(path), row_type, str(path))
    except FileNotFoundError:
        raise RunhiveError(f"{path} is missing: run `dvc repro`") from None


def parse_rows(content: bytes, row_type: type[Row], where: str) -> list[Row]:
    """Parse the bytes of such a file; *where* names them in an error."""
    columns = fields(row_type)  # type: ignore[arg-type]  # a dataclass, which no bound can say
    try:
        text = content.decode()
        header, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    except (UnicodeDecodeError, csv.Error):
        raise _damaged(where) from None
    if header != [field.name for field in columns]:
        raise RunhiveError(f"{where} has the columns {', '.join(header)}: run `dvc repro` to write it again")
    if not text.endswith("\n"):
        raise _damaged(where)
    try:
        return [row_type(*(field.type(cell) for field, cell in zip(columns, row, strict=True))) for row in rows]  # type: ignore[operator]  # str, int or float
    except ValueError:  # a cell that is no number, a row that is too short or too long
        raise _damaged(where) from None


def _damaged(where: str) -> RunhiveError:
    return RunhiveError(f"{where} is damaged: run `dvc repro` to write it again")
