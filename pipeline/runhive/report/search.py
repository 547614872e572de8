"""The theme's search, over the docs, runs and versions of models, also in a site that is opened from a folder.

The theme shows what it finds as HTML, so everything of a run is escaped before it goes into the index. Whoever searches
loads all of it, so it has the last RECENT runs, and of the older ones, up to MOST_RUNS in all, those that somebody
named, tagged or noted. The filter of the Runs page searches all. The theme's own index, which every page loads, is left
empty: assets/search-when-asked.js puts the documents in.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from markupsafe import escape

from runhive.report.models import MOST_SHOWN, page_of, state
from runhive.report.shell import RUN_SHELL
from runhive.report.summary import Summary
from runhive.report.text import visible
from runhive.tracking.registry.catalog import Catalog, Version

INDEX = "search/search_index.json"
INDEX_FROM_FOLDER = "search/search_index.js"
DOCS = "search/docs.js"
WORKER = "assets/javascripts/workers/search.*.min.js"
WORKER_FROM_FOLDER = "search/worker.js"
RECENT = 1000
MOST_RUNS = 2000
LONGEST_TEXT = 600


def add_to_search(newest_first: Sequence[Summary], catalog: Catalog, work: Path) -> None:
    """Add runs and versions of models to the index that the shell was rendered with, if it has a search."""
    if not (work / INDEX).exists():
        return
    index = json.loads((work / INDEX).read_bytes())
    pages = [page for page in index["docs"] if not page["location"].startswith(RUN_SHELL)]
    versions = [one for model in catalog.models.values() for one in model.versions[-MOST_SHOWN:]]
    found = [*pages, *map(_version, versions), *map(_run, searched(newest_first))]
    empty = json.dumps(index | {"docs": []}, separators=(",", ":"))
    (work / INDEX).write_text(empty, encoding="utf-8")
    (work / INDEX_FROM_FOLDER).write_text(f"var __index = {empty}", encoding="utf-8")
    (work / DOCS).write_text(_script("docs", found), encoding="utf-8")
    for worker in work.glob(WORKER):
        code = worker.read_text(encoding="utf-8").partition("\n//# sourceMappingURL")[0]
        (work / WORKER_FROM_FOLDER).write_text(_script("worker", code), encoding="utf-8")


def _script(name: str, content: object) -> str:
    return f"window.runhiveSearch.{name} = {json.dumps(content, separators=(',', ':'))};\n"


def searched(newest_first: Sequence[Summary]) -> Iterator[Summary]:
    """The runs that the search finds."""
    told = (one for one in newest_first[RECENT:] if one.name or one.tags or one.notes)
    yield from newest_first[:RECENT]
    yield from islice(told, MOST_RUNS - RECENT)


def _version(one: Version) -> dict[str, str]:
    made_from = f"run {one.tag.run_id}" if one.tag.run_id else ""
    return _entry(
        f"models/{page_of(one)}", one.title, ["model", *one.aliases, state(one), made_from, *one.tags, one.notes]
    )


def _run(summary: Summary) -> dict[str, str]:
    title = f"{summary.run_id} {summary.name}".strip()
    named = [f"{name} {value}" for name, value in summary.named.items()]
    result = f"{summary.score.metric} {summary.score.shown}" if summary.score else ""
    told = [summary.experiment, summary.state, *summary.tags, result, *named, summary.cause, summary.notes]
    return _entry(f"runs/{summary.run_id}.html", title, told)


def _entry(location: str, title: str, told: Sequence[str]) -> dict[str, str]:
    return {"location": location, "title": _escaped(title), "text": _escaped(" · ".join(filter(None, told)))}


def _escaped(text: str) -> str:
    return str(escape(visible(text, LONGEST_TEXT)))
