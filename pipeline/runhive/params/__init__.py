"""params.yaml: the only source of what a person may tune, strictly validated.

Every key must be there, none may be added, and nothing is converted: a number in quotes is an error.
"""

from runhive.params.compute import LOCAL, Compute, Target
from runhive.params.gating import Gate, NotWorse
from runhive.params.keys import json_schema, known_keys
from runhive.params.reading import load_params, parse_params, parse_yaml
from runhive.params.sections import Data, Export, Model, Params, Split
from runhive.params.training import AdamW, Augment, Cosine, Distributed, EarlyStop, Sgd, Step, Train
from runhive.params.values import Cache

__all__ = [
    "LOCAL",
    "AdamW",
    "Augment",
    "Cache",
    "Compute",
    "Cosine",
    "Data",
    "Distributed",
    "EarlyStop",
    "Export",
    "Gate",
    "Model",
    "NotWorse",
    "Params",
    "Sgd",
    "Split",
    "Step",
    "Target",
    "Train",
    "json_schema",
    "known_keys",
    "load_params",
    "parse_params",
    "parse_yaml",
]
