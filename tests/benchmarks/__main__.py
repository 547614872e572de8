"""The figures of docs/explanation/performance.md and ledger.md, measured again: `make benchmark`, one with WHAT=frozen.

python tests/benchmarks frozen --data hymenoptera_data.zip
"""

import argparse
import importlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from page import pipeline_commit

BENCHMARKS = {  # name to rounds
    "frozen": 1,
    "finetune": 3,
    "memory": 1,
    "startup": 3,
    "seeds": 1,
    "settings": 3,
    "inference": 5,
    "ledger": 1,  # printed, for docs/explanation/ledger.md
    "report_site": 1,
    "checkpoint": 1,
    "distributed": 3,
}
ASKED_FOR = {"gpu": 3}  # printed; it takes a GPU, so it is no part of all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rounds = BENCHMARKS | ASKED_FOR
    parser.add_argument("what", nargs="*", choices=[*rounds, []], help="all but gpu, where none is named")
    parser.add_argument("--data", type=os.path.abspath, help="the archive of ants and bees; downloaded where not given")
    parser.add_argument("--rounds", type=int, help="how often each variant runs")
    parser.add_argument("--scratch", type=Path, help="where the scratch repositories go")
    given = parser.parse_args()
    pipeline_commit()
    for name in given.what or BENCHMARKS:
        with TemporaryDirectory(dir=given.scratch, prefix=f"benchmark-{name}-") as scratch:
            importlib.import_module(name).measure(Path(scratch), given.data, given.rounds or rounds[name])


if __name__ == "__main__":
    main()
