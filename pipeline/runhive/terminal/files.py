"""The files of a run as rows."""

from runhive.report import numerals
from runhive.terminal.output import print_json, print_table
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.storage.outputs import outputs_of

LEDGER, DVC, NOWHERE = "ledger", "DVC", "not kept"


def places(ledger: Ledger, run: Run, raw: bool = False) -> list[tuple[str, str | int, str, str]]:
    """Path, size, where all of it is kept, and DVC's hash, for each file of *run*; folders end in a slash."""
    sizes = ledger.files(run.run_id)  # of a long log the ledger has the end
    return [
        (
            f"{one.path}/" if one.is_folder else one.path,
            one.bytes if raw else numerals.size(one.bytes),
            LEDGER if one.ledger and sizes.get(one.ledger) == one.bytes else DVC if one.is_kept else NOWHERE,
            one.md5,
        )
        for one in outputs_of(ledger, run)
    ]


def print_files(ledger: Ledger, run: Run, as_json: bool) -> None:
    """Print one row a file: its path, size and place."""
    header = ("path", "bytes", "in", "md5")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in places(ledger, run, raw=True)])
    else:
        print_table(("path", "size", "in", "md5"), places(ledger, run), drop=True)
