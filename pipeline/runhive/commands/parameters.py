"""Commands about params.yaml."""

from pathlib import Path

import click


@click.command()
@click.argument("preset", required=False)
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
def use(preset: str | None, changes: tuple[str, ...]) -> None:
    """Write params.yaml from PRESET, with some keys changed; alone, list the presets.

    Example: runhive use hymenoptera train.mode=frozen
    """
    from runhive import presets

    if preset is None:
        click.echo(presets.describe())
    else:
        presets.use(preset, changes, Path("params.yaml"))
        click.echo(f"params.yaml holds {preset} now: run `dvc repro`")


@click.command()
def schema() -> None:
    """Print the JSON schema of params.yaml, for editors."""
    from runhive.params import json_schema

    click.echo(json_schema(), nl=False)
