"""Seconds from the loss of a worker, or of a machine, to the next step that is kept."""

import signal
import sys
from pathlib import Path
from time import monotonic

sys.path.append(str(Path(__file__).parents[1] / "stages"))

from namespaces import two_machines, why_not
from together import distributed, make_ready, switch_off, wait_for_steps, wait_until, workers

ENDLESS = ("train.epochs=4000", "train.checkpoint_steps=1")


def after_a_worker(scratch: Path) -> float:
    """Of two on one machine the first is killed, which takes the checkpoints: the next one is of those started anew."""
    photos = make_ready(scratch, distributed(), *ENDLESS)
    process = photos.start()
    wait_until(process, lambda: len(photos.kept()) > 1 and len(workers(process)) == 2)
    began = monotonic()
    workers(process)[0].kill()
    before = photos.kept()
    wait_until(process, lambda: photos.kept()[-1:] > before[-1:])
    seconds = monotonic() - began
    process.send_signal(signal.SIGTERM)
    process.communicate()
    return seconds


def after_a_machine(scratch: Path) -> float | None:
    """Of two machines the second loses its power, and the first goes on alone; None where there can be no two."""
    if why_not():
        return None
    first = make_ready(scratch / "first", distributed(nodes="1:2", processes=1), *ENDLESS)
    second = first.copy_to(scratch / "second")
    with two_machines() as machines:
        keeper, helper = machines[0].start(first), machines[1].start(second)
        wait_for_steps(keeper, first, world=2)
        began = monotonic()
        switch_off(helper)
        wait_for_steps(keeper, first, world=1)
        seconds = monotonic() - began
        keeper.send_signal(signal.SIGTERM)
        keeper.communicate()
    return seconds
