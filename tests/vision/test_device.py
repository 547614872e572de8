"""The device and the number format that the parameters ask for."""

import pytest
import torch
from small import params

from runhive.errors import RunhiveError
from runhive.vision.device import choose_device, choose_numerics, has_bf16

BF16 = has_bf16(torch.device("cpu"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_that_is_asked_for_and_absent_is_one_line() -> None:
    with pytest.raises(RunhiveError, match=r"train\.device: no CUDA device here: set auto or cpu, or mend the driver"):
        choose_device("cuda")


@pytest.mark.parametrize(
    ("arch", "mode", "size", "faster"),
    [
        ("resnet18", "finetune", 224, True),
        ("resnet18", "finetune", 64, False),
        ("efficientnet_lite0", "finetune", 224, False),
        ("efficientnet_lite0", "frozen", 224, True),
    ],
)
def test_auto_is_bf16_where_the_processor_has_it_and_it_is_faster(
    arch: str, mode: str, size: int, faster: bool
) -> None:
    found = params(
        f"model.arch={arch}", f"train.mode={mode}", f"model.image_size={size}", "model.resize_size=256",
        "train.device=cpu",
    )  # fmt: skip

    assert choose_numerics(found.model, found.train).precision == ("bf16" if BF16 and faster else "fp32")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_that_is_asked_for_is_taken(precision: str) -> None:
    found = params(f"train.precision={precision}", "train.device=cpu")
    numerics = choose_numerics(found.model, found.train)
    with numerics.autocast():
        product = torch.nn.functional.linear(torch.ones(2, 2), torch.ones(2, 2))

    assert product.dtype == (torch.bfloat16 if precision == "bf16" else torch.float32)
