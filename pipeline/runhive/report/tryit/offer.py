"""What the page of a run offers to try: its model, and images with Python's answers."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.report.answers import Answers
from runhive.report.shards import write_shard
from runhive.report.tryit.runtime import RUNTIME, WASM, model_path, packed_shard
from runhive.report.tryit.samples import baked, samples
from runhive.report.tryit.shelf import Onnx, Shelf, onnx_of
from runhive.scoring.model import Model
from runhive.scoring.package import parse_package
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

KEPT = Path(".runhive/try-it")
VERSION = 1  # of what is kept there
RELATIVE_TOLERANCE = 1e-4  # of the logits' spread, as export asks of ONNX against PyTorch
