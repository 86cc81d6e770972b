"""A run that was trained once, for the commands that need one."""

import contextlib
import io
import shutil
from pathlib import Path

import pytest

from fer_core.cli import main


@pytest.fixture(scope="session")
def trained(tiny_csv_text: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("trained")
    data, folder = place / "tiny.csv", place / "runs" / "one"
    data.write_text(tiny_csv_text)
    settings = ("epochs=12", "batch_size=32", "learning_rate=0.01", "device=cpu")
    words = [word for setting in settings for word in ("--set", setting)]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert (
            main(["train", "--recipe", "quick", *words, "--data", f"{data}", "--run", f"{folder}"])
            == 0
        )
    assert "test: accuracy" in said.getvalue()
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """The run of a command, trained once and copied for every test."""
    return shutil.copytree(trained, tmp_path / "runs" / "one")
