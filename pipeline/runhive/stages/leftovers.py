"""Temporary files of writers that were killed, beside the outs of the stages."""

import psutil

from runhive.stages import paths

FOLDERS = (paths.IMAGES.parent, paths.WEIGHTS.parent, paths.VARIANTS, paths.EVALUATION.parent, paths.PLOTS)


def remove_leftovers() -> None:
    """Remove those of processes that are no more; `files.atomic_path` puts the process id into their names."""
    for folder in FOLDERS:
        for path in folder.glob(".*.tmp"):
            pid = path.name.split(".")[-2]
            if pid.isdecimal() and not psutil.pid_exists(int(pid)):
                path.unlink(missing_ok=True)
