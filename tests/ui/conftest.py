"""Run folders made by hand, with the files and keys that a real run writes; loaded checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_folders import fake_run
from standins import OneFace

from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.ui.shared import loaded as loaded_module
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.settings import AppSettings

MakeRun = Callable[..., RunFolder]
WriteCheckpoint = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run(name, …)` puts a run into `tmp_path / "runs"`; arguments as `fake_run` has them."""

    def make(name: str, **settings: Any) -> RunFolder:
        return fake_run(tmp_path / "runs", name, **settings)

    return make


@pytest.fixture
def settings(tmp_path: Path) -> AppSettings:
    """A page of one's own over empty folders."""
    return AppSettings(tmp_path / "data", tmp_path / "runs")


@pytest.fixture
def colour_config() -> RunConfig:
    """A configuration that differs from its recipe in several kinds of fields."""
    return dataclasses.replace(
        RunConfig(recipe="quick"), channels=3, model_options={"dropout": 0.2}
    )


@pytest.fixture
def no_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the project shipped no checkpoint, so that a test sees only what it made."""
    own = loaded_module.list_checkpoints
    monkeypatch.setattr(
        loaded_module, "list_checkpoints", lambda runs: own(runs, Path("nothing shipped"))
    )


@pytest.fixture
def loaded(
    tmp_path: Path, write_checkpoint: WriteCheckpoint, no_shipped: None
) -> LoadedCheckpoints:
    write_checkpoint(tmp_path / "runs" / "first", "happy")
    return LoadedCheckpoints(tmp_path / "runs", OneFace())
