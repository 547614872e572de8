"""The ledger to the real repository's site/, and a stamp to this workspace's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from runhive.report.choice import Choice, parse_since
from runhive.report.npm import Unreachable
from runhive.report.serve import files_state, serve
from runhive.report.site import STAMP, Plan, Progress, build
from runhive.report.stamp import Stamp
from runhive.stages import paths
from runhive.tracking.life.liveness import settled_ledger
from runhive.tracking.repository import main_root


@dataclass(frozen=True)
class Wanted:
    """What the command line says. With `or_static` the site is static where its libraries cannot be had."""

    plan: Plan = field(default_factory=Plan)
    out: Path | None = None
    or_static: bool = False


def report(wanted: Wanted = Wanted()) -> None:
    """Build the site. In a DVC temporary workspace it is still the real repository's that is built."""
    root = main_root()
    site = wanted.out or root / paths.SITE
    stamp = _built(root, site, wanted)
    if wanted.out is None:
        stamp.write(paths.SITE / STAMP)
    print(f"{stamp.runs} run{'' if stamp.runs == 1 else 's'}: open {site / 'index.html'}")


def serve_report(wanted: Wanted, port: int) -> None:
    """Serve the site until interrupted, built again when the ledger, the docs or the parameters change."""
    root = main_root()
    site = (wanted.out or root / paths.SITE).absolute()
    watched = (root / "docs", root / "mkdocs.yml", root / paths.PARAMS)
    serve(
        site,
        port,
        lambda: print(f"built {_built(root, site, wanted).runs} runs", flush=True),
        lambda: (settled_ledger().tip(), files_state(*watched)),
    )


def plan_of(static: bool, expression: str, since: str | None) -> Plan:
    """The plan that the options say. Raises RunhiveError for what is no time."""
    return Plan(static, Choice(expression, parse_since(since, datetime.now(UTC)) if since else None))


def _built(root: Path, site: Path, wanted: Wanted) -> Stamp:
    with _progress() as progress:
        try:
            return build(settled_ledger(), root, site, wanted.plan, progress)
        except Unreachable as error:
            if not wanted.or_static:
                raise
            print(f"runhive: {error}\nrunhive: a static site is built instead", file=sys.stderr)
            return build(settled_ledger(), root, site, replace(wanted.plan, static=True), progress)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Yield what `build` calls for each page that it has: a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("pages", total=None, visible=False)
        yield lambda done, total: bars.update(bar, completed=done, total=total, visible=True)
