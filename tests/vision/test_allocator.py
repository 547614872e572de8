"""Memory that is freed and kept, and the networks that it is kept for."""

import json
import subprocess
import sys

import pytest

from runhive.vision.allocator import SETTINGS
from runhive.vision.device import is_grouped

SCRIPT = """
import json, psutil, sys
import numpy
from runhive.vision.allocator import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "keep" else {}
before = psutil.Process().memory_info().rss
tensor = numpy.ones(200_000_000, numpy.uint8)
del tensor
print(json.dumps(kept), psutil.Process().memory_info().rss - before > 150_000_000)
"""


def said(word: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, word], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_freed_memory_is_kept_once_that_is_asked_for_and_what_was_set_is_told() -> None:
    kept = json.dumps({name: value for name, (_, value) in SETTINGS.items()})

    assert said("keep") == f"{kept} True\n"
    assert said("leave") == "{} False\n"


@pytest.mark.parametrize(
    ("arch", "grouped"), [("efficientnet_lite0", True), ("mobilenet_v3_small", True), ("resnet18", False)]
)
def test_depthwise_networks_are_told_from_others(arch: str, grouped: bool) -> None:
    assert is_grouped(arch) == grouped
