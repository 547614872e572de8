"""JSON of finite numbers alone, in the one form in which the ledger writes it."""

import json
import marshal
import struct
from math import inf
from typing import Any

from pydantic_core import from_json

PACKED = (struct.pack("<d", inf), struct.pack("<d", -inf))  # as marshal writes them


def one_form(told: object) -> bytes:
    """Return *told* as one line, its keys sorted. Raises ValueError for NaN and infinities."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def parse_finite(content: bytes) -> Any:
    """Parse *content*. Raises ValueError where it is no JSON, or holds NaN or a number too large for a float."""
    told = from_json(content, allow_inf_nan=False)
    if _may_be_infinite(told):
        one_form(told)
    return told


def _may_be_infinite(told: Any) -> bool:
    """Say whether a number may be infinite, as the parser makes 1e999, at a sixth of the price of `dumps`."""
    packed = marshal.dumps(told)
    return any(one in packed for one in PACKED)
