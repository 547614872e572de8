"""Commands about what a run left and what it was made from."""

from pathlib import Path

import click

from runhive.commands.options import AS_JSON


@click.command()
@click.argument("run")
@AS_JSON
def files(run: str, as_json: bool) -> None:
    """List what RUN left: files in the ledger, and outputs that DVC keeps by hash."""
    from runhive.terminal.files import print_files
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find

    ledger = settled_ledger()
    print_files(ledger, find(ledger, run), as_json)


@click.command()
@click.argument("run")
@click.argument("path", default="")
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Instead of a folder RUN here."
)
@click.option("--force", is_flag=True, help="Replace files that have other content.")
def download(run: str, path: str, to: Path | None, force: bool) -> None:
    """Copy what RUN left at PATH, or all but the data set, from the ledger and from DVC's cache or remotes.

    Every file is checked against its hash. Calling it again goes on after what is there.
    """
    from runhive.terminal.output import print_line
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find
    from runhive.tracking.repository import main_root
    from runhive.tracking.storage.download import Source, fetch

    ledger = settled_ledger()
    found = find(ledger, run)
    folder = to or Path(found.run_id)
    done = fetch(Source(ledger, found, main_root()), path, folder, force)
    for one in done.written:
        print_line(str(folder / one))
    if done.there:
        print_line(f"{len(done.there)} there already", "dim")


@click.command()
@click.argument("before", metavar="RUN")
@click.argument("after", metavar="OTHER")
@click.option("--stat", is_flag=True, help="Only which files, and how many lines.")
def diff(before: str, after: str, stat: bool) -> None:
    """Show how the code of OTHER differs from that of RUN: their commits, with what was not committed.

    Parameters are what `runhive compare` shows.
    """
    from runhive.terminal.difference import print_difference
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find
    from runhive.tracking.repository import main_root

    ledger = settled_ledger()
    print_difference(ledger, main_root(), find(ledger, before), find(ledger, after), stat)


@click.command()
@click.argument("run")
@click.option(
    "--tolerance", type=click.FloatRange(min=0), default=0.01, show_default=True,
    help="By how much, or by what share, a metric may differ.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Leave the folder .runhive/reproduce/RUN in place until the next time.")
@AS_JSON
def reproduce(run: str, tolerance: float, keep: bool, as_json: bool) -> None:
    """Run the pipeline again with the code and parameters of RUN, in a folder of its own, and record the verdict.

    The verdict is "bit for bit", "within tolerance" or "not"; of a run that did not complete there is none. The second
    run is in the ledger too, with RUN as parent.
    """
    from runhive.terminal.reproducing import print_caveats, print_verdict
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find
    from runhive.tracking.repository import main_root
    from runhive.tracking.reproduction import reproduce

    ledger = settled_ledger()
    found = find(ledger, run)
    print_caveats(ledger, found)
    print_verdict(found, reproduce(ledger, main_root(), found, tolerance, keep), as_json)


@click.command()
@click.argument("run")
@click.option("-f", "--follow", is_flag=True, help="Go on with what it prints until it ends; of a run on this machine.")
def log(run: str, follow: bool) -> None:
    """Print what RUN printed."""
    from runhive.terminal.log import follow_log, print_log
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find
    from runhive.tracking.repository import main_root

    ledger = settled_ledger()
    (follow_log if follow else print_log)(ledger, main_root(), find(ledger, run))


@click.command()
@click.argument("run")
def apply(run: str) -> None:
    """Bring dvc.lock, params.yaml and results/metrics.json of RUN into the working tree, to be committed.

    `dvc pull` then fetches its files, and `dvc repro` has nothing to do. Changes that are not committed are not
    overwritten.
    """
    from runhive.terminal.output import print_line
    from runhive.tracking.applying import apply_run
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find
    from runhive.tracking.repository import open_repository

    ledger = settled_ledger()
    found = find(ledger, run)
    changed = apply_run(ledger, open_repository(Path.cwd()), found)
    for path in changed:
        print_line(path)
    print_line(f"{found.run_id}: " + ("applied: run `dvc pull`, then commit" if changed else "applied already"))


CONTENTS = (files, log, download, diff, reproduce, apply)
