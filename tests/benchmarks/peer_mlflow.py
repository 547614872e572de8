"""Fills an MLflow store with as many runs as `many_runs` has: `python peer_mlflow.py FOLDER RUNS`.

Each run has 10 parameters, 4 metrics and 5 more with 25 values. MLflow's client takes 0.3 s a run, so the rows are put
into its SQLite tables by its own database models.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import sqlalchemy
from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag

EPOCHS = 25
START = 1_767_225_600_000  # milliseconds since 1970
EXPERIMENT = "many"
AT_ONCE = 500  # runs


def fill(folder: Path, runs: int) -> None:
    """Write *runs* runs of one experiment to mlflow.db in *folder*."""
    address = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(address)
    experiment = int(mlflow.create_experiment(EXPERIMENT, artifact_location=(folder / "artifacts").as_uri()))
    with sqlalchemy.create_engine(address).begin() as connection:
        for start in range(0, runs, AT_ONCE):
            numbers = range(start, min(runs, start + AT_ONCE))
            connection.execute(sqlalchemy.insert(SqlRun), [_run(number, experiment) for number in numbers])
            parts: dict[Any, Callable[[int], Iterator[dict[str, Any]]]] = {
                SqlParam: _params, SqlTag: _tags, SqlLatestMetric: _latest, SqlMetric: _history
            }  # fmt: skip
            for model, rows in parts.items():
                connection.execute(sqlalchemy.insert(model), [row for number in numbers for row in rows(number)])


def _run(number: int, experiment: int) -> dict[str, Any]:
    began = START + 900_000 * number
    return {
        "run_uuid": _id(number), "name": f"run-{number}", "source_type": "LOCAL", "source_name": "train.py",
        "entry_point_name": "", "user_id": "b", "status": "FINISHED", "start_time": began,
        "end_time": began + 125_000, "source_version": "", "lifecycle_stage": "active", "artifact_uri": "none",
        "experiment_id": experiment,
    }  # fmt: skip


def _params(number: int) -> Iterator[dict[str, Any]]:
    for index in range(10):
        yield {"key": f"option_{index}", "value": str(number % (index + 2)), "run_uuid": _id(number)}


def _tags(number: int) -> Iterator[dict[str, Any]]:
    yield {"key": "mlflow.runName", "value": f"run-{number}", "run_uuid": _id(number)}


def _latest(number: int) -> Iterator[dict[str, Any]]:
    for index in range(9):
        yield _metric(number, index, EPOCHS if index < 5 else 0)


def _history(number: int) -> Iterator[dict[str, Any]]:
    for index in range(9):
        for step in range(1, EPOCHS + 1) if index < 5 else (0,):
            yield _metric(number, index, step)


def _metric(number: int, index: int, step: int) -> dict[str, Any]:
    value = (number % 97 + step) / (index + 100)
    told = {"key": f"metric_{index}", "value": value, "timestamp": START + step, "step": step, "is_nan": False}
    return told | {"run_uuid": _id(number)}


def _id(number: int) -> str:
    return f"{number:032x}"


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
