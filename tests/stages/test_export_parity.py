"""What counts as the same model, and what is refused."""

import pytest

from runhive.errors import RunhiveError
from runhive.formats.parity import Parity
from runhive.stages.export import check_parity


def parity(**changes: float) -> Parity:
    numbers = {"relative_difference": 5e-7, "absolute_difference": 1e-6, "logit_spread": 2.0, "top1_agreement": 1.0}
    return Parity(
        onnx_sha256="ab" * 32, weights_sha256="cd" * 32, opset=20, images=153, tolerance=1e-4, torch_bytes=9,
        onnx_bytes=8, torch_milliseconds=1.5, onnx_milliseconds=0.5, threads=2, **{**numbers, **changes},
    )  # fmt: skip


def refusal(**changes: float) -> str:
    with pytest.raises(RunhiveError) as raised:
        check_parity(parity(**changes))
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value)


@pytest.mark.parametrize("difference", [0.0, 5e-7, 1e-4])
def test_a_difference_within_the_tolerance_passes(difference: float) -> None:
    check_parity(parity(relative_difference=difference))


@pytest.mark.fault(
    "export",
    "the ONNX model differs from torch",
    wanted="nothing is written, and it is said by how much",
    said="the ONNX model differs from torch by … of the logits' spread, … times export.tolerance …",
)
def test_a_difference_beyond_the_tolerance_is_refused_and_says_by_how_much() -> None:
    said = refusal(relative_difference=3.2e-4, top1_agreement=0.987)

    assert said.startswith("the ONNX model differs from torch by 3.20e-04 of the logits' spread, 3.2 times ")
    assert "export.tolerance 0.0001 (top-1 agrees on 98.70%)" in said


@pytest.mark.parametrize("spread", [0.0, 1e-9, 9e-4])
def test_logits_that_hardly_vary_prove_nothing_and_are_refused(spread: float) -> None:
    said = refusal(logit_spread=spread, relative_difference=0.0)

    assert said.startswith(f"the model's logits vary by only {spread:.1e} over 153 images")
