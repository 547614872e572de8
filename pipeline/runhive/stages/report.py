"""The ledger to the real repository's site/, and a stamp to this workspace's."""

from runhive.report.site import STAMP, build
from runhive.stages import paths
from runhive.tracking.life.liveness import settled_ledger
from runhive.tracking.repository import main_root


def report() -> None:
    """Build the site. In a DVC temporary workspace it is still the real repository's that is built."""
    root = main_root()
    stamp = build(settled_ledger(), root, root / paths.SITE)
    stamp.write(paths.SITE / STAMP)
    print(f"{stamp.runs} run{'' if stamp.runs == 1 else 's'}: open {root / paths.SITE / 'index.html'}")
