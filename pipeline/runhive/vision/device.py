"""Where tensors live."""

import torch

from runhive.errors import RunhiveError


def choose_device(name: str) -> torch.device:
    """The device that `train.device` names. Raises RunhiveError where CUDA is asked for and absent."""
    if name == "cuda" and not torch.cuda.is_available():
        raise RunhiveError("params.yaml: train.device: no CUDA device here: set auto or cpu, or mend the driver")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
