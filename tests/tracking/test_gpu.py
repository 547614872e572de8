"""GPUs as NVML tells of them; a stand-in for the driver, as no machine of the tests need have one."""

from types import SimpleNamespace

import pynvml
import pytest

from runhive.tracking.life.machine import describe_machine, visible_gpus
from runhive.tracking.life.usage import Meter

UUIDS = ["GPU-aaaa-1", "GPU-bbbb-2"]


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetUUID": lambda handle: UUIDS[handle],
        "nvmlDeviceGetName": lambda _: "Hive 100",
        "nvmlSystemGetDriverVersion": lambda: "570.1",
        "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=80 * handle),
        "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(used=1000),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_run_names_its_gpus_and_their_driver(driver: None) -> None:
    told = describe_machine()

    assert (told["gpu"], told["gpus"], told["driver"]) == ("Hive 100", 2, "570.1")


@pytest.mark.parametrize(("chosen", "handles"), [("1", [1]), ("0,1", [0, 1]), ("GPU-bbbb", [1]), ("", []), ("-1", [])])
def test_only_the_gpus_that_the_process_may_use_count(
    driver: None, monkeypatch: pytest.MonkeyPatch, chosen: str, handles: list[int]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)

    assert visible_gpus() == handles


def test_use_is_the_mean_memory_the_sum_and_only_a_busy_gpu_costs_hours(driver: None) -> None:
    meter = Meter()
    row = meter.sample()
    used = meter.used("train", 1)

    assert (row["gpu_percent"], row["gpu_memory_bytes"]) == (40.0, 2000)
    assert used["peak_gpu_memory_bytes"] == 2000
    assert 0 < used["gpu_hours"] < 0.1


def test_a_slice_that_does_not_tell_its_use_still_tells_its_memory(
    driver: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetUtilizationRates", refuse)
    row = Meter().sample()

    assert (row["gpu_percent"], row["gpu_memory_bytes"]) == (None, 2000)
