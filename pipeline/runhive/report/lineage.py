"""What a run was made from and what it made, each with its digest."""

from dataclasses import dataclass

from runhive.formats.parity import Parity
from runhive.report.numerals import number, size
from runhive.report.record import Code, Data, Training
from runhive.tracking.ledger.run import Run


@dataclass(frozen=True)
class Box:
    """One link of the chain: `digest` is a content digest, a commit or the run's id."""

    kind: str
    digest: str
    note: str


@dataclass(frozen=True)
class Lineage:
    """`sources` → the run → `products`, each made from the one before."""

    sources: tuple[Box, ...]
    run: Box
    products: tuple[Box, ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        return (*self.sources, self.run, *self.products)


def lineage(run: Run, code: Code, data: Data, training: Training, parity: Parity | None) -> Lineage:
    """Gather the chain; what the record does not know is left out."""
    sources = [
        Box("data", data.digest or "", _images(data)),
        Box("code", code.commit or "", _came_from(run, code)),
    ]
    products = [
        Box("weights", training.weights_sha256 or "", _parameters(training)),
        Box(
            "ONNX",
            parity.onnx_sha256 if parity else "",
            f"opset {parity.opset}, {size(parity.onnx_bytes)}" if parity else "",
        ),
    ]
    return Lineage(
        sources=tuple(box for box in sources if box.digest),
        run=Box("run", run.run_id, f"inputs {run.input_digest[:12]}" if run.input_digest else ""),
        products=tuple(box for box in products if box.digest),
    )


def _came_from(run: Run, code: Code) -> str:
    number = run.collected.get("pull_request")
    told = ["with uncommitted changes" if code.dirty else code.branch, f"pull request {number}" if number else ""]
    return ", ".join(one for one in told if one)


def _images(data: Data) -> str:
    parts = [f"{number(sum(classes.values()))} {split}" for split, classes in data.counts.items()]
    return ", ".join(parts[:4])


def _parameters(training: Training) -> str:
    return f"{number(training.parameters)} parameters" if training.parameters else ""
