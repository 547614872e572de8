"""Read a page without a browser: its tags, addresses, ids and visible text."""

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
UNSEEN = {"script", "style", "title", "desc"}
BLOCKS = {
    "td",
    "th",
    "tr",
    "p",
    "li",
    "dt",
    "dd",
    "div",
    "h1",
    "h2",
    "h3",
    "figcaption",
    "summary",
    "header",
    "caption",
}


@dataclass
class Page:
    """`tags` are (name, attributes) in their order; `text` is what a reader sees, `titles` what he hovers for."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    scripts: str = ""

    def all(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    def addresses(self) -> list[str]:
        return [attributes[key] for _, attributes in self.tags for key in ("href", "src") if key in attributes]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page, self.open = Page(), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.text += " " * (tag in BLOCKS)
        self.page.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self.page.text += " " * (tag in BLOCKS)
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if "script" in self.open:
            self.page.scripts += data
        elif not UNSEEN & set(self.open):
            self.page.text += data


def parse(html: str) -> Page:
    """Parse *html*; the text keeps single blanks only."""
    reader = _Reader()
    reader.feed(html)
    reader.page.text = " ".join(reader.page.text.split())
    return reader.page


@cache
def read(path: Path) -> Page:
    """The page at *path*, which no test changes."""
    return parse(path.read_text(encoding="utf-8"))


def rows(html: str) -> list[str]:
    """The visible text of each table row."""
    return [parse(f"<tr{row}").text for row in html.split("<tr")[1:]]
