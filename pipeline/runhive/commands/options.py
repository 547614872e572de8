"""Options that several commands have."""

import click

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
REASON = click.option("--reason", metavar="TEXT", default="", help="Why; it is kept in the ledger.")
LOCAL = click.option("--local", is_flag=True, help="Do not reach for the Git remote: others do not see it.")
