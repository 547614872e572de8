"""How the commands print: aligned columns, headings, JSON. Styled on a terminal only."""

import json
import textwrap
from collections.abc import Sequence
from typing import Any

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

GAP = "  "
PIPED_WIDTH = 120  # of running text where there is no terminal; tables are as wide as they need


def safe(value: object) -> str:
    """*value* as text on one line that can neither steer a terminal nor hide what it says."""
    return "".join(_shown(character) for character in str(value))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() and character not in "\n\r\t\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029" else "\ufffd"


def width() -> int | None:
    """Columns of the terminal; None where the output goes elsewhere."""
    console = Console(highlight=False)
    return console.width if console.is_terminal else None


def print_line(text: str = "", style: str = "") -> None:
    """Print *text*, which is made safe, in one of rich's styles on a terminal."""
    Console(highlight=False).print(Text(safe(text), style=style), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print *value* as JSON in ASCII, so that it cannot steer a terminal either."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True, default=str))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]], drop: bool = False) -> list[str]:
    """Print aligned columns under *header*, and return the names of columns that were left out.

    With *drop*, columns leave from the right until the rest fits the terminal.
    """
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = _widths([list(header), *cells])
    widths = _fitting(widths, 0) if drop else widths
    print_line(_row(header, widths), "bold")
    click.echo("".join(f"{_row(row, widths)}\n" for row in cells), nl=False)
    return list(header[len(widths) :])


def print_section(title: str, rows: Sequence[Sequence[object]], drop: bool = False) -> None:
    """Print a heading and indented columns below it without those that are empty; nothing where there are no rows.

    With *drop*, columns leave from the right until the rest fits the terminal.
    """
    if not rows:
        return
    kept = [column for column in zip(*rows, strict=True) if any(column)]
    cells = [[safe(cell) for cell in row] for row in zip(*kept, strict=True)]
    widths = _fitting(_widths(cells), len(GAP)) if drop else _widths(cells)
    print_line()
    print_line(title, "bold")
    click.echo("".join(f"{GAP}{_row(row, widths)}\n" for row in cells), nl=False)


def print_prose(title: str, lines: Sequence[tuple[str, str]]) -> None:
    """Print a heading and, for each line, a name and text that is wrapped beside it."""
    if not lines:
        return
    names = max(cell_len(safe(name)) for name, _ in lines)
    room = max(30, (width() or PIPED_WIDTH) - names - 2 * len(GAP))
    rows = [
        ("" if index else name, part)
        for name, text in lines
        for index, part in enumerate(textwrap.wrap(safe(text), room, break_on_hyphens=False) or [""])
    ]
    print_section(title, rows)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(cell_len(row[column]) for row in rows if column < len(row)) for column in range(max(map(len, rows)))]


def _fitting(widths: list[int], indent: int) -> list[int]:
    """The first of *widths* that fit the terminal side by side."""
    room = width()
    while room and len(widths) > 1 and indent + sum(widths) + len(GAP) * (len(widths) - 1) > room:
        widths = widths[:-1]
    return widths


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [set_cell_size(cell, cells_wide) for cell, cells_wide in zip(cells, widths, strict=False)]
    return GAP.join(padded).rstrip()
