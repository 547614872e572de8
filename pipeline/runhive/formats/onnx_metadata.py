"""What an ONNX file of ours says of itself, in its metadata; with it the file alone is enough to predict."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from runhive.errors import RunhiveError
from runhive.formats.preprocess import Preprocess

VERSION = 1
RESIZE_RULE = "shorter side to resize_size, bilinear, antialiased; centre crop of image_size"
SHA256 = re.compile("[0-9a-f]{64}")
MOST_PIXELS = 4096  # a side
KEYS = ("schema_version", "name", "variant", "classes", "preprocess", "resize_rule", "weights_sha256")


@dataclass(frozen=True)
class OnnxMetadata:
    """`classes` are in the order of the outputs; `variant` is the number format of the weights: fp32, fp16 or int8."""

    name: str
    variant: str
    classes: list[str]
    preprocess: Preprocess
    weights_sha256: str

    def to_entries(self) -> dict[str, str]:
        """The keys and values as they are in the file."""
        classes, preprocess = json.dumps(self.classes, ensure_ascii=False), json.dumps(asdict(self.preprocess))
        values = (str(VERSION), self.name, self.variant, classes, preprocess, RESIZE_RULE, self.weights_sha256)
        return dict(zip(KEYS, values, strict=True))

    @classmethod
    def from_entries(cls, entries: Mapping[str, str], where: str) -> "OnnxMetadata":
        """Parse what a file holds; *where* names it in errors. Raises RunhiveError where it is not of ours."""
        version = entries.get("schema_version")
        if version is None:
            raise RunhiveError(f"{where} is no model of Runhive: it has no schema_version: give what export wrote")
        if version != str(VERSION):
            raise RunhiveError(
                f"{where} has schema version {version[:20]!a}, this Runhive reads {VERSION}: "
                "upgrade Runhive, or export it again"
            )
        if entries.get("resize_rule") != RESIZE_RULE:
            raise RunhiveError(f"{where} has a resize rule that this Runhive does not know: export it again")
        try:
            return cls(
                name=entries["name"],
                variant=entries["variant"],
                classes=_classes(entries["classes"]),
                preprocess=_preprocess(entries["preprocess"]),
                weights_sha256=_digest(entries["weights_sha256"]),
            )
        except KeyError as error:
            raise RunhiveError(f"{where} lacks {error.args[0]} in its metadata: export it again") from None
        except (ValueError, TypeError, RecursionError) as error:
            raise RunhiveError(
                f"{where} has metadata that is damaged ({ascii(str(error))[1:60]}): export it again"
            ) from None


def _classes(text: str) -> list[str]:
    classes = json.loads(text)
    if not isinstance(classes, list) or len(classes) < 2 or not all(isinstance(one, str) for one in classes):
        raise ValueError("classes is no list of two names or more")
    if len(set(classes)) < len(classes):
        raise ValueError("classes has a name twice")
    return classes


def _preprocess(text: str) -> Preprocess:
    found: dict[str, Any] = json.loads(text)
    preprocess = Preprocess(**found | {name: tuple(found[name]) for name in ("mean", "std")})
    sizes = (preprocess.image_size, preprocess.resize_size)
    if not all(type(size) is int for size in sizes) or not 1 <= sizes[0] <= sizes[1] <= MOST_PIXELS:
        raise ValueError("preprocess has sizes that do not fit")
    triples = (preprocess.mean, preprocess.std)
    if not all(len(one) == 3 and all(type(x) in (int, float) and isfinite(x) for x in one) for one in triples):
        raise ValueError("preprocess has a mean or std that is not three numbers")
    return preprocess


def _digest(text: str) -> str:
    if not SHA256.fullmatch(text):
        raise ValueError("weights_sha256 is no SHA-256")
    return text
