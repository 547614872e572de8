"""The Jinja environment: everything printed passes `visible` and is escaped."""

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

from runhive.report import numerals
from runhive.report.compact import Compact
from runhive.report.text import clip, visible

TEMPLATES = Path(__file__).with_name("templates")
AT_HAND = 10_000  # texts, most of which the next page has too
NUMBERS: dict[str, Callable[[Any], str]] = {  # what they give is digits, signs and units: it needs no escaping
    "number": numerals.number,
    "percent": numerals.percent,
    "seconds": numerals.seconds,
    "size": numerals.size,
}


def render(template: str, **context: object) -> Markup:
    """Render *template* to HTML."""
    return Markup(_environment().get_template(template).render(context))


class _Direct(CodeGenerator):
    """Code that prints a value by `_finish` alone, which escapes it, and takes attributes as Python does.

    A page prints about 800 values and looks up 1,300 attributes. Each template gives its text in one piece: by default
    every piece passes through the generators of all templates that include it.
    """

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        is_template = frame.rootlevel and frame.buffer is None
        if is_template:
            self.buffer(frame)
        super().blockvisit(nodes, frame)
        if is_template:
            self.writeline(f"yield concat({frame.buffer})")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        is_number = isinstance(node, nodes.Filter) and node.name in NUMBERS
        self.write("(" if is_number else f"{finalize.src}")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(")")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        self.visit(node.node, frame)
        self.write(f".{node.attr}")


class _Environment(Environment):
    code_generator_class = _Direct


@cache
def _environment() -> Environment:
    environment = _Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finish,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[Compact],
    )
    environment.filters.update(
        NUMBERS, clip=clip, coded=_coded, digest=numerals.digest, p_value=numerals.p_value, when=numerals.when
    )
    return environment


def _coded(text: str) -> Markup:
    """*text*, and what stands between two backticks in it as code."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return escape(visible(text))
    return Markup("").join(Markup("<code>{}</code>").format(one) if at % 2 else one for at, one in enumerate(parts))


def _finish(value: object) -> str:
    """*value* as HTML: None as nothing, and a bare float, which is a place in a drawing, to its hundredths."""
    if type(value) is str:
        return _escaped(value)
    if isinstance(value, Markup):
        return value
    if isinstance(value, float):
        return f"{round(value, 2):g}"
    return "" if value is None else _escaped(str(value))


@lru_cache(AT_HAND)
def _escaped(text: str) -> Markup:
    return escape(visible(text))
