"""The Jinja environment: everything is escaped, and everything printed passes `visible` first."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from runhive.report import numerals
from runhive.report.compact import Compact
from runhive.report.text import clip, visible

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **context: object) -> Markup:
    """Render *template* to HTML."""
    return Markup(_environment().get_template(template).render(context))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finish,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[Compact],
    )
    environment.filters.update(
        clip=clip,
        coded=_coded,
        digest=numerals.digest,
        number=_safe(numerals.number),
        p_value=numerals.p_value,  # it may hold a <
        percent=_safe(numerals.percent),
        seconds=_safe(numerals.seconds),
        size=_safe(numerals.size),
        when=numerals.when,
    )
    return environment


def _safe(show: Callable[[Any], str]) -> Callable[[Any], Markup]:
    """*show*, whose text is digits, signs and units, so that nothing in it has to be looked at again."""
    return lambda value: _markup(show(value))


def _coded(text: str) -> Markup:
    """*text*, and what stands between two backticks in it as code."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return escape(visible(text))
    return Markup("").join(Markup("<code>{}</code>").format(one) if at % 2 else one for at, one in enumerate(parts))


def _markup(text: str) -> Markup:
    """*text* as Markup, without its search for a method, which takes most of the time."""
    return str.__new__(Markup, text)


def _finish(value: object) -> object:
    """Print None as nothing and a bare float, which is a place in a drawing, to its hundredths."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, float):
        return _markup(f"{round(value, 2):g}")
    return "" if value is None else visible(str(value))
