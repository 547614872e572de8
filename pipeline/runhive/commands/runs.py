"""Commands that read the history of runs."""

import click


@click.group()
def runs() -> None:
    """Read the history of runs."""


@runs.command("list")
def list_runs() -> None:
    """List the runs, newest first."""
    from runhive.terminal import print_runs

    print_runs()


@runs.command("show")
@click.argument("run_id")
def show_run(run_id: str) -> None:
    """Show one run: numbers, parameters, code, environment. RUN_ID may be the start of one."""
    from runhive.terminal import print_run

    print_run(run_id)


@click.command()
@click.argument("run_ids", nargs=-1)
def compare(run_ids: tuple[str, ...]) -> None:
    """Compare two runs side by side: the last two completed ones, or RUN_IDS."""
    from runhive.terminal import print_comparison

    print_comparison(run_ids)
