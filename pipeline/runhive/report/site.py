"""`runhive report`: the ledger's runs become the static site. Reads the ledger and docs/, writes only the site."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from runhive.report.choice import Choice, chosen_ids
from runhive.report.data_site import page_names, write_data_pages
from runhive.report.home import home
from runhive.report.keep import Keep
from runhive.report.npm import Package, Unreachable, bring, locked, place
from runhive.report.page_maker import Place
from runhive.report.pages import Progress, write_run_pages
from runhive.report.search import add_runs_to_search
from runhive.report.shell import RUN_SHELL, Shell, read_shell, render_shell
from runhive.report.stamp import Stamp
from runhive.report.summaries import summaries_of
from runhive.report.summary import Summary
from runhive.report.swap import building_folder, swap, sweep
from runhive.report.templates import render
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.ledger.snapshot import Snapshot, snapshot

ASSETS = Path(__file__).with_name("assets")
STAMP = "stamp.json"
RUNS_A_PAGE = 500
LONGEST_BUILD = 600.0  # seconds that a second build waits for the first
KEPT = ".runhive"
LIBRARIES = ("uplot",)
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
    keep = Keep(source / KEPT / "site")
    with ThreadPoolExecutor(1) as pool:
        shell = pool.submit(render_shell, source, work)
        summaries = [one for one in summaries_of(ledger, keep) if ids is None or one.run_id in ids]
        shell.result()
    shutil.copytree(ASSETS, work / "assets", dirs_exist_ok=True)
    place(libraries, source / KEPT / "npm", work / "assets/vendor")
    stamp = Stamp(ledger=ledger.tip(), runs=len(summaries), runhive=version("runhive"))
    _write_home(summaries, stamp, work)
    _write_tables(summaries, work)
    write_data_pages(summaries, ledger, work)
    common = Place(
        repository=Path(ledger.repository.path), tip=ledger.tip(), work=work, kept=keep.folder,
        shell=_take_shell(work), libraries=sorted(libraries),
    )  # fmt: skip
    write_run_pages(summaries, page_names(summaries), ledger, common, keep, progress)
    add_runs_to_search(summaries, work)
    keep.close()
    stamp.write(work / STAMP)
    return stamp


def _libraries(source: Path) -> dict[str, Package]:
    """The front-end libraries, once they are kept in *source*."""
    libraries = locked(LIBRARIES)
    try:
        bring(libraries, source / KEPT / "npm", source)
    except Unreachable as error:
        raise Unreachable(f"{error}: {LOST}") from error
    return libraries


def _write_home(summaries: Sequence[Summary], stamp: Stamp, work: Path) -> None:
    page = work / "index.html"
    body = render("home.html", home=home(summaries)) + render("made_from.html", stamp=stamp)
    page.write_bytes(read_shell(page, "runhive-home").fill(body))


def _write_tables(summaries: Sequence[Summary], work: Path) -> None:
    """Write the table of runs, a page for every 500."""
    shell = read_shell(work / "runs/index.html", "runhive-runs")
    starts = range(0, max(1, len(summaries)), RUNS_A_PAGE)
    names = ["index.html", *(f"page-{number}.html" for number in range(2, len(starts) + 1))]
    for index, start in enumerate(starts):
        rows = summaries[start : start + RUNS_A_PAGE]
        body = render("runs.html", summaries=rows, total=len(summaries), first=start + 1, names=names, index=index)
        (work / "runs" / names[index]).write_bytes(shell.fill(body))


def _take_shell(work: Path) -> Shell:
    """The run pages' shell, which goes away."""
    shell = read_shell(work / RUN_SHELL, "runhive-run")
    (work / RUN_SHELL).unlink()
    return shell
