"""Repositories with models to register, away from the caller's own settings."""

import os
import shutil
from pathlib import Path

import pytest
from shop import Shop, make_hub, make_shop, worse


@pytest.fixture(autouse=True)
def _surroundings(own_settings: None) -> None:
    """No test of this folder sees the caller's settings."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """One good run, committed; not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        shop = make_shop(tmp_path_factory.mktemp("trained") / "repository")
        shop.train(1)
    return shop


@pytest.fixture
def shop(trained: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A copy with one good run; it is the current folder."""
    root = tmp_path / "repository"
    shutil.copytree(trained.root, root, symlinks=True)
    monkeypatch.chdir(root)
    return Shop(root)


@pytest.fixture
def second(shop: Shop) -> Shop:
    """Version 1.0.0 is prod, and a worse run is 1.1.0."""
    shop.call("register")
    shop.call("promote", "v1.0.0", "prod")
    shop.train(2, worse(0.5))
    shop.call("register")
    return shop


@pytest.fixture
def hub(shop: Shop, tmp_path: Path) -> Path:
    """A bare remote of the repository, with a DVC remote beside it."""
    return make_hub(shop, tmp_path)
