"""The Jinja environment: everything is escaped, and everything printed passes `visible` first."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from runhive.report import numerals
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
    )
    environment.filters.update(
        clip=clip,
        digest=numerals.digest,
        number=numerals.number,
        p_value=numerals.p_value,
        percent=numerals.percent,
        seconds=numerals.seconds,
        size=numerals.size,
        when=numerals.when,
    )
    return environment


def _finish(value: object) -> object:
    """Print None as nothing and a bare float, which is a place in a drawing, to six digits."""
    match value:
        case None:
            return ""
        case Markup():
            return value
        case float():
            return f"{value:g}"
    return visible(str(value))
