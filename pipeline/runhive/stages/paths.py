"""Where each file of the data's way lies, relative to the root of the workspace."""

from pathlib import Path

PARAMS = Path("params.yaml")
PIPELINE = Path("dvc.yaml")
LOCK = Path("dvc.lock")
REQUIREMENTS = Path("requirements.lock")

IMAGES = Path("data/images")
MANIFEST = Path("data/manifest.csv")
DATA_REPORT = Path("data/report.json")

WEIGHTS = Path("models/model.safetensors")
MODEL_CARD = Path("models/model.json")
HISTORY = Path("models/history.csv")
TRAIN_RECORD = Path("models/train.json")
ONNX = Path("models/model.onnx")
VARIANTS = Path("models/variants")

EVALUATION = Path("results/evaluation.json")
PREDICTIONS = Path("results/predictions.csv")
PLOTS = Path("results/plots")
PARITY = Path("results/parity.json")
METRICS = Path("results/metrics.json")

STATE = Path(".runhive")
SITE = Path("site")
