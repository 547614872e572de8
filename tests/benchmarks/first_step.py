"""`python pipeline train` that tells when each part of the way to the first step was over, and ends there.

python tests/benchmarks/first_step.py
"""

import os
import sys
from collections.abc import Callable
from typing import Any


def told(module: Any, name: str, part: str) -> None:
    """Print *part* whenever the function *name* of *module* is done."""
    function: Callable[..., Any] = getattr(module, name)

    def timed(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        print(f"part {part}", flush=True)
        return result

    setattr(module, name, timed)


def end(*_: object) -> None:
    print("part first step", flush=True)
    os._exit(0)


print("part Python", flush=True)
from torch.optim.optimizer import register_optimizer_step_post_hook  # noqa: E402

print("part import torch", flush=True)
import runhive.stages.train  # noqa: E402
import runhive.vision.loop  # noqa: E402
from runhive.cli import main  # noqa: E402

print("part other imports", flush=True)
told(runhive.stages.train, "make_classifier", "ledger, network, weights")
told(runhive.stages.train, "pixel_loader", "decoded images")
told(runhive.vision.loop, "make_optimizer", "features, optimizer")
register_optimizer_step_post_hook(end)
sys.argv = ["runhive", "train"]
main()
