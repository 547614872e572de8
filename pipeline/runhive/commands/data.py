"""The command about the data at hand."""

import click

from runhive.commands.options import AS_JSON


@click.command()
@AS_JSON
def data(as_json: bool) -> None:
    """Show what fetch found here: images per class and split, what was left out, what is there twice.

    The report's page of the site shows the same with pictures, and what changed from one version to the next.
    """
    from runhive.commands.root import enter_root
    from runhive.formats.data_report import DataReport
    from runhive.stages import paths
    from runhive.terminal.data import print_report, print_report_as_json

    enter_root()
    report = DataReport.read(paths.DATA_REPORT)
    (print_report_as_json if as_json else print_report)(report)
