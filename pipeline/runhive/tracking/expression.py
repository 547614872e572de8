"""Filter expressions over runs: `val.accuracy > 0.9 and tag == best`. Parsed, never evaluated as code.

The grammar is specified in docs/reference/filters.md; an expression is a tree of the classes here. The site's pages
hold the same in report/assets/filter.js: tests/tracking/filters.json is the proof for both.
"""

import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt

from runhive.tracking.tokens import CONSTANTS, NUMBER, Token, Value, fault, tokenize

DEEPEST = 50
ORDERINGS: dict[str, Callable[[typing.Any, typing.Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}

Lookup = Callable[[str], Sequence[object]]  # the values that a name has in one run: several tags, or none


@dataclass(frozen=True)
class Test:
    """One name against values: `operator` is one of == < <= > >= ~ in."""

    __test__ = False  # for pytest: not a test case

    name: str
    operator: str
    values: tuple[Value, ...]
    position: int

    def holds(self, lookup: Lookup) -> bool:
        """Say whether one of the values of the name passes; a name without a value equals null alone."""
        own = lookup(self.name) or (None,)
        return any(_passes(self.operator, one, value) for one in own for value in self.values)


@dataclass(frozen=True)
class Not:
    """The contrary."""

    part: "Expression"

    def holds(self, lookup: Lookup) -> bool:
        """Say whether the part does not hold."""
        return not self.part.holds(lookup)


@dataclass(frozen=True)
class All:
    """Parts joined by `and`."""

    parts: tuple["Expression", ...]

    def holds(self, lookup: Lookup) -> bool:
        """Say whether each part holds."""
        return all(part.holds(lookup) for part in self.parts)


@dataclass(frozen=True)
class Any:
    """Parts joined by `or`."""

    parts: tuple["Expression", ...]

    def holds(self, lookup: Lookup) -> bool:
        """Say whether one part holds."""
        return any(part.holds(lookup) for part in self.parts)


Expression = Test | Not | All | Any


def parse(text: str) -> Expression:
    """Parse a filter expression. Raises RunhiveError that names the position of the mistake."""
    return _Parser(tokenize(text)).whole()


def tests_of(expression: Expression) -> Iterator[Test]:
    """Yield the tests of *expression* in their order."""
    match expression:
        case Test():
            yield expression
        case Not(part):
            yield from tests_of(part)
        case All(parts) | Any(parts):
            for part in parts:
                yield from tests_of(part)


class _Parser:
    """Recursive descent; `index` is the token that is next."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens, self.index, self.depth = tokens, 0, 0

    def whole(self) -> Expression:
        expression = self.either()
        if self.next.kind != "end":
            raise self.unexpected("`and`, `or` or the end")
        return expression

    @property
    def next(self) -> Token:
        return self.tokens[self.index]

    def take(self, kind: str, text: str = "") -> Token | None:
        token = self.next
        if token.kind != kind or (text and token.text != text):
            return None
        self.index += 1
        return token

    def unexpected(self, wanted: str) -> Exception:
        found = f"found {self.next.text[:40]}" if self.next.kind != "end" else "it ends"
        return fault(self.next.position, f"{wanted} expected, but {found}")

    def either(self) -> Expression:
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def both(self) -> Expression:
        parts = [self.one()]
        while self.take("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def one(self) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            raise fault(self.next.position, f"nested more than {DEEPEST} deep: shorten it")
        found = self.nested()
        self.depth -= 1
        return found

    def nested(self) -> Expression:
        if self.take("not"):
            return Not(self.one())
        if self.take("mark", "("):
            inner = self.either()
            if not self.take("mark", ")"):
                raise self.unexpected("`)`")
            return inner
        return self.test()

    def test(self) -> Expression:
        position = self.next.position
        token = self.take("word") or self.take("text")
        if token is None:
            raise self.unexpected("the name of a field, metric or parameter")
        if token.kind == "word" and (NUMBER.fullmatch(token.text) or token.text in CONSTANTS):
            raise fault(position, f"the name comes first and the value after it: {token.text} is a value")
        name = str(token.value())
        if operator := self.take("operator"):
            equal = Test(name, operator.text.replace("!=", "=="), (self.value(),), position)
            return Not(equal) if operator.text == "!=" else equal
        negated = self.take("not")
        if not self.take("in"):
            raise self.unexpected("`in`" if negated else "a comparison (== != < <= > >= ~ in)")
        among = Test(name, "in", self.values(), position)
        return Not(among) if negated else among

    def value(self) -> Value:
        token = self.take("word") or self.take("text")
        if token is None:
            raise self.unexpected("a value")
        return token.value()

    def values(self) -> tuple[Value, ...]:
        if not self.take("mark", "("):
            raise self.unexpected("`(` and a list of values")
        found = [self.value()]
        while self.take("mark", ","):
            found.append(self.value())
        if not self.take("mark", ")"):
            raise self.unexpected("`,` or `)`")
        return tuple(found)


def _passes(operator: str, own: object, value: Value) -> bool:
    """Compare a run's value with the expression's: numbers with numbers, text with text, no conversion."""
    if operator == "~":
        return own is not None and as_text(value).lower() in as_text(own).lower()
    if not _same_kind(own, value):
        return False
    return own == value if operator in ("==", "in") else own is not None and ORDERINGS[operator](own, value)


def _same_kind(own: object, value: object) -> bool:
    if isinstance(own, bool) or isinstance(value, bool):
        return isinstance(own, bool) and isinstance(value, bool)
    numbers = isinstance(own, int | float) and isinstance(value, int | float)
    return numbers or (isinstance(own, str) and isinstance(value, str)) or (own is None and value is None)


def as_text(value: object) -> str:
    """A value as an expression would write it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return f"[{', '.join(map(as_text, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {as_text(one)}' for key, one in value.items())}}}"
    return str(value)
