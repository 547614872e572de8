"""Strings of strangers in GitHub's Markdown: code alone keeps mentions, links, pictures and HTML from being made."""

import html
import re
from collections.abc import Sequence

from runhive.mistakes import one_line

PLAIN = re.compile(r"[A-Za-z0-9 ,.;:%()+='/\N{MINUS SIGN}\N{EN DASH}\N{NARROW NO-BREAK SPACE}<>-]*")
LINKED = re.compile(r"www\.|://|\bGH-[0-9]", re.IGNORECASE)  # what GitHub makes a link of by itself
MOST = 120  # characters of one string
MOST_PRINTED = 200  # of one line that a run printed
BAR = "\N{BROKEN BAR}"  # a bar ends the cell of a table, also within code


def code(text: object, most: int = MOST) -> str:
    """*text* on one line as code, shortened; a bar is shown as a broken one."""
    line = one_line(str(text)).replace("|", BAR)
    line = line if len(line) <= most else f"{line[: most - 1]}…"
    if not line.strip():
        return "(empty)"
    longest = max((len(ticks) for ticks in re.findall("`+", line)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if longest or line != line.strip() else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def prose(text: str, most: int = 400) -> str:
    """A sentence of ours that may hold a stranger's words: as it is where it is plain, as code where it is not."""
    line = one_line_of_prose(text)
    if PLAIN.fullmatch(line) and not LINKED.search(line) and len(line) <= most:
        return html.escape(line, quote=False)
    return code(line, most)


def one_line_of_prose(text: str) -> str:
    """*text* with its narrow spaces kept, which `one_line` would spell out."""
    return "\N{NARROW NO-BREAK SPACE}".join(map(one_line, text.split("\N{NARROW NO-BREAK SPACE}")))


def link(words: str, address: str) -> str:
    """A link of ours: *words* and *address* are checked by the caller."""
    return f"[{words}]({address})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numeric: bool = True) -> list[str]:
    """The lines of a table; *numeric* columns, all but the first, stand to the right. Nothing without rows."""
    if not rows:
        return []
    rule = ["---", *["---:" if numeric else "---"] * (len(header) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)] + [""]


def listing(lines: Sequence[str]) -> list[str]:
    """Lines of a stranger as a block of code, each shortened; nothing without any."""
    told = [shown if len(shown) <= MOST_PRINTED else f"{shown[: MOST_PRINTED - 1]}…" for shown in map(one_line, lines)]
    longest = max((len(ticks) for line in told for ticks in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *told, fence, ""] if told else []


def folded(title: str, lines: Sequence[str]) -> list[str]:
    """*lines* behind a triangle; nothing without any."""
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "</details>", ""] if lines else []
