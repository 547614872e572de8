"""The words of a filter expression, each with its position."""

import re
from dataclasses import dataclass

from runhive.errors import RunhiveError
from runhive.mistakes import one_line

LONGEST = 2000
TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<operator>==|!=|<=|>=|<|>|~)
      | (?P<mark>[(),])
      | (?P<word>[^\s()<>=!~,"']+)""",
    re.VERBOSE | re.DOTALL,
)
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
KEYWORDS = ("and", "or", "not", "in")
CONSTANTS = {"true": True, "false": False, "null": None}

Value = str | float | bool | None


@dataclass(frozen=True)
class Token:
    """`kind` is text, operator, mark, word, a keyword's own name, or end; `position` counts characters from 1."""

    kind: str
    text: str
    position: int

    def value(self) -> Value:
        """What the token means as a value: text in quotes is text, a bare word may be a number or a constant."""
        if self.kind == "text":
            return re.sub(r"\\(.)", r"\1", self.text[1:-1], flags=re.DOTALL)
        if NUMBER.fullmatch(self.text):
            return float(self.text)
        return CONSTANTS.get(self.text, self.text)


def tokenize(expression: str) -> list[Token]:
    """Cut *expression* into tokens, the last of which is its end. Raises RunhiveError with the position."""
    if len(expression) > LONGEST:
        raise RunhiveError(f"filter: {len(expression)} characters, {LONGEST} at most: shorten it")
    found, position = [], 0
    while (position := _next(expression, position)) < len(expression):
        match = TOKEN.match(expression, position)
        if match is None:
            raise fault(position + 1, _unreadable(expression[position]))
        text, kind = match.group(), str(match.lastgroup)
        keyword = kind == "word" and text.lower() in KEYWORDS
        found.append(Token(text.lower() if keyword else kind, text, position + 1))
        position = match.end()
    return [*found, Token("end", "", len(expression) + 1)]


def fault(position: int, problem: str) -> RunhiveError:
    """The error of a filter expression, at *position*."""
    return RunhiveError(f"filter, character {position}: {one_line(problem)}")


def _next(expression: str, position: int) -> int:
    while position < len(expression) and expression[position].isspace():
        position += 1
    return position


def _unreadable(character: str) -> str:
    match character:
        case "=":
            return "'=' is no comparison: write =="
        case '"' | "'":
            return f"the quote {character} is not closed: close it"
    return f"{character!r} is not expected here: write != for not equal"
