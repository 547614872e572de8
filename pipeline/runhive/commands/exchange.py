"""Commands that bring runs in from elsewhere and give them out."""

from pathlib import Path

import click


@click.group("import")
def import_runs() -> None:
    """Bring runs in from another tool."""


@import_runs.command("mlruns")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--artifacts", is_flag=True, help="Copy artifacts into the DVC cache, where `runs download` finds them.")
def import_mlruns(folder: Path, artifacts: bool) -> None:
    """Add the runs of MLflow's file store DIR, which MLflow calls `mlruns`. Again, it adds only what is new.

    Parameters, metrics by step, tags, notes, times and states come along; artifacts are listed by name and hash.
    """
    from runhive.terminal.output import print_line
    from runhive.tracking import mlflow_import
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.repository import main_root

    done = mlflow_import.import_mlruns(settled_ledger(), folder, main_root() if artifacts else None)
    print_line(f"{len(done.new)} runs imported, {len(done.changed)} had news, {len(done.same)} were there already")


@click.command()
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), metavar="FILE", help="Write CSV.")
@click.option("--parquet", "parquet_file", type=click.Path(path_type=Path), metavar="FILE", help="Write Parquet.")
@click.argument("filter_words", nargs=-1, metavar="[FILTER]")
def export(csv_file: Path | None, parquet_file: Path | None, filter_words: tuple[str, ...]) -> None:
    """Write the runs as a table, one line each, archived ones too, those that FILTER holds for.

    Example: runhive runs export --parquet runs.parquet 'state == completed'
    """
    if (csv_file is None) == (parquet_file is None):
        raise click.UsageError("name one file: --csv FILE or --parquet FILE")
    from runhive.terminal.listing import Choice, choose
    from runhive.terminal.output import print_line
    from runhive.tracking.ledger.table import write_csv, write_parquet
    from runhive.tracking.life.liveness import settled_ledger

    rows = choose(settled_ledger(), Choice(" ".join(filter_words), archived=True))
    if csv_file is not None:
        write_csv(rows, csv_file)
    elif parquet_file is not None:
        write_parquet(rows, parquet_file)
    print_line(f"{csv_file or parquet_file}: {len(rows)} runs")
