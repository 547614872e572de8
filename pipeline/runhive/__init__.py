"""Git-native training and reporting for PyTorch image classifiers.

cli         commands; a stage is imported only when it runs
params      params.yaml, strictly validated
stages/     one module per DVC stage; the only code that knows paths
data/       where images come from; the manifest that lists them
vision/     what the classifier is and how it learns (torch)
tracking/   the ledger of runs in Git (no torch, no images)
report/     records to pages
formats/    one module per file that crosses a stage border
scoring/    models in use, without torch: an ONNX file to predictions
api         runs of one's own code: start, history, run, read_file
preprocess  an image file to the model's input, the same way everywhere
metrics     predictions to numbers
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runhive.api import ActiveRun as ActiveRun
    from runhive.api import history as history
    from runhive.api import read_file as read_file
    from runhive.api import run as run
    from runhive.api import start as start
    from runhive.scoring.model import Model as Model

__all__ = ["ActiveRun", "Model", "history", "read_file", "run", "start"]


def __getattr__(name: str) -> Any:
    """Import the Python API when it is used, so that `import runhive` costs nothing."""
    if name == "Model":  # without the ledger, which a file of a model does not need
        from runhive.scoring import model

        return model.Model
    if name in __all__:
        from runhive import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
