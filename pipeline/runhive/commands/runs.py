"""Commands that read the history of runs."""

import click

from runhive.commands.contents import CONTENTS
from runhive.commands.exchange import export, import_runs
from runhive.commands.marks import MARKS
from runhive.commands.options import AS_JSON


@click.group()
def runs() -> None:
    """Read and tend the history of runs.

    A RUN is a run id, the start of one, `latest`, or a display name that one run alone has.
    """


@runs.command("list")
@click.argument("filter_words", nargs=-1, metavar="[FILTER]")
@click.option("--sort", metavar="NAME", default="", help="Lowest first; -NAME for the highest first.")
@click.option("--columns", metavar="NAMES", default="", help="Names with commas between, instead of the usual ones.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N only.")
@click.option("--all", "archived", is_flag=True, help="Archived runs too.")
@AS_JSON
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with unrounded numbers.")
def list_runs(
    filter_words: tuple[str, ...],
    sort: str,
    columns: str,
    limit: int | None,
    archived: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List the runs, newest first, that FILTER holds for.

    Example: runhive runs list 'val.accuracy > 0.9 and train.mode == frozen' --sort=-val.accuracy
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    from runhive.terminal.listing import Choice, choose, print_rows, print_rows_as_csv, print_rows_as_json
    from runhive.tracking.life.liveness import settled_ledger

    found = choose(settled_ledger(), Choice(" ".join(filter_words), sort, limit, archived))
    if as_json:
        print_rows_as_json(found)
    elif as_csv:
        print_rows_as_csv(found, columns)
    else:
        print_rows(found, columns)


@runs.command("show")
@click.argument("run")
@AS_JSON
def show_run(run: str, as_json: bool) -> None:
    """Show one run: verdict, numbers, parameters, code, machine, files, events."""
    from runhive.terminal.page import print_run, print_run_as_json
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find

    ledger = settled_ledger()
    (print_run_as_json if as_json else print_run)(ledger, find(ledger, run))


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@AS_JSON
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the answer that a pull request gets; of two runs.")
def compare(runs: tuple[str, ...], as_json: bool, as_markdown: bool) -> None:
    """Compare runs side by side: the last two completed ones, or 2 to 20 RUNs.

    Shows what differs, and the images that each run won and lost against the first one.
    """
    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown exclude each other")
    from runhive.terminal.comparing import print_comparison, print_comparison_as_json, runs_to_compare
    from runhive.tracking.life.liveness import settled_ledger

    ledger = settled_ledger()
    found = runs_to_compare(ledger, runs)
    if as_markdown:
        from runhive.actions.pairing import comparison_as_markdown

        click.echo(comparison_as_markdown(ledger, found), nl=False)
    else:
        (print_comparison_as_json if as_json else print_comparison)(ledger, found)


runs.add_command(compare)
for command in (*CONTENTS, *MARKS, import_runs, export):
    runs.add_command(command)
