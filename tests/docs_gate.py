"""How often the gate refuses: the tables of docs/explanation/gate.md, computed exactly. `python tests/docs_gate.py`."""

import sys
from collections.abc import Callable
from math import comb
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "pipeline"))

from runhive.gate.statistics import difference_bounds, worse_p  # Runhive itself need not be installed

PAGE = Path(__file__).parent.parent / "docs/explanation/gate.md"
ITEMS = 153
ALSO_WON = 0.02  # of the images, which another model answers rightly that the first did not
LEVEL = 0.05
DROPS = (0.0, 0.02, 0.05, 0.08, 0.12)
MARGINS = (0.02, 0.05, 0.1)


def chance(items: int, won_share: float, lost_share: float, holds: Callable[[int, int], bool]) -> float:
    """The probability of *holds* where each image is won, lost or neither on its own."""
    rest = 1 - won_share - lost_share
    total = 0.0
    for changed in range(items + 1):
        for lost in range(changed + 1):
            won = changed - lost
            ways = comb(items, changed) * comb(changed, lost)
            p = ways * won_share**won * lost_share**lost * rest ** (items - changed)
            if p > 1e-12 and holds(won, lost):
                total += p
    return total


def rows() -> list[str]:
    """The table's rows: what is true, and how often each test refuses or is satisfied."""
    found = []
    for drop in DROPS:
        shares = ALSO_WON, ALSO_WON + drop
        refused = chance(ITEMS, *shares, lambda won, lost: worse_p(won, lost) < LEVEL)
        shown = [
            chance(ITEMS, *shares, lambda won, lost, m=margin: difference_bounds(won, lost, ITEMS, LEVEL)[0] > -m)
            for margin in MARGINS
        ]
        cells = [f"{100 * drop:g} points worse" if drop else "just as good", f"{100 * refused:.0f} %"]
        found.append(f"| {' | '.join([*cells, *(f'{100 * one:.0f} %' for one in shown)])} |")
    return found


if __name__ == "__main__":
    print("\n".join(rows()))
