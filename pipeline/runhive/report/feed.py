"""The flagged changes as an Atom feed (RFC 4287), for those who want to be told."""

from collections.abc import Sequence
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, tostring

from runhive.report.numerals import epoch_of, p_value
from runhive.report.text import clip, visible
from runhive.report.trends import Flag

ATOM = "http://www.w3.org/2005/Atom"
NEVER = "1970-01-01T00:00:00+00:00"


def atom(flags: Sequence[Flag]) -> bytes:
    """The feed of *flags*, the newest first. Its links are relative to the feed's own address."""
    feed = Element("feed", xmlns=ATOM)
    _add(feed, "id", _id("changes"))
    _add(feed, "title", "Flagged changes")
    _add(feed, "updated", _time(flags[0].started_at) if flags else NEVER)
    SubElement(_add(feed, "author"), "name").text = "Runhive"
    SubElement(feed, "link", rel="alternate", type="text/html", href="index.html")
    for flag in flags:
        entry = _add(feed, "entry")
        name = visible(f"{clip(flag.metric, 80)} of {clip(flag.experiment, 80)}")
        _add(entry, "id", _id(f"{flag.experiment}\n{flag.metric}\n{flag.run_id}"))
        _add(entry, "title", f"{name}: {flag.before} to {flag.after} ({flag.change}, {flag.tone})")
        _add(entry, "updated", _time(flag.started_at))
        _add(entry, "summary", f"{name} is on another level since run {flag.run_id}, {p_value(flag.p)}.")
        SubElement(entry, "link", rel="alternate", type="text/html", href=f"../runs/{flag.run_id}.html")
    content: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _add(parent: Element, tag: str, text: str | None = None) -> Element:
    element = SubElement(parent, tag)
    element.text = text
    return element


def _id(name: str) -> str:
    return uuid5(NAMESPACE_URL, f"runhive trends {name}").urn


def _time(told: str) -> str:
    return told if epoch_of(told) is not None else NEVER
