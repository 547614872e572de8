"""Many rows column by column: a value that many rows share, as a parameter is, is there once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runhive.tracking.ledger.row import Row


class Absent:
    """Stands in a column for a row that has no such name; None is a value."""


ABSENT = Absent()
ALONE = {type(None), Absent}  # equal to nothing but themselves
NOWHERE = -1


@dataclass(frozen=True)
class Column:
    """`places` has the index in `values` of each row's value, NOWHERE for none.

    Without places, the only value is each row's, or each row has one of its own.
    """

    values: list[Any]
    places: list[int] | None = None

    def is_one(self) -> bool:
        """Say whether all rows have the only value."""
        return self.places is None and len(self.values) == 1

    def cells(self, rows: int) -> list[Any]:
        """Return each row's value or ABSENT; no two rows share a list."""
        if self.places is None:
            cells = self.values * rows if len(self.values) == 1 else list(self.values)
        else:
            values = [*self.values, ABSENT]  # where NOWHERE points
            cells = [values[place] for place in self.places]
        if any(type(value) is list for value in self.values):
            return [[*cell] if type(cell) is list else cell for cell in cells]
        return cells


Columns = Mapping[str, Column]


def columns_of(rows: Sequence[Row]) -> dict[str, Column]:
    """Return *rows* as columns; a row's names keep their order where all rows have the same."""
    shapes = dict.fromkeys(map(tuple, rows))
    if len(shapes) == 1:
        names = next(iter(shapes))
        return {
            name: _column(cells) for name, cells in zip(names, zip(*map(dict.values, rows), strict=True), strict=True)
        }
    return {
        name: _column([row.get(name, ABSENT) for row in rows])
        for name in dict.fromkeys(name for shape in shapes for name in shape)
    }


def rows_of(columns: Columns, rows: int) -> Iterator[Row]:
    """Yield what `columns_of` was given."""
    cells = {name: column.cells(rows) for name, column in columns.items()}
    is_whole = all(column.places is None or NOWHERE not in column.places for column in columns.values())
    for values in zip(*cells.values(), strict=True):
        if is_whole:
            yield dict(zip(cells, values, strict=True))
        else:
            yield {name: value for name, value in zip(cells, values, strict=True) if value is not ABSENT}


def _column(cells: Sequence[Any]) -> Column:
    keys = cells if _are_told_apart(cells) else [cell if cell is ABSENT else repr(cell) for cell in cells]
    found = dict(zip(keys, cells, strict=True))
    found.pop(ABSENT, None)
    if len(found) == len(cells):
        return Column(list(cells))
    places = {key: place for place, key in enumerate(found)}
    if len(found) == 1 and ABSENT not in keys:
        return Column(list(found.values()))
    return Column(list(found.values()), [places.get(key, NOWHERE) for key in keys])


def _are_told_apart(cells: Sequence[Any]) -> bool:
    """Say whether no two of *cells* are equal that JSON writes otherwise, as 1, 1.0 and True are, or 0.0 and -0.0."""
    kinds = set(map(type, cells)) - ALONE
    return len(kinds) <= 1 and kinds <= {str, int, bool, float} and not (float in kinds and 0.0 in cells)
