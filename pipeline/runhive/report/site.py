"""`runhive report`: the ledger's runs become the static site. Reads the ledger and docs/, writes only the site."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from runhive.report.choice import Choice, chosen_ids
from runhive.report.compare_site import write_compare
from runhive.report.data_site import page_names, write_data_pages
from runhive.report.home import home, most_wanted
from runhive.report.keep import Keep
from runhive.report.lean import lean
from runhive.report.makers import Makers
from runhive.report.models import page_of, registry_state, tried
from runhive.report.models_site import write_model_pages
from runhive.report.npm import Package, Unreachable, bring, locked, place
from runhive.report.page_maker import Place
from runhive.report.pages import Links, jobs_of, write_run_pages
from runhive.report.search import add_to_search
from runhive.report.series import series_of
from runhive.report.shell import RUN_SHELL, Shell, read_shell, render_shell
from runhive.report.stamp import Stamp
from runhive.report.summaries import summaries_of
from runhive.report.summary import Summary
from runhive.report.swap import building_folder, swap, sweep
from runhive.report.table_site import write_run_shards, write_tables
from runhive.report.templates import render
from runhive.report.trends_site import write_trends
from runhive.report.tryit.offer import TryIt, offers, root_of
from runhive.report.tryit.runtime import LIBRARY as RUNTIME_LIBRARY
from runhive.report.tryit.runtime import write_runtime
from runhive.report.tryit.shelf import Shelf, shelve
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.ledger.snapshot import Snapshot, snapshot
from runhive.tracking.registry.catalog import Catalog, read_catalog

ASSETS = Path(__file__).with_name("assets")
STAMP = "stamp.json"
LONGEST_BUILD = 600.0  # seconds that a second build waits for the first
KEPT = ".runhive"
LIBRARIES = ("uplot",)
STATIC = "the site was built with --static"
Progress = Callable[[int, int], None]  # pages that are done, and all of them
LOST = "charts to zoom and comparing of any runs need it: build without them by `runhive report --static`"


@dataclass(frozen=True)
class Plan:
    """What to build. A `static` site has no front-end library: its pages are whole, but nothing can be zoomed."""

    static: bool = False
    choice: Choice = field(default_factory=Choice)


def build(
    ledger: Ledger, source: Path, site: Path, plan: Plan = Plan(), progress: Progress = lambda done, total: None
) -> Stamp:
    """Build the site of *ledger* with the shell in *source* (mkdocs.yml and docs/) and put it in the place of *site*.

    The old site stays until the new one is whole; of two builds at once, the second waits.
    Raises Unreachable where the front-end libraries cannot be had.
    """
    site = site.absolute()
    site.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(site.with_name(f".{site.name}.lock"), LONGEST_BUILD):
        sweep(site)
        work = building_folder(site)
        try:
            stamp = _fill(snapshot(ledger), source, work, plan, progress)
            swap(work, site)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return stamp


def _fill(ledger: Snapshot, source: Path, work: Path, plan: Plan, progress: Progress) -> Stamp:
    ids = chosen_ids(ledger, plan.choice)
    libraries = {} if plan.static else _libraries(source)
    kept = source / KEPT / "site"
    where = Place(repository=Path(ledger.repository.path), tip=ledger.tip(), work=work, kept=kept)
    with Makers(ledger, where) as makers:
        with ThreadPoolExecutor(1) as pool:
            shell = pool.submit(render_shell, source, work)
            keep = Keep(kept)
            begun_summaries = summaries_of(ledger, keep, makers)
            rows = [row for row in ledger.rows() if ids is None or row["run_id"] in ids]
            series = series_of(rows)
            summaries = [one for one in begun_summaries if ids is None or one.run_id in ids]
            shell.result()
        shutil.copytree(ASSETS, work / "assets", dirs_exist_ok=True)
        place(libraries, source / KEPT / "npm", work / "assets/vendor")
        stamp = Stamp(ledger=ledger.tip(), runs=len(summaries), runhive=version("runhive"))
        catalog = read_catalog(ledger)
        versions = tried(catalog, {one.run_id: one for one in summaries})
        offered = _offers(summaries, versions, plan, ledger, source, work)
        of_runs = {one.run_id: _versions(catalog, one.run_id) for one in summaries}
        links = Links("uplot" in libraries, offered, of_runs)
        run_shell = _take_shell(work)
        jobs = list(jobs_of(summaries, page_names(summaries), links, ledger, run_shell))
        begun_pages = write_run_pages(jobs, run_shell, ledger, work, keep, makers)
        _write_home(summaries, catalog, ledger, stamp, work)
        shards = write_run_shards(rows, ledger, work, keep)
        write_tables(summaries, ledger, shards, work, keep)
        write_trends(series, len(rows), shards, work, links.has_charts)
        write_data_pages(summaries, ledger, work)
        write_model_pages(catalog, ledger, work, versions, offered)
        details = {}
        for done, detail in enumerate(begun_pages, 1):
            details[detail.run_id] = detail
            progress(done, len(jobs))
    write_compare(summaries, details, shards, ledger, work, links.has_charts)
    add_to_search(summaries, catalog, work)
    keep.close()
    stamp.write(work / STAMP)
    return stamp


def _versions(catalog: Catalog, run_id: str) -> list[tuple[str, str]]:
    return [(one.title, page_of(one)) for one in catalog.versions_of(run_id)]


def _libraries(source: Path, names: Sequence[str] = LIBRARIES) -> dict[str, Package]:
    """The front-end libraries, once they are kept in *source*."""
    libraries = locked(names)
    try:
        bring(libraries, source / KEPT / "npm", source)
    except Unreachable as error:
        raise Unreachable(f"{error}: {LOST}") from error
    return libraries


def _offers(
    summaries: Sequence[Summary],
    versions: Mapping[str, Summary],
    plan: Plan,
    ledger: Snapshot,
    source: Path,
    work: Path,
) -> dict[str, TryIt]:
    """What each page of a run or a version offers to try; where any does, ONNX Runtime Web is in the site."""
    first = [*versions.values(), *most_wanted(summaries)]
    shelf = Shelf(otherwise=STATIC) if plan.static else shelve(first, root_of(ledger))
    if shelf.files:
        write_runtime(_libraries(source, (RUNTIME_LIBRARY,))[RUNTIME_LIBRARY], source / KEPT / "npm", work)
    return offers({one.run_id: one for one in summaries} | dict(versions), shelf, ledger, work)


def _write_home(summaries: Sequence[Summary], catalog: Catalog, ledger: Ledger, stamp: Stamp, work: Path) -> None:
    page = work / "index.html"
    body = render("home.html", home=home(summaries, ledger), models=registry_state(catalog))
    body += render("made_from.html", stamp=stamp)
    page.write_bytes(read_shell(page, "runhive-home").fill(body))


def _take_shell(work: Path) -> Shell:
    """The run pages' shell, which goes away."""
    shell, files = lean(read_shell(work / RUN_SHELL, "runhive-run"), "../")
    (work / RUN_SHELL).unlink()
    for path, content in files.items():
        (work / path).write_text(content, encoding="utf-8")
    return shell
